"""``stockcast features rank``: what the boosted model sees, and what of it matters."""

from stockcast.runs.finish import finish
from stockcast.runs.job import Job, Outcome
from stockcast.runs.result import Result
from stockcast.runs.stages import rank, read
from stockcast.runs.start import opened


def run(job: Job) -> Outcome:
    """Read, rank the features by a model of them, and publish."""
    with opened(job) as night:
        inputs = read(night)
        return finish(night, Result(inputs, importance=rank(night, inputs)))
