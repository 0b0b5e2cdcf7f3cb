"""What expires, against a plain walk that ages every unit on every path; and closures against the same walk."""

import numpy as np
import pytest

from planning_case import case, reviews
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


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("life", [1, 2, 4, 7, 11])
def test_cost_and_waste_against_a_walk(life, backorder):
    from stockcast.inventory import SharedTerms

    rng = np.random.default_rng(life)
    paths = rng.poisson(3.0, (1, 200, 24)).astype(float)
    terms = {"holding_cost": 0.3, "shortage_cost": 2.0, "unit_cost": 1.7}
    shared = SharedTerms(unmet_demand="backorder" if backorder else "lost")
    for lead, on_hand in ((0, 0.0), (2, 11.0), (2, 40.0)):
        situation = case(
            paths, lead_time=lead, review_period=6, on_hand=on_hand, shelf_life=float(life), shared=shared, **terms
        )
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


def test_the_quantity_is_the_best_of_all_whole_ones():
    """Every quantity from 0 to 60 by the walk: what is ordered costs least."""
    paths = np.random.default_rng(5).poisson(3.0, (1, 300, 24)).astype(float)
    terms = {"holding_cost": 0.05, "shortage_cost": 4.0, "unit_cost": 2.0}
    for life in (2, 5):
        situation = case(paths, review_period=6, shelf_life=float(life), **terms)
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
