"""Demand where stock was out: what was sold, and what to expect of the share that could not be served."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.arrays import freeze
from stockcast.core.errors import AlignmentError
from stockcast.models.uncensor.pooled import CHUNK, learn, recorded
from stockcast.models.uncensor.walk import Learnt, Now, walk
from stockcast.panel import Panel

LEAST = 0.05  # units a period, below which the deviation does not go


@final
@dataclass(frozen=True, slots=True)
class Estimated:
    """Demand of every period, and how sure that is.

    Parameters
    ----------
    values
        The mean of demand in units; what was sold where the period was fully stocked, never less elsewhere, and 0
        before a series' first record.
    sd
        The standard deviation of demand about it; 0 where what was sold is demand.
    share
        The share of demand that could be served: 1 where fully stocked, 0 where nothing is told.
    told
        Whether the period's own sales tell of its demand: recorded, with some stock.
    """

    values: Float[np.ndarray, "series time"]
    sd: Float[np.ndarray, "series time"]
    share: Float[np.ndarray, "series time"]
    told: Bool[np.ndarray, "series time"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, values=self.values, sd=self.sd, share=self.share, told=self.told)


def estimate(panel: Panel, *, groups: Sequence[np.ndarray] | None = None) -> Estimated:
    """Estimate the demand of every series and period from what was known at its end.

    Of a period in which the share q of demand could be served, and s was sold::

        demand = s + (1 - q) rate              rate = (φ M + (τ - φ) s) / (φ + (τ - φ) q)
        variance = (1 - q) φ τ rate / (φ + (τ - φ) q)

    the mean of a gamma-distributed rate after Poisson arrivals over the share q, with M and τ M the mean and variance
    that the series' past and its group's day let expect, and φ the noise of arrivals (docs/models.md). With nothing
    in stock it is the mean itself. No period's estimate changes with what comes later.

    Parameters
    ----------
    groups
        Labels of the series, whose days have something in common: one array or more, each on top of the ones before;
        category × location if left out, none if empty.

    Raises
    ------
    AlignmentError
        If there is not one label for each series.

    Examples
    --------
    >>> from stockcast.core.axes import SeriesAxis, TimeAxis
    >>> from stockcast.panel import Attributes, KnownFuture
    >>> axis, time = SeriesAxis(np.array(["a"]), np.array(["x"])), TimeAxis(np.datetime64("2026-01-01"), 30, "day")
    >>> sales, share = np.full((1, 30), 8.0), np.ones((1, 30))
    >>> sales[0, 28:], share[0, 28:] = (3.0, 0.0), (0.5, 0.0)
    >>> known = KnownFuture(time, np.full((1, 30), np.nan), np.full((1, 30), np.nan), 30)
    >>> told = estimate(Panel(axis, time, sales, sales >= 0, share, known, Attributes(axis, {})))
    >>> told.values[0, 27:].round(1).tolist(), told.told[0, 27:].tolist()
    ([8.0, 7.0, 7.9], [True, True, False])
    """
    if groups is None:
        groups = (_category_at_location(panel),)
    for labels in groups:
        if labels.shape != (len(panel.series),):
            raise AlignmentError(f"groups have {labels.shape} labels for {len(panel.series)} series")
    pooled = learn(panel, groups)
    shape = panel.sales.shape
    values, sd, served, told = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=bool)
    for rows in panel.chunks(CHUNK):
        sales, share = recorded(panel, rows)
        learnt = pooled.of_chunk(sales, share, rows, panel.time.step)
        for now in walk(sales, share, learnt, panel.time.step):
            values[rows, now.at], sd[rows, now.at] = demand_of(now, learnt)
            served[rows, now.at], told[rows, now.at] = now.served, now.share > 0
    begun = np.logical_or.accumulate(panel.observed, axis=1)
    values = np.where(begun, np.maximum(values, np.where(panel.observed, panel.sales, 0.0)), 0.0)
    full = panel.fully_in_stock
    return Estimated(np.where(full, panel.sales, values), np.where(full | ~begun, 0.0, sd), served, told)


def _category_at_location(panel: Panel) -> np.ndarray:
    """Give each pair of category and location a number."""
    _, place = np.unique(panel.series.location, return_inverse=True)
    names, category = np.unique(panel.attributes.column("category"), return_inverse=True)
    return place * len(names) + category


def demand_of(now: Now, learnt: Learnt) -> tuple[np.ndarray, np.ndarray]:
    """Give mean and standard deviation of demand in one period of a chunk."""
    s, q, ratio = now.sales, now.served, now.ratio
    of_unit, of_ratio = learnt.noise[now.at]
    noise = np.minimum(of_unit * now.unit + of_ratio * ratio, ratio)
    mean = now.asked
    # nothing is known of the series: what was sold is all there is, and came at once for all that is known
    blank, nothing = mean <= 0, q <= 0
    noise = np.where(blank, np.where(now.unit > 0, now.unit, s), noise)
    ratio = np.maximum(ratio, noise)
    below = np.where(blank, q, noise + (ratio - noise) * q)
    above = np.where(blank, s, noise * mean + (ratio - noise) * s)
    rate = np.where(nothing, mean, above / np.where(below > 0, below, 1.0))
    # what has sold nothing for weeks may sell a unit: Jeffreys' half a unit over the periods that a level remembers
    least = np.maximum(rate, LEAST * now.unit)
    variance = (1.0 - q) * noise * least * np.where(blank, 1.0, ratio) / np.where(below > 0, below, 1.0)
    variance = np.where(nothing, ratio * least, variance)
    return np.where(nothing, np.maximum(mean, s), s + (1.0 - q) * rate), np.sqrt(variance)
