"""A cost curve that is known at points: convex, straight between them, and straight on beyond both ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.policies.costs import NEAR


@final
@dataclass(frozen=True, slots=True)
class TabledCurve:
    """The expected cost of each series as a function of the units that arrive; stands in for ``costs.CostCurve``.

    Parameters
    ----------
    units, value
        The points, ascending, and the cost at each; convex.
    count
        How many points of each series count; those after them only fill the table.
    short
        The cost a unit that goes unmet; where it is 0 nothing is wanted.

    Examples
    --------
    >>> points = [(np.array([0.0, 1.0, 2.0, 3.0]), np.array([4.0, 2.5, 2.0, 3.0]))]
    >>> curve = TabledCurve.of(points, np.array([2.0]))
    >>> curve.cost(np.array([[-1.0, 0.5, 4.0]])).tolist(), curve.optimum().tolist()
    ([[5.5, 3.25, 4.0]], [2.0])
    """

    units: Float[np.ndarray, "series point"]
    value: Float[np.ndarray, "series point"]
    count: Int[np.ndarray, " series"]
    short: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, units=self.units, value=self.value, count=self.count, short=self.short)

    @classmethod
    def of(cls, points: Sequence[tuple[np.ndarray, np.ndarray]], short: Float[np.ndarray, " series"]) -> "TabledCurve":
        """Take the largest convex curve that exceeds none of each series' points, given as units and costs."""
        most = max(len(units) for units, _ in points)
        table, value = np.zeros((len(points), most)), np.zeros((len(points), most))
        for at, (units, cost) in enumerate(points):
            more = most - len(units)
            table[at] = np.append(units, units[-1] + np.arange(1.0, more + 1.0))
            value[at] = np.append(np.interp(units, *_hull(units, cost)), np.full(more, cost[-1]))
        return cls(table, value, np.array([len(units) for units, _ in points], dtype=np.int64), short)

    @property
    def least(self) -> Float[np.ndarray, " series"]:
        """Give the first point."""
        return np.asarray(self.units[:, 0])

    @property
    def most(self) -> Float[np.ndarray, " series"]:
        """Give the last point."""
        return np.asarray(np.take_along_axis(self.units, self.count[:, None] - 1, axis=1)[:, 0])

    def cost(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give C(u) for some units of each series."""
        piece = self._piece(units)
        begin = np.take_along_axis(self.units, piece, axis=1)
        slope = np.take_along_axis(self._slopes(), piece, axis=1)
        return np.asarray(np.take_along_axis(self.value, piece, axis=1) + slope * (units - begin))

    def slope(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give the right-hand slope C'(u)."""
        return np.asarray(np.take_along_axis(self._slopes(), self._piece(units), axis=1))

    def optimum(self) -> Float[np.ndarray, " series"]:
        """Give the smallest u whose slope is not negative; never above 0 where shortage costs nothing."""
        slopes = self._slopes()
        real = np.arange(slopes.shape[1])[None, :] < self.count[:, None] - 1
        rises = slopes >= -NEAR * np.where(real, np.abs(slopes), 0.0).max(axis=1, keepdims=True)
        rises &= real
        at = np.where(rises.any(axis=1), rises.argmax(axis=1), self.count - 1)
        best = self.units[np.arange(len(at)), at]
        return np.where(self.short > 0, best, np.minimum(self.least, 0.0))

    def _piece(self, units: np.ndarray) -> np.ndarray:
        reached = (self.units[:, :, None] <= units[:, None, :]).sum(axis=1)
        return np.asarray(np.clip(reached - 1, 0, self.count[:, None] - 2))

    def _slopes(self) -> np.ndarray:
        return np.asarray(np.diff(self.value, axis=1) / np.diff(self.units, axis=1))


def _hull(units: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kept: list[int] = []
    x, y = units.tolist(), value.tolist()
    for at in range(len(x)):
        while len(kept) > 1:
            first, middle = kept[-2], kept[-1]
            if (y[at] - y[middle]) * (x[middle] - x[first]) > (y[middle] - y[first]) * (x[at] - x[middle]):
                break
            kept.pop()
        kept.append(at)
    return units[kept], value[kept]
