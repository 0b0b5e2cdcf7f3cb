"""Paths led along a given course: nothing before a launch, nothing after the end, a level that is in doubt."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int, UInt64

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream
from stockcast.demand.adjusted import factors, most_of
from stockcast.demand.innovations import Paths
from stockcast.demand.sources import PathSource


@final
@dataclass(frozen=True, slots=True)
class Coursed:
    """Paths multiplied by a course of the periods ahead, and by one factor for a whole path.

    With g lognormal of mean 1: ``y'[i, p, h] = min(y[i, p, h] · g[i, p] · course[i, h], cap[i])``.

    Parameters
    ----------
    inner
        Where the paths come from before.
    course
        Of each period ahead; 0 says that nothing is sold in it, 1 that it stays as it is.
    doubt
        Coefficient of variation of g: how uncertain the level is. 0 leaves it as it is.
    cap
        The largest value of a single period; what is above is cut to it.
    """

    inner: PathSource
    course: Float[np.ndarray, "series horizon"]
    doubt: Float[np.ndarray, " series"]
    cap: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, course=self.course, doubt=self.doubt, cap=self.cap)

    def draw(
        self,
        rows: Int[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        n_paths: int,
        horizon: int,
    ) -> Paths:
        """Draw the inner paths and lead each along its course."""
        paths = self.inner.draw(rows, keys, stream, n_paths, horizon)
        doubtful = np.flatnonzero(self.doubt[rows] > 0)
        if len(doubtful):
            g = factors(self.doubt[rows[doubtful]], keys[doubtful], stream.child("level"), n_paths)
            paths[doubtful] *= g[:, :, None]
        paths *= self.course[rows, None, :horizon]
        return np.minimum(paths, self.cap[rows, None, None])

    def reach(self, inner: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """Give a value that no period of a path can exceed, from what those of ``inner`` can't."""
        most = self.course.max(axis=1, initial=0.0)
        held = np.where(most > 0, inner, 0.0)  # what cannot be told, times nothing, is nothing
        return np.minimum(held * most_of(self.doubt) * most, self.cap)

    def take(self, rows: np.ndarray) -> "Coursed":
        """Give the source of some rows."""
        return Coursed(self.inner.take(rows), self.course[rows], self.doubt[rows], self.cap[rows])
