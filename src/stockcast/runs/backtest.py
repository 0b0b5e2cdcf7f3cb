"""``stockcast backtest``: how every model would have done, and the choice among them."""

from stockcast.runs.finish import finish
from stockcast.runs.job import Job, Outcome
from stockcast.runs.result import Result
from stockcast.runs.stages import judge, read
from stockcast.runs.start import opened


def run(job: Job) -> Outcome:
    """Read, judge every model at rolling origins, and publish."""
    with opened(job) as night:
        inputs = read(night)
        return finish(night, Result(inputs, comparison=judge(night, inputs)))
