"""Whether the newest days are all there: a location that is missing, and a day with far too few rows.

Both follow a stated rule, so that a night with a half-loaded file is told from a quiet one:

- A location is *missing* where other locations have sales after its last, though it had a row on every day but one at
  most of the 56 before, among the weekdays that it has at all and on which anyone sold (at least 20 such days). Its
  sales are late, not zero: its lines are held. After 28 days it counts as closed.
- The newest day has *few rows* where it has less than 0.4 times the median of the same weekday over the 8 weeks before
  (at least 4 such days, and 20 rows).

Days on which the calendar closes a location are not due, and rows of one that is closed on the newest day are not
counted.
"""

import numpy as np
from jaxtyping import Bool

from stockcast.core.axes import SeriesAxis, weekday
from stockcast.core.errors import DataError
from stockcast.core.findings import Alert
from stockcast.ingest.calendar import Days
from stockcast.ingest.checked import CheckedTable, CheckedTables

LOOK_BACK = 56  # days
FEWEST_DAYS = 20
LATE_DAYS = 28
FEW = 0.4
FEWEST_ROWS = 20.0
MOST_MISSING = 0.5  # of the locations


def hold_missing_locations(
    checked: CheckedTables, sales: CheckedTable, axis: SeriesAxis, known: Days | None = None
) -> Bool[np.ndarray, " series"]:
    """Tell which series are held, for their location is missing from the newest days.

    Parameters
    ----------
    known
        What is known of days at any time: on those that are closed no sales are due.

    Raises
    ------
    DataError
        If more than half of the locations are missing.
    """
    place = sales.coded("location")
    day = (sales.dates("date") - sales.dates("date").max()).astype(np.int64)  # 0 is the newest, −1 the day before
    of_week = int(weekday(sales.dates("date").max()[None])[0])
    span = 1 - int(day.min())
    code_of, ago = np.divmod(np.unique(place.codes * span - day), span)
    sold_on = {code: -ago[code_of == code] for code in np.unique(code_of).tolist()}
    anyone = np.unique(-ago)
    missing = {}
    for code, days in sold_on.items():
        newest, name = int(days.max()), str(place.names[code])
        shut = np.empty(0, dtype=np.int64)
        if known is not None:
            shut = (known.closed_on(name) - sales.dates("date").max()).astype(np.int64)
        if -LATE_DAYS <= newest < 0 and _sells_daily(days, anyone[~np.isin(anyone, shut)], newest, of_week):
            missing[name] = newest
    if len(missing) > MOST_MISSING * len(sold_on):
        shown = ", ".join(sorted(missing)[:5])
        raise DataError(
            f"{sales.source.label}: {len(missing)} of {len(sold_on)} locations lack the newest days: {shown}",
            code="SC-D080",
            help="export the sales again when all locations have sent theirs, or set --as-of to the last whole day",
        )
    held = np.isin(axis.location, np.array(sorted(missing), dtype=np.str_))
    for name, newest in sorted(missing.items()):
        last = sales.dates("date").max() + np.timedelta64(newest, "D")
        lines = int((axis.location == name).sum())
        checked.findings.warn(
            "SC-D080", "sales", f"{sales.source.label}: no sales of {name} after {last}, others have some",
            f"its {lines} lines are held", count=lines, column="location",
        )  # fmt: skip
        checked.findings.alerts.append(
            Alert(
                "warning", "SC-D080", f"no sales of {name} after {last}: its {lines} lines are held, not ordered",
                "load its sales and run again", location=name,
            )
        )  # fmt: skip
    return held


def _sells_daily(days: np.ndarray, anyone: np.ndarray, newest: int, of_week: int) -> bool:
    """Tell whether a location had a row on all but one of the days on which it should, up to its newest."""
    before = days[days > newest - LOOK_BACK]
    weekdays = np.unique((before + of_week) % 7)
    due = anyone[(anyone > newest - LOOK_BACK) & (anyone <= newest)]
    due = due[np.isin((due + of_week) % 7, weekdays)]
    later = anyone[anyone > newest]
    expected_since = np.isin((later + of_week) % 7, weekdays).any()
    return bool(expected_since) and len(due) >= FEWEST_DAYS and len(before) >= len(due) - 1


def tell_of_few_rows(checked: CheckedTables, sales: CheckedTable, known: Days | None = None) -> None:
    """Warn where the newest day has far fewer rows than the same weekday had, at places not ``known`` to be closed."""
    place, dates = sales.coded("location"), sales.dates("date")
    if known is not None:
        shut = [bool(np.isin(dates.max(), known.closed_on(name))) for name in place.names.tolist()]
        dates = dates[~np.array(shut, dtype=bool)[place.codes]]
    days, counts = np.unique(dates, return_counts=True)
    if not len(days) or days[-1] < sales.dates("date").max():
        return  # everyone is closed
    same = days[-1] - 7 * np.arange(1, LOOK_BACK // 7 + 1) * np.timedelta64(1, "D")
    before = counts[np.isin(days, same)]
    usual = float(np.median(before)) if len(before) >= 4 else 0.0
    if usual >= FEWEST_ROWS and counts[-1] < FEW * usual:
        checked.findings.warn(
            "SC-D081", "sales",
            f"{sales.source.label}: {counts[-1]} rows on {days[-1]}, {counts[-1] / usual - 1:.0%} against the same "
            f"weekday ({usual:g}, the median of {len(before)} weeks)",
            "used as they are: check that the export was complete", column="date",
        )  # fmt: skip
