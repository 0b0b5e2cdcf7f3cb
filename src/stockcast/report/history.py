"""``history.csv``: what the record of each series says, beside its forecast."""

import numpy as np

from stockcast.panel import Panel
from stockcast.report.tables import Columns

RECENT_DAYS, YEAR_DAYS = 28, 364
CHUNK = 2048


def history_table(panel: Panel, segment: np.ndarray | None = None, censored: np.ndarray | None = None) -> Columns:
    """Give one row a series; means are units a period, blank where no period tells.

    Parameters
    ----------
    segment, censored
        Of each series, where the forecast was made in this run: its segment, and whether recorded sales stand in for
        demand.
    """
    n = len(panel.series)
    recent, year = RECENT_DAYS // panel.time.days, YEAR_DAYS // panel.time.days
    parts = [_told(panel.take(rows), recent, year) for rows in panel.chunks(CHUNK)]
    found = np.concatenate(parts, axis=1) if parts else np.zeros((6, 0))
    first = panel.first
    never = np.datetime64("NaT", "D")
    begin = panel.time.dates()[np.minimum(first, panel.time.n - 1)]
    return {
        "sku": panel.series.sku,
        "location": panel.series.location,
        "segment": np.full(n, "", dtype=np.str_) if segment is None else segment,
        "first_date": np.where(first < panel.time.n, begin, never),
        "periods": found[0].astype(np.int64),
        "recent_sales": found[1],
        "before_sales": found[2],
        "year_ago_sales": found[3],
        "short_recent": found[4].astype(np.int64),
        "short_year": found[5].astype(np.int64),
        "sales_stand_in": np.full(n, "", dtype=np.str_) if censored is None else np.where(censored, "yes", "no"),
    }


def _told(panel: Panel, recent: int, year: int) -> np.ndarray:
    """Give one row a measure, in the order of the columns from ``periods`` on.

    Recorded periods; mean sales of the last four weeks, of the four before, and of those to come a year ago; then how
    many periods of the last four weeks and of a year were not fully in stock.
    """
    seen, n = panel.fully_in_stock, panel.time.n

    def mean(begin: int, end: int) -> np.ndarray:
        window = slice(max(begin, 0), max(end, 0))
        used = seen[:, window]
        count = used.sum(axis=1)
        total = np.where(used, panel.sales[:, window], 0.0).sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    short = panel.observed & ~seen
    return np.stack([
        panel.observed.sum(axis=1).astype(float),
        mean(n - recent, n),
        mean(n - 2 * recent, n - recent),
        mean(n - year, n - year + recent) if n >= year else np.full(len(panel.series), np.nan),
        short[:, max(n - recent, 0) :].sum(axis=1).astype(float),
        short[:, max(n - year, 0) :].sum(axis=1).astype(float),
    ])
