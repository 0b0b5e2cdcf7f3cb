"""What expires, against a plain walk that ages every unit on every path; and closures against the same walk."""

from dataclasses import replace

import numpy as np
import pytest

from planning_case import case, reviews
from stockcast.inventory import PriceBreak, SharedTerms, SupplierTerms
from stockcast.policies import plan
from stockcast.policies.newsvendor import aim
from stockcast.policies.projection import Part


def walk(demand, on_hand, arrives, ends, units, life, terms, backorder):
    """Sell the oldest units first, throw away this order's when they are too old; give (cost, waste) of the window."""
    old, batch, cost, waste, owed = on_hand, 0.0, 0.0, 0.0, 0.0
    for t in range(max(ends, arrives + life)):
        if t == arrives:
            batch = units
        d = demand[t] + owed
        sold = min(old, d)
        old, d = old - sold, d - sold
        sold = min(batch, d)
        batch, d = batch - sold, d - sold
        owed = d if backorder else 0.0
        inside = arrives <= t < ends
        if t == arrives + life - 1:
            if inside:  # held to the end of its last day
                cost += terms["holding_cost"] * batch
            waste, batch = batch, 0.0
        if inside:
            cost += terms["holding_cost"] * (old + batch) + terms["shortage_cost"] * d
    return cost, waste


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("life", [1, 2, 4, 7, 11])
def test_cost_and_waste_against_a_walk(life, backorder, ends):
    """``ends``: it is the sale of the item that is over then, not the life of the goods."""
    rng = np.random.default_rng(life)
    drawn = rng.poisson(3.0, (1, 200, 24)).astype(float)
    terms = {"holding_cost": 0.3, "shortage_cost": 2.0, "unit_cost": 1.7}
    shared = SharedTerms(unmet_demand="backorder" if backorder else "lost")
    for lead, on_hand in ((0, 0.0), (2, 11.0), (2, 40.0)):
        over = {"sold_for": float(lead + life)} if ends else {"shelf_life": float(life)}
        paths = np.where(np.arange(24) < lead + life, drawn, 0.0) if ends else drawn
        situation = case(paths, lead_time=lead, review_period=6, on_hand=on_hand, shared=shared, **over, **terms)
        found = aim(Part.of(situation))
        base = found.waste.cost(np.zeros(1))
        assert base[0] == pytest.approx(0.0)
        for units in (0.0, 4.0, 12.0, 30.0):
            kept = [
                walk(p, on_hand, lead, lead + 6, units, 10**3 if len(p) > 10**3 else 24 - lead, terms, backorder)
                for p in paths[0]
            ]
            aged = [walk(p, on_hand, lead, lead + 6, units, life, terms, backorder) for p in paths[0]]
            window = np.mean([c for c, _ in aged])
            waste = np.mean([w for _, w in aged])
            plain = found.curve.cost(np.array([[units]]))[0, 0]
            assert plain == pytest.approx(np.mean([c for c, _ in kept]), rel=1e-9, abs=1e-9)
            told = plain + found.waste.cost(np.array([units]))[0]
            assert found.waste.expected(np.array([units]))[0] == pytest.approx(waste, abs=1e-9)
            assert told == pytest.approx(window + terms["unit_cost"] * waste, rel=1e-9, abs=1e-9), (
                lead,
                on_hand,
                units,
            )


def test_a_short_life_orders_less_and_a_long_one_changes_nothing():
    paths = np.random.default_rng(2).poisson(4.0, (1, 400, 28)).astype(float)
    orders = []
    for life in (1.0, 3.0, 7.0, 30.0, np.inf):
        situation = case(paths, lead_time=1, review_period=7, holding_cost=0.02, unit_cost=3.0, shelf_life=life)
        orders.append(plan("auto", situation, next_review=reviews(situation)).plan.order_quantity[0])
    assert orders[0] < orders[1] < orders[2] < orders[3]
    assert orders[3] == orders[4]


@pytest.mark.parametrize("ends", [False, True])
def test_the_quantity_is_the_best_of_all_whole_ones(ends):
    """Every quantity from 0 to 60 by the walk: what is ordered costs least."""
    drawn = np.random.default_rng(5).poisson(3.0, (1, 300, 24)).astype(float)
    terms = {"holding_cost": 0.05, "shortage_cost": 4.0, "unit_cost": 2.0}
    for life in (2, 5):
        paths = np.where(np.arange(24) < life, drawn, 0.0) if ends else drawn
        situation = case(paths, review_period=6, **{"sold_for" if ends else "shelf_life": float(life)}, **terms)
        costs = []
        for units in range(60):
            walked = [walk(p, 0.0, 0, 6, float(units), life, terms, False) for p in paths[0]]
            costs.append(np.mean([c + 2.0 * w for c, w in walked]))
        ordered = plan("auto", situation, next_review=reviews(situation)).plan.order_quantity[0]
        assert ordered == int(np.argmin(costs))


def test_a_large_pack_that_will_expire_is_told():
    paths = np.random.default_rng(2).poisson(2.0, (1, 200, 20)).astype(float)
    situation = case(paths, review_period=4, pack_size=12, shortage_cost=90.0, unit_cost=0.5, shelf_life=4.0)
    made = plan("auto", situation, next_review=reviews(situation))
    (alert,) = [alert for alert in made.alerts if alert.code == "SC-P022"]
    assert "expire" in alert.message


def ending(periods, horizon=40, **terms):
    """Give a night of an item that sells 5 a period for some periods more, then no longer."""
    paths = np.where(np.arange(horizon) < periods, 5.0, 0.0)[None, None, :].repeat(20, axis=1)
    given = {"lead_time": 3, "review_period": 7, "unit_cost": 10.0, "holding_cost": 0.02, "shortage_cost": 5.0}
    return case(paths, on_hand=15.0, sold_for=float(periods), **given | terms)


def ordered(situation):
    made = plan("auto", situation, next_review=reviews(situation))
    return made.plan.order_quantity[0], [alert for alert in made.alerts if alert.code == "SC-P022"]


def test_a_pack_of_which_most_would_be_left_at_the_end_is_not_bought():
    assert ordered(ending(5, pack_size=24.0))[0] == 0  # 10 can be sold, 14 are worth nothing after
    assert ordered(ending(5, pack_size=12.0))[0] == 12
    assert ordered(ending(30, pack_size=24.0))[0] == 48  # what the week leaves is sold in the next one
    assert ordered(ending(3, pack_size=1.0))[0] == 0  # comes when nothing is sold any more


def test_what_will_be_left_at_the_end_is_told():
    units, (alert,) = ordered(ending(5, pack_size=12.0))
    assert units == 12
    assert alert.message.startswith("2 of the 12 units ordered are expected to be left when the sale of it ends, 2 per")
    assert alert.value == 20


@pytest.mark.parametrize(("reach", "wanted"), [(400.0, 75.0), (800.0, 35.0)])
def test_goods_that_end_are_bought_to_their_end_where_a_price_break_pays_that_and_never_beyond(reach, wanted):
    """75 can be sold after the receipt, 35 of them before the next one: all of them at 5 % off, none beyond."""
    shared = SharedTerms((SupplierTerms("a", price_breaks=(PriceBreak(reach, 0.05),)),))
    assert ordered(ending(18, horizon=120, shared=shared))[0] == wanted


@pytest.mark.parametrize("over", [{"shelf_life": 7.0}, {"sold_for": 10.0}])
def test_what_would_be_ordered_without_packs_does_not_depend_on_the_pack(over):
    drawn = np.random.default_rng(3).poisson(1.0, (1, 300, 40)).astype(float)
    paths = np.where(np.arange(40) < 10, drawn, 0.0) if "sold_for" in over else drawn
    told = []
    for pack in (1.0, 4.0, 12.0, 24.0):
        night = case(
            paths, lead_time=3, review_period=7, unit_cost=4.0, holding_cost=0.001, shortage_cost=5.0, pack_size=pack,
            **over,
        )  # fmt: skip
        made = plan("auto", night, next_review=reviews(night)).plan
        told.append((made.unconstrained_quantity[0], made.order_up_to_level[0]))
    assert len(set(told)) == 1
    assert told[0][0] == ordered(replace(night, terms=night.terms.replace(pack_size=np.ones(1))))[0]


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("over", [{"shelf_life": 9.0}, {"sold_for": 11.0}, {}])
def test_the_implied_shortage_cost_orders_what_the_target_asked_for(over, backorder):
    drawn = np.random.default_rng(4).poisson(5.0, (1, 400, 40)).astype(float)
    paths = np.where(np.arange(40) < 11, drawn, 0.0) if "sold_for" in over else drawn
    given = {"lead_time": 3, "review_period": 7, "unit_cost": 4.0, "holding_cost": 0.01, "on_hand": 15.0} | over
    shared = SharedTerms(unmet_demand="backorder" if backorder else "lost")
    for target in (0.6, 0.9, 0.95):
        served = case(paths, objective=1, target=target, shortage_cost=0.0, shared=shared, **given)
        asked = plan("auto", served, next_review=reviews(served))
        p = float(asked.lines.shortage_cost[0])
        by_cost = case(paths, shortage_cost=p, shared=shared, **given)
        found = plan("auto", by_cost, next_review=reviews(by_cost)).plan.order_quantity[0]
        assert abs(found - asked.plan.order_quantity[0]) <= 1.0, (target, p)


def test_candidates_reach_to_the_end_of_the_sale():
    """A pack of 1 allows what a pack of 5 does, and may not cost more: the table must not end before the sale does."""
    shared = SharedTerms((SupplierTerms("a", price_breaks=(PriceBreak(600.0, 0.1),)),))
    savings = []
    for pack in (1.0, 5.0):
        night = ending(60, horizon=90, unit_cost=4.0, holding_cost=0.002, pack_size=pack, shared=shared)
        made = plan("auto", night, next_review=reviews(night)).plan
        savings.append(float(made.expected_cost_saving[0]))
    assert savings[0] >= savings[1] * (1 - 0.01)


def test_the_end_of_a_sale_stands_in_the_reason():
    night = ending(5, pack_size=12.0)
    assert "its sale ends on 2026-01-19" in plan("auto", night, next_review=reviews(night)).plan.reason[0]
    late = ending(3, pack_size=1.0)
    (reason,) = plan("auto", late, next_review=reviews(late)).plan.reason
    assert reason.startswith(
        "nothing: its sale ends on 2026-01-17, before an order can arrive on 2026-01-18, 15 on hand"
    )
