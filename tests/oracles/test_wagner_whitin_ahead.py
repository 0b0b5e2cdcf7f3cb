"""Looking ahead on known demand finds the lots of the textbooks, and holds its costs to a plain loop over the paths."""

import itertools

import numpy as np
import pytest

from ahead_case import drawn_ahead, known, outlook
from planning_case import reviews
from stockcast.inventory import SharedTerms, SupplierTerms
from stockcast.policies import plan
from stockcast.policies.ahead import best_schedule, cycles
from stockcast.policies.ahead.schedule import Terms, values
from stockcast.policies.classical import wagner_whitin

CASES = (
    ([90, 120, 80, 70], 2.0, 500.0, 210, 1380),
    ([150, 100, 80, 200], 0.8, 120.0, 150, 424),
    ([730, 580, 445, 650, 880], 0.1, 100.0, 1310, 423),
)


def free(n, header):
    return Terms(header, header, np.zeros(3), np.zeros(3), np.ones((3, n)))


def scheduled(demand, holding, header=0.0, cost=None, **terms):
    situation = known(demand, holding_cost=holding, **terms)
    n, periods = len(situation.terms.series), len(np.atleast_2d(demand)[0])
    seen = outlook(situation, np.arange(periods + 1), cost)
    found = cycles(situation, np.arange(n), seen, np.arange(periods + 1), np.zeros((n, 1)))
    best = best_schedule(found, free(n, header))
    return found.quantity[np.arange(n), best.chosen], best


@pytest.mark.parametrize(("demand", "holding", "order_cost", "first", "cost"), CASES)
def test_one_line_of_known_demand_is_wagner_whitin(demand, holding, order_cost, first, cost):
    lots, least = wagner_whitin(np.array(demand, float), holding, order_cost)
    assert least == cost
    for header, own in ((order_cost, 0.0), (0.0, order_cost)):
        quantity, best = scheduled(demand, holding, header, order_cost=own)
        assert quantity[0] == lots[0] == first
        if header:  # an order cost of the line goes on beyond the end, where what is left has its value
            assert best.cost == pytest.approx(cost)
            assert best.orders.tolist() == (lots > 0).tolist()


@pytest.mark.parametrize("seed", range(24))
def test_random_demand_and_unit_costs_that_move_are_wagner_whitin(seed):
    rng = np.random.default_rng(seed)
    demand = rng.integers(0, 90, 6).astype(float)
    demand[0] = max(demand[0], 1.0)
    cost = np.concatenate([rng.choice([2.0, 3.0, 5.0], 6), [0.0]])  # what is left at the end is worth nothing
    holding, header = float(rng.choice([0.1, 0.7, 1.5])), float(rng.choice([20.0, 90.0]))
    lots, least = wagner_whitin(demand, holding, header, cost[:-1])
    quantity, best = scheduled(demand, holding, header, cost)
    assert best.cost == pytest.approx(least)
    assert quantity[0] == lots[0]


def plain_now(situation, row, quantity, end):
    """What an order costs by the dynamics of the shop until the next one arrives, by a loop over paths and periods."""
    terms, lost = situation.terms, situation.shared.unmet_demand == "lost"
    total, left = 0.0, []
    for path in situation.demand.paths()[row]:
        stock = float(situation.state.on_hand[row])
        for period in range(end + int(terms.lead_time[row])):
            if period == terms.lead_time[row]:
                stock += quantity
            unmet = max(path[period] - max(stock, 0.0), 0.0)
            stock = max(stock - path[period], 0.0) if lost else stock - path[period]
            if period >= terms.lead_time[row]:
                total += terms.holding_cost[row] * max(stock, 0.0)
                total += terms.shortage_cost[row] * (unmet if lost else max(-stock, 0.0))
        left.append(stock)
    return total / len(left), np.array(left)


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_cost_until_the_next_order_is_that_of_a_plain_loop(seed, backorder):
    situation, times = drawn_ahead(seed, n=3, n_paths=25, weeks=3, backorder=backorder)
    seen = outlook(situation, times)
    found = cycles(situation, np.arange(3), seen, times, np.zeros((3, 1)))
    for row, s in itertools.product(range(3), range(1, 4)):
        # candidates that leave nothing beyond the next level on any path: what is left then costs nothing more
        lean = [j for j in range(found.quantity.shape[1]) if found.quantity[row, j] <= found.covers[row, 0, 1]]
        costs = [plain_now(situation, row, found.quantity[row, j], int(times[s])) for j in lean]
        by_loop = np.array([cost for cost, _ in costs])
        spare = np.array([left.max() for _, left in costs])
        quiet = spare <= 0.0
        assert found.first[row, lean, s - 1][quiet] == pytest.approx(by_loop[quiet])
        # more left can only cost more
        assert (found.first[row, lean, s - 1] >= by_loop - 1e-9).all()


def plain_later(situation, row, begin, end, level):
    """What an order of a later review costs, filled up to a position, until the next one arrives: by a loop."""
    terms, lost = situation.terms, situation.shared.unmet_demand == "lost"
    lead, total = int(terms.lead_time[row]), 0.0
    paths = situation.demand.paths()[row]
    for path in paths:
        stock = level - path[begin : begin + lead].sum()
        for period in range(begin + lead, end + lead):
            unmet = max(path[period] - stock, 0.0) if lost else 0.0
            stock = max(stock - path[period], 0.0) if lost else stock - path[period]
            total += terms.holding_cost[row] * max(stock, 0.0)
            total += terms.shortage_cost[row] * (unmet if lost else max(-stock, 0.0))
    return total / len(paths)


@pytest.mark.parametrize("backorder", [False, True])
def test_the_cost_of_a_later_order_is_near_the_least_of_a_plain_loop(backorder):
    """The least over all positions of the loop, and above it by no more than what is left beyond the next level."""
    situation, times = drawn_ahead(5, n=2, n_paths=25, weeks=3, backorder=backorder, pack_size=1.0)
    found = cycles(situation, np.arange(2), outlook(situation, times), times, np.zeros((2, 1)))
    for row, (r, s) in itertools.product(range(2), ((1, 2), (1, 3), (2, 3))):
        least = min(plain_later(situation, row, int(times[r]), int(times[s]), level) for level in range(0, 140))
        assert least - 1e-9 <= found.later[row, r, s] <= 1.05 * least


def test_one_cost_for_all_reviews_changes_nothing():
    situation, times = drawn_ahead(3)
    found = [
        plan("optimizer", situation, next_review=reviews(situation), outlook=outlook(situation, times, cost)).plan
        for cost in (None, np.full(len(times), 7.0))
    ]
    assert np.array_equal(found[0].order_quantity, found[1].order_quantity)
    assert found[0].expected_cost_saving == pytest.approx(found[1].expected_cost_saving)


def test_a_price_rise_is_bought_ahead_of_as_long_as_waiting_is_dearer():
    """A unit kept k periods costs k h; the rise of 3.5 h is worth the demand of the three periods after this one."""
    demand = np.full(8, 10.0)
    cost = np.where(np.arange(9) >= 1, 2.0 + 3.5, 2.0)
    quantity, _ = scheduled(demand, 1.0, 0.0, cost, unit_cost=2.0)
    assert quantity[0] == 40.0
    assert scheduled(demand, 1.0, 0.0, unit_cost=2.0)[0][0] == 10.0


def test_every_set_of_orders_is_dearer_than_the_best():
    situation, times = drawn_ahead(11, n=3, weeks=4)
    found = cycles(situation, np.arange(3), outlook(situation, times), times, np.zeros((3, 1)))
    best = best_schedule(found, free(3, 40.0))
    least = np.inf
    for later in itertools.product([False, True], repeat=3):
        orders = np.array([False, *later])
        value = values(found, orders)
        for choice in itertools.product(range(0, found.quantity.shape[1], 2), repeat=3):
            opens = any(found.quantity[i, j] > 0 for i, j in enumerate(choice))
            ways = (found.first[np.arange(3), list(choice)] + value[:, 1:]).min(axis=1).sum()
            least = min(least, float(ways) + 40.0 * (sum(later) + opens))
    assert best.cost <= least + 1e-9
    assert best.bound == pytest.approx(best.cost)


def test_fixed_costs_are_shared_and_nothing_is_ordered_again():
    demand = np.full((4, 6), 5.0)
    shared = SharedTerms((SupplierTerms("a", order_cost=45.0),))
    situation = known(demand, shared=shared, holding_cost=1.0)
    seen = outlook(situation, np.arange(7))
    made = plan("optimizer", situation, next_review=reviews(situation), outlook=seen)
    lots, _ = wagner_whitin(demand.sum(axis=0), 1.0, 45.0)
    assert made.plan.order_quantity.sum() == lots[0]
    assert (made.plan.order_quantity > 0).all()
    assert (made.waterfall.quantity == made.plan.order_quantity).all()
