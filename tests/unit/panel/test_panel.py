import pickle

import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import AlignmentError, DataError
from stockcast.panel import Attributes, KnownFuture, Panel

AXIS = SeriesAxis(np.array(["a", "b", "c"]), np.full(3, "main"))
TIME = TimeAxis(np.datetime64("2026-01-05"), 6, "week")


def panel(**changed) -> Panel:
    known = KnownFuture(
        TimeAxis(TIME.start, 8, "week"),
        price=np.arange(24.0).reshape(3, 8) + 1,
        promotion=np.tile([0.0, 0, 0, 0, 1, 0, 1, 0], (3, 1)),
        recorded=6,
    )
    parts = {
        "series": AXIS,
        "time": TIME,
        "sales": np.arange(18.0).reshape(3, 6),
        "observed": np.array([[1] * 6, [0, 0, 1, 1, 0, 1], [0] * 6], dtype=bool),
        "in_stock": np.array([[1.0] * 6, [1, 1, 0.5, 1, 1, 1], [1.0] * 6]),
        "known": known,
        "attributes": Attributes(AXIS, {"category": np.array(["x", "y", ""])}),
    }
    return Panel(**{**parts, **changed})


def test_the_origin_is_the_first_day_of_the_last_period():
    assert panel().origin == np.datetime64("2026-02-09")
    assert panel().until(2).origin == np.datetime64("2026-01-12")


def test_first_observed_period_and_the_end_where_there_is_none():
    assert panel().first.tolist() == [0, 2, 6]


def test_sales_are_demand_only_where_observed_and_in_stock_all_the_time():
    assert panel().fully_in_stock[1].tolist() == [False, False, False, True, False, True]


def test_until_keeps_what_plans_reach_and_hides_what_was_recorded_beyond():
    seen = panel().until(3).known  # plans reach two periods past the history: so they did then
    assert seen.reach("price").tolist() == [2, 2, 2]
    np.testing.assert_array_equal(seen.price[:, :5], panel().known.price[:, :5])
    assert np.isnan(seen.price[:, 5:]).all()
    assert np.isnan(seen.promotion[:, 5:]).all()
    assert seen.recorded == 3


def test_until_hides_all_that_was_recorded_later_where_nothing_is_planned():
    known = KnownFuture(TIME, np.ones((3, 6)), np.ones((3, 6)), 6, {"heat": np.ones((3, 6))})
    seen = panel(known=known).until(3).known
    for values in seen.columns.values():
        assert np.isnan(values[:, 3:]).all()
        assert (values[:, :3] == 1).all()


def test_each_series_is_seen_as_far_as_its_own_plans_reach():
    price = np.ones((3, 8))
    price[0, 6:], price[1, 7:] = np.nan, np.nan
    known = KnownFuture(TimeAxis(TIME.start, 8, "week"), price, np.full((3, 8), np.nan), 6)
    assert known.reach("price").tolist() == [0, 1, 2]
    assert np.isnan(known.until(4).price).sum(axis=1).tolist() == [4, 3, 2]


def test_until_twice_is_until_the_earlier_and_the_whole_panel_is_itself():
    once, twice = panel().until(2), panel().until(4).until(2)
    np.testing.assert_array_equal(once.known.price, twice.known.price)
    np.testing.assert_array_equal(once.sales, twice.sales)
    assert panel().until(6).known.price.tobytes() == panel().known.price.tobytes()


def test_until_knows_no_sale_after_its_origin():
    early = panel().until(4)
    assert early.sales.shape == early.observed.shape == early.in_stock.shape == (3, 4)
    later = panel(sales=np.concatenate([panel().sales[:, :4], np.full((3, 2), 999.0)], axis=1)).until(4)
    assert early.sales.tobytes() == later.sales.tobytes()


def test_take_takes_everything_along():
    part = panel().take(np.array([0, 2]))
    assert part.series.sku.tolist() == ["a", "c"]
    assert part.sales[:, 0].tolist() == [0, 12]
    assert part.known.price[:, 0].tolist() == [1, 17]
    assert part.attributes.column("category").tolist() == ["x", ""]
    assert part.attributes.column("no such").tolist() == ["", ""]


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_chunks_cover_every_series_once(size):
    assert np.concatenate(list(panel().chunks(size))).tolist() == [0, 1, 2]


@pytest.mark.parametrize(("name", "value"), [("sales", np.nan), ("sales", -1.0), ("sales", np.inf), ("in_stock", 1.1)])
def test_impossible_numbers_are_refused(name, value):
    wrong = getattr(panel(), name).copy()
    wrong[1, 1] = value
    with pytest.raises(DataError):
        panel(**{name: wrong})


def test_parts_of_other_shapes_or_series_are_refused():
    with pytest.raises(AlignmentError, match="sales has shape"):
        panel(sales=np.zeros((3, 5)), observed=np.ones((3, 5), dtype=bool), in_stock=np.ones((3, 5)))
    other = SeriesAxis(np.array(["a", "b", "d"]), np.full(3, "main"))
    with pytest.raises(AlignmentError, match="panel and attributes differ"):
        panel(attributes=Attributes(other, {}))
    with pytest.raises(AlignmentError, match="attribute 'category' has"):
        Attributes(AXIS, {"category": np.array(["x"])})
    with pytest.raises(AlignmentError, match="6 periods"):
        KnownFuture(TIME, np.zeros((3, 5)), np.zeros((3, 5)), 6)


def test_a_panel_cannot_be_written_to_and_travels_to_other_processes():
    one = panel()
    with pytest.raises(ValueError, match="read-only"):
        one.sales[0, 0] = 5
    again = pickle.loads(pickle.dumps(one))
    assert again.sales.tobytes() == one.sales.tobytes()
    assert again.attributes.column("category").tolist() == ["x", "y", ""]
    assert again.series.digest == one.series.digest


def test_consecutive_series_are_taken_without_a_copy():
    whole = panel()
    some = whole.take(np.array([1, 2]))
    assert some.series.sku.tolist() == ["b", "c"]
    np.testing.assert_array_equal(some.sales, whole.sales[1:])
    for mine, all_of_it in ((some.sales, whole.sales), (some.known.price, whole.known.price)):
        assert np.shares_memory(mine, all_of_it)
    assert not np.shares_memory(whole.take(np.array([0, 2])).sales, whole.sales)
    with pytest.raises(AlignmentError):
        whole.take(np.array([2, 1]))
