"""``stockcast forecast``: a forecast for every series."""

from stockcast.runs.finish import finish
from stockcast.runs.job import Job, Outcome
from stockcast.runs.result import Result
from stockcast.runs.stages import forecast, read
from stockcast.runs.start import opened


def run(job: Job) -> Outcome:
    """Read, choose models by backtest, forecast, and publish."""
    with opened(job) as night:
        inputs = read(night)
        made, _ = forecast(night, inputs)
        return finish(night, Result(inputs, made))
