"""The beginning of every run: its clock, and the lock that keeps a second run out."""

from collections.abc import Iterator
from contextlib import contextmanager

from stockcast.core import deadline
from stockcast.core.libraries import libraries_told
from stockcast.core.parallel import calm_threads
from stockcast.runs.clock import Clock
from stockcast.runs.job import Job
from stockcast.runs.lock import held
from stockcast.runs.stages import Night


@contextmanager
def opened(job: Job) -> Iterator[Night]:
    """Open a night: start the clock, take the project's lock, and hold it until the run is published.

    Raises
    ------
    LockedError
        If another run holds the lock for longer than ``--wait``.
    ResourceError
        If a library that the run needs cannot be loaded.
    """
    calm_threads()
    clock = Clock(job.config.deadline)
    deadline.give(job.config.deadline)
    try:
        with held(job.config.root / job.config.output.dir, wait=job.wait), libraries_told():
            yield Night(job, clock)
    finally:
        deadline.give(None)
