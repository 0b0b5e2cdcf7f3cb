"""A ranking is cut where the money ends: whole lines, no other in their place, and no order below its minimum."""

from dataclasses import replace

import numpy as np
import pytest

from planning_case import case, reviews
from stockcast.core.errors import DataError
from stockcast.inventory import SharedTerms, SupplierTerms
from stockcast.policies import plan


def steady(n, **terms):
    """Series that want about ten units each, the first worth the most."""
    paths = np.random.default_rng(3).poisson(5.0, (n, 60, 6)).astype(float)
    shortage = np.linspace(40.0, 8.0, n)
    return case(paths, review_period=2, unit_cost=2.0, holding_cost=0.1, shortage_cost=shortage, **terms)


def planned(situation, money=None):
    return plan("newsvendor", situation, next_review=reviews(situation), ranked_budget=money)


def test_lines_are_kept_down_the_ranking_until_the_money_ends():
    situation = steady(6)
    free = planned(situation).plan
    in_rank = np.argsort(free.priority)
    assert free.order_quantity.all()
    for kept in range(7):
        spent = [0.0, *free.cumulative_spend[in_rank]][kept]
        found = planned(situation, spent)
        assert np.array_equal(np.flatnonzero(found.plan.order_quantity), np.sort(in_rank[:kept]))
        assert np.array_equal(found.plan.priority, free.priority)
        assert np.array_equal(found.plan.cumulative_spend, free.cumulative_spend)
        gone = in_rank[kept:]
        alerts = [alert for alert in found.alerts if alert.code == "SC-P035"]
        assert sorted(alert.sku for alert in alerts) == sorted(situation.terms.series.sku[gone].tolist())
        for at in gone.tolist():
            assert found.plan.binding[at] == "budget"
            assert dict(found.waterfall.line(at))["budget"] == -free.order_quantity[at]
            assert f"line {free.priority[at]} of 6 by value" in found.plan.reason[at]
            (alert,) = [alert for alert in alerts if alert.sku == situation.terms.series.sku[at]]
            assert alert.value == pytest.approx(free.expected_cost_saving[at])
        just_short = planned(situation, spent - 0.01).plan if kept else found.plan
        assert (just_short.order_quantity > 0).sum() == max(kept - 1, 0)


def test_what_open_orders_of_the_period_took_comes_off():
    situation = steady(6)
    free = planned(situation).plan
    total = float(free.cumulative_spend.max())
    used = SharedTerms(budget=None, budget_used=total / 2)
    found = planned(steady(6, shared=used), total).plan
    spent = float(found.order_quantity @ situation.terms.unit_cost)
    assert 0 < spent <= total / 2


def test_an_order_that_falls_below_its_minimum_goes_as_a_whole():
    suppliers = np.array(["a", "b", "a", "b", "a", "b"])
    free = planned(steady(6, supplier=suppliers)).plan
    of_b = float(free.order_quantity[suppliers == "b"].sum())
    shared = SharedTerms((SupplierTerms("b", min_order_units=of_b),))
    situation = steady(6, supplier=suppliers, shared=shared)
    money = float(free.cumulative_spend.max()) - 1.0
    last = int(np.argmax(free.priority))
    found = planned(situation, money)
    assert suppliers[last] == "b"
    assert not found.plan.order_quantity[suppliers == "b"].any()
    assert found.plan.order_quantity[suppliers == "a"].all()
    other = int(np.flatnonzero((suppliers == "b") & (np.arange(6) != last))[0])
    assert "misses its minimum" in found.plan.reason[other]
    assert "ends before it" in found.plan.reason[last]


def test_money_needs_unit_costs():
    situation = steady(2)
    terms = situation.terms.replace(unit_cost=np.array([2.0, np.nan]))
    with pytest.raises(DataError, match="unit_cost is missing"):
        planned(replace(situation, terms=terms), 10.0)
