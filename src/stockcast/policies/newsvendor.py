"""The optimum on paths before packs and minimums: how many units should be there when this order arrives."""

from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.arrays import freeze
from stockcast.inventory import Situation
from stockcast.inventory.terms import OBJECTIVES
from stockcast.policies.base import Policy
from stockcast.policies.costs import NEAR, CostCurve, Cycle, Leftover
from stockcast.policies.ladder import Ladder
from stockcast.policies.projection import Part, Projection, batches, project, require_horizon
from stockcast.policies.tabled import TabledCurve
from stockcast.policies.waste import Waste

HALVINGS = 60
SEEN = 1e-6  # demand a period below this counts as this: a series that sells nothing


@final
@dataclass(frozen=True, slots=True)
class Aim:
    """What a batch of series aims at, and the cost of missing it; quantities are units at the arrival of this order.

    Parameters
    ----------
    free
        u*, the optimum of the window alone: the newsvendor quantile, or what a service target needs.
    units
        What is aimed at: u*, or more where an order cost makes a longer cycle pay or ``min_stock`` asks for it.
    floor
        What ``min_stock`` asks for; −∞ where it is 0.
    position
        Inventory position without the units of this very order.
    shortage_cost
        p: as given under the objective ``cost``; under a service target the implied one, which makes ``free`` optimal.
    waste
        What expires of an order.
    worst
        M_end of all paths, sorted.
    cycle
        The value of what is left where the economic order quantity exceeds one review's need.
    """

    part: Part
    projection: Projection
    curve: CostCurve | TabledCurve
    leftover: Leftover
    free: Float[np.ndarray, " series"]
    units: Float[np.ndarray, " series"]
    floor: Float[np.ndarray, " series"]
    position: Float[np.ndarray, " series"]
    shortage_cost: Float[np.ndarray, " series"]
    waste: Waste
    worst: Ladder
    cycle: Cycle

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in ("free", "units", "floor", "position", "shortage_cost"):
            freeze(self, **{name: getattr(self, name)})

    @property
    def served(self) -> Bool[np.ndarray, " series"]:
        """Tell which series have a service target."""
        return self.part.terms.objective > 0

    @property
    def order_up_to_level(self) -> Float[np.ndarray, " series"]:
        """Give S: the inventory position that an unconstrained order leads to, ≥ 0."""
        found: np.ndarray = np.maximum(self.position + self.units, 0.0)
        return found

    @property
    def may_order(self) -> Bool[np.ndarray, " series"]:
        """Tell where an order can be placed now."""
        found: np.ndarray = self.part.terms.at_review & self.part.terms.orderable
        return found

    def size_cost(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give the expected cost of orders that lead to some units, their order cost apart; convex in the units."""
        cost: np.ndarray = self.curve.cost(units)
        rows = self.cycle.rows
        if len(rows) < len(units):
            cost += self._overstock(units)
        for j in range(units.shape[1] if len(rows) else 0):
            cost[rows, j] += self.cycle.sizing(units[rows, j])
        if self.waste.applies.any():
            cost += np.stack([self.waste.cost(some) for some in units.T], axis=1)
        return cost

    def _overstock(self, units: np.ndarray) -> np.ndarray:
        value = self.leftover.overstock(units)
        value[self.cycle.rows] = 0.0
        return value

    def order_cost_shift(
        self, none: Float[np.ndarray, " series"], units: Float[np.ndarray, " series"], smallest: np.ndarray
    ) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
        """Give the cost of ordering nothing, what to add to :meth:`size_cost` of an order, and that of this order.

        Where the smallest order exceeds one review's need, both are judged over the whole cycle that it starts.

        Parameters
        ----------
        none
            Units at arrival when nothing is ordered.
        units
            Units at arrival with the order.
        smallest
            The smallest order that is admissible.
        """
        both = np.stack([none, units], axis=1)
        sized = self.size_cost(both)
        size = np.maximum(self.leftover.economic()[0], smallest)
        rows = np.flatnonzero(self.leftover.lumpy(size) & ~self.served)
        idle, shift = sized[:, 0].copy(), self.part.terms.order_cost.copy()
        if not len(rows):
            return idle, shift, sized[:, 1]
        cycle, window = Cycle.of(self.leftover, size, rows), self.curve.cost(both)[rows]
        waste = np.stack([self.waste.cost(some) for some in both.T], axis=1)[rows]
        idle[rows] = window[:, 0] + cycle.value(none[rows]) + waste[:, 0]
        busy = window[:, 1] + cycle.value(units[rows]) + waste[:, 1]
        shift[rows] += busy - sized[rows, 1]
        return idle, shift, sized[:, 1]

    def stockout_risk(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give the probability that demand goes unmet between this order's arrival and the next possible one."""
        worst = self.worst.rungs
        scale = NEAR * np.maximum(1.0, np.maximum(np.abs(worst[:, 0]), np.abs(worst[:, -1])))
        found: np.ndarray = 1.0 - self.worst.rank(units + scale[:, None]) / worst.shape[1]
        return found

    def unmet(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give the expected units that go unmet in the window: E (M_end − u)⁺."""
        found: np.ndarray = self.worst.under(units) / self.worst.rungs.shape[1]
        return found

    def left(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give the expected stock at the end of the window: E max(u, M_end) − N_end, with backorders E u − N_end."""
        need, peak = self.projection.last
        if self.part.backorder:
            return np.asarray(units - need.mean(axis=1)[:, None])
        return np.asarray(self.worst.over(units) / self.worst.rungs.shape[1] + (peak - need).mean(axis=1)[:, None])


def aim(part: Part, projection: Projection | None = None) -> Aim:
    """Find what one batch aims at; its ``projection`` is made when left out.

    Under ``cost`` the free optimum is the smallest u with C'(u) ≥ 0 (``policies.costs``). Under a cycle service level
    it is the quantile of M_end, the largest shortfall of a path: P(no stockout) ≥ level. Under a fill rate β it is the
    smallest u with E[unmet at once] ≤ (1 − β) E[demand], both between the two arrivals: a loss function.
    """
    terms, projection = part.terms, projection or project(part)
    worst = Ladder.of(projection.last[1])
    served = terms.objective > 0
    shortage = terms.shortage_cost
    target = np.zeros(len(served))
    if served.any():
        target = _service_units(part, projection, worst)
        waste = Waste.of(projection, terms, shortage, backorder=part.backorder)
        shortage = np.where(served, _implied_shortage_cost(part, projection, target, waste), shortage)
    curve = CostCurve.of(projection, terms.holding_cost, shortage, backorder=part.backorder, worst=worst)
    free = np.where(served, target, curve.optimum())
    return settled(part, projection, worst, curve, free, shortage)


def settled(
    part: Part,
    projection: Projection,
    worst: Ladder,
    curve: CostCurve | TabledCurve,
    free: Float[np.ndarray, " series"],
    shortage: Float[np.ndarray, " series"],
) -> Aim:
    """Give the aim once the optimum of the window is found: longer cycles, ``min_stock`` and expiry are added to it."""
    terms, served = part.terms, part.terms.objective > 0
    leftover = _leftover(part, projection, free, shortage)
    position = part.state.inventory_position - projection.mine
    floor = np.where(terms.min_stock > 0, terms.min_stock - position, -np.inf)
    size = leftover.economic()[0]
    cycle = Cycle.of(leftover, size, np.flatnonzero(leftover.lumpy(size) & ~served))
    units = free.copy()
    units[cycle.rows] = _cycle_units(curve, leftover, cycle)[cycle.rows] if len(cycle.rows) else 0.0
    waste = Waste.of(projection, terms, shortage, backorder=part.backorder)
    units = np.maximum(units, floor)
    found = Aim(part, projection, curve, leftover, free, units, floor, position, shortage, waste, worst, cycle)
    fewer = waste.applies & ~served
    if not fewer.any():
        return found
    units = np.where(fewer, np.maximum(_fresh_units(found), floor), found.units)
    return replace(found, units=units)


def _fresh_units(found: Aim) -> np.ndarray:
    """Bisect the slope of the whole cost with what expires: at most what would be best if nothing did.

    Where all is in whole units, so are the kinks of the cost, and its best is the one that the bisection ends at.
    """
    low, high = np.minimum(found.curve.least, 0.0) - 1.0, found.units.copy()
    step = 1e-4 * np.maximum(1.0, np.abs(high))
    for _ in range(HALVINGS // 2):
        middle = 0.5 * (low + high)
        cost = found.size_cost(np.stack([middle, middle + step], axis=1))
        rises = cost[:, 1] >= cost[:, 0]
        low, high = np.where(rises, low, middle), np.where(rises, middle, high)
    near = np.rint(high)
    return np.where(found.part.whole & (np.abs(high - near) <= 2.0 * step), near, high)


def _leftover(part: Part, projection: Projection, free: np.ndarray, shortage: np.ndarray) -> Leftover:
    terms = part.terms
    rate = np.maximum(projection.rate, SEEN)
    review = np.minimum(terms.review_period, part.demand.horizon).astype(float)
    between = projection.demand.mean(axis=1)
    level = np.maximum(projection.stock.mean(axis=1) + free, 0.0)
    need, peak = projection.last
    return Leftover(
        need=need,
        peak=peak,
        later=projection.later,
        rate=rate,
        review=review,
        year=365.0 / part.demand.time.days,
        holding_cost=terms.holding_cost,
        order_cost=terms.order_cost,
        cap=np.full(len(rate), np.inf) if part.backorder else shortage,
        safety=np.maximum(level - between, 0.0),
        level=np.where(between > 0, level * rate * review / np.where(between > 0, between, 1.0), level),
        free=free,
        backorder=part.backorder,
    )


def _cycle_units(curve: CostCurve | TabledCurve, leftover: Leftover, cycle: Cycle) -> np.ndarray:
    """Bisect the slope of cost and cycle value, which is convex; only the rows of the cycle are of use."""
    rows = cycle.rows
    low, high = curve.least - 1.0, curve.most + leftover.safety
    high[rows] += 2.0 * cycle.size
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        slope = curve.slope(middle[:, None])[:, 0]
        slope[rows] += cycle.slope(middle[rows])
        low, high = np.where(slope >= 0, low, middle), np.where(slope >= 0, middle, high)
    found: np.ndarray = high
    return found


def unmet_at_once(
    part: Part, projection: Projection, units: Float[np.ndarray, " series"]
) -> Float[np.ndarray, " series"]:
    """Give the expected units that are not served at once between the two arrivals."""
    if not part.backorder:
        found: np.ndarray = np.maximum(projection.last[1] - units[:, None], 0.0).mean(axis=1)
        return found
    demand, waited = projection.window, projection.need - projection.window
    ready = np.clip(units[:, None, None] - waited, 0.0, demand)
    found = np.where(projection.inside, demand - ready, 0.0).sum(axis=2).mean(axis=1)
    return found


def _service_units(part: Part, projection: Projection, ladder: Ladder) -> np.ndarray:
    terms, worst = part.terms, ladder.rungs
    n_paths = worst.shape[1]
    rank = np.clip(np.ceil(terms.target * n_paths - 1e-9).astype(np.int64) - 1, 0, n_paths - 1)
    units = np.take_along_axis(worst, rank[:, None], axis=1)[:, 0]
    if (terms.objective == OBJECTIVES.index("fill_rate")).any():
        allowed = (1.0 - terms.target) * projection.demand.mean(axis=1)
        low, high = np.minimum(worst[:, 0], 0.0) - allowed - 1.0, worst[:, -1].copy()
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            enough = unmet_at_once(part, projection, middle) <= allowed
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        units = np.where(terms.objective == OBJECTIVES.index("fill_rate"), high, units)
    return units


def _implied_shortage_cost(part: Part, projection: Projection, units: np.ndarray, waste: Waste) -> np.ndarray:
    """Give the p that makes ``units`` optimal: h · E[periods in stock] / P(short), in the form of the cost curve.

    A further unit may be one that stays unsold: it then costs its unit cost, is held no longer, and serves nobody.
    """
    n_paths = projection.stock.shape[1]
    at = projection.need if part.backorder else projection.peak
    held = np.where(projection.inside & (at <= units[:, None, None]), 1.0, 0.0).sum(axis=2).mean(axis=1)
    if part.backorder:
        short = np.where(projection.inside & (at > units[:, None, None]), 1.0, 0.0).sum(axis=2).mean(axis=1)
    else:
        short = (projection.last[1] > units[:, None]).mean(axis=1)
    wasted, kept, missed = waste.rises(units)
    dear = part.terms.holding_cost * (held - kept) + waste.unit_cost * wasted
    implied = dear / np.maximum(short - missed, 1.0 / n_paths)
    found: np.ndarray = np.where(implied > 0, implied, np.maximum(part.terms.shortage_cost, 1e-6))
    return found


@final
@dataclass(frozen=True, slots=True)
class Newsvendor(Policy):
    """Orders the optimum on paths in real numbers, without packs, minimums and maxima.

    Where the line has an order cost, an order is placed only if it saves more than that. Nothing is ordered where the
    series is not at review or not orderable. Units ordered in this period already count.
    """

    name: ClassVar[str] = "newsvendor"

    def order(self, situation: Situation) -> Float[np.ndarray, " series"]:
        """Give the unconstrained quantity of each series, ≥ 0."""
        require_horizon(situation)
        out = np.zeros(len(situation.past.series))
        for rows in situation.demand.chunks():
            part = Part.of(situation, rows)
            for batch in batches(part):
                out[rows[batch]] = free_quantity(aim(part.take(batch)))
        return out


def free_quantity(aim: Aim) -> Float[np.ndarray, " series"]:
    """Give the quantity that brings a batch to what it aims at, 0 where the order cost is not worth it."""
    mine, terms = aim.projection.mine, aim.part.terms
    quantity = np.maximum(aim.units - mine, 0.0)
    quantity = np.where(quantity > NEAR * np.maximum(1.0, np.abs(aim.units)), quantity, 0.0)
    idle, shift, size = aim.order_cost_shift(mine, mine + quantity, np.zeros(len(mine)))
    gain = idle - (size + shift)
    pays = (gain > NEAR * np.abs(idle)) | (terms.order_cost == 0) | aim.served | (aim.floor > mine)
    pays |= terms.ordered_now > 0  # the order cost is paid already
    return np.where(aim.may_order & pays, quantity, 0.0)
