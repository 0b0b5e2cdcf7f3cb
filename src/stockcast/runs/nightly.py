"""``stockcast run``: the nightly job, the page that a reader should see first."""

from stockcast.runs.finish import finish
from stockcast.runs.job import Job, Outcome
from stockcast.runs.ordering import plan
from stockcast.runs.result import Result
from stockcast.runs.stages import forecast, read
from stockcast.runs.start import opened


def run(job: Job) -> Outcome:
    """Read, forecast, order, report: one night, published all at once."""
    with opened(job) as night:
        inputs = read(night)
        made, terms = forecast(night, inputs)
        situation, planned = plan(night, inputs, made, terms)
        return finish(night, Result(inputs, made, situation, planned, report=True))
