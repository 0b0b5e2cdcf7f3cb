"""``stockcast check``: read and validate every source; nothing of the sources changes."""

from stockcast.runs.finish import finish
from stockcast.runs.job import Job, Outcome
from stockcast.runs.result import Result
from stockcast.runs.stages import read
from stockcast.runs.start import opened


def run(job: Job) -> Outcome:
    """Read and check the inputs, and publish what would be quarantined and why."""
    with opened(job) as night:
        return finish(night, Result(read(night)))
