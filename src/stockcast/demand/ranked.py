"""Paths from quantiles of single periods, put in the order of ranks of the past: a Schaake shuffle."""

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
class Ranked:
    r"""Quantiles of each period, whose values stand on the paths in the order of whole courses of ranks.

    A path p draws a course, all of ``near[i]`` equally often, as :class:`~stockcast.demand.Ratios` does. With r(p, h)
    the place of its rank among those that all P paths have in the period h::

        y[i, p, h] = Q[i, h]((r(p, h) + 1/2) / P)

    so that each period has the distribution of its quantiles, whatever the ranks, and periods hang together as they did
    in the past (the Schaake shuffle, Clark et al. 2004). Between two levels Q runs straight; beyond the outermost ones
    it stays where it is.

    Parameters
    ----------
    levels
        Ascending probabilities of the quantiles.
    values
        Quantiles in units, not decreasing along the levels.
    pool
        Courses of all series together: in each period, the rank of each among all of them (:meth:`order`).
    near
        The courses that a series draws from, as rows of ``pool``; repeated ones weigh more.
    cap
        The largest value of a single period.

    Examples
    --------
    >>> values = np.array([[[0.0, 10.0], [0.0, 20.0]]])
    >>> pool, cap = Ranked.order(np.array([[0.1, 0.2], [0.9, 0.8]])), np.array([99.0])
    >>> source = Ranked(np.array([0.0, 1.0]), values, pool, np.array([[0, 1]]), cap)
    >>> drawn = source.draw(np.array([0]), np.array([5], dtype=np.uint64), Stream(7, "paths"), 2, 2)
    >>> sorted(drawn[0].tolist())
    [[2.5, 5.0], [7.5, 15.0]]
    """

    levels: Float[np.ndarray, " level"]
    values: Float[np.ndarray, "series horizon level"]
    pool: Int[np.ndarray, "course horizon"]
    near: Int[np.ndarray, "series neighbour"]
    cap: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, levels=self.levels, values=self.values, pool=self.pool, near=self.near, cap=self.cap)

    def draw(
        self,
        rows: Int[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        n_paths: int,
        horizon: int,
    ) -> Paths:
        """Draw a course for each path, and give it the values of its ranks."""
        course = drawn(self.near[rows], keys, stream, n_paths)
        # period by period, so that what is sorted lies side by side
        ranks = np.ascontiguousarray(self.pool[:, :horizon].T)[:, course]
        share = np.clip((np.arange(n_paths) + 0.5) / n_paths, self.levels[0], self.levels[-1])
        at = np.clip(np.searchsorted(self.levels, share) - 1, 0, len(self.levels) - 2)
        weight = (share - self.levels[at]) / (self.levels[at + 1] - self.levels[at])
        values = self.values[rows][:, :horizon].transpose(1, 0, 2)
        ascending = np.empty(ranks.shape)
        for level in np.unique(at).tolist():  # the paths between two levels are neighbours
            some = slice(*np.searchsorted(at, [level, level + 1]).tolist())
            low, high = values[:, :, level, None], values[:, :, level + 1, None]
            ascending[:, :, some] = low + weight[some] * (high - low)
        out = np.empty(ranks.shape)
        np.put_along_axis(out, np.argsort(ranks, axis=2, kind="stable"), ascending, axis=2)
        return np.minimum(out.transpose(1, 2, 0), self.cap[rows, None, None])

    @staticmethod
    def order(courses: Float[np.ndarray, "course horizon"]) -> Int[np.ndarray, "course horizon"]:
        """Give the rank of each course among all, in each period; of 16 bits where they suffice, which sort fastest."""
        ranks = np.argsort(np.argsort(courses, axis=0, kind="stable"), axis=0, kind="stable")
        return ranks.astype(np.int16 if len(courses) < 2**15 else np.int32)

    def reach(self) -> Float[np.ndarray, " series"]:
        """Give a value that no period of a path can exceed before it is cut."""
        return np.asarray(self.values[:, :, -1].max(axis=1, initial=0.0))

    def take(self, rows: np.ndarray) -> "Ranked":
        """Give the source of some rows."""
        return Ranked(self.levels, self.values[rows], self.pool, self.near[rows], self.cap[rows])
