"""The expected cost of every quantity, as a curve: piecewise linear between the kinks of the paths, plus what is left.

With u units arriving (``policies.projection`` has N, M and the windows), the cost between two arrivals is::

    lost sales   C(u) = E[ Σ_k h (max(u, M_k) − N_k) + p (M_end − u)⁺ ]
    backorders   C(u) = E[ Σ_k h (u − N_k)⁺ + p (N_k − u)⁺ ]

Both are c₀ + Σ a_i (u − B_i)⁺ + b_i (B_i − u)⁺ over kinks B: sorting the kinks once gives the cost of any u, and the
smallest u whose slope is not negative is the optimum. With one period between arrivals it is the newsvendor
quantile: the smallest u with F(u) ≥ p/(p + h).
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.arrays import freeze
from stockcast.policies.projection import Projection

NEAR = 1e-9  # relative: costs and slopes nearer than this are equal


@final
@dataclass(frozen=True, slots=True)
class CostCurve:
    """Expected holding and shortage cost between the two arrivals, a function of the units that arrive.

    Parameters
    ----------
    kinks
        Sorted B of each series.
    up, up_at
        Running sums of a and a·B: what lies at or below each kink, with a leading 0.
    down, down_at
        The same of b and b·B.
    base
        c₀.
    """

    kinks: Float[np.ndarray, "series kink"]
    up: Float[np.ndarray, "series kinks"]
    up_at: Float[np.ndarray, "series kinks"]
    down: Float[np.ndarray, "series kinks"]
    down_at: Float[np.ndarray, "series kinks"]
    base: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def of(
        cls,
        projection: Projection,
        holding_cost: Float[np.ndarray, " series"],
        shortage_cost: Float[np.ndarray, " series"],
        *,
        backorder: bool,
    ) -> "CostCurve":
        """Build the curve from the projected paths."""
        n, n_paths, width = projection.need.shape
        inside = projection.inside.astype(float) / n_paths
        at = projection.need if backorder else projection.peak
        up = holding_cost[:, None, None] * inside
        if backorder:
            down, base = shortage_cost[:, None, None] * inside, np.zeros(n)
        else:
            end = inside.copy()
            end[:, :, :-1] *= ~projection.inside[:, :, 1:]
            down = shortage_cost[:, None, None] * end
            base = (up * (projection.peak - projection.need)).reshape(n, -1).sum(axis=1)
        at, up, down = (array.reshape(n, n_paths * width) for array in (at, up, down))
        order = np.argsort(at, axis=1, kind="stable")
        at, up, down = (np.take_along_axis(array, order, axis=1) for array in (at, up, down))
        return cls(at, _running(up), _running(up * at), _running(down), _running(down * at), base)

    def _rank(self, units: Float[np.ndarray, "series unit"]) -> np.ndarray:
        pairs = zip(self.kinks, units, strict=True)
        return np.stack([np.searchsorted(kinks, some, side="right") for kinks, some in pairs])

    def cost(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give C(u) for some units of each series."""
        rank = self._rank(units)
        up, up_at, down, down_at = (
            np.take_along_axis(array, rank, axis=1) for array in (self.up, self.up_at, self.down, self.down_at)
        )
        over = units * up - up_at
        under = (self.down_at[:, -1:] - down_at) - units * (self.down[:, -1:] - down)
        found: np.ndarray = self.base[:, None] + np.maximum(over, 0.0) + np.maximum(under, 0.0)
        return found

    def slope(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give the right-hand slope C'(u)."""
        rank = self._rank(units)
        up, down = (np.take_along_axis(array, rank, axis=1) for array in (self.up, self.down))
        found: np.ndarray = up - (self.down[:, -1:] - down)
        return found

    def optimum(self) -> Float[np.ndarray, " series"]:
        """Give the smallest u whose slope is not negative; never above 0 where shortage costs nothing.

        It may be negative: the stock at arrival is then above what is wanted.
        """
        slope = self.up[:, 1:] - (self.down[:, -1:] - self.down[:, 1:])
        tolerance = NEAR * (self.up[:, -1:] + self.down[:, -1:])
        first = np.argmax(slope >= -tolerance, axis=1)
        best = np.take_along_axis(self.kinks, first[:, None], axis=1)[:, 0]
        return np.where(self.down[:, -1] > 0, best, np.minimum(self.kinks[:, 0], 0.0))


def _running(weights: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros((len(weights), 1)), np.cumsum(weights, axis=1)], axis=1)


@final
@dataclass(frozen=True, slots=True)
class Leftover:
    """What the stock left at the next arrival is worth: the steady-state cost that the window does not see.

    Let y be what is left beyond the safety stock, d the mean demand a period, R the periods between arrivals, Q the
    cycle quantity. Ordering Q whenever y runs out costs g = K d/Q + h Q/2 a period in the long run; using y up takes
    y/d periods and costs h y²/(2d). The relative value of having y is the difference (Porteus 2002, ch. 7)::

        V(y) = h y²/(2d) − g y/d = −[ h y (Q − y)/(2d) + K y/Q ]          so V(0) = 0 and V(Q) = −K

    It decides when Q exceeds one review's need, dR. Where y < 0 the next review orders: V(y) = K + V(y + Q). To size an
    order the slope stays −c instead, c = h Q/(2d) + K/Q: convex, so that the best size is found exactly. A lost sale
    caps c at p: beyond, stocking costs more than losing the sale, no next order comes, and no stock is safety stock.

    When Q does not exceed dR, every review orders up to its level and leftovers below it cost nothing more. Only what
    exceeds both the next level and what the free optimum leaves on the same path is charged, until it is used up:
    h e²/(2d) + h R e/2, the sum of Σ_j h R (e − j d R)⁺.

    Parameters
    ----------
    need, peak, later
        N and M at the end of the window, and open orders that come later, on each path.
    rate, review
        d, and R in periods.
    year
        Periods a year.
    holding_cost, order_cost
        h, and K of the line.
    cap
        The largest c: p under lost sales, infinite with backorders.
    safety, level, free
        Safety stock at the end of the window; the next level; the free optimum u*.
    """

    need: Float[np.ndarray, "series path"]
    peak: Float[np.ndarray, "series path"]
    later: Float[np.ndarray, "series path"]
    rate: Float[np.ndarray, " series"]
    review: Float[np.ndarray, " series"]
    year: float
    holding_cost: Float[np.ndarray, " series"]
    order_cost: Float[np.ndarray, " series"]
    cap: Float[np.ndarray, " series"]
    safety: Float[np.ndarray, " series"]
    level: Float[np.ndarray, " series"]
    free: Float[np.ndarray, " series"]
    backorder: bool

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        arrays = {name: getattr(self, name) for name in self.__dataclass_fields__}
        freeze(self, **{name: array for name, array in arrays.items() if isinstance(array, np.ndarray)})

    def left(self, units: Float[np.ndarray, " series"]) -> Float[np.ndarray, "series path"]:
        """Give the stock at the next arrival, open orders that come later included."""
        held = units[:, None] if self.backorder else np.maximum(units[:, None], self.peak)
        found: np.ndarray = held - self.need + self.later
        return found

    def economic(self) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
        """Give the economic order quantity √(2Kd/h), and the h it stands for.

        A cycle is never longer than a year: where holding costs (nearly) nothing, h is raised to what that implies.
        """
        longest = self.rate * self.year
        free = np.sqrt(2.0 * self.order_cost * self.rate)
        root = np.maximum(np.sqrt(self.holding_cost), free / longest)
        holding = np.where(self.order_cost > 0, root**2, self.holding_cost)
        return np.where(self.order_cost > 0, free / np.where(root > 0, root, 1.0), 0.0), holding

    def lumpy(self, cycle: Float[np.ndarray, " series"]) -> Bool[np.ndarray, " series"]:
        """Tell where a cycle quantity exceeds one review's need."""
        found: np.ndarray = cycle > self.rate * self.review
        return found

    def _marginal(self, cycle: np.ndarray, holding: np.ndarray) -> np.ndarray:
        size = np.where(cycle > 0, cycle, 1.0)
        found: np.ndarray = np.minimum(holding * size / (2.0 * self.rate) + self.order_cost / size, self.cap)
        return found

    def cycle_value(
        self, units: Float[np.ndarray, " series"], cycle: Float[np.ndarray, " series"], *, convex: bool
    ) -> Float[np.ndarray, " series"]:
        """Give E V(y) with cycle quantity Q, below y = 0 either continued as a line or with the next review's order."""
        holding = self.economic()[1]
        worth = self._marginal(cycle, holding)
        pays = worth < self.cap
        beyond = self.left(units) - np.where(pays, self.safety, 0.0)[:, None]
        curve = (holding / (2.0 * self.rate))[:, None]
        if convex:
            found: np.ndarray = (curve * np.maximum(beyond, 0.0) ** 2 - worth[:, None] * beyond).mean(axis=1)
            return found
        again = np.maximum(beyond + cycle[:, None], 0.0)
        next_order = self.order_cost[:, None] + curve * again**2 - worth[:, None] * (beyond + cycle[:, None])
        below = np.where(pays[:, None], next_order, 0.0)
        found = np.where(beyond < 0, below, curve * beyond**2 - worth[:, None] * beyond).mean(axis=1)
        return found

    def cycle_slope(
        self, units: Float[np.ndarray, " series"], cycle: Float[np.ndarray, " series"]
    ) -> Float[np.ndarray, " series"]:
        """Give the right-hand slope of :meth:`cycle_value` in the units ordered."""
        holding = self.economic()[1]
        worth = self._marginal(cycle, holding)
        beyond = self.left(units) - np.where(worth < self.cap, self.safety, 0.0)[:, None]
        slope = (holding / self.rate)[:, None] * np.maximum(beyond, 0.0) - worth[:, None]
        moves = np.ones_like(slope) if self.backorder else (units[:, None] >= self.peak).astype(float)
        found: np.ndarray = (slope * moves).mean(axis=1)
        return found

    def overstock(self, units: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """Give the expected holding cost of what exceeds the next level, after the next arrival."""
        excess = np.maximum(self.left(units) - np.maximum(self.left(self.free), self.level[:, None]), 0.0)
        charge = excess**2 / (2.0 * self.rate)[:, None] + self.review[:, None] * excess / 2.0
        found: np.ndarray = (self.holding_cost[:, None] * charge).mean(axis=1)
        return found
