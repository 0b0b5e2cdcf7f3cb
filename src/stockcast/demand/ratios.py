"""Paths as a level times whole courses of the past over their own level."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int, UInt64

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream
from stockcast.demand.courses import drawn
from stockcast.demand.innovations import Paths


@final
@dataclass(frozen=True, slots=True)
class Ratios:
    """A level of each step times courses of ratios, each what came in a window of the past over the level it had then.

    With k the course that a path p of series i drew, all of ``near[i]`` equally often::

        y[i, p, h] = min(mean[i, h] · pool[k, h], cap[i])

    A course is one window of one series, so that its periods hang together over time as they did then: no dependence
    has to be assumed. Which windows a series draws from is for its model to say (analogues: Delle Monache et al. 2013).

    Parameters
    ----------
    mean
        The level, in units: the mean of the paths is it times that of the courses.
    pool
        Ratios without a unit, of all series together.
    near
        The courses that a series draws from, as rows of ``pool``; repeated ones weigh more.
    cap
        The largest value of a single period.

    Examples
    --------
    >>> pool = np.array([[0.5, 0.5], [1.5, 1.5]])
    >>> source = Ratios(np.array([[4.0, 8.0]]), pool, np.array([[0, 1]]), np.array([99.0]))
    >>> drawn = source.draw(np.array([0]), np.array([5], dtype=np.uint64), Stream(7, "paths"), 4, 2)
    >>> sorted(drawn[0].tolist()), drawn.mean(axis=1).tolist()
    ([[2.0, 4.0], [2.0, 4.0], [6.0, 12.0], [6.0, 12.0]], [[4.0, 8.0]])
    """

    mean: Float[np.ndarray, "series horizon"]
    pool: Float[np.ndarray, "course horizon"]
    near: Int[np.ndarray, "series neighbour"]
    cap: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, mean=self.mean, pool=self.pool, near=self.near, cap=self.cap)

    def draw(
        self,
        rows: Int[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        n_paths: int,
        horizon: int,
    ) -> Paths:
        """Draw a course for each path."""
        course = drawn(self.near[rows], keys, stream, n_paths)
        paths = self.pool[:, :horizon][course]
        paths *= self.mean[rows, None, :horizon]
        return np.minimum(paths, self.cap[rows, None, None])

    def reach(self) -> Float[np.ndarray, " series"]:
        """Give a value that no period of a path can exceed before it is cut."""
        most = self.pool.max(axis=1, initial=0.0)
        return np.asarray(self.mean.max(axis=1, initial=0.0) * most[self.near].max(axis=1, initial=0.0))

    def take(self, rows: np.ndarray) -> "Ratios":
        """Give the source of some rows."""
        return Ratios(self.mean[rows], self.pool, self.near[rows], self.cap[rows])
