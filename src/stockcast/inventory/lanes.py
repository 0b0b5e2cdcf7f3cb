"""The ways between locations, and what is sent along them tonight."""

from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis
from stockcast.core.errors import AlignmentError, DataError
from stockcast.inventory.state import InventoryState


def _no_text() -> np.ndarray:
    return np.empty(0, dtype="<U1")


def _nothing() -> np.ndarray:
    return np.empty(0)


def _no_count() -> np.ndarray:
    return np.empty(0, dtype=np.int64)


@final
@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes along which stock may be moved, by their ends, sorted.

    Parameters
    ----------
    lead_time
        Periods from the shipment, in the first future period, to its arrival at that period's start; 0 arrives before
        the demand of the first period (``inventory.timing``).
    unit_cost
        Money a unit.
    order_cost
        Money a shipment: once a night, whatever it holds.
    pack_size
        Units; 0 says that single units move.
    first_shipment
        Periods from the first future one until something can be sent, by the calendar of where the lane begins; 0: now.

    Raises
    ------
    AlignmentError
        If the columns differ in length.
    DataError
        If a lane leads to where it begins, stands twice, or has a negative number.
    """

    from_location: Shaped[np.ndarray, " lane"] = field(default_factory=_no_text)
    to_location: Shaped[np.ndarray, " lane"] = field(default_factory=_no_text)
    lead_time: Int[np.ndarray, " lane"] = field(default_factory=_no_count)
    unit_cost: Float[np.ndarray, " lane"] = field(default_factory=_nothing)
    order_cost: Float[np.ndarray, " lane"] = field(default_factory=_nothing)
    pack_size: Float[np.ndarray, " lane"] = field(default_factory=_nothing)
    first_shipment: Int[np.ndarray, " ..."] = field(default_factory=_no_count)

    def __post_init__(self) -> None:
        """Check what the planning relies on, and freeze."""
        if not len(self.first_shipment):
            object.__setattr__(self, "first_shipment", np.zeros(len(self.from_location), dtype=np.int64))
        arrays = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if len({array.shape for array in arrays.values()}) > 1:
            raise AlignmentError(f"lanes: columns of {[len(array) for array in arrays.values()]} rows")
        ends = list(zip(self.from_location.tolist(), self.to_location.tolist(), strict=True))
        if any(begin == end for begin, end in ends) or ends != sorted(set(ends)):
            raise DataError("lanes must lead elsewhere, stand once each, and be sorted", code="SC-B006")
        for name in ("lead_time", "unit_cost", "order_cost", "pack_size", "first_shipment"):
            if not (np.isfinite(arrays[name]).all() and (arrays[name] >= 0).all()):
                raise DataError(f"lanes: {name} must be finite and not negative", code="SC-B006")
        freeze(self, **arrays)

    def __len__(self) -> int:
        """Give the number of lanes."""
        return len(self.from_location)

    @property
    def open_now(self) -> Bool[np.ndarray, " lane"]:
        """Tell along which lanes something can be sent in the first future period."""
        return np.asarray(self.first_shipment == 0)

    def name(self, at: int) -> str:
        """Name a lane by its ends.

        Examples
        --------
        >>> one, zero = np.ones(1), np.zeros(1)
        >>> Lanes(np.array(["A"]), np.array(["B"]), np.array([1]), one, zero, zero).name(0)
        'A → B'
        """
        return f"{self.from_location[at]} → {self.to_location[at]}"


@final
@dataclass(frozen=True, slots=True)
class Transfers:
    """What to send along the lanes tonight, one entry a sku and lane, sorted by sku and lane.

    Parameters
    ----------
    series
        The axis that ``giver`` and ``receiver`` are rows of.
    lane
        Row of the lanes.
    quantity
        Units, whole packs of the lane.
    order_cost_share
        The part of the lane's cost of a shipment that falls to this line, by what the lines save before it.
    saving
        Expected cost that the line saves, its own cost and its share taken off.
    giver_before, giver_after, receiver_before, receiver_after
        What one unit more is worth where it lies and where it goes, before and after all transfers; NaN where the giver
        has no further unit.
    reason
        The above in a sentence.
    """

    series: SeriesAxis
    lane: Int[np.ndarray, " transfer"] = field(default_factory=_no_count)
    giver: Int[np.ndarray, " transfer"] = field(default_factory=_no_count)
    receiver: Int[np.ndarray, " transfer"] = field(default_factory=_no_count)
    quantity: Float[np.ndarray, " transfer"] = field(default_factory=_nothing)
    order_cost_share: Float[np.ndarray, " transfer"] = field(default_factory=_nothing)
    saving: Float[np.ndarray, " transfer"] = field(default_factory=_nothing)
    giver_before: Float[np.ndarray, " transfer"] = field(default_factory=_nothing)
    giver_after: Float[np.ndarray, " transfer"] = field(default_factory=_nothing)
    receiver_before: Float[np.ndarray, " transfer"] = field(default_factory=_nothing)
    receiver_after: Float[np.ndarray, " transfer"] = field(default_factory=_nothing)
    reason: Shaped[np.ndarray, " transfer"] = field(default_factory=_no_text)

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__ if name != "series"})

    def __len__(self) -> int:
        """Give the number of lines."""
        return len(self.lane)

    @property
    def sent(self) -> Float[np.ndarray, " series"]:
        """Give the units that leave each series."""
        return np.bincount(self.giver, weights=self.quantity, minlength=len(self.series)).astype(float)

    @property
    def received(self) -> Float[np.ndarray, " series"]:
        """Give the units that come to each series."""
        return np.bincount(self.receiver, weights=self.quantity, minlength=len(self.series)).astype(float)

    def after(self, state: InventoryState, lanes: Lanes) -> InventoryState:
        """Give the stock once they are on their way: less on hand at the giver, more in the receiver's pipeline.

        Raises
        ------
        AlignmentError
            If the state is of other series.
        """
        self.series.require(state.series, "transfers and state")
        pipeline = state.pipeline.copy()
        sent_now = np.zeros_like(pipeline) if state.sent_now is None else state.sent_now.copy()
        column = np.minimum(lanes.lead_time[self.lane], pipeline.shape[1] - 1)
        for comes in (pipeline, sent_now):
            np.add.at(comes, (self.receiver, column), self.quantity)
        # a decimal step may miss the stock by a rounding
        left = state.on_hand - self.sent
        left = np.where(left < 1e-9 * np.maximum(1.0, state.on_hand), np.maximum(left, 0.0), left)
        return InventoryState(state.series, left, state.backorders, pipeline, sent_now)
