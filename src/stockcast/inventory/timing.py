"""The period convention in code: what happens when (``docs/convention.md``, rule 2).

Counting future periods from 1 (the first after the origin), in each of them, in this order::

    receive  →  review and order  →  demand  →  costs

* Orders of the plan are placed in period 1. With lead time L they arrive at the start of period 1 + L; with L = 0 at
  once, before the demand of period 1.
* With review period R the next order can be placed in period 1 + R and arrives in period 1 + R + L. This order must
  last until then: the *protection interval* is periods 1 … R + L, and its own periods, in which it can serve demand,
  are τ = 1 + L … R + L.
* ``pipeline[:, k]`` arrives at the start of period 1 + k.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int

from stockcast.core.axes import WEEKDAYS, Step, TimeAxis, weekday
from stockcast.core.errors import DataError

FAR = 10**6  # periods: "no further review is known"


def periods_of_days(days: np.ndarray, step: Step) -> Int[np.ndarray, " series"]:
    """Turn calendar days into whole periods, rounded up.

    Examples
    --------
    >>> periods_of_days(np.array([0.0, 7.0, 8.0]), "week").tolist()
    [0, 1, 2]
    """
    length = 7 if step == "week" else 1
    return np.ceil(np.asarray(days, dtype=float) / length - 1e-9).astype(np.int64)


def parse_order_days(text: str) -> tuple[frozenset[int], frozenset[int]]:
    """Read order days: names of weekdays (``mon,thu``) or days of the month (``1st,15th``).

    Returns
    -------
    weekdays, month days
        0 for Monday; 1 for the first.

    Raises
    ------
    DataError
        If a word is neither.

    Examples
    --------
    >>> parse_order_days("mon, thu") == (frozenset({0, 3}), frozenset())
    True
    >>> parse_order_days("1st,15th") == (frozenset(), frozenset({1, 15}))
    True
    """
    names = {name[:3]: at for at, name in enumerate(WEEKDAYS)}
    week: set[int] = set()
    month: set[int] = set()
    for word in text.lower().replace(";", ",").replace(" ", ",").split(","):
        if not word:
            continue
        number = word.removesuffix("st").removesuffix("nd").removesuffix("rd").removesuffix("th")
        if word[:3] in names and WEEKDAYS[names[word[:3]]].startswith(word):
            week.add(names[word[:3]])
        elif number != word and number.isdecimal() and 1 <= int(number) <= 31:
            month.add(int(number))
        else:
            raise DataError(
                f"{word!r} is not an order day",
                code="SC-D031",
                help="name weekdays (mon,thu) or days of the month (1st,15th)",
            )
    return frozenset(week), frozenset(month)


def review_periods(
    time: TimeAxis, order_days: str, closures: Sequence[tuple[np.datetime64, np.datetime64]] = ()
) -> Bool[np.ndarray, " period"]:
    """Tell for each future period whether it holds a day on which this supplier takes orders.

    Parameters
    ----------
    order_days
        ``mon,thu``, ``1st,15th``, or empty: every day. A day of the month beyond its end is its last day.
    closures
        First and last day of each closure; no order is taken on them.

    Examples
    --------
    >>> time = TimeAxis(np.datetime64("2026-11-23"), 4, "day")  # a Monday
    >>> review_periods(time, "tue,thu").tolist()
    [False, True, False, True]
    """
    days = (time.dates()[:, None] + np.arange(time.days).astype("timedelta64[D]")[None, :]).astype("datetime64[D]")
    week, month = parse_order_days(order_days)
    takes = np.ones(days.shape, dtype=bool)
    if week or month:
        months = days.astype("datetime64[M]")
        day = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
        last = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
        takes = np.isin(weekday(days.ravel()).reshape(days.shape), sorted(week))
        for wanted in month:
            takes |= day == np.minimum(wanted, last)
    for begin, end in closures:
        takes &= ~((days >= begin) & (days <= end))
    return np.asarray(takes.any(axis=1))


def next_reviews(reviews: Bool[np.ndarray, " period"], review_period: int) -> tuple[bool, int, int]:
    """Resolve a review calendar at the first period.

    Parameters
    ----------
    reviews
        Whether each future period is a review, from :func:`review_periods`.
    review_period
        Periods between two reviews where the calendar leaves every period open.

    Returns
    -------
    at_review, first, gap
        Whether period 1 is a review; the offset of the first review from period 1 (0 if it is one); and the periods
        from that review to the one after it.
    """
    possible = np.flatnonzero(reviews)
    if not len(possible):
        return False, FAR, FAR
    first = int(possible[0])
    later = possible[possible > first]
    if reviews.all():
        gap = review_period
    else:
        gap = int(later[0]) - first if len(later) else FAR
    return first == 0, first, gap
