"""The candidates of a line that are best at some price of a unit: the lower convex hull of its cost table.

Whatever a unit is worth, min_j C_j − w Q_j is taken at a corner of the hull, the one after which the slope of the hull
is no longer below w. A price added to every unit moves all slopes alike: the corners stay.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze


@final
@dataclass(frozen=True, slots=True)
class Hull:
    """Corners of each line's table, by ascending quantity; the last one stands to the end of its row.

    Examples
    --------
    >>> hull = Hull.of(np.array([[0.0, 1.0, 2.0, 3.0]]), np.array([[0.0, -1.0, -4.0, -3.0]]))
    >>> hull.corner.tolist()
    [[0, 2, 3]]
    """

    corner: Int[np.ndarray, "line corner"]

    def __post_init__(self) -> None:
        """Freeze the array."""
        freeze(self, corner=self.corner)

    @classmethod
    def of(cls, quantity: Float[np.ndarray, "line candidate"], cost: Float[np.ndarray, "line candidate"]) -> "Hull":
        """Walk along the candidates of all lines at once, and drop what lies on or above a line through others."""
        n, width = quantity.shape
        every = np.arange(n)
        corner, top = np.zeros((n, width), dtype=np.int64), np.zeros(n, dtype=np.int64)

        def rise(rows: np.ndarray, of: np.ndarray, to: np.ndarray) -> np.ndarray:
            found: np.ndarray = (cost[rows, to] - cost[rows, of]) / (quantity[rows, to] - quantity[rows, of])
            return found

        for j in range(1, width):
            rows = every[quantity[:, j] > quantity[every, corner[every, top]]]
            more = rows[top[rows] > 0]
            while len(more):
                last, before = corner[more, top[more]], corner[more, top[more] - 1]
                over = rise(more, before, last) >= rise(more, last, np.full(len(more), j))
                more = more[over]
                top[more] -= 1
                more = more[top[more] > 0]
            top[rows] += 1
            corner[rows, top[rows]] = j
        most = int(top.max(initial=0)) + 1
        at = np.minimum(np.arange(most)[None, :], top[:, None])
        return cls(np.take_along_axis(corner, at, axis=1))

    def take(self, rows: Int[np.ndarray, " some"]) -> "Hull":
        """Give the corners of some lines."""
        return Hull(self.corner[rows])
