"""The run's clock: how long each stage took, and whether the deadline has struck (the only use of time in a run)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


class Clock:
    """Times the stages of one run and knows its deadline.

    Parameters
    ----------
    deadline
        Seconds from now, or None.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self._begin = time.monotonic()
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self._deadline = deadline
        self.timings: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; stages of one name add up."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.timings[name] = self.timings.get(name, 0.0) + time.monotonic() - begin

    @property
    def elapsed(self) -> float:
        """Give the seconds since the run began."""
        return time.monotonic() - self._begin

    @property
    def left(self) -> float:
        """Give the seconds until the deadline; infinite without one."""
        return float("inf") if self._deadline is None else self._deadline - self.elapsed

    @property
    def struck(self) -> bool:
        """Tell whether the deadline has passed."""
        return self.left <= 0.0
