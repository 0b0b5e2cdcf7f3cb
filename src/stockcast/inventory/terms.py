"""The terms of supply: of a line (one series) and of a whole order (one supplier)."""

from dataclasses import dataclass, replace
from typing import Literal, final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis
from stockcast.core.errors import AlignmentError, DataError

UnmetDemand = Literal["lost", "backorder"]
Objective = Literal["cost", "cycle_service_level", "fill_rate"]
OBJECTIVES: tuple[Objective, ...] = ("cost", "cycle_service_level", "fill_rate")


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

    def __post_init__(self) -> None:
        """Check what every policy relies on, and freeze."""
        n = len(self.series)
        arrays = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "series"}
        for name, array in arrays.items():
            if array.shape != (n,):
                raise AlignmentError(f"terms: {name} has shape {array.shape} for {n} series")
        freeze(self, **arrays)
        not_negative = ("lead_time", "lead_time_sd", "first_review", "moq", "pack_size", "max_order", "min_stock")
        for name in (*not_negative, "order_cost", "holding_cost", "shortage_cost", "ordered_now"):
            if not (arrays[name] >= 0).all():  # NaN fails too
                raise DataError(f"terms: {name} must be given and not negative", code="SC-B006")
        if not (self.review_period >= 1).all():
            raise DataError("terms: review_period must be at least 1", code="SC-B006")
        finite = ("lead_time_sd", "moq", "pack_size", "min_stock", "order_cost", "holding_cost", "shortage_cost")
        for name in (*finite, "ordered_now"):
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

    def take(self, rows: np.ndarray) -> "SupplyTerms":
        """Give some series, by ascending row."""
        columns = {name: getattr(self, name)[rows] for name in self.__dataclass_fields__ if name != "series"}
        return SupplyTerms(self.series.take(rows), **columns)

    def replace(self, **columns: np.ndarray) -> "SupplyTerms":
        """Give the terms with some columns changed."""
        return replace(self, **columns)  # type: ignore[arg-type]


@final
@dataclass(frozen=True, slots=True)
class SupplierTerms:
    """The terms of one whole order: one supplier, one review, all locations.

    ``committed_value`` and ``committed_units`` are what open orders of this order period already hold: they count
    towards the minimums, and the header cost is paid where ``committed_units`` > 0.
    """

    supplier: str
    order_cost: float = 0.0
    min_order_value: float = 0.0
    min_order_units: float = 0.0
    committed_value: float = 0.0
    committed_units: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class SharedTerms:
    """What couples the lines: the suppliers' terms and the money of this order period.

    Parameters
    ----------
    suppliers
        By name, sorted.
    unmet_demand
        Whether demand that meets no stock is lost or waits.
    budget
        Money for this order period, or None; ``budget_used`` of it is in open orders of this period already.
    """

    suppliers: tuple[SupplierTerms, ...] = ()
    unmet_demand: UnmetDemand = "lost"
    budget: float | None = None
    budget_used: float = 0.0

    def supplier(self, name: str) -> SupplierTerms:
        """Give the terms of a supplier; free of any where it has no row."""
        return next((terms for terms in self.suppliers if terms.supplier == name), SupplierTerms(name))
