"""The reviews after the next one, and what a unit will cost at each: from order days, closures and announced costs."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.axes import TimeAxis
from stockcast.ingest.checked import CheckedTables
from stockcast.ingest.known import matches
from stockcast.ingest.origin import Origin
from stockcast.ingest.review import LOOK_AHEAD_DAYS, closures_of, order_days_of
from stockcast.inventory import Outlook, SupplyTerms
from stockcast.inventory.timing import FAR, periods_of_days, review_periods

Closure = tuple[np.datetime64, np.datetime64]
NEVER = np.datetime64("NaT", "D")


def upcoming(
    time: TimeAxis, order_days: str, closures: Sequence[Closure], review_period: int, count: int
) -> Int[np.ndarray, " review"]:
    """Give the next reviews of a supplier in periods from the first of ``time``; ``FAR`` where no more are known.

    Where order days leave some period out they are the reviews. Else each lies a review period after the one before, or
    in the first open period after that.

    Examples
    --------
    >>> time = TimeAxis(np.datetime64("2026-11-23"), 30, "day")  # a Monday
    >>> upcoming(time, "tue,thu", [], 1, 3).tolist()
    [1, 3, 8]
    >>> closed = [(np.datetime64("2026-11-30"), np.datetime64("2026-12-01"))]
    >>> upcoming(time, "", closed, 7, 3).tolist()
    [0, 9, 16]
    """
    open_now = review_periods(time, order_days, closures)
    out = np.full(count, FAR, dtype=np.int64)
    possible = np.flatnonzero(open_now)
    if order_days.strip() and not open_now.all():
        found = possible[:count]
        out[: len(found)] = found
        return out
    next_one = 0
    for at in range(count):
        later = possible[possible >= next_one]
        if not len(later):
            break
        out[at] = later[0]
        next_one = int(later[0]) + review_period
    return out


def read_outlook(
    checked: CheckedTables,
    terms: SupplyTerms,
    supplier: np.ndarray,
    review_days: Float[np.ndarray, " series"],
    origin: Origin,
) -> Outlook | None:
    """Give the reviews that ``plan.reviews_ahead`` asks for, one more for the end; None where it asks for one.

    Parameters
    ----------
    supplier
        The supplier of each series in ``suppliers``, whatever its whole order is named.
    review_days
        The review period of each series in days, NaN where only order days tell it.
    """
    count, step = checked.spec.reviews_ahead, checked.spec.step
    table = checked.tables.get("cost_changes")
    if count <= 1:
        if table is not None and len(table):
            checked.findings.inform(
                "SC-D127", "cost_changes", f"{table.source.label}: {len(table)} announced costs are not used",
                "set plan.reviews_ahead to 2 … 8: a plan up to the next review alone cannot weigh them",
                count=len(table),
            )  # fmt: skip
        return None
    length = 7 if step == "week" else 1
    time = TimeAxis(origin.last_day + np.timedelta64(1, "D"), -(-LOOK_AHEAD_DAYS // length), step)
    period = np.clip(periods_of_days(np.nan_to_num(review_days), step), 1, time.n)
    order_days, closures = order_days_of(checked), closures_of(checked)
    cases: dict[tuple[str, int], tuple[np.ndarray, np.datetime64]] = {}
    pairs = list(zip(supplier.tolist(), period.tolist(), strict=True))
    for name, periods in sorted(set(pairs)):
        cases[name, periods] = _case(time, order_days.get(name, ""), closures.get(name, []), periods, count + 1)
    reviews = np.array([cases[pair][0] for pair in pairs], dtype=np.int64).reshape(len(pairs), count + 1)
    closed = np.array([cases[pair][1] for pair in pairs], dtype="datetime64[D]")
    cost, changes = _costs(checked, terms, time, reviews)
    return Outlook(terms.series, reviews, cost, closed, changes)


def _case(
    time: TimeAxis, order_days: str, closures: Sequence[Closure], period: int, count: int
) -> tuple[np.ndarray, np.datetime64]:
    """Give the reviews, and the last day of the first closure without which they would be others."""
    found = upcoming(time, order_days, closures, period, count)
    for at, (_, end) in sorted(enumerate(closures), key=lambda pair: pair[1]):
        others = [closure for number, closure in enumerate(closures) if number != at]
        if end >= time.start and not np.array_equal(upcoming(time, order_days, others, period, count), found):
            return found, end
    return found, NEVER


def _costs(
    checked: CheckedTables, terms: SupplyTerms, time: TimeAxis, reviews: np.ndarray
) -> tuple[Float[np.ndarray, "series review"], np.ndarray]:
    """Give the cost of a unit ordered at each review, and the day of the first change within reach."""
    n = len(terms.series)
    cost = np.repeat(terms.unit_cost[:, None], reviews.shape[1], axis=1)
    changes = np.full(n, NEVER)
    table = checked.tables.get("cost_changes")
    if table is None or not len(table):
        return cost, changes
    findings, label = checked.findings, table.source.label
    begins = table.dates("from").astype("datetime64[D]")
    late = int((begins <= time.start).sum())
    if late:
        findings.warn(
            "SC-D126", "cost_changes", f"{label}: {late} costs hold already on the order date, {time.start}",
            "not used: unit_cost of items is what an order costs now; correct it there", count=late, column="from",
        )  # fmt: skip
    ahead = table.take(np.flatnonzero(begins > time.start))
    row, series = matches(ahead, terms.series)
    unmatched = len(ahead) - len(np.unique(row))
    if unmatched:
        findings.inform(
            "SC-D041", "cost_changes", f"{label}: {unmatched} rows are of items or locations without a series",
            "not used", count=unmatched,
        )  # fmt: skip
    uncosted = int(np.isnan(terms.unit_cost[np.unique(series)]).sum())
    if uncosted:
        findings.warn(
            "SC-D126", "cost_changes", f"{label}: {uncosted} series have an announced cost and no unit_cost",
            "not used: what does not cost anything now cannot rise; give unit_cost in items", count=uncosted,
            column="unit_cost",
        )  # fmt: skip
    given, begins = ahead.numbers("unit_cost"), ahead.dates("from").astype("datetime64[D]")
    everywhere = ahead.coded("location").codes < 0
    day = time.start + reviews * np.timedelta64(time.days, "D")
    placed = ~everywhere[row]
    has_own = np.isin(series, series[placed])
    holds = np.flatnonzero(placed | ~has_own)  # rows of the place itself stand in the place of those of all places
    for at in holds[np.lexsort((begins[row[holds]], series[holds]))].tolist():
        of = int(series[at])
        cost[of] = np.where(day[of] >= begins[row[at]], given[row[at]], cost[of])
    cost[np.isnan(terms.unit_cost)] = np.nan
    for of in np.unique(series).tolist():
        moves = np.isfinite(cost[of]) & (cost[of] != cost[of, 0]) & (reviews[of] < FAR)
        differs = np.flatnonzero(moves)
        if len(differs):
            dates = begins[row[holds][series[holds] == of]]
            changes[of] = dates[dates <= day[of, differs[0]]].max()
    return cost, changes
