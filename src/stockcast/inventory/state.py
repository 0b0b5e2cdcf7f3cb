"""What there is and what is on its way, at the end of the origin."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis
from stockcast.core.errors import AlignmentError, DataError

ROUNDING = 1e-9  # relative: what is left of a sum once a part of it is taken off again


@final
@dataclass(frozen=True, slots=True)
class InventoryState:
    """Stock on hand (net of reserved), backorders, and the pipeline by arrival.

    Parameters
    ----------
    on_hand, backorders
        Units, ≥ 0.
    pipeline
        Open orders by arrival: column k arrives at the start of the k-th future period, counted from 0; the last
        column holds everything later. Overdue orders stand in column 0.
    sent_now
        What of the pipeline transfers of the first period bring, proposed or among the open orders already: no
        supplier is late with them. None without such transfers.
    """

    series: SeriesAxis
    on_hand: Float[np.ndarray, " series"]
    backorders: Float[np.ndarray, " series"]
    pipeline: Float[np.ndarray, "series arrival"]
    sent_now: Float[np.ndarray, "series arrival"] | None = None

    def __post_init__(self) -> None:
        """Check and freeze."""
        n = len(self.series)
        if self.on_hand.shape != (n,) or self.backorders.shape != (n,) or self.pipeline.shape[0] != n:
            raise AlignmentError(f"state of {self.on_hand.shape} units for {n} series")
        for name in ("on_hand", "backorders", "pipeline"):
            values = getattr(self, name)
            if not (np.isfinite(values).all() and (values >= 0).all()):
                raise DataError(f"{name} must be finite and not negative", code="SC-B005")
        freeze(self, on_hand=self.on_hand, backorders=self.backorders, pipeline=self.pipeline)
        if self.sent_now is not None:
            if self.sent_now.shape != self.pipeline.shape:
                raise AlignmentError(f"sent_now of {self.sent_now.shape} in a pipeline of {self.pipeline.shape}")
            freeze(self, sent_now=self.sent_now)

    @property
    def open_orders(self) -> Float[np.ndarray, "series arrival"]:
        """Give the pipeline without what tonight's transfers bring, to within its rounding."""
        if self.sent_now is None:
            return self.pipeline
        left = self.pipeline - self.sent_now
        return np.where(left > ROUNDING * self.pipeline, left, 0.0)

    @property
    def on_order(self) -> Float[np.ndarray, " series"]:
        """Give all units on order, whenever they arrive."""
        return self.pipeline.sum(axis=1)

    @property
    def inventory_position(self) -> Float[np.ndarray, " series"]:
        """Give on_hand + on_order − backorders."""
        return self.on_hand + self.on_order - self.backorders

    def take(self, rows: np.ndarray) -> "InventoryState":
        """Give some series, by ascending row."""
        sent_now = None if self.sent_now is None else self.sent_now[rows]
        return InventoryState(
            self.series.take(rows), self.on_hand[rows], self.backorders[rows], self.pipeline[rows], sent_now
        )

    def with_order(self, quantity: Float[np.ndarray, " series"], arrival: np.ndarray) -> "InventoryState":
        """Add an order to the pipeline, arriving in column ``arrival`` (the last column holds everything later)."""
        pipeline = self.pipeline.copy()
        column = np.minimum(arrival, pipeline.shape[1] - 1)
        np.add.at(pipeline, (np.arange(len(self.series)), column), quantity)
        return replace(self, pipeline=pipeline)
