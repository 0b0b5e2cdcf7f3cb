"""Closed days in the history: nothing sold at a closed place says nothing of demand."""

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.ingest.checked import CheckedTables
from stockcast.panel.calendar import Calendar


def without_closed(
    checked: CheckedTables,
    axis: SeriesAxis,
    time: TimeAxis,
    units: Float[np.ndarray, "series time"],
    observed: Bool[np.ndarray, "series time"],
    calendar: Calendar | None,
) -> Bool[np.ndarray, "series time"]:
    """Take closed periods without sales out of the record; those with sales stay in it, and are told.

    Parameters
    ----------
    units, observed
        What was sold, and which periods would be the record of a place that never closes.
    """
    if calendar is None or calendar.open.all():
        return observed
    shut = calendar.closed(axis.location, 0, time.n) & observed
    doubtful, empty = shut & (units > 0), shut & (units == 0)
    count = int(doubtful.sum())
    if count:
        series, period = (int(part[0]) for part in np.nonzero(doubtful))
        checked.findings.warn(
            "SC-D090", "sales",
            f"{checked.tables['sales'].source.label}: {count} periods have sales though the calendar closes their "
            f"place: the first, {axis.sku[series]}@{axis.location[series]} of {time.date(period)}, sold "
            f"{units[series, period]:g}", "kept; correct the calendar or the dates", count=count,
        )  # fmt: skip
    if empty.any():
        places = len(np.unique(axis.location[empty.any(axis=1)]))
        checked.findings.notes.append(
            f"{int(empty.sum())} periods without sales, at {places} closed places, tell nothing of demand"
        )
    return observed & ~empty
