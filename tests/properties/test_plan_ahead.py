"""What must hold of any plan that looks several reviews ahead."""

from dataclasses import replace

import numpy as np
import pytest

from ahead_case import NEVER, drawn_ahead, known, outlook
from planning_case import after_ordering, drawn, reviews
from stockcast.inventory import Outlook, PriceBreak, SharedTerms, SupplierTerms
from stockcast.policies import check, plan
from stockcast.policies.ahead import looking
from stockcast.policies.ahead.cycles import cycles
from stockcast.policies.ahead.schedule import Terms, sets, table
from stockcast.policies.ahead.tied import tied_schedule
from stockcast.policies.coupling import Goods, Order, Tier

SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))]


def planned(situation, seen, **options):
    return plan("optimizer", situation, next_review=reviews(situation), outlook=seen, **options)


def any_night(seed, *, backorder=False, objective=None, horizon=48):
    """Draw a night of every kind of term, at review as a whole, with an outlook on it."""
    situation = drawn(seed, n=9, n_paths=30, horizon=horizon, backorder=backorder, objective=objective)
    n = len(situation.terms.series)
    terms = situation.terms.replace(at_review=np.ones(n, dtype=bool))
    situation = replace(situation, terms=terms)
    times = np.cumsum(np.concatenate([np.zeros((n, 1), np.int64), np.repeat(terms.review_period[:, None], 4, 1)], 1), 1)
    rng = np.random.default_rng(seed)
    cost = np.repeat(terms.unit_cost[:, None], 5, axis=1)
    cost[:, 2:] *= rng.choice([1.0, 1.0, 1.2, 0.8], (n, 1))
    changes = np.where(cost[:, -1] != cost[:, 0], np.datetime64("2026-01-20", "D"), NEVER)
    return situation, Outlook(terms.series, times, cost, np.full(n, NEVER), changes)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_rule_is_kept_and_the_steps_add_up(seed):
    situation, seen = any_night(seed, backorder=bool(seed % 2))
    made = planned(situation, seen)
    assert not check(situation, made.plan.order_quantity, held=made.held)
    assert made.waterfall.quantity == pytest.approx(made.plan.order_quantity, abs=1e-9)
    assert "SC-P037" not in {alert.code for alert in made.alerts}
    assert (made.plan.fallback == "").all()


def orders_nothing_again(situation, seen):
    made = planned(situation, seen)
    again = planned(after_ordering(situation, made.plan.order_quantity), seen)
    assert again.plan.order_quantity.sum() == 0


def with_breaks(situation, seed):
    """The same night with price breaks around what each supplier's usual order is worth."""
    rng, terms = np.random.default_rng(seed + 99), situation.terms
    worth = situation.demand.paths().mean(axis=(1, 2)) * terms.review_period * terms.unit_cost
    suppliers = []
    for one in situation.shared.suppliers:
        usual = float(worth[terms.supplier == one.supplier].sum())
        levels = np.round(usual * np.array([rng.choice([0.5, 1.0, 1.5]), rng.choice([2.0, 3.0])]), 2).tolist()
        breaks = tuple(PriceBreak(level, off) for level, off in zip(levels, (0.02, 0.08), strict=True) if level > 0)
        suppliers.append(replace(one, price_breaks=breaks))
    return replace(situation, shared=replace(situation.shared, suppliers=tuple(suppliers)))


@pytest.mark.parametrize("seed", [*SEEDS, 10])  # in 10 a minimum of a later order once was none for single lines
def test_planning_again_orders_nothing(seed):
    orders_nothing_again(*any_night(seed, objective=0))


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.slow) for seed in (3, 29, *range(100, 140))])
def test_planning_again_orders_nothing_where_a_price_break_decides_when_is_ordered(seed):
    situation, seen = any_night(seed, objective=0)
    orders_nothing_again(with_breaks(situation, seed), seen)


def test_a_schedule_with_price_breaks_costs_what_trying_everything_costs():
    """Two lines, every set of later reviews and every pair of candidates: none is cheaper, and the bound is below."""
    for seed in range(3):
        situation, times = drawn_ahead(seed, n=2, n_paths=15, weeks=3, header=8.0)
        goods = Goods.of(situation.terms)
        breaks = (Tier(30.0, 0.03), Tier(120.0, 0.1))
        order = Order("a", np.arange(2), header=8.0, value=10.0, tiers=breaks)
        seen = outlook(situation, times)
        found = cycles(situation, order.rows, seen, times, np.zeros((2, 1)))
        terms = Terms.of(order, goods, 8.0, (0.0, 0.0, 0.0))
        made = tied_schedule(found, terms, order, goods, terms.alone)
        least = np.inf
        for later in sets(found.last):
            cost, _ = table(found, later, terms.alone)
            for i, j in np.ndindex(cost.shape[1], cost.shape[1]):
                quantity = np.array([found.quantity[0, i], found.quantity[1, j]])
                if order.keeps(quantity, goods):
                    whole = cost[0, i] + cost[1, j] + order.extra(quantity, goods) + 8.0 * later.sum()
                    least = min(least, float(whole))
        assert made.bound <= least + 1e-9
        assert made.cost == pytest.approx(least, rel=1e-3)
        assert made.cost >= least - 1e-9


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_a_budget_is_kept(seed):
    situation, seen = any_night(seed)
    free = planned(situation, seen).plan.order_quantity
    budget = float(np.round(0.5 * free @ situation.terms.unit_cost, 2))
    bound = replace(situation, shared=replace(situation.shared, budget=budget))
    made = planned(bound, seen)
    assert made.plan.order_quantity @ situation.terms.unit_cost <= budget + 1e-9
    assert not check(bound, made.plan.order_quantity, held=made.held)


@pytest.mark.parametrize("limit", ["budget", "room"])
def test_a_price_rise_is_bought_before_to_the_last_pack_that_a_limit_leaves(limit):
    situation = known(np.full((1, 12), 10.0), unit_cost=2.0, order_cost=0.0, holding_cost=0.01, pack_size=6.0)
    situation = replace(situation, terms=situation.terms.replace(volume=np.ones(1)))
    cost = np.where(np.arange(13) >= 1, 3.5, 2.0)
    seen = outlook(situation, np.arange(13), cost, changes=np.datetime64("2026-01-16", "D"))
    free = planned(situation, seen).plan.order_quantity[0]
    for share in (0.3, 0.55, 0.8):
        units = np.floor(share * free)
        some = {"budget": {"budget": 2.0 * units}, "room": {"storage": {"main": units + 0.5}}}[limit]
        bound = replace(situation, shared=replace(situation.shared, **some))
        made = planned(bound, seen).plan.order_quantity
        assert made[0] == 6.0 * (units // 6)
        assert not planned(after_ordering(bound, made), seen).plan.order_quantity.any()


def test_no_more_is_bought_before_a_price_rise_than_goods_that_end_will_sell():
    demand = np.concatenate([np.full((1, 12), 10.0), np.zeros((1, 20))], axis=1)
    situation = known(demand, unit_cost=2.0, order_cost=0.0, holding_cost=0.001, pack_size=6.0)
    cost = np.where(np.arange(5) >= 1, 5.5, 2.0)
    seen = outlook(situation, [0, 3, 6, 9, 12], cost, changes=np.datetime64("2026-01-16", "D"))
    made = planned(situation, seen).plan.order_quantity
    assert 90.0 <= made[0] <= 120.0


def test_a_service_target_is_kept_looking_ahead():
    for seed in range(4):
        situation, times = drawn_ahead(seed, n=4, objective=1, target=0.95)
        costs = situation.terms.unit_cost[:, None] * np.where(np.arange(len(times)) >= 2, 1.3, 1.0)
        near = planned(situation, None).plan
        seen = outlook(situation, times, costs, changes=np.datetime64("2026-01-29", "D"))
        far = planned(situation, seen).plan
        assert (far.order_quantity >= near.order_quantity - 1e-9).all()
        assert (far.stockout_risk_with <= 0.05 + 1e-9).all()


def test_the_order_of_the_series_changes_nothing():
    """Lines of two suppliers in one night order as each supplier's lines do by themselves."""
    situation, times = drawn_ahead(4, n=6)
    names = np.array(["a", "b", "a", "b", "a", "b"])
    shared = SharedTerms((SupplierTerms("a", order_cost=40.0), SupplierTerms("b", order_cost=15.0)))
    both = replace(situation, terms=situation.terms.replace(supplier=names), shared=shared)
    whole = planned(both, outlook(both, times)).plan.order_quantity
    for name in ("a", "b"):
        rows = np.flatnonzero(names == name)
        alone = both.take(rows)
        assert np.array_equal(planned(alone, outlook(alone, times)).plan.order_quantity, whole[rows])


def test_stock_is_brought_forward_before_a_closure_that_an_order_cost_does_not_allow_to_be_met_later():
    """Reviews at 0 and 1, then closed until 6: one order now is cheaper than one now and one before the closure."""
    shared = SharedTerms((SupplierTerms("a", order_cost=5.5),))
    situation = known(np.full((1, 8), 5.0), shared=shared, holding_cost=0.2)
    seen = outlook(situation, [0, 1, 6], closed_until=np.datetime64("2026-01-19", "D"))
    made = planned(situation, seen)
    assert made.plan.order_quantity.tolist() == [30.0]
    assert "brought forward: a is closed until 2026-01-19" in made.plan.reason[0]
    assert "no other order before 2026-01-21" in made.plan.reason[0]  # the end of what is looked at
    assert planned(situation, None).plan.order_quantity.tolist() == [5.0]


def test_a_line_that_looks_ahead_is_not_said_to_last_for_its_own_order_cost():
    situation, times = drawn_ahead(4, n=4, order_cost=6.0, unit_cost=0.5, holding_cost=0.002)
    near, far = planned(situation, None).plan, planned(situation, outlook(situation, times)).plan
    assert any("since ordering often costs" in reason for reason in near.reason)
    assert not any("since ordering often costs" in reason for reason in far.reason)
    assert any("no other order before 20" in reason for reason in far.reason)


def test_a_price_rise_is_said():
    situation = known(np.full((1, 8), 10.0), unit_cost=2.0, order_cost=0.0)
    cost = np.where(np.arange(9) >= 1, 5.5, 2.0)
    made = planned(situation, outlook(situation, np.arange(9), cost, changes=np.datetime64("2026-01-16", "D")))
    assert made.plan.order_quantity.tolist() == [40.0]
    assert "bought before the price rises from 2.00 to 5.50 on 2026-01-16" in made.plan.reason[0]
    assert made.plan.binding.tolist() == ["later"]


def test_what_is_not_looked_at_is_told(monkeypatch):
    situation, times = drawn_ahead(1, n=4, weeks=3)
    far = planned(situation, outlook(situation, np.arange(9) * 7))
    told = [alert.message for alert in far.alerts if alert.code == "SC-P036"]
    assert len(told) == 1
    assert "in place of 8 reviews" in told[0]
    monkeypatch.setattr(looking, "MOST", 3)
    large = planned(situation, outlook(situation, times))
    assert any("has 4 lines" in alert.message for alert in large.alerts if alert.code == "SC-P036")
    assert np.array_equal(large.plan.order_quantity, planned(situation, None).plan.order_quantity)


def test_a_plan_that_costs_more_is_not_taken(monkeypatch):
    situation, times = drawn_ahead(6, n=4)
    near = planned(situation, None).plan.order_quantity
    worse = looking.Looked.cost
    calls = iter([False, True] * 9)
    monkeypatch.setattr(looking.Looked, "cost", lambda *given: worse(*given) + 1e6 * next(calls))
    made = planned(situation, outlook(situation, times))
    assert np.array_equal(made.plan.order_quantity, near)
    assert {"SC-P037"} <= {alert.code for alert in made.alerts}
    assert made.plan.fallback[0].startswith("ahead: worse")
    assert (made.waterfall.quantity == near).all()
