"""When the run has to be done: told to whatever computes for long, in this process and the workers that it starts."""

import os
import time

_NAME = "STOCKCAST_DEADLINE"  # in the environment, so that worker processes inherit it
STRUCK = "the deadline struck"  # how a note begins that tells what was left out for it


def give(seconds: float | None) -> None:
    """Give this process and its workers so many seconds from now on; None takes the deadline away.

    Examples
    --------
    >>> give(3600.0)
    >>> struck()
    False
    >>> give(None)
    """
    if seconds is None:
        os.environ.pop(_NAME, None)
    else:
        os.environ[_NAME] = repr(time.time() + seconds)


def struck() -> bool:
    """Tell whether the deadline has passed; never without one."""
    given = os.environ.get(_NAME)
    return given is not None and time.time() >= float(given)
