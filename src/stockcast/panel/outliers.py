"""Sales far out of a series' own range: kept as they were recorded, and read as less by every model."""

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.panel.panel import Panel

OUTLIER = 50.0  # times the median of a series' periods with sales
OVER_MOST = 10.0  # times the 90 % quantile of them
FEWEST = 8  # periods with sales


def outliers(
    series: Int[np.ndarray, " record"], units: Float[np.ndarray, " record"]
) -> tuple[Int[np.ndarray, " outlier"], Float[np.ndarray, " outlier"]]:
    """Find the records that are far above all others of their series, and the median that they are measured by.

    A record is an outlier where it is above 50 times the median and above 10 times the 90 % quantile of the periods
    with sales, of which there are 8 at least. Both are robust: up to a tenth of the periods may be wrong, and a
    series with a few large orders among many small ones has them in its quantile.

    Examples
    --------
    >>> outliers(np.zeros(10, dtype=np.int64), np.array([3.0, 1, 2, 4, 2, 3, 20000, 1, 2, 2]))[0].tolist()
    [6]
    """
    sold = np.flatnonzero(units > 0)
    n = int(series.max(initial=-1)) + 1
    number = np.bincount(series[sold], minlength=n)
    most, total = np.zeros(n), np.bincount(series[sold], weights=units[sold], minlength=n)
    np.maximum.at(most, series[sold], units[sold])
    # the two rules together imply that the largest is above 1 / (0.1 + 0.9 / 10) = 5.26 times the mean
    likely = (number >= FEWEST) & (most * number > 5.0 * total)
    sold = sold[likely[series[sold]]]
    order = sold[np.lexsort((units[sold], series[sold]))]
    names, begin, count = np.unique(series[order], return_index=True, return_counts=True)
    median, high = np.zeros(n), np.zeros(n)
    median[names] = 0.5 * (units[order[begin + (count - 1) // 2]] + units[order[begin + count // 2]])
    high[names] = units[order[begin + (9 * (count - 1)) // 10]]
    bound = np.maximum(OUTLIER * median, OVER_MOST * high)
    found = np.sort(sold[units[sold] > bound[series[sold]]])
    return found, median[series[found]]


def excused(panel: Panel, some: slice = slice(None)) -> Bool[np.ndarray, "series time"]:
    """Tell where a promotion or an event at the place gives a reason to sell more.

    Parameters
    ----------
    some
        Consecutive series; all when left out.
    """
    n, calendar = panel.time.n, panel.known.calendar
    expected: np.ndarray = np.nan_to_num(panel.known.promotion[some, :n]) > 0
    if calendar is None:
        return expected
    happens = np.any(calendar.occurs[:, :, :n], axis=1)
    return expected | happens[calendar.place(panel.series.location[some])]


def calmed(panel: Panel, some: slice = slice(None)) -> Float[np.ndarray, "series time"]:
    """Give the sales with each outlier that nothing excuses as large as the largest other value of its series.

    One mistyped quantity would else move what a model learns from all series, and so the forecasts of others. In units;
    the array of the panel itself is given where there is none.

    Parameters
    ----------
    some
        Consecutive series; all when left out.

    Examples
    --------
    >>> from stockcast.core.axes import SeriesAxis, TimeAxis
    >>> from stockcast.panel import Attributes, KnownFuture
    >>> axis, time = SeriesAxis(np.array(["a"]), np.array(["x"])), TimeAxis(np.datetime64("2026-01-01"), 10, "day")
    >>> none, sales = np.full((1, 10), np.nan), np.array([[3.0, 1, 2, 4, 2, 3, 20000, 1, 2, 2]])
    >>> known, more = KnownFuture(time, none, none, 10), Attributes(axis, {})
    >>> calmed(Panel(axis, time, sales, sales > 0, np.ones((1, 10)), known, more)).tolist()
    [[3.0, 1.0, 2.0, 4.0, 2.0, 3.0, 4.0, 1.0, 2.0, 2.0]]
    """
    sales = panel.sales[some]
    if not sales.size:
        return sales
    # as in ``outliers``: the largest is far above the mean of the periods with sales, or there is none
    rows = np.flatnonzero(sales.max(axis=1) * np.count_nonzero(sales, axis=1) > 5.0 * sales.sum(axis=1))
    if not len(rows):
        return sales
    begin = some.indices(len(panel.series))[0]
    part = sales[rows]
    sold, when = np.nonzero(part)
    found = outliers(sold, part[sold, when])[0]
    if not len(found):
        return sales
    doubted = np.zeros(part.shape, dtype=bool)
    doubted[sold[found], when[found]] = True
    for at in np.unique(sold[found]).tolist():
        place = begin + int(rows[at])
        doubted[at] &= ~excused(panel, slice(place, place + 1))[0]
    out = sales.copy()
    rest = np.where(doubted, 0.0, part).max(axis=1, keepdims=True)
    out[rows] = np.where(doubted, np.minimum(part, rest), part)
    return out
