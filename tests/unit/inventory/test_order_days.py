import numpy as np
import pytest

from stockcast.core.axes import TimeAxis
from stockcast.core.errors import DataError
from stockcast.inventory.timing import FAR, next_reviews, parse_order_days, periods_of_days, review_periods


def day(text: str) -> np.datetime64:
    return np.datetime64(text, "D")


@pytest.mark.parametrize(
    ("days", "step", "periods"),
    [(0, "day", 0), (1.2, "day", 2), (7, "week", 1), (7.5, "week", 2), (1, "week", 1), (21, "week", 3)],
)
def test_days_become_whole_periods_rounded_up(days, step, periods):
    assert periods_of_days(np.array([float(days)]), step).tolist() == [periods]


def test_a_sum_of_floats_does_not_add_a_period():
    assert periods_of_days(np.array([0.1 * 3 * 10 + 4]), "week").tolist() == [1]


@pytest.mark.parametrize(
    ("text", "week", "month"),
    [
        ("mon,thu", {0, 3}, set()),
        ("Monday; Thursday", {0, 3}, set()),
        ("tues, 15th", {1}, {15}),
        ("1st,2nd,3rd,31st", set(), {1, 2, 3, 31}),
        ("", set(), set()),
    ],
)
def test_order_days_are_weekdays_or_days_of_the_month(text, week, month):
    assert parse_order_days(text) == (frozenset(week), frozenset(month))


@pytest.mark.parametrize("text", ["mo", "daily", "0th", "32nd", "15", "monthly", "mon-thu", "m"])
def test_a_word_that_is_no_order_day_is_refused(text):
    with pytest.raises(DataError, match="is not an order day") as told:
        parse_order_days(text)
    assert told.value.code == "SC-D031"


def test_the_31st_is_the_last_day_of_a_shorter_month():
    time = TimeAxis(day("2027-02-01"), 59, "day")
    taken = time.dates()[review_periods(time, "31st")]
    assert taken.astype(str).tolist() == ["2027-02-28", "2027-03-31"]
    leap = TimeAxis(day("2028-02-01"), 29, "day")
    assert leap.dates()[review_periods(leap, "30th")].astype(str).tolist() == ["2028-02-29"]


def test_a_week_is_a_review_if_it_holds_an_order_day_outside_closures():
    weeks = TimeAxis(day("2026-12-21"), 4, "week")
    shut = [(day("2026-12-24"), day("2027-01-03"))]
    assert review_periods(weeks, "thu", shut).tolist() == [False, False, True, True]
    assert review_periods(weeks, "wed,thu", shut).tolist() == [True, False, True, True]
    assert review_periods(weeks, "", shut).tolist() == [True, False, True, True]


def test_a_closure_holds_on_its_first_and_its_last_day():
    time = TimeAxis(day("2026-08-01"), 5, "day")
    assert review_periods(time, "", [(day("2026-08-02"), day("2026-08-04"))]).tolist() == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_without_order_days_every_run_is_a_review_and_the_next_lies_a_review_period_later():
    assert next_reviews(np.ones(30, dtype=bool), 9) == (True, 0, 9)


def test_with_order_days_the_next_review_is_the_next_such_day():
    reviews = review_periods(TimeAxis(day("2026-11-23"), 14, "day"), "mon,thu")
    assert next_reviews(reviews, 99) == (True, 0, 3)
    assert next_reviews(reviews[1:], 99) == (False, 2, 4)


def test_no_review_in_sight_is_far_away():
    assert next_reviews(np.zeros(5, dtype=bool), 7) == (False, FAR, FAR)
    assert next_reviews(np.array([False, True, False]), 7) == (False, 1, FAR)
