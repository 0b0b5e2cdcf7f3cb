"""The evidence without holes, for sums over series."""

import numpy as np

from stockcast.core.axes import Step
from stockcast.models.uncensor.evidence import evidence
from stockcast.panel import Panel
from stockcast.panel.aggregation import Filled

RECENT: dict[Step, tuple[int, float]] = {"day": (7, 4.0), "week": (1, 8.0)}  # season, half-life in values of a place


def filled(panel: Panel) -> Filled:
    """Give the evidence without holes: where a period tells nothing, what the series' own recent past lets expect.

    The expectation is the weighted mean of the earlier used values of that weekday (half-life: four of them), of all
    earlier used values where that weekday has none yet (weeks: half-life of eight values). It is never below what was
    sold in the period. Before a series' first record there is nothing to fill: it was not on sale.

    Examples
    --------
    >>> from stockcast.core.axes import SeriesAxis, TimeAxis
    >>> from stockcast.panel import Attributes, KnownFuture
    >>> axis, time = SeriesAxis(np.array(["a"]), np.array(["x"])), TimeAxis(np.datetime64("2026-01-01"), 16, "day")
    >>> sales = np.array([[4.0, 9, 4, 4, 4, 4, 4, 4, 2, 4, 4, 4, 4, 4, 4, 4]])
    >>> stock = np.where(np.arange(16) == 8, 0.0, 1.0)[None]
    >>> known = KnownFuture(time, np.full((1, 16), np.nan), np.full((1, 16), np.nan), 16)
    >>> filled(Panel(axis, time, sales, sales >= 0, stock, known, Attributes(axis, {}))).values[0, 7:10].tolist()
    [4.0, 9.0, 4.0]
    """
    told = evidence(panel)
    season, half = RECENT[panel.time.step]
    keep = 0.5 ** (1.0 / half)
    n, time = told.values.shape
    place, weight = np.zeros((season, n)), np.zeros((season, n))
    whole, mass = np.zeros(n), np.zeros(n)
    expected = np.zeros((time, n))
    for t, (y, w) in enumerate(zip(told.values.T, told.used.T, strict=True)):
        at = t % season
        np.divide(whole, mass, out=expected[t], where=mass > 0)
        np.divide(place[at], weight[at], out=expected[t], where=weight[at] > 0)
        place[at] = np.where(w, keep * place[at] + y, place[at])
        weight[at] = np.where(w, keep * weight[at] + 1.0, weight[at])
        whole, mass = np.where(w, keep * whole + y, whole), np.where(w, keep * mass + 1.0, mass)
    begun = np.logical_or.accumulate(panel.observed, axis=1)
    expected = np.where(begun, expected.T, 0.0)
    values = np.where(told.used, told.values, np.maximum(expected, np.where(panel.observed, panel.sales, 0.0)))
    return Filled(values, told.used, expected)
