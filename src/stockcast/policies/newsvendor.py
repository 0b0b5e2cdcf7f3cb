"""The optimum on paths before packs and minimums: how many units should be there when this order arrives."""

from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.arrays import freeze
from stockcast.inventory import Situation
from stockcast.inventory.terms import OBJECTIVES
from stockcast.policies.base import Policy
from stockcast.policies.costs import NEAR, CostCurve, Leftover
from stockcast.policies.projection import Part, Projection, batches, project, require_horizon
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
    """

    part: Part
    projection: Projection
    curve: CostCurve
    leftover: Leftover
    free: Float[np.ndarray, " series"]
    units: Float[np.ndarray, " series"]
    floor: Float[np.ndarray, " series"]
    position: Float[np.ndarray, " series"]
    shortage_cost: Float[np.ndarray, " series"]
    waste: Waste

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

    def size_cost(self, units: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """Give the expected cost of an order that leads to ``units``, its order cost apart; convex in the units."""
        cycle = self.leftover.economic()[0]
        lumpy = self.leftover.lumpy(cycle) & ~self.served
        if not lumpy.any():
            value = self.leftover.overstock(units)
        elif lumpy.all():
            value = self.leftover.cycle_value(units, cycle, convex=True)
        else:
            cycled = self.leftover.cycle_value(units, cycle, convex=True)
            value = np.where(lumpy, cycled, self.leftover.overstock(units))
        return self.curve.cost(units[:, None])[:, 0] + value + self.waste.cost(units)

    def order_cost_shift(
        self, none: Float[np.ndarray, " series"], units: Float[np.ndarray, " series"], smallest: np.ndarray
    ) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
        """Give the cost of ordering nothing, and what to add to :meth:`size_cost` where something is ordered.

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
        leftover = self.leftover
        cycle = np.maximum(leftover.economic()[0], smallest)
        lumpy = leftover.lumpy(cycle) & ~self.served
        if not lumpy.any():
            return self.size_cost(none), self.part.terms.order_cost
        window = self.curve.cost(np.stack([none, units], axis=1))
        idle = window[:, 0] + leftover.cycle_value(none, cycle, convex=False) + self.waste.cost(none)
        busy = window[:, 1] + leftover.cycle_value(units, cycle, convex=False) + self.waste.cost(units)
        shift = np.where(lumpy, busy - self.size_cost(units), 0.0)
        return np.where(lumpy, idle, self.size_cost(none)), shift + self.part.terms.order_cost

    def stockout_risk(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give the probability that demand goes unmet between this order's arrival and the next possible one."""
        worst = np.sort(self.projection.last[1], axis=1)
        scale = NEAR * np.maximum(1.0, np.abs(worst).max(axis=1))
        pairs = zip(worst, units + scale[:, None], strict=True)
        met = np.stack([np.searchsorted(row, some, side="right") for row, some in pairs])
        found: np.ndarray = 1.0 - met / worst.shape[1]
        return found

    def unmet(self, units: Float[np.ndarray, "series unit"]) -> Float[np.ndarray, "series unit"]:
        """Give the expected units that go unmet in the window: E (M_end − u)⁺."""
        worst = self.projection.last[1]
        return np.stack([np.maximum(worst - some[:, None], 0.0).mean(axis=1) for some in units.T], axis=1)


def aim(part: Part, projection: Projection | None = None) -> Aim:
    """Find what one batch aims at; its ``projection`` is made when left out.

    Under ``cost`` the free optimum is the smallest u with C'(u) ≥ 0 (``policies.costs``). Under a cycle service level
    it is the quantile of M_end, the largest shortfall of a path: P(no stockout) ≥ level. Under a fill rate β it is the
    smallest u with E[unmet at once] ≤ (1 − β) E[demand], both between the two arrivals: a loss function.
    """
    terms, projection = part.terms, projection or project(part)
    target = _service_units(part, projection)
    served = terms.objective > 0
    shortage = np.where(served, _implied_shortage_cost(part, projection, target), terms.shortage_cost)
    curve = CostCurve.of(projection, terms.holding_cost, shortage, backorder=part.backorder)
    free = np.where(served, target, curve.optimum())
    leftover = _leftover(part, projection, free, shortage)
    position = part.state.inventory_position - projection.mine
    floor = np.where(terms.min_stock > 0, terms.min_stock - position, -np.inf)
    cycle = leftover.economic()[0]
    lumpy = leftover.lumpy(cycle) & ~served
    units = np.where(lumpy, _cycle_units(curve, leftover, cycle), free) if lumpy.any() else free
    waste = Waste.of(projection, terms, shortage, backorder=part.backorder)
    found = Aim(part, projection, curve, leftover, free, np.maximum(units, floor), floor, position, shortage, waste)
    fewer = waste.applies & ~served
    if not fewer.any():
        return found
    units = np.where(fewer, np.maximum(_fresh_units(found), floor), found.units)
    return replace(found, units=units)


def _fresh_units(found: Aim) -> np.ndarray:
    """Bisect the slope of the whole cost with what expires: at most what would be best if nothing did."""
    low, high = np.minimum(found.curve.kinks[:, 0], 0.0) - 1.0, found.units.copy()
    step = np.where(found.part.step > 0, found.part.step, 1e-4 * np.maximum(1.0, np.abs(high)))
    for _ in range(HALVINGS // 2):
        middle = 0.5 * (low + high)
        rises = found.size_cost(middle + step) >= found.size_cost(middle)
        low, high = np.where(rises, low, middle), np.where(rises, middle, high)
    return high


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


def _cycle_units(curve: CostCurve, leftover: Leftover, cycle: np.ndarray) -> np.ndarray:
    """Bisect the slope of cost and cycle value, which is convex."""
    low = curve.kinks[:, 0] - 1.0
    high = curve.kinks[:, -1] + leftover.safety + 2.0 * cycle
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        rises = curve.slope(middle[:, None])[:, 0] + leftover.cycle_slope(middle, cycle) >= 0
        low, high = np.where(rises, low, middle), np.where(rises, middle, high)
    found: np.ndarray = high
    return found


def unmet_at_once(
    part: Part, projection: Projection, units: Float[np.ndarray, " series"]
) -> Float[np.ndarray, " series"]:
    """Give the expected units that are not served at once between the two arrivals."""
    if not part.backorder:
        found: np.ndarray = np.maximum(projection.last[1] - units[:, None], 0.0).mean(axis=1)
        return found
    demand = projection.need - projection.waited
    ready = np.clip(units[:, None, None] - projection.waited, 0.0, demand)
    found = np.where(projection.inside, demand - ready, 0.0).sum(axis=2).mean(axis=1)
    return found


def _service_units(part: Part, projection: Projection) -> np.ndarray:
    terms = part.terms
    worst = np.sort(projection.last[1], axis=1)
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


def _implied_shortage_cost(part: Part, projection: Projection, units: np.ndarray) -> np.ndarray:
    """Give the p that makes ``units`` optimal: h · E[periods in stock] / P(short), in the form of the cost curve."""
    n_paths = projection.stock.shape[1]
    at = projection.need if part.backorder else projection.peak
    held = np.where(projection.inside & (at <= units[:, None, None]), 1.0, 0.0).sum(axis=2).mean(axis=1)
    if part.backorder:
        short = np.where(projection.inside & (at > units[:, None, None]), 1.0, 0.0).sum(axis=2).mean(axis=1)
    else:
        short = (projection.last[1] > units[:, None]).mean(axis=1)
    implied = part.terms.holding_cost * held / np.maximum(short, 1.0 / n_paths)
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
    idle, shift = aim.order_cost_shift(mine, mine + quantity, np.zeros(len(mine)))
    gain = idle - (aim.size_cost(mine + quantity) + shift)
    pays = (gain > NEAR * np.abs(idle)) | (terms.order_cost == 0) | aim.served | (aim.floor > mine)
    pays |= terms.ordered_now > 0  # the order cost is paid already
    return np.where(aim.may_order & pays, quantity, 0.0)
