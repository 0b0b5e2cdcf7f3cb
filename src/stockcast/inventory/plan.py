"""The reorder plan: one line a series, with what led to it."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis


@final
@dataclass(frozen=True, slots=True)
class ReorderPlan:
    """What to order now, one entry a series; the columns are those of ``plan.csv``.

    Money, units and periods as there. ``binding`` names the constraint that set the quantity (``none``, ``pack``,
    ``moq``, ``max_order``, ``supplier_minimum``, ``truck``, ``price_break``, ``budget``, ``storage``, ``no_review``,
    ``not_orderable``); ``reason`` says it in a sentence; ``policy`` and ``fallback`` say who decided.
    """

    series: SeriesAxis
    order_quantity: Float[np.ndarray, " series"]
    unconstrained_quantity: Float[np.ndarray, " series"]
    demand_mean: Float[np.ndarray, " series"]
    demand_median: Float[np.ndarray, " series"]
    demand_q90: Float[np.ndarray, " series"]
    reorder_point: Float[np.ndarray, " series"]
    order_up_to_level: Float[np.ndarray, " series"]
    stockout_risk_without: Float[np.ndarray, " series"]
    stockout_risk_with: Float[np.ndarray, " series"]
    days_of_cover: Float[np.ndarray, " series"]
    expected_cost_saving: Float[np.ndarray, " series"]
    marginal_value: Float[np.ndarray, " series"]
    priority: Int[np.ndarray, " series"]
    cumulative_spend: Float[np.ndarray, " series"]
    binding: np.ndarray
    reason: np.ndarray
    policy: np.ndarray
    fallback: np.ndarray

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__ if name != "series"})

    @property
    def safety_stock(self) -> Float[np.ndarray, " series"]:
        """Give order_up_to_level − demand_mean: an output, never an input."""
        return self.order_up_to_level - self.demand_mean
