"""What may be known when an order is placed, and nothing else."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from stockcast.core.errors import AlignmentError
from stockcast.demand.forecast import SampledForecast
from stockcast.inventory.state import InventoryState
from stockcast.inventory.terms import SharedTerms, SupplyTerms
from stockcast.panel.panel import Panel


@final
@dataclass(frozen=True, slots=True)
class Situation:
    """The information set of one decision: the past ends at the origin by construction.

    Raises
    ------
    AlignmentError
        If the parts do not share one series axis, or the forecast does not begin after the past.
    """

    past: Panel
    state: InventoryState
    demand: SampledForecast
    terms: SupplyTerms
    shared: SharedTerms

    def __post_init__(self) -> None:
        """Hold the parts against each other (rules 4 and 6)."""
        for what, axis in (
            ("past and state", self.state.series),
            ("past and demand", self.demand.series),
            ("past and terms", self.terms.series),
        ):
            self.past.series.require(axis, what)
        if self.demand.origin != self.past.origin:
            raise AlignmentError(f"the forecast's origin is {self.demand.origin}, the past ends {self.past.origin}")

    def with_demand(self, demand: SampledForecast) -> "Situation":
        """Give the situation with another forecast."""
        return replace(self, demand=demand)

    def take(self, rows: np.ndarray) -> "Situation":
        """Give some series, by ascending row."""
        return Situation(
            self.past.take(rows), self.state.take(rows), self.demand.take(rows), self.terms.take(rows), self.shared
        )
