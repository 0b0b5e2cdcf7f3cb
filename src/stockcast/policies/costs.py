"""The expected cost of every quantity, as a curve: piecewise linear between the kinks of the paths, plus what is left.

With u units arriving (``policies.projection`` has N, M and the windows), the cost between two arrivals is::

    lost sales   C(u) = E[ Σ_k h (max(u, M_k) − N_k) + p (M_end − u)⁺ ]
    backorders   C(u) = E[ Σ_k h (u − N_k)⁺ + p (N_k − u)⁺ ]

Both are c₀ + h Σ (u − B)⁺ + p Σ (B' − u)⁺ over kinks B and B': sorting them once (``policies.ladder``) gives the cost
of any u, and the smallest u whose slope is not negative is the optimum. With one period between arrivals it is the
newsvendor quantile: the smallest u with F(u) ≥ p/(p + h).
"""

from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.policies.ladder import Ladder
from stockcast.policies.projection import Projection

NEAR = 1e-9  # relative: costs and slopes nearer than this are equal


@final
@dataclass(frozen=True, slots=True)
class CostCurve:
    """Expected holding and shortage cost between the two arrivals, a function of the units that arrive.

    Parameters
    ----------
    held
        The kinks from which units are held: M_k, or N_k with backorders, of every period before the next arrival.
    unmet
        The kinks up to which units go unmet: M_end, or N_k.
    holding, shortage
        h and p, for each path.
    least, most
        The smallest and the largest kink.
    base
        c₀.
    """

    held: Ladder
    unmet: Ladder
    holding: Float[np.ndarray, " series"]
    shortage: Float[np.ndarray, " series"]
    least: Float[np.ndarray, " series"]
    most: Float[np.ndarray, " series"]
    base: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in ("holding", "shortage", "least", "most", "base")})

    @classmethod
    def of(
        cls,
        projection: Projection,
        holding_cost: Float[np.ndarray, " series"],
        shortage_cost: Float[np.ndarray, " series"],
        *,
        backorder: bool,
        worst: Ladder | None = None,
    ) -> "CostCurve":
        """Build the curve from the projected paths; ``worst`` is the ladder of M_end where that is at hand."""
        n, n_paths, width = projection.need.shape
        inside, whole = projection.inside, bool(projection.inside.all())
        at = projection.need if backorder else projection.peak
        flat = at.reshape(n, n_paths * width)
        held = Ladder.of(flat if whole else np.where(inside, at, np.inf).reshape(n, n_paths * width))
        if backorder:
            unmet, base = held, np.zeros(n)
        else:
            some = projection.inside.any(axis=2)
            if worst is None or not some.all():
                worst = Ladder.of(np.where(some, projection.last[1], np.inf))
            waits = projection.peak - projection.need
            waits = waits if whole else np.where(inside, waits, 0.0)
            unmet, base = worst, holding_cost / n_paths * waits.reshape(n, -1).sum(axis=1)
        return cls(
            held, unmet, holding_cost / n_paths, shortage_cost / n_paths, flat.min(axis=1), flat.max(axis=1), base
        )  # fmt: skip

    def cost(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give C(u) for some units of each series."""
        over, under = self.held.over(units), self.unmet.under(units)
        found: np.ndarray = self.base[:, None] + self.holding[:, None] * over + self.shortage[:, None] * under
        return found

    def slope(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give the right-hand slope C'(u)."""
        beyond = self.unmet.count[:, None] - self.unmet.rank(units)
        found: np.ndarray = self.holding[:, None] * self.held.rank(units) - self.shortage[:, None] * beyond
        return found

    def optimum(self) -> Float[np.ndarray, " series"]:
        """Give the smallest u whose slope is not negative; never above 0 where shortage costs nothing.

        It may be negative: the stock at arrival is then above what is wanted.
        """
        up, down = self.holding * self.held.count, self.shortage * self.unmet.count
        tolerance = NEAR * (up + down)
        low, high = np.zeros(len(up), dtype=np.int64), np.maximum(self.held.count - 1, 0)
        for _ in range(int(high.max(initial=0)).bit_length()):
            middle = (low + high) // 2
            here = np.take_along_axis(self.held.rungs, middle[:, None], axis=1)
            enough = self.slope(np.where(np.isfinite(here), here, 0.0))[:, 0] >= -tolerance
            low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
            low = np.minimum(low, high)
        best = np.take_along_axis(self.held.rungs, high[:, None], axis=1)[:, 0]
        return np.where(down > 0, best, np.minimum(self.least, 0.0))


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
    excess: Ladder = field(init=False)

    def __post_init__(self) -> None:
        """Freeze the arrays, and sort the units from which each path has too much left."""
        arrays = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "excess"}
        freeze(self, **{name: array for name, array in arrays.items() if isinstance(array, np.ndarray)})
        ahead = self.later - self.need
        held = self.free[:, None] if self.backorder else np.maximum(self.free[:, None], self.peak)
        kinks = np.maximum(held + ahead, self.level[:, None]) - ahead
        object.__setattr__(self, "excess", Ladder.of(kinks, squares=True))

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

    def overstock(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give the expected holding cost of what exceeds the next level, after the next arrival."""
        first, second = self.excess.squared(units)
        charge = second / (2.0 * self.rate)[:, None] + self.review[:, None] * first / 2.0
        found: np.ndarray = self.holding_cost[:, None] * charge / self.need.shape[1]
        return found


@final
@dataclass(frozen=True, slots=True)
class Cycle:
    """The value E V(y) of what is left (:class:`Leftover`) for some series, with a cycle quantity of each.

    Parameters
    ----------
    rows
        Which series of the batch they are.
    size, order_cost
        Q and K.
    curve, worth
        h/(2d) and c.
    pays
        Where c lies below its cap: a next order comes.
    peak, ahead
        M at the end of the window; open orders that come later, less N and the safety stock.
    """

    rows: Int[np.ndarray, " some"]
    size: Float[np.ndarray, " some"]
    order_cost: Float[np.ndarray, " some"]
    curve: Float[np.ndarray, " some"]
    worth: Float[np.ndarray, " some"]
    pays: Bool[np.ndarray, " some"]
    peak: Float[np.ndarray, "some path"]
    ahead: Float[np.ndarray, "some path"]
    backorder: bool

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__ if name != "backorder"})

    @classmethod
    def of(cls, leftover: Leftover, size: Float[np.ndarray, " series"], rows: Int[np.ndarray, " some"]) -> "Cycle":
        """Take the series of a batch in which leftovers have such a value."""
        size, rate, cost = size[rows], leftover.rate[rows], leftover.order_cost[rows]
        holding, cap = leftover.economic()[1][rows], leftover.cap[rows]
        some = np.where(size > 0, size, 1.0)
        worth = np.minimum(holding * some / (2.0 * rate) + cost / some, cap)
        pays = worth < cap
        ahead = leftover.later[rows] - leftover.need[rows] - np.where(pays, leftover.safety[rows], 0.0)[:, None]
        return cls(
            rows, size, cost, holding / (2.0 * rate), worth, pays, leftover.peak[rows], ahead, leftover.backorder
        )  # fmt: skip

    def _beyond(self, units: np.ndarray) -> np.ndarray:
        held = units[:, None] if self.backorder else np.maximum(units[:, None], self.peak)
        found: np.ndarray = held + self.ahead
        return found

    def sizing(self, units: Float[np.ndarray, " some"]) -> Float[np.ndarray, " some"]:
        """Give the value with the slope −c below y = 0: convex, to size an order by."""
        beyond = self._beyond(units)
        found: np.ndarray = self.curve * (np.maximum(beyond, 0.0) ** 2).mean(axis=1) - self.worth * beyond.mean(axis=1)
        return found

    def value(self, units: Float[np.ndarray, " some"]) -> Float[np.ndarray, " some"]:
        """Give the value with the next review's order below y = 0."""
        beyond = self._beyond(units)
        curve, worth = self.curve[:, None], self.worth[:, None]
        again = beyond + self.size[:, None]
        next_order = self.order_cost[:, None] + curve * np.maximum(again, 0.0) ** 2 - worth * again
        below = np.where(self.pays[:, None], next_order, 0.0)
        found: np.ndarray = np.where(beyond < 0, below, curve * beyond**2 - worth * beyond).mean(axis=1)
        return found

    def slope(self, units: Float[np.ndarray, " some"]) -> Float[np.ndarray, " some"]:
        """Give the right-hand slope of :meth:`sizing` in the units ordered."""
        slope = (2.0 * self.curve)[:, None] * np.maximum(self._beyond(units), 0.0) - self.worth[:, None]
        moves = np.ones_like(slope) if self.backorder else (units[:, None] >= self.peak).astype(float)
        found: np.ndarray = (slope * moves).mean(axis=1)
        return found
