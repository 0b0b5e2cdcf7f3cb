"""From recorded sales to evidence of demand: sales of a period without stock is only a lower bound (rule 5)."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.arrays import freeze
from stockcast.core.axes import Step
from stockcast.panel import Panel, calmed

ENOUGH: dict[Step, int] = {"day": 14, "week": 8}  # fully stocked periods that make the others dispensable
EVERY = slice(None)
SHARE = 0.5  # below this share in stock, dividing sales by the share would more than double them


@final
@dataclass(frozen=True, slots=True)
class Evidence:
    """What a history tells about demand.

    Parameters
    ----------
    values
        Demand in units; 0 where nothing is told.
    used
        Whether the period tells anything. Elsewhere a model carries its state on.
    censored
        Series with too few fully stocked periods, whose recorded sales stand in for demand.
    """

    values: Float[np.ndarray, "series time"]
    used: Bool[np.ndarray, "series time"]
    censored: Bool[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, values=self.values, used=self.used, censored=self.censored)


def evidence(panel: Panel, some: slice = EVERY) -> Evidence:
    """Take the fully stocked periods as demand, and mask the others; of ``some`` consecutive series, or of all.

    A series is *censored* if it has periods without full stock and fewer fully stocked ones than 14 days or 8 weeks.
    Then all its periods with some stock count: as sales / share from half a period in stock on, as recorded below
    that. A series that never had stock, and yet sold, counts with its recorded sales; one that did not tells nothing.
    Outliers that nothing excuses count as the largest other value of their series (:func:`stockcast.panel.calmed`).

    Examples
    --------
    >>> from stockcast.core.axes import SeriesAxis, TimeAxis
    >>> from stockcast.panel import Attributes, KnownFuture
    >>> axis, time = SeriesAxis(np.array(["a"]), np.array(["x"])), TimeAxis(np.datetime64("2026-01-01"), 3, "day")
    >>> none = np.full((1, 3), np.nan)
    >>> sales, share = np.array([[4.0, 3.0, 0.0]]), np.array([[1.0, 0.75, 0.0]])
    >>> known, more = KnownFuture(time, none, none, 3), Attributes(axis, {})
    >>> told = evidence(Panel(axis, time, sales, np.ones((1, 3), dtype=bool), share, known, more))
    >>> told.values.tolist(), told.used.tolist(), told.censored.tolist()
    ([[4.0, 4.0, 0.0]], [[True, True, False]], [True])
    """
    sales, observed, in_stock = calmed(panel, some), panel.observed[some], panel.in_stock[some]
    full = in_stock >= 1.0
    full &= observed
    if full.all():  # nothing to mask, nothing to copy
        return Evidence(sales, full, np.zeros(len(sales), dtype=bool))
    values = np.where(full, sales, 0.0)
    enough = ENOUGH[panel.time.step]
    stocked = full.sum(axis=1)
    censored = np.zeros(len(full), dtype=bool)
    few = np.flatnonzero(stocked < enough)
    censored[few] = stocked[few] < np.minimum(enough, observed[few].sum(axis=1))
    rows = np.flatnonzero(censored)
    if len(rows):
        part = observed[rows] & (in_stock[rows] > 0)
        sold = (sales[rows] > 0).any(axis=1, keepdims=True)
        told = np.where(part.any(axis=1, keepdims=True) | ~sold, part, observed[rows])
        share = np.where(in_stock[rows] >= SHARE, in_stock[rows], 1.0)
        full[rows] = told
        values[rows] = np.where(told, sales[rows] / share, 0.0)
    return Evidence(values, full, censored)
