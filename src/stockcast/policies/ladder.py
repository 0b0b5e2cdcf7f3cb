"""Numbers of each series in ascending order, with running sums: what any height exceeds them by, without a pass.

With B sorted once, r(u) the number of B at or below u, and S, T running sums of B and B²::

    Σ (u − B)⁺ = u r − S_r      Σ ((u − B)⁺)² = u² r − 2 u S_r + T_r      Σ (B − u)⁺ = (S_n − S_r) − u (n − r)

All are counted from the smallest B of the series, so that large numbers near one another lose no digits.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze


@final
@dataclass(frozen=True, slots=True)
class Ladder:
    """Sorted numbers of each series; infinite ones, at the end, do not count.

    Parameters
    ----------
    rungs
        B, ascending.
    count
        How many of them are finite.
    origin
        The smallest, 0 where none counts.
    first, second
        Running sums of B − origin and of its square, with a leading 0; ``second`` has no column where it is not kept.

    Examples
    --------
    >>> ladder = Ladder.of(np.array([[5.0, 1.0, np.inf]]))
    >>> ladder.over(np.array([[0.0, 2.0, 6.0]])).tolist()
    [[0.0, 1.0, 6.0]]
    >>> ladder.under(np.array([[0.0, 2.0, 6.0]])).tolist()
    [[6.0, 3.0, 0.0]]
    """

    rungs: Float[np.ndarray, "series rung"]
    count: Int[np.ndarray, " series"]
    origin: Float[np.ndarray, " series"]
    first: Float[np.ndarray, "series sums"]
    second: Float[np.ndarray, "series squares"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def of(cls, numbers: Float[np.ndarray, "series rung"], *, squares: bool = False) -> "Ladder":
        """Sort some numbers of each series; with ``squares``, :meth:`squared` is known too."""
        rungs = np.sort(numbers, axis=1)
        count = np.full(len(rungs), rungs.shape[1])
        origin = rungs[:, 0]
        if np.isfinite(rungs[:, -1]).all():
            beyond = rungs - origin[:, None]
        else:
            counts = np.isfinite(rungs)
            count = counts.sum(axis=1)
            origin = np.where(count > 0, origin, 0.0)
            beyond = np.where(counts, rungs, origin[:, None]) - origin[:, None]
        second = _running(beyond**2) if squares else np.zeros((len(rungs), 0))
        return cls(rungs, count, origin, _running(beyond), second)

    def rank(self, units: Float[np.ndarray, "series unit"]) -> Int[np.ndarray, "series unit"]:
        """Count the rungs at or below some units of each series: a binary search in all series at once."""
        n, width = self.rungs.shape
        flat, begin = self.rungs.ravel(), np.arange(n)[:, None] * width - 1
        found = np.zeros(units.shape, dtype=np.int64)
        step = 1 << (width.bit_length() - 1) if width else 0
        while step:
            probe = found + step
            reached = (flat[begin + np.minimum(probe, width)] <= units) & (probe <= width)
            found += step * reached
            step >>= 1
        return found

    def over(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give Σ (u − B)⁺."""
        rank = self.rank(units)
        return np.maximum(self._from(units) * rank - np.take_along_axis(self.first, rank, axis=1), 0.0)

    def under(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give Σ (B − u)⁺."""
        rank = self.rank(units)
        above = self.first[:, -1:] - np.take_along_axis(self.first, rank, axis=1)
        return np.maximum(above - self._from(units) * (self.count[:, None] - rank), 0.0)

    def squared(
        self, units: Float[np.ndarray, "series unit"]
    ) -> tuple[Float[np.ndarray, "series unit"], Float[np.ndarray, "series unit"]]:
        """Give Σ (u − B)⁺ and Σ ((u − B)⁺)²."""
        rank, height = self.rank(units), self._from(units)
        first, second = (np.take_along_axis(sums, rank, axis=1) for sums in (self.first, self.second))
        over = height * rank - first
        return np.maximum(over, 0.0), np.maximum(height * (over - first) + second, 0.0)

    def _from(self, units: np.ndarray) -> np.ndarray:
        found: np.ndarray = units - self.origin[:, None]
        return found


def _running(numbers: np.ndarray) -> np.ndarray:
    out = np.zeros((len(numbers), numbers.shape[1] + 1))
    np.cumsum(numbers, axis=1, out=out[:, 1:])
    return out
