"""From recorded sales to evidence of demand: sales of a period without stock is only a lower bound (rule 5)."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.arrays import freeze
from stockcast.core.axes import Step
from stockcast.panel import Panel

ENOUGH: dict[Step, int] = {"day": 14, "week": 8}  # fully stocked periods that make the others dispensable
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


def evidence(panel: Panel) -> Evidence:
    """Take the fully stocked periods as demand, and mask the others.

    A series is *censored* if it has periods without full stock and fewer fully stocked ones than 14 days or 8 weeks.
    Then all its periods with some stock count: as sales / share from half a period in stock on, as recorded below
    that. A series that never had stock at all counts with its recorded sales.

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
    full = panel.fully_in_stock
    stocked, recorded = full.sum(axis=1), panel.observed.sum(axis=1)
    censored = stocked < np.minimum(ENOUGH[panel.time.step], recorded)
    used, values = full, np.where(full, panel.sales, 0.0)
    if censored.any():
        part = np.asarray(panel.observed & (panel.in_stock > 0))
        some = np.where(part.any(axis=1, keepdims=True), part, panel.observed)
        share = np.where(panel.in_stock >= SHARE, panel.in_stock, 1.0)
        used = np.where(censored[:, None], some, full)
        values = np.where(censored[:, None], np.where(some, panel.sales / share, 0.0), values)
    return Evidence(values, used, censored)
