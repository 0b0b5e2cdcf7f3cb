"""The terms of supply: of a line (one series) and of a whole order (one supplier)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis
from stockcast.core.errors import AlignmentError, DataError
from stockcast.inventory.lanes import Lanes
from stockcast.inventory.timing import FAR

UnmetDemand = Literal["lost", "backorder"]
Objective = Literal["cost", "cycle_service_level", "fill_rate"]
OBJECTIVES: tuple[Objective, ...] = ("cost", "cycle_service_level", "fill_rate")


def _not_told() -> np.ndarray:
    return np.zeros(0)


def _nobody() -> np.ndarray:
    return np.empty(0, dtype="<U1")


@final
@dataclass(frozen=True, slots=True)
class SupplyTerms:
    """The terms of each series' line, resolved for an order placed in the first future period.

    Parameters
    ----------
    supplier
        The preferred supplier; empty where none is known.
    lead_time
        Periods from the order to its arrival, ≥ 0.
    lead_time_sd
        Standard deviation of the lead time in periods; 0 where it is fixed.
    at_review
        Whether an order can be placed in the first future period.
    first_review
        Periods from the first future period to the first review (0 where ``at_review``).
    review_period
        Periods from that review to the next one, ≥ 1.
    moq, pack_size
        Units; ``moq`` 0 and ``pack_size`` 0 say that there is none.
    max_order
        Units that one order may hold at most; infinite where there is no maximum.
    min_stock
        Units that the order-up-to level must not fall below.
    unit_cost
        Money per unit; NaN where it is not known.
    order_cost
        Money per order line.
    holding_cost
        Money per unit left at the end of a period.
    shortage_cost
        Money per lost unit, or per unit backordered at the end of each period.
    objective, target
        Index into ``OBJECTIVES`` and the service level (0 under ``cost``).
    ordered_now
        Units already ordered in this order period (open orders with its order date): they count against ``moq`` and
        ``max_order``.
    orderable
        False where nothing may be ordered: no item row, no stock row, ended, or held.
    volume, weight
        Of one unit; 0 where none is known or needed.
    shelf_life
        Periods in which a unit can be sold, the one of its arrival included; infinite where it keeps.
    sold_for
        Periods from now on in which the series is sold, that of its ``end_date`` included; infinite where no end is
        known.
    fed_by
        The location whose stock of the sku comes here by transfer, so that nothing is bought; empty for all others. The
        lead time is then the lane's, and the reviews are the shipments of that location.
    shipments
        Periods from the first future period to those in which the warehouse of a fed series can ship, ascending;
        ``FAR`` where no more are known and for all other series. Without columns goods go on from a warehouse in the
        period in which they come.
    """

    series: SeriesAxis
    supplier: np.ndarray
    lead_time: Int[np.ndarray, " series"]
    lead_time_sd: Float[np.ndarray, " series"]
    at_review: Bool[np.ndarray, " series"]
    first_review: Int[np.ndarray, " series"]
    review_period: Int[np.ndarray, " series"]
    moq: Float[np.ndarray, " series"]
    pack_size: Float[np.ndarray, " series"]
    max_order: Float[np.ndarray, " series"]
    min_stock: Float[np.ndarray, " series"]
    unit_cost: Float[np.ndarray, " series"]
    order_cost: Float[np.ndarray, " series"]
    holding_cost: Float[np.ndarray, " series"]
    shortage_cost: Float[np.ndarray, " series"]
    objective: Int[np.ndarray, " series"]
    target: Float[np.ndarray, " series"]
    ordered_now: Float[np.ndarray, " series"]
    orderable: Bool[np.ndarray, " series"]
    volume: Float[np.ndarray, " ..."] = field(default_factory=_not_told)
    weight: Float[np.ndarray, " ..."] = field(default_factory=_not_told)
    shelf_life: Float[np.ndarray, " ..."] = field(default_factory=_not_told)
    sold_for: Float[np.ndarray, " ..."] = field(default_factory=_not_told)
    fed_by: np.ndarray = field(default_factory=_nobody)
    shipments: Int[np.ndarray, "..."] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))

    def __post_init__(self) -> None:
        """Check what every policy relies on, and freeze."""
        n = len(self.series)
        if not len(self.fed_by):
            object.__setattr__(self, "fed_by", np.full(n, ""))
        for name, absent in (("volume", 0.0), ("weight", 0.0), ("shelf_life", np.inf), ("sold_for", np.inf)):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(n, absent))
        _hold_shipments(self)
        arrays = {
            name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("series", "shipments")
        }
        for name, array in arrays.items():
            if array.shape != (n,):
                raise AlignmentError(f"terms: {name} has shape {array.shape} for {n} series")
        freeze(self, **arrays)
        not_negative = ("lead_time", "lead_time_sd", "first_review", "moq", "pack_size", "max_order", "min_stock")
        for name in (
            *not_negative,
            "order_cost",
            "holding_cost",
            "shortage_cost",
            "ordered_now",
            "volume",
            "weight",
            "sold_for",
        ):
            if not (arrays[name] >= 0).all():  # NaN fails too
                raise DataError(f"terms: {name} must be given and not negative", code="SC-B006")
        for name in ("review_period", "shelf_life"):
            if not (arrays[name] >= 1).all():
                raise DataError(f"terms: {name} must be at least 1", code="SC-B006")
        finite = ("lead_time_sd", "moq", "pack_size", "min_stock", "order_cost", "holding_cost", "shortage_cost")
        for name in (*finite, "ordered_now", "volume", "weight"):
            if not np.isfinite(arrays[name]).all():
                raise DataError(f"terms: {name} must be finite", code="SC-B006")
        served = self.objective > 0
        if not ((self.target[served] > 0) & (self.target[served] < 1)).all():
            raise DataError("terms: a service target must lie between 0 and 1", code="SC-B006")

    @property
    def protection_interval(self) -> Int[np.ndarray, " series"]:
        """Give the periods from now to the arrival of the order after the next possible one.

        For a series at review: lead_time + review_period.
        """
        return self.first_review + self.review_period + self.lead_time

    @property
    def feeder(self) -> Int[np.ndarray, " series"]:
        """Give the row of the warehouse's series that feeds each series; −1 for all others, or where it is not here."""
        found = np.full(len(self.series), -1, dtype=np.int64)
        fed = np.flatnonzero(self.fed_by != "")
        if len(fed):
            found[fed] = self.series.locate(self.series.sku[fed], self.fed_by[fed])
        return found

    @property
    def reach(self) -> Int[np.ndarray, " series"]:
        """Give the periods ahead that each series' demand is needed for.

        Its protection interval with the margin of a lead time that varies; for a place that is fed also its lane beyond
        the first shipment after that of its warehouse, whose order decides about it.
        """
        found = self.protection_interval + np.ceil(3.0 * self.lead_time_sd).astype(np.int64)
        return np.maximum(found, self._passed_on(found))

    @property
    def covered(self) -> Int[np.ndarray, " series"]:
        """Give the periods from now over which demand counts to each line, at its mean lead time.

        Its protection interval; for a warehouse that feeds places up to the furthest end of what it decides about.
        """
        found, feeder = self.protection_interval, self.feeder
        fed = np.flatnonzero(feeder >= 0)
        np.maximum.at(found, feeder[fed], self._passed_on(found)[fed])
        return found

    def _passed_on(self, found: Int[np.ndarray, " series"]) -> Int[np.ndarray, " series"]:
        """Give when what is at a warehouse after some periods is at each place that it feeds; 0 for all others."""
        feeder = self.feeder
        fed = np.flatnonzero(feeder >= 0)
        out = np.zeros(len(feeder), dtype=np.int64)
        after = found[feeder[fed]]
        pairs = zip(fed.tolist(), after.tolist(), strict=True)
        sent = np.array([int(self.shipped_from(row, t)) for row, t in pairs], dtype=np.int64)
        out[fed] = np.where(sent < FAR, sent, after) + self.lead_time[fed]
        return out

    def shipped_from(self, row: int, at: Int[np.ndarray, "..."] | int) -> Int[np.ndarray, "..."]:
        """Give the first shipment to a fed series in or after some periods; ``FAR`` where none is known.

        With shipments in the periods 2 and 9, what comes to the warehouse in period 3 goes on in period 9.
        """
        known = self.shipments[row]
        if not len(known):
            return np.asarray(at, dtype=np.int64)
        return np.asarray(np.append(known, FAR)[np.searchsorted(known, at)])

    def take(self, rows: np.ndarray) -> "SupplyTerms":
        """Give some series, by ascending row."""
        columns = {name: getattr(self, name)[rows] for name in self.__dataclass_fields__ if name != "series"}
        return SupplyTerms(self.series.take(rows), **columns)

    def replace(self, **columns: np.ndarray) -> "SupplyTerms":
        """Give the terms with some columns changed."""
        return replace(self, **columns)  # type: ignore[arg-type]


def _hold_shipments(terms: SupplyTerms) -> None:
    n = len(terms.series)
    if not terms.shipments.size:
        object.__setattr__(terms, "shipments", np.zeros((n, 0), dtype=np.int64))
    if terms.shipments.ndim != 2 or len(terms.shipments) != n:
        raise AlignmentError(f"terms: shipments have shape {terms.shipments.shape} for {n} series")
    freeze(terms, shipments=terms.shipments)


@final
@dataclass(frozen=True, slots=True)
class PriceBreak:
    """An all-units discount: the share taken off a whole order whose value, before discount, reaches ``min_value``."""

    min_value: float
    discount: float


@final
@dataclass(frozen=True, slots=True)
class SupplierTerms:
    """The terms of one whole order: one supplier, one review, all locations.

    Parameters
    ----------
    order_cost
        Money for the order as a whole.
    min_order_value, min_order_units, min_order_weight
        What an order holds at least, if there is one; values at ``unit_cost`` before discount.
    truck_volume, truck_weight
        What one truck holds; 0 where it does not limit.
    truck_cost
        Money per truck.
    truck_min_fill
        The share of its trucks that an order fills at least, by volume or by weight, whichever is fuller.
    price_breaks
        Ascending in value and discount.
    committed_value, committed_units, committed_weight, committed_volume
        What open orders of this order period already hold: they count towards minimums, trucks and price breaks, and
        the order cost is paid where ``committed_units`` > 0.
    """

    supplier: str
    order_cost: float = 0.0
    min_order_value: float = 0.0
    min_order_units: float = 0.0
    committed_value: float = 0.0
    committed_units: float = 0.0
    min_order_weight: float = 0.0
    truck_volume: float = 0.0
    truck_weight: float = 0.0
    truck_cost: float = 0.0
    truck_min_fill: float = 0.0
    price_breaks: tuple[PriceBreak, ...] = ()
    committed_weight: float = 0.0
    committed_volume: float = 0.0

    def __post_init__(self) -> None:
        """Hold price breaks to an order in which the largest that is reached is the best.

        Raises
        ------
        DataError
            If a larger order would get a smaller discount, or a share lies outside 0 to 1.
        """
        for one, other in zip(self.price_breaks, self.price_breaks[1:], strict=False):
            if not (one.min_value < other.min_value and one.discount < other.discount):
                raise DataError(f"terms: price breaks of {self.supplier} must ascend in value and discount",
                                code="SC-B006")  # fmt: skip
        shares = [self.truck_min_fill, *(tier.discount for tier in self.price_breaks)]
        if not all(0.0 <= share <= 1.0 for share in shares):
            raise DataError(f"terms: a share of {self.supplier} lies outside 0 to 1", code="SC-B006")


@final
@dataclass(frozen=True, slots=True)
class SharedTerms:
    """What couples the lines: the suppliers' terms, the money of this order period, and the room at each location.

    Parameters
    ----------
    suppliers
        By name, sorted.
    unmet_demand
        Whether demand that meets no stock is lost or waits.
    budget
        Money for this order period at ``unit_cost`` before discount, or None; ``budget_used`` of it is in open orders
        of this period already.
    storage
        The volume that a location can hold, where it is limited.
    lanes
        The ways along which stock may be moved between locations.
    warehouses
        Locations that lie there for others: where nothing is sold, their stock is there to be moved.
    """

    suppliers: tuple[SupplierTerms, ...] = ()
    unmet_demand: UnmetDemand = "lost"
    budget: float | None = None
    budget_used: float = 0.0
    storage: Mapping[str, float] = field(default_factory=dict)
    lanes: Lanes = field(default_factory=Lanes)
    warehouses: tuple[str, ...] = ()

    def supplier(self, name: str) -> SupplierTerms:
        """Give the terms of a supplier; free of any where it has no row."""
        return next((terms for terms in self.suppliers if terms.supplier == name), SupplierTerms(name))
