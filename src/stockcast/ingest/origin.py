"""Which period is the last known one, and which sales lie after it."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from stockcast.core.axes import first_day_of_period
from stockcast.core.errors import DataError
from stockcast.ingest.checked import CheckedTable, CheckedTables

MAX_GAP_DAYS = 35  # between the newest sale and --as-of


@final
@dataclass(frozen=True, slots=True)
class Origin:
    """The last known period.

    Parameters
    ----------
    first_day, last_day
        Of that period.
    """

    first_day: np.datetime64
    last_day: np.datetime64


def choose_origin(checked: CheckedTables) -> Origin:
    """Give the period of ``as_of``, or else the newest one that the sales cover to its last day.

    Raises
    ------
    DataError
        If ``as_of`` lies long after the newest sale or before the first, or no period is complete.
    """
    spec, sales = checked.spec, checked.tables["sales"]
    dates = sales.dates("date")
    oldest, newest = dates.min(), dates.max()
    length = np.timedelta64(6 if spec.step == "week" else 0, "D")

    def period(day: np.datetime64) -> np.datetime64:
        first: np.datetime64 = first_day_of_period(np.array([day], "datetime64[D]"), spec.step, spec.week_start)[0]
        return first

    if spec.as_of is not None:
        as_of = spec.as_of.astype("datetime64[D]")
        gap = int((as_of - newest).astype(np.int64))
        said = f"newest sale {newest}, as-of {as_of} ({gap} days)"
        if gap > MAX_GAP_DAYS:
            raise DataError(f"{sales.source.label}: {said}", code="SC-D026", help="export newer sales, or set --as-of")
        first = period(as_of)
        if newest < first:
            checked.findings.warn(
                "SC-D026", "sales", f"{sales.source.label}: {said}", "the days between count as known, without a record"
            )
    else:
        _doubt_newest(checked, sales, newest)
        first = period(newest)
        if newest < first + length:
            checked.findings.notes.append(
                f"the {spec.step} of {first} is not finished and is left out; --as-of {newest} would include it"
            )
            first = first - np.timedelta64(7, "D")
    if first < period(oldest):
        raise DataError(
            f"{sales.source.label}: no sale in or before the {spec.step} of {first}; the first is of {oldest}",
            code="SC-D027",
            help="set a later --as-of",
        )
    return Origin(first, first + length)


def _doubt_newest(checked: CheckedTables, sales: CheckedTable, newest: np.datetime64) -> None:
    """Warn where the newest sales lie so long after all others that a wrong date may have set the as-of."""
    days, counts = np.unique(sales.dates("date"), return_counts=True)
    gaps = np.flatnonzero(np.diff(days[-MAX_GAP_DAYS:]).astype(np.int64) > MAX_GAP_DAYS)
    if not len(gaps):
        return
    last = len(days) - len(days[-MAX_GAP_DAYS:]) + int(gaps[-1])
    checked.findings.warn(
        "SC-D087", "sales",
        f"{sales.source.label}: {int(counts[last + 1 :].sum())} rows from {days[last + 1]} on, and none in the "
        f"{int((days[last + 1] - days[last]).astype(np.int64)) - 1} days before",
        f"as-of {newest} follows from them; if their dates are wrong, correct them or set --as-of {days[last]}",
        count=int(counts[last + 1 :].sum()), column="date",
    )  # fmt: skip


def leave_out_later(sales: CheckedTable, origin: Origin) -> CheckedTable:
    """Give the sales up to the origin; later rows are not read, only counted."""
    rows = np.flatnonzero(sales.dates("date") <= origin.last_day)
    later = len(sales) - len(rows)
    count = sales.count
    return sales.take(
        rows, replace(count, read=count.read - later, kept=count.kept - later, left_out=count.left_out + later)
    )
