import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis
from stockcast.core.errors import AlignmentError, InvariantError
from stockcast.inventory import InventoryState, SupplyTerms
from stockcast.simulation import step


def axis(n: int = 1) -> SeriesAxis:
    return SeriesAxis(np.array([f"s{at:03d}" for at in range(n)]), np.full(n, "main"))


def terms(n: int = 1, *, holding: float = 2.0, shortage: float = 7.0, order_cost: float = 5.0) -> SupplyTerms:
    zero = np.zeros(n)
    whole = np.zeros(n, dtype=np.int64)
    return SupplyTerms(
        axis(n),
        supplier=np.full(n, ""),
        lead_time=whole,
        lead_time_sd=zero,
        at_review=zero == 0,
        first_review=whole,
        review_period=whole + 1,
        moq=zero,
        pack_size=zero,
        max_order=zero + np.inf,
        min_stock=zero,
        unit_cost=zero + 1,
        order_cost=zero + order_cost,
        holding_cost=zero + holding,
        shortage_cost=zero + shortage,
        objective=whole,
        target=zero,
        ordered_now=zero,
        orderable=zero == 0,
    )


def state(on_hand=0.0, backorders=0.0, pipeline=(0.0, 0.0, 0.0)) -> InventoryState:
    return InventoryState(
        axis(), np.array([float(on_hand)]), np.array([float(backorders)]), np.array([pipeline], dtype=float)
    )


def go(before, order=0.0, arrival=0, demand=0.0, unmet="lost", supply=None):
    return step(
        before, np.array([float(order)]), np.array([arrival]), np.array([float(demand)]), supply or terms(), unmet
    )


def test_a_receipt_serves_the_demand_of_its_own_period():
    after, costs = go(state(on_hand=1, pipeline=(4, 0, 0)), demand=5)
    assert (costs.received[0], costs.sold[0], costs.lost[0], after.on_hand[0]) == (4, 5, 0, 0)


def test_an_order_with_lead_time_zero_arrives_at_once():
    after, costs = go(state(), order=3, arrival=0, demand=2)
    assert (costs.received[0], costs.sold[0], after.on_hand[0], after.on_order[0]) == (3, 2, 1, 0)


def test_an_order_moves_up_by_one_column_a_period_and_arrives_after_its_lead_time():
    now, _ = go(state(), order=3, arrival=2)
    assert now.pipeline.tolist() == [[0, 3, 0]]
    now, _ = go(now)
    assert now.pipeline.tolist() == [[3, 0, 0]]
    now, costs = go(now)
    assert (costs.received[0], now.on_hand[0], now.on_order[0]) == (3, 3, 0)


def test_a_lost_unit_costs_once_and_leaves_no_backorder():
    now, costs = go(state(on_hand=2), demand=5)
    assert (costs.lost[0], costs.shortage[0], now.backorders[0]) == (3, 21, 0)
    _, costs = go(now)
    assert costs.shortage[0] == 0


def test_a_backorder_costs_at_the_end_of_every_period_until_it_is_served_before_new_demand():
    now, costs = go(state(on_hand=2), demand=5, unmet="backorder")
    assert (costs.lost[0], costs.shortage[0], now.backorders[0], now.inventory_position[0]) == (0, 21, 3, -3)
    now, costs = go(now, unmet="backorder")
    assert costs.shortage[0] == 21
    now, costs = go(now, order=4, demand=2, unmet="backorder")
    assert (costs.delivered[0], costs.sold[0], now.backorders[0], now.on_hand[0]) == (3, 1, 1, 0)


def test_under_lost_sales_backorders_that_stand_already_are_served_and_do_not_grow():
    now, costs = go(state(on_hand=1, backorders=3), demand=2)
    assert (costs.delivered[0], costs.lost[0], now.backorders[0], costs.shortage[0]) == (1, 2, 2, 14)


def test_holding_counts_what_is_left_and_an_order_line_costs_once():
    _, costs = go(state(on_hand=6), order=1, arrival=2, demand=2)
    assert (costs.holding[0], costs.order[0], costs.shortage[0], costs.total[0]) == (8, 5, 0, 13)
    _, costs = go(state(on_hand=6), order=0, demand=2)
    assert costs.order[0] == 0


@pytest.mark.parametrize("unmet", ["lost", "backorder"])
def test_units_are_neither_made_nor_mislaid(unmet):
    rng = np.random.default_rng(3)
    n = 40
    now = InventoryState(axis(n), rng.integers(0, 9, n) * 1.0, np.zeros(n), rng.integers(0, 4, (n, 6)) * 1.0)
    for _ in range(30):
        before = now
        order = rng.integers(0, 9, n) * 1.0
        demand = rng.integers(0, 7, n) * 1.0
        now, costs = step(before, order, rng.integers(0, 6, n), demand, terms(n), unmet)
        gone = costs.sold + costs.delivered
        np.testing.assert_array_equal(before.on_hand + before.on_order + order, now.on_hand + now.on_order + gone)
        waits = now.backorders - before.backorders + costs.delivered
        np.testing.assert_array_equal(demand, costs.sold + costs.lost + waits)


def test_the_state_that_goes_in_is_left_as_it_was():
    before = state(on_hand=2, pipeline=(1, 0, 0))
    go(before, order=3, arrival=1, demand=1)
    assert (before.on_hand[0], before.pipeline.tolist()) == (2, [[1, 0, 0]])


def test_an_order_beyond_the_pipeline_is_refused_rather_than_forgotten():
    with pytest.raises(InvariantError, match="arrives 3 periods ahead, the pipeline reaches 2"):
        go(state(), order=1, arrival=3)
    go(state(), order=0, arrival=3)  # nothing ordered: nothing to forget


@pytest.mark.parametrize(("order", "demand"), [(-1.0, 0.0), (0.0, -1.0), (np.nan, 0.0), (0.0, np.inf)])
def test_impossible_numbers_are_refused(order, demand):
    with pytest.raises(InvariantError, match="must be finite and not negative"):
        go(state(), order=order, demand=demand)


def test_state_and_terms_of_different_series_do_not_meet():
    with pytest.raises(AlignmentError, match=r"state and terms differ.*"):
        step(state(), np.zeros(1), np.zeros(1, dtype=np.int64), np.zeros(1), terms(2), "lost")
