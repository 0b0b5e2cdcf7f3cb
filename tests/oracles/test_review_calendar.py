"""The review calendar against a plain twin that walks through the days with the standard library."""

import calendar
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from stockcast.core.axes import TimeAxis
from stockcast.inventory.timing import FAR, next_reviews, review_periods

NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
SUFFIX = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def takes_orders(day: date, weekdays: set[int], month_days: set[int], shut: list[tuple[date, date]]) -> bool:
    if any(first <= day <= last for first, last in shut):
        return False
    if not weekdays and not month_days:
        return True
    last = calendar.monthrange(day.year, day.month)[1]
    return day.weekday() in weekdays or any(min(wanted, last) == day.day for wanted in month_days)


dates = some.dates(date(2023, 1, 1), date(2029, 12, 31))


@settings(max_examples=150, deadline=None)
@given(
    start=dates,
    step=some.sampled_from(["day", "week"]),
    weekdays=some.sets(some.integers(0, 6), max_size=3),
    month_days=some.sets(some.integers(1, 31), max_size=3),
    closures=some.lists(some.tuples(some.integers(-20, 80), some.integers(0, 30)), max_size=3),
    review_period=some.integers(1, 30),
)
def test_reviews_are_the_days_that_a_calendar_on_the_wall_would_show(
    start, step, weekdays, month_days, closures, review_period
):
    shut = [(start + timedelta(first), start + timedelta(first + length)) for first, length in closures]
    text = ",".join(
        [NAMES[at] for at in sorted(weekdays)] + [f"{at}{SUFFIX.get(at, 'th')}" for at in sorted(month_days)]
    )
    length = 7 if step == "week" else 1
    n = 60
    twin = [
        any(takes_orders(start + timedelta(period * length + day), weekdays, month_days, shut) for day in range(length))
        for period in range(n)
    ]
    time = TimeAxis(np.datetime64(start, "D"), n, step)
    found = review_periods(time, text, [(np.datetime64(a, "D"), np.datetime64(b, "D")) for a, b in shut])
    assert found.tolist() == twin

    possible = [period for period in range(n) if twin[period]]
    at_review, first, gap = next_reviews(found, review_period)
    assert at_review == (bool(possible) and possible[0] == 0)
    assert first == (possible[0] if possible else FAR)
    if all(twin):
        assert gap == review_period
    else:
        assert gap == (possible[1] - possible[0] if len(possible) > 1 else FAR)


@pytest.mark.parametrize(
    ("as_of", "review", "following"),
    [("2026-12-24", "2026-12-28", "2027-01-04"), ("2026-12-27", "2026-12-28", "2027-01-04")],
)
def test_mondays_through_iso_week_53(as_of, review, following):
    time = TimeAxis(np.datetime64(as_of) + 1, 30, "day")
    _, first, gap = next_reviews(review_periods(time, "mon"), 7)
    assert str(time.date(first)) == review
    assert str(time.date(first + gap)) == following
