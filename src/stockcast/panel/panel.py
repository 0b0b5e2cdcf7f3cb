"""The panel: sales of all series on one regular time axis, with the masks that say what they mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import AlignmentError, DataError
from stockcast.panel.attributes import Attributes
from stockcast.panel.known import KnownFuture, as_slice


@final
@dataclass(frozen=True, slots=True)
class Panel:
    """The history of all series up to and including the origin, the last period that is fully known.

    Parameters
    ----------
    series, time
        The axes; ``time.last`` is the origin.
    sales
        Units sold, as recorded (returns apart), finite and ≥ 0; 0 where ``observed`` is False.
    observed
        Whether the period is part of the record: False before a series' first row, in gaps that are unknown, and where
        its place was closed.
    in_stock
        The share of the period in stock, 0 to 1. Below 1, ``sales`` is only a lower bound of demand (rule 5).
    known
        Prices, promotions, covariates and the calendar, reaching past ``time``.
    attributes
        Text columns of the item master.

    Raises
    ------
    DataError
        If a value is not finite, negative, or a share outside 0 to 1: a NaN is never a stand-in (rule 3).
    """

    series: SeriesAxis
    time: TimeAxis
    sales: Float[np.ndarray, "series time"]
    observed: Bool[np.ndarray, "series time"]
    in_stock: Float[np.ndarray, "series time"]
    known: KnownFuture
    attributes: Attributes

    def __post_init__(self) -> None:
        """Check the invariants once, and freeze."""
        shape = (len(self.series), self.time.n)
        for name in ("sales", "observed", "in_stock"):
            if getattr(self, name).shape != shape:
                raise AlignmentError(f"{name} has shape {getattr(self, name).shape}, the axes say {shape}")
        self.series.require(self.attributes.series, "panel and attributes")
        if not (np.isfinite(self.sales).all() and (self.sales >= 0).all()):
            raise DataError("sales of a panel must be finite and not negative", code="SC-B004")
        if not ((self.in_stock >= 0) & (self.in_stock <= 1)).all():
            raise DataError("in_stock of a panel must lie between 0 and 1", code="SC-B004")
        freeze(self, sales=self.sales, observed=self.observed, in_stock=self.in_stock)

    @property
    def origin(self) -> np.datetime64:
        """Give the first day of the last period that is fully known."""
        return self.time.last

    @property
    def first(self) -> Int[np.ndarray, " series"]:
        """Give the first observed period of each series; ``time.n`` where there is none."""
        return np.where(self.observed.any(axis=1), self.observed.argmax(axis=1), self.time.n)

    @property
    def fully_in_stock(self) -> Bool[np.ndarray, "series time"]:
        """Give where recorded sales are demand: observed, and in stock for the whole period."""
        return self.observed & (self.in_stock >= 1.0)

    @property
    def closed(self) -> Bool[np.ndarray, "series time"]:
        """Give where nothing was sold because the place was closed: no evidence of demand, and no doubt about it."""
        calendar = self.known.calendar
        if calendar is None or calendar.open.all():
            return np.zeros(self.sales.shape, dtype=bool)
        return np.asarray(calendar.closed(self.series.location, 0, self.time.n) & (self.sales == 0))

    @property
    def settled(self) -> Bool[np.ndarray, "series time"]:
        """Give where it is known what there was to sell: a sum over such periods can be held against a forecast."""
        return self.fully_in_stock if self.known.calendar is None else self.fully_in_stock | self.closed

    def until(self, n: int) -> "Panel":
        """Give the panel as it was known after its first ``n`` periods: the only way to make training data."""
        return Panel(
            self.series,
            self.time.until(n),
            self.sales[:, :n],
            self.observed[:, :n],
            self.in_stock[:, :n],
            self.known.until(n),
            self.attributes,
        )

    def take(self, rows: np.ndarray) -> "Panel":
        """Give some series, by ascending row; consecutive ones as views."""
        some = as_slice(rows)
        series = self.series.take(rows)
        return Panel(
            series,
            self.time,
            self.sales[some],
            self.observed[some],
            self.in_stock[some],
            self.known.take(rows),
            self.attributes.take(rows, series),
        )

    def chunks(self, size: int) -> Iterator[np.ndarray]:
        """Give the rows of consecutive chunks of at most ``size`` series."""
        for begin in range(0, len(self.series), size):
            yield np.arange(begin, min(begin + size, len(self.series)))
