"""One whole order at given prices without a solver: a plan, and a bound of how far it can be from the best.

What ties an order's lines are four sums: s = (value, units, weight, volume). With the number of further trucks m and
the price break t held fast (a *case*), the rest is a range for each sum and costs that are linear::

    min  Σ_i min_j (C_ij − d_t c_i Q_ij) + K + T m − b_t      so that  low ≤ s ≤ high

For any prices μ of the sums ``Σ_i min_j (C_ij − (d_t c_i + μ·a_i) Q_ij) + μ⁺·low − μ⁻·high + …`` is a lower bound
(Lagrange), the line's own minimum lies at a corner of its hull (``policies.hull``), and each μ_k is bisected in turn
until its sum lies in its range. The least bound over all cases, and over placing no order, bounds the order's cost:
with many lines it is nearly reached, since only a few of them lie between two corners (Shapley–Folkman). Plans come
from the minima on the way, each line then moved alone while that saves.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.policies.coupling import REACHED, Goods, Order
from stockcast.policies.hull import Hull
from stockcast.policies.lines import Lines

WIDER = 1e-9  # relative: ranges are taken this much wider, so that no rounding makes a bound too high
ROUNDS = 2
DOUBLINGS = 30
HALVINGS = 18
FIRST = 8  # cases that are looked at before the others: what they give prunes the rest
STARTS = 2
MOVES = 200
SUMS = 4


@final
@dataclass(frozen=True, slots=True)
class Relaxed:
    """A plan of one order, its cost at the prices, and a lower bound of the cost of every plan."""

    chosen: Int[np.ndarray, " line"]
    cost: float
    bound: float

    def __post_init__(self) -> None:
        """Freeze the array."""
        freeze(self, chosen=self.chosen)


@final
@dataclass(frozen=True, slots=True)
class Cases:
    """Ranges of the four sums, the fixed cost, and the discount on value of each case."""

    low: Float[np.ndarray, "case 4"]
    high: Float[np.ndarray, "case 4"]
    fixed: Float[np.ndarray, " case"]
    discount: Float[np.ndarray, " case"]

    def take(self, rows: np.ndarray) -> "Cases":
        """Give some cases."""
        return Cases(self.low[rows], self.high[rows], self.fixed[rows], self.discount[rows])


@final
@dataclass(frozen=True, slots=True)
class Table:
    """The lines of one order: candidates, their costs at the prices, what a unit adds to the sums, and the hull."""

    order: Order
    quantity: Float[np.ndarray, "line candidate"]
    cost: Float[np.ndarray, "line candidate"]
    unit: Float[np.ndarray, "line 4"]
    corner: Int[np.ndarray, "line corner"]
    corner_quantity: Float[np.ndarray, "line corner"]
    corner_cost: Float[np.ndarray, "line corner"]
    slope: Float[np.ndarray, "line corner"]

    @classmethod
    def of(cls, order: Order, lines: Lines, goods: Goods, hull: Hull, price: Float[np.ndarray, " series"]) -> "Table":
        """Lay the order's lines out."""
        rows = order.rows
        quantity = lines.quantity[rows]
        cost = lines.cost[rows] + price[rows, None] * quantity
        return cls.laid(order, quantity, cost, goods.units(rows), hull.corner[rows])

    @classmethod
    def laid(
        cls,
        order: Order,
        quantity: Float[np.ndarray, "line candidate"],
        cost: Float[np.ndarray, "line candidate"],
        unit: Float[np.ndarray, "line 4"],
        corner: Int[np.ndarray, "line corner"] | None = None,
    ) -> "Table":
        """Lay lines out whose costs are known; the corners of their hulls are found when left out."""
        corner = Hull.of(quantity, cost).corner if corner is None else corner
        corner_quantity, corner_cost = (np.take_along_axis(some, corner, axis=1) for some in (quantity, cost))
        wide, rise = np.diff(corner_quantity, axis=1), np.diff(corner_cost, axis=1)
        slope = np.full(corner.shape, np.inf)
        slope[:, :-1] = np.where(wide > 0, rise / np.where(wide > 0, wide, 1.0), np.inf)
        return cls(order, quantity, cost, unit, corner, corner_quantity, corner_cost, slope)

    def minima(
        self, cases: Cases, price: Float[np.ndarray, "case 4"]
    ) -> tuple[Float[np.ndarray, " case"], Float[np.ndarray, "case 4"], Int[np.ndarray, "case line"]]:
        """Give the bound of each case at some prices of the sums, the sums at its minimum, and the minimum."""
        worth = price @ self.unit.T + cases.discount[:, None] * self.unit[:, 0]
        at = (self.slope[None, :, :] < worth[:, :, None]).sum(axis=2)
        line = np.arange(len(self.unit))
        quantity, cost = self.corner_quantity[line, at], self.corner_cost[line, at]
        held = np.where(price > 0, price * cases.low, 0.0)
        held += np.where(price < 0, price * np.where(np.isfinite(cases.high), cases.high, 0.0), 0.0)
        bound = (cost - worth * quantity).sum(axis=1) + cases.fixed + held.sum(axis=1)
        return bound, quantity @ self.unit, self.corner[line, at]

    def total(self, chosen: Int[np.ndarray, "plan line"]) -> Float[np.ndarray, " plan"]:
        """Give the cost of some plans, infinite where they break the order's terms."""
        line = np.arange(len(self.unit))
        sums = self.quantity[line, chosen] @ self.unit
        found: np.ndarray = self.cost[line, chosen].sum(axis=1) + whole(self.order, sums)
        return found


def relax(
    order: Order,
    lines: Lines,
    goods: Goods,
    hull: Hull,
    price: Float[np.ndarray, " series"],
    start: Int[np.ndarray, " series"],
) -> Relaxed:
    """Plan one order at some prices, and bound what the best plan costs.

    Parameters
    ----------
    price
        Added to the cost of each unit of a line.
    start
        Another plan to begin from.
    """
    return relaxed(Table.of(order, lines, goods, hull, price), start[order.rows])


def relaxed(table: Table, start: Int[np.ndarray, " line"]) -> Relaxed:
    """Plan and bound the order of a table, from another plan on."""
    closed = np.zeros(len(start), dtype=np.int64)
    nothing = float(table.cost[:, 0].sum())
    cases = cases_of(table, nothing)
    best, least = _moved(table, start[None, :], closed, nothing)
    if not len(cases.fixed):
        return Relaxed(best, least, min(nothing, least))
    bound = table.minima(cases, np.zeros((len(cases.fixed), SUMS)))[0]
    ranked = np.argsort(bound, kind="stable")
    for some in (ranked[:FIRST], ranked[FIRST:]):
        some = some[bound[some] < least]
        if len(some):
            bound[some], plans = _priced(table, cases.take(some), least)
            best, least = _moved(table, plans, best, least)
    return Relaxed(best, least, min(float(bound.min()), nothing, least))


def cases_of(table: Table, most: float) -> Cases:
    """Give every number of trucks and price break that may lead to a cost of at most ``most``."""
    order, trucks = table.order, table.order.trucks
    full = table.quantity.max(axis=1) @ table.unit
    floor = float(table.cost.min(axis=1).sum()) + order.header
    found: list[tuple[np.ndarray, np.ndarray, float, float]] = []
    begins = [0.0, *(tier.value for tier in order.tiers)]
    ends = [*begins[1:], np.inf]
    gains = [(0.0, 0.0), *((tier.discount, tier.bonus) for tier in order.tiers)]
    further = 0 if trucks is None else max(trucks.count(float(full[3]), float(full[2])) - trucks.hired, 0)
    for begin, end, (discount, bonus) in zip(begins, ends, gains, strict=True):
        least = np.array([max(order.value, begin), order.units, order.weight, 0.0])
        for more in range(further + 1):
            cost = order.header - bonus + (trucks.cost * more if trucks is not None else 0.0)
            if floor - order.header + cost - discount * float(full[0]) > most:
                break
            for low, high in _ranges(order, least, end, more):
                if (low <= high * (1 + WIDER)).all() and (low <= full * (1 + WIDER)).all():
                    found.append((low * (1 - WIDER), high * (1 + WIDER), cost, discount))
    if not found:
        return Cases(np.zeros((0, SUMS)), np.zeros((0, SUMS)), np.zeros(0), np.zeros(0))
    low, high, fixed, discounts = zip(*found, strict=True)
    return Cases(np.stack(low), np.stack(high), np.array(fixed), np.array(discounts))


def _ranges(order: Order, least: np.ndarray, end: float, more: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Give the ranges of the sums with some further trucks: one, or one each for which of two sizes fills them."""
    low, high = least.copy(), np.array([end, np.inf, np.inf, np.inf])
    trucks = order.trucks
    if trucks is None:
        return [(low, high)]
    count = trucks.hired + more
    sizes = ((3, trucks.volume, trucks.loaded_volume), (2, trucks.weight, trucks.loaded_weight))
    for at, size, loaded in sizes:
        if size > 0:
            high[at] = max(count * size - loaded, 0.0)
    if trucks.min_fill <= 0:
        return [(low, high)]
    found = []
    for at, size, loaded in sizes:
        if size > 0:
            filled = low.copy()
            filled[at] = max(low[at], trucks.min_fill * count * size - loaded)
            found.append((filled, high))
    return found


def _priced(table: Table, cases: Cases, most: float) -> tuple[np.ndarray, np.ndarray]:
    """Raise the bound of each case, one sum's price after the other, and give the minima found on the way.

    A case whose bound exceeds ``most`` is left alone from then on.
    """
    n = len(cases.fixed)
    price = np.zeros((n, SUMS))
    best, _, plans = table.minima(cases, price)
    kept = [plans]
    for _ in range(ROUNDS):
        for at in range(SUMS):
            live = np.flatnonzero(best < most)
            if not len(live):
                break
            some, trial = cases.take(live), price[live]
            trial[:, at] = 0.0
            bound, sums, _ = table.minima(some, trial)
            best[live] = np.maximum(best[live], bound)
            side = np.where(sums[:, at] < some.low[:, at], 1.0, np.where(sums[:, at] > some.high[:, at], -1.0, 0.0))
            near, off = np.abs(price[live, at]), np.flatnonzero(side)
            price[live, at] = 0.0
            if not len(off):
                continue
            trial, higher, plans = _bisected(table, some.take(off), trial[off], at, side[off], near[off], most)
            price[live[off]] = trial
            best[live[off]] = np.maximum(best[live[off]], higher)
            kept.append(plans)
    return best, np.concatenate(kept)


def _bisected(
    table: Table, cases: Cases, price: np.ndarray, at: int, side: np.ndarray, near: np.ndarray, most: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bisect one price of each case until its sum comes into its range; give prices, bounds, and the minima there."""
    trial = price.copy()
    reach = float(table.unit[:, at] @ table.quantity.max(axis=1))
    usual = 0.1 * float(np.abs(table.cost.min(axis=1)).sum()) / max(reach, 1e-12) + 1e-12
    low, high = np.zeros(len(side)), np.where(near > 0, near, usual)
    best = np.full(len(side), -np.inf)

    def enough(height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        trial[:, at] = side * height
        bound, sums, plans = table.minima(cases, trial)
        np.maximum(best, bound, out=best)
        reached = np.where(side > 0, sums[:, at] >= cases.low[:, at], sums[:, at] <= cases.high[:, at])
        return reached | (best > most), plans

    for _ in range(DOUBLINGS):
        reached, plans = enough(high)
        if reached.all():
            break
        low, high = np.where(reached, low, high), np.where(reached, high, 4.0 * high)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        reached, _ = enough(middle)
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    _, plans = enough(high)
    return trial, best, plans


def _moved(table: Table, plans: np.ndarray, best: np.ndarray, least: float) -> tuple[np.ndarray, float]:
    """Move one line at a time of the best of some plans while that saves; give the best plan known, and its cost."""
    cost = table.total(plans)
    for start in np.argsort(cost, kind="stable")[:STARTS]:
        if not np.isfinite(cost[start]):
            break
        chosen = plans[start].copy()
        line = np.arange(len(chosen))
        for _ in range(MOVES):
            here = table.quantity[line, chosen]
            sums = here @ table.unit
            step = table.quantity - here[:, None]
            after = table.cost - table.cost[line, chosen][:, None]
            after = after + whole(table.order, sums + step[:, :, None] * table.unit[:, None, :])
            move = int(np.argmin(after))
            if after.flat[move] >= float(whole(table.order, sums)) - WIDER * max(abs(least), 1.0):
                break
            chosen[move // after.shape[1]] = move % after.shape[1]
        found = float(table.total(chosen[None, :])[0])
        if found < least:
            best, least = chosen, found
    return best, least


def whole(order: Order, sums: Float[np.ndarray, "*plan 4"]) -> Float[np.ndarray, "*plan"]:
    """Give what whole orders cost beyond their lines, infinite where they break the terms; ``Order.extra`` at once."""
    value, units, weight, volume = (sums[..., at] for at in range(SUMS))
    cost = np.full(value.shape, order.header)
    lacks = np.zeros(value.shape, dtype=bool)
    for held, least in ((value, order.value), (units, order.units), (weight, order.weight)):
        if least > 0:
            lacks |= held < least * (1 - REACHED)
    if order.trucks is not None:
        trucks = order.trucks
        load = np.zeros(value.shape)
        if trucks.volume > 0:
            load = np.maximum(load, (trucks.loaded_volume + volume) / trucks.volume)
        if trucks.weight > 0:
            load = np.maximum(load, (trucks.loaded_weight + weight) / trucks.weight)
        count = np.ceil(load * (1 - REACHED))
        cost += trucks.cost * (count - trucks.hired)
        if trucks.min_fill > 0:
            lacks |= trucks.min_fill * count * (1 - REACHED) > load
    off = np.zeros(value.shape)
    for tier in order.tiers:
        off = np.where(value >= tier.value * (1 - REACHED), tier.discount * value + tier.bonus, off)
    found: np.ndarray = np.where(lacks, np.inf, cost - off)
    return np.where(units > 0, found, 0.0)
