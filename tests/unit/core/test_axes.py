import locale
import pickle

import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis, first_day_of_period, weekday
from stockcast.core.errors import AlignmentError, UsageError


def texts(*values: str) -> np.ndarray:
    return np.array(values, dtype=np.str_)


def days(*values: str) -> np.ndarray:
    return np.array(values, dtype="datetime64[D]")


def test_iso_week_53_is_one_week_named_by_its_monday():
    dates = days("2026-12-27", "2026-12-28", "2026-12-31", "2027-01-01", "2027-01-03", "2027-01-04")
    firsts = first_day_of_period(dates, "week").astype(str).tolist()
    assert firsts == ["2026-12-21", "2026-12-28", "2026-12-28", "2026-12-28", "2026-12-28", "2027-01-04"]
    weeks = TimeAxis(np.datetime64("2026-12-21"), 3, "week")
    assert weeks.index(dates).tolist() == [0, 1, 1, 1, 1, 2]


@pytest.mark.parametrize("week_start", range(7))
def test_a_week_begins_on_the_day_that_is_asked_for(week_start):
    dates = np.arange("2026-11-01", "2027-02-01", dtype="datetime64[D]")
    firsts = first_day_of_period(dates, "week", week_start)
    assert (weekday(firsts) == week_start).all()
    assert ((dates - firsts).astype(int) >= 0).all()
    assert ((dates - firsts).astype(int) <= 6).all()


def test_weekdays_before_1970_count_the_same_way():
    assert weekday(days("1969-12-28", "1969-12-29", "1970-01-01")).tolist() == [6, 0, 3]


def test_a_day_is_its_own_period():
    assert first_day_of_period(days("2026-12-28"), "day", 6).astype(str).tolist() == ["2026-12-28"]


@pytest.mark.parametrize("step", ["day", "week"])
def test_a_time_axis_has_no_holes_and_finds_its_own_dates(step):
    axis = TimeAxis(np.datetime64("2024-02-26"), 60, step)
    dates = axis.dates()
    assert (np.diff(dates).astype(int) == axis.days).all()
    assert axis.index(dates).tolist() == list(range(60))
    assert axis.date(59) == axis.last == dates[-1]
    assert axis.after(4).dates()[0] == axis.last + np.timedelta64(axis.days, "D")
    assert axis.until(10).last == dates[9]


def test_dates_outside_a_time_axis_get_a_position_outside_it():
    axis = TimeAxis(np.datetime64("2024-03-04"), 2, "week")
    assert axis.index(days("2024-03-03", "2024-03-18")).tolist() == [-1, 2]


def test_a_time_axis_of_less_than_nothing_is_refused():
    with pytest.raises(UsageError, match="not a time axis"):
        TimeAxis(np.datetime64("2024-03-04"), -1, "day")


def test_rows_in_any_order_give_one_sorted_axis_and_the_series_of_each_row():
    sku, place = texts("b", "a", "b", "a", "B"), texts("y", "x", "x", "x", "x")
    axis, row = SeriesAxis.of(sku, place)
    assert list(zip(axis.sku.tolist(), axis.location.tolist(), strict=True)) == [
        ("B", "x"),
        ("a", "x"),
        ("b", "x"),
        ("b", "y"),
    ]
    assert axis.sku[row].tolist() == sku.tolist()
    assert axis.location[row].tolist() == place.tolist()


def test_ids_sort_by_code_point_whatever_the_locale():
    words = texts("Zebra", "apfel", "Äpfel", "10", "9", "007")
    expected = sorted(words.tolist())
    before = locale.setlocale(locale.LC_COLLATE)
    for name in ("C", ""):
        locale.setlocale(locale.LC_COLLATE, name)
        axis, _ = SeriesAxis.of(words, np.full(6, "main"))
        assert axis.sku.tolist() == expected
    locale.setlocale(locale.LC_COLLATE, before)


@pytest.mark.parametrize("pairs", [[("b", "x"), ("a", "x")], [("a", "x"), ("a", "x")], [("a", "y"), ("a", "x")]])
def test_unsorted_or_doubled_pairs_are_refused_with_the_row(pairs):
    with pytest.raises(AlignmentError, match="not unique and sorted at row 1") as told:
        SeriesAxis(texts(*(pair[0] for pair in pairs)), texts(*(pair[1] for pair in pairs)))
    assert "SeriesAxis.of" in str(told.value.help)


def test_a_series_key_depends_on_its_own_names_only():
    both = SeriesAxis(texts("a", "b"), texts("x", "x"))
    alone = SeriesAxis(texts("b"), texts("x"))
    assert both.keys[1] == alone.keys[0]
    assert both.keys[0] != both.keys[1]
    joined = SeriesAxis(texts("a", "ab"), texts("bc", "c"))
    assert joined.keys[0] != joined.keys[1]


def test_axes_are_equal_by_their_pairs_and_say_what_differs():
    one, two = SeriesAxis(texts("a", "b"), texts("x", "x")), SeriesAxis(texts("a", "c"), texts("x", "x"))
    one.require(one.take(np.array([0, 1])))
    with pytest.raises(
        AlignmentError, match=r"plan and stock differ: 1 series only in the first.*\('b', 'x'\)"
    ) as told:
        one.require(two, "plan and stock")
    assert ".take(rows)" in str(told.value.help)


def test_locate_gives_minus_one_for_strangers():
    axis = SeriesAxis(texts("a", "b"), texts("x", "y"))
    assert axis.locate(texts("b", "a", "a"), texts("y", "y", "x")).tolist() == [1, -1, 0]


def test_an_empty_axis_is_an_axis():
    axis, row = SeriesAxis.of(texts(), texts())
    assert (len(axis), len(row)) == (0, 0)


def test_arrays_cannot_be_written_to_and_survive_a_pickle():
    axis = SeriesAxis(texts("a"), texts("x"))
    with pytest.raises(ValueError, match="read-only"):
        axis.sku[0] = "b"
    again = pickle.loads(pickle.dumps(axis))
    assert again.digest == axis.digest
    assert again.keys.tolist() == axis.keys.tolist()
