"""Periods whose rows were refused: that something was recorded is known, how much was sold is not."""

import numpy as np
from jaxtyping import Bool

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.ingest.checked import CheckedTables
from stockcast.ingest.records import series_of


def lost_periods(
    checked: CheckedTables, axis: SeriesAxis, time: TimeAxis, recorded: Bool[np.ndarray, "series time"]
) -> Bool[np.ndarray, "series time"]:
    """Find the periods all of whose rows were refused: they are not known, and no zero sales.

    A period of which other rows stand counts what those say, and is told; before the first record of a series nothing
    counts as zero anyway.

    Parameters
    ----------
    recorded
        Where a row stands.
    """
    lost = np.zeros(recorded.shape, dtype=bool)
    table = checked.lost_sales
    if table is None or not len(table):
        return lost
    series, period = series_of(table, axis), time.index(table.dates("date"))
    inside = (series >= 0) & (period >= 0) & (period < time.n)
    lost[series[inside], period[inside]] = True
    partly, begun = int((lost & recorded).sum()), np.maximum.accumulate(recorded, axis=1)
    lost &= ~recorded & begun
    if lost.any():
        checked.findings.notes.append(
            f"{int(lost.sum())} periods of which every row was quarantined are not known, and are no zero sales"
        )
    if partly:
        checked.findings.notes.append(
            f"{partly} periods of which some rows were quarantined count what their other rows say"
        )
    return lost
