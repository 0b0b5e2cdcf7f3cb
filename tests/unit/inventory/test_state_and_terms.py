import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis
from stockcast.core.errors import AlignmentError, DataError
from stockcast.inventory import InventoryState, SharedTerms, SupplierTerms, SupplyTerms

AXIS = SeriesAxis(np.array(["a", "b"]), np.full(2, "main"))


def state(**changed) -> InventoryState:
    parts = {
        "series": AXIS,
        "on_hand": np.array([3.0, 0.0]),
        "backorders": np.array([0.0, 2.0]),
        "pipeline": np.array([[1.0, 0.0, 4.0], [0.0, 0.0, 0.0]]),
    }
    return InventoryState(**{**parts, **changed})


def terms(**changed) -> SupplyTerms:
    zero, whole = np.zeros(2), np.zeros(2, dtype=np.int64)
    parts = {
        "series": AXIS,
        "supplier": np.array(["s", ""]),
        "lead_time": np.array([2, 0]),
        "lead_time_sd": zero,
        "at_review": np.array([True, False]),
        "first_review": np.array([0, 3]),
        "review_period": np.array([4, 1]),
        "moq": zero,
        "pack_size": zero,
        "max_order": zero + np.inf,
        "min_stock": zero,
        "unit_cost": np.array([1.0, np.nan]),
        "order_cost": zero,
        "holding_cost": zero,
        "shortage_cost": zero,
        "objective": whole,
        "target": zero,
        "ordered_now": zero,
        "orderable": np.array([True, False]),
    }
    return SupplyTerms(**{**parts, **changed})


def test_inventory_position_is_derived_from_stock_orders_and_backorders():
    assert state().on_order.tolist() == [5, 0]
    assert state().inventory_position.tolist() == [8, -2]


def test_an_order_lands_in_the_column_of_its_arrival_and_later_ones_in_the_last():
    after = state().with_order(np.array([10.0, 20.0]), np.array([1, 9]))
    assert after.pipeline.tolist() == [[1, 10, 4], [0, 0, 20]]
    assert state().pipeline.tolist() == [[1, 0, 4], [0, 0, 0]]


@pytest.mark.parametrize("name", ["on_hand", "backorders", "pipeline"])
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_stock_is_finite_and_not_negative(name, value):
    wrong = getattr(state(), name).copy()
    wrong.flat[0] = value
    with pytest.raises(DataError, match=name):
        state(**{name: wrong})


def test_stock_of_other_series_is_refused():
    with pytest.raises(AlignmentError, match="for 2 series"):
        InventoryState(AXIS, np.zeros(3), np.zeros(3), np.zeros((3, 2)))
    with pytest.raises(AlignmentError, match="has shape"):
        terms(supplier=np.array(["s"]))


def test_the_protection_interval_runs_from_now_to_the_arrival_of_the_next_possible_order():
    assert terms().protection_interval.tolist() == [6, 4]


@pytest.mark.parametrize(
    "name", ["lead_time", "moq", "pack_size", "holding_cost", "shortage_cost", "order_cost", "max_order", "ordered_now"]
)
def test_terms_are_not_negative(name):
    wrong = getattr(terms(), name).copy()
    wrong[0] = -1
    with pytest.raises(DataError, match=name):
        terms(**{name: wrong})


@pytest.mark.parametrize("name", ["moq", "holding_cost", "shortage_cost", "order_cost", "min_stock"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_terms_are_finite_but_for_a_maximum_and_a_cost_that_is_not_known(name, value):
    wrong = getattr(terms(), name).copy()
    wrong[0] = value
    with pytest.raises(DataError, match=name):
        terms(**{name: wrong})
    assert np.isnan(terms().unit_cost[1])
    assert np.isinf(terms().max_order[0])


def test_a_review_period_is_at_least_one():
    with pytest.raises(DataError, match="review_period must be at least 1"):
        terms(review_period=np.array([1, 0]))


@pytest.mark.parametrize("target", [0.0, 1.0, 95.0])
def test_a_service_target_lies_between_0_and_1(target):
    with pytest.raises(DataError, match="between 0 and 1"):
        terms(objective=np.array([1, 0]), target=np.array([target, 0.0]))


def test_take_and_replace_leave_the_rest_alone():
    assert terms().take(np.array([1])).lead_time.tolist() == [0]
    assert state().take(np.array([0])).on_hand.tolist() == [3]
    changed = terms().replace(moq=np.array([6.0, 0.0]))
    assert (changed.moq.tolist(), terms().moq.tolist()) == ([6, 0], [0, 0])


def test_a_supplier_without_a_row_has_no_conditions():
    shared = SharedTerms((SupplierTerms("s", min_order_value=200.0),))
    assert shared.supplier("s").min_order_value == 200
    assert shared.supplier("t") == SupplierTerms("t")
