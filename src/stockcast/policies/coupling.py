"""What ties lines together: the whole order of a supplier, and what all orders share (money, room)."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.inventory import SharedTerms, Situation, SupplierTerms, SupplyTerms
from stockcast.policies.costs import NEAR
from stockcast.policies.lines import Lines

REACHED = 1e-12  # relative: a sum that falls short of a limit by less has reached it


@final
@dataclass(frozen=True, slots=True)
class Goods:
    """What one unit of each series takes: money, volume and weight; 0 where it is not known."""

    cost: Float[np.ndarray, " series"]
    volume: Float[np.ndarray, " series"]
    weight: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, cost=self.cost, volume=self.volume, weight=self.weight)

    @classmethod
    def of(cls, terms: SupplyTerms) -> "Goods":
        """Read them off the terms of each line."""
        return cls(money(terms.unit_cost), terms.volume, terms.weight)

    def units(self, rows: Int[np.ndarray, " some"]) -> Float[np.ndarray, "some 4"]:
        """Give what a unit of some lines adds to an order: value, units, weight, volume."""
        return np.stack([self.cost[rows], np.ones(len(rows)), self.weight[rows], self.volume[rows]], axis=1)

    @classmethod
    def priced(cls, unit_cost: Float[np.ndarray, " series"]) -> "Goods":
        """Give goods that have a cost only."""
        nothing = np.zeros(len(unit_cost))
        return cls(unit_cost, nothing, nothing.copy())


@final
@dataclass(frozen=True, slots=True)
class Trucks:
    """What a supplier's goods come in: the size of one truck (0: no limit), its cost, and what is loaded already."""

    volume: float
    weight: float
    cost: float
    min_fill: float
    loaded_volume: float = 0.0
    loaded_weight: float = 0.0

    def load(self, volume: float, weight: float) -> float:
        """Give how many trucks some goods fill, in parts of a truck, with what is loaded already."""
        by_volume = (self.loaded_volume + volume) / self.volume if self.volume > 0 else 0.0
        by_weight = (self.loaded_weight + weight) / self.weight if self.weight > 0 else 0.0
        return max(by_volume, by_weight)

    def count(self, volume: float, weight: float) -> int:
        """Give how many trucks they need."""
        return math.ceil(self.load(volume, weight) * (1.0 - REACHED))

    @property
    def hired(self) -> int:
        """Give how many trucks are paid for already."""
        return self.count(0.0, 0.0)


@final
@dataclass(frozen=True, slots=True)
class Tier:
    """A price break that new lines can reach: the further value it takes, what it takes off them, and off the rest."""

    value: float
    discount: float
    bonus: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class Order:
    """One whole order: a supplier's terms, as far as open orders of this period leave them to be met, and its lines.

    ``header`` is the order cost that is still to be decided on; ``value``, ``units`` and ``weight`` are what is missing
    from the minimums; ``tiers`` ascend.
    """

    supplier: str
    rows: Int[np.ndarray, " line"]
    header: float = 0.0
    value: float = 0.0
    units: float = 0.0
    weight: float = 0.0
    trucks: Trucks | None = None
    tiers: tuple[Tier, ...] = ()

    @property
    def coupled(self) -> bool:
        """Tell whether anything ties the lines together."""
        limits = self.header > 0 or self.value > 0 or self.units > 0 or self.weight > 0
        return limits or self.trucks is not None or bool(self.tiers)

    def extra(self, quantity: Float[np.ndarray, " line"], goods: Goods) -> float:
        """Give what the whole order costs beyond its lines: header and trucks, less its discount; 0 for no order."""
        if not (quantity > 0).any():
            return 0.0
        cost = self.header
        if self.trucks is not None:
            volume, weight = float(quantity @ goods.volume[self.rows]), float(quantity @ goods.weight[self.rows])
            cost += self.trucks.cost * (self.trucks.count(volume, weight) - self.trucks.hired)
        return cost - self.discount(float(quantity @ goods.cost[self.rows]))

    def discount(self, value: float) -> float:
        """Give the money that the price breaks take off new lines of some value."""
        reached = [tier for tier in self.tiers if value >= tier.value * (1 - REACHED)]
        return reached[-1].discount * value + reached[-1].bonus if reached and value > 0 else 0.0

    def lacks(self, quantity: Float[np.ndarray, " line"], goods: Goods) -> tuple[float, float, float]:
        """Give what is missing from the minimums of value, units and weight, as shares of them."""
        held = (quantity @ goods.cost[self.rows], quantity.sum(), quantity @ goods.weight[self.rows])
        wanted = (self.value, self.units, self.weight)
        value, units, weight = (
            max(1.0 - float(some) / least, 0.0) if least > 0 else 0.0 for some, least in zip(held, wanted, strict=True)
        )
        return value, units, weight

    def fill_lacks(self, quantity: Float[np.ndarray, " line"], goods: Goods) -> float:
        """Give the parts of trucks that must be loaded further to fill all of them enough."""
        if self.trucks is None or self.trucks.min_fill <= 0:
            return 0.0
        volume, weight = float(quantity @ goods.volume[self.rows]), float(quantity @ goods.weight[self.rows])
        load, count = self.trucks.load(volume, weight), self.trucks.count(volume, weight)
        return max(self.trucks.min_fill * count * (1 - REACHED) - load, 0.0)

    def keeps(self, quantity: Float[np.ndarray, " line"], goods: Goods) -> bool:
        """Tell whether an order meets its minimums and fills its trucks, or holds nothing."""
        if not (quantity > 0).any():
            return True
        return max(self.lacks(quantity, goods)) <= REACHED and self.fill_lacks(quantity, goods) <= 0


@final
@dataclass(frozen=True, slots=True)
class Limit:
    """What all orders share: how much of it a unit of each series uses, what is left, and what exceeds it already.

    ``slack`` is what cannot be helped: no order placed now makes it smaller.
    """

    name: str
    use: Float[np.ndarray, " series"]
    left: float
    slack: float = 0.0

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, use=self.use)

    def over(self, quantity: Float[np.ndarray, " series"]) -> float:
        """Give by how much orders exceed what is left; 0 within its rounding."""
        used = float((quantity * self.use).sum())  # not @: its rounding may depend on the number of cores
        return used - self.left if used > self.left * (1 + REACHED) else 0.0


def money(unit_cost: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
    """Give the unit cost with 0 where it is not known (nothing that needs it is then in force)."""
    return np.where(np.isfinite(unit_cost), unit_cost, 0.0)


def orders(terms: SupplyTerms, shared: SharedTerms, wanted: Bool[np.ndarray, " series"]) -> list[Order]:
    """Give the order of each supplier that has a line which can be ordered now, by name.

    Where a line with a service target wants an order (``wanted``: the line by itself orders), the order cost is no
    reason to give it up: the target is to be met at the least cost, and that cost is part of it.
    """
    open_now = np.flatnonzero(terms.at_review & terms.orderable)
    due = set(terms.supplier[open_now][(wanted & (terms.objective > 0))[open_now]].tolist())
    names, group = np.unique(terms.supplier[open_now], return_inverse=True)
    by_group = np.split(open_now[np.argsort(group, kind="stable")], np.cumsum(np.bincount(group))[:-1])
    known = {supplier.supplier: supplier for supplier in shared.suppliers}
    found = []
    for name, rows in zip(names.tolist(), by_group, strict=True) if len(names) else ():
        supplier: SupplierTerms = known.get(name, SupplierTerms(name))
        found.append(
            Order(
                supplier=name,
                rows=rows,
                header=0.0 if supplier.committed_units > 0 or name in due else supplier.order_cost,
                value=max(supplier.min_order_value - supplier.committed_value, 0.0),
                units=max(supplier.min_order_units - supplier.committed_units, 0.0),
                weight=max(supplier.min_order_weight - supplier.committed_weight, 0.0),
                trucks=_trucks(supplier),
                tiers=_tiers(supplier),
            )
        )
    return found


def _trucks(supplier: SupplierTerms) -> Trucks | None:
    sized = supplier.truck_volume > 0 or supplier.truck_weight > 0
    if not sized or (supplier.truck_cost <= 0 and supplier.truck_min_fill <= 0):
        return None
    return Trucks(
        supplier.truck_volume,
        supplier.truck_weight,
        supplier.truck_cost,
        supplier.truck_min_fill,
        supplier.committed_volume,
        supplier.committed_weight,
    )


def _tiers(supplier: SupplierTerms) -> tuple[Tier, ...]:
    held = supplier.committed_value
    reached = [tier.discount for tier in supplier.price_breaks if held > 0 and held >= tier.min_value]
    now = reached[-1] if reached else 0.0
    return tuple(
        Tier(max(tier.min_value - held, 0.0), tier.discount, max(tier.discount - now, 0.0) * held)
        for tier in supplier.price_breaks
        if tier.discount >= max(now, NEAR)
    )


def limits(situation: Situation, lines: Lines) -> list[Limit]:
    """Give what all orders share: the budget, and the room at each location whose storage is limited.

    Room is what the location holds, less the volume of what is expected to lie there when each line's order arrives,
    what is ordered for it in this period already included.
    """
    terms, shared = situation.terms, situation.shared
    found = []
    if shared.budget is not None:
        over = max(shared.budget_used - shared.budget, 0.0)
        found.append(Limit("budget", money(terms.unit_cost), max(shared.budget - shared.budget_used, 0.0), over))
    held = (lines.held + terms.ordered_now) * terms.volume
    for location, room in sorted(shared.storage.items()):
        here = terms.series.location == location
        lies = float(held[here].sum())
        found.append(
            Limit(
                f"storage {location}",
                np.where(here, terms.volume, 0.0),
                max(room - lies - 1e-9 * lies, 0.0),  # a volume that no rounding of means can take
                max(lies - room, 0.0),
            )
        )
    return found


def first_of(lines: Lines, chosen: Int[np.ndarray, " series"]) -> Int[np.ndarray, " series"]:
    """Give the first candidate of the same quantity, so that equal orders have one index."""
    found: np.ndarray = np.argmax(lines.quantity == lines.at(chosen)[:, None], axis=1)
    return found


def total_cost(lines: Lines, every: list[Order], chosen: Int[np.ndarray, " series"], goods: Goods) -> float:
    """Give the expected cost of some orders: their lines', less that of ordering nothing, and the whole orders' own."""
    cost = 0.0
    for order in every:
        rows = order.rows
        cost += float(lines.cost[rows, chosen[rows]].sum()) + order.extra(lines.quantity[rows, chosen[rows]], goods)
    return cost
