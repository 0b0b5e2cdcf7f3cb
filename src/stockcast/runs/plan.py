"""``stockcast plan``: orders from the forecast at hand."""

from stockcast.runs.finish import finish
from stockcast.runs.job import Job, Outcome
from stockcast.runs.ordering import plan
from stockcast.runs.result import Result
from stockcast.runs.stages import forecast_at_hand, read
from stockcast.runs.start import opened
from stockcast.runs.tradeoff import tradeoff


def run(job: Job) -> Outcome:
    """Read, take the newest fitting forecast (or make one), order, and publish."""
    with opened(job) as night:
        inputs = read(night)
        made, terms = forecast_at_hand(night, inputs)
        situation, planned = plan(night, inputs, made, terms)
        curve = tradeoff(night, situation, planned) if job.tradeoff else None
        return finish(night, Result(inputs, made, situation, planned, tradeoff=curve))
