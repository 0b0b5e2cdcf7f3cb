"""A service target is met at the least cost: a supplier's order cost is part of that cost, no reason to give up."""

import numpy as np
import pytest

from planning_case import case, reviews
from stockcast import policies
from stockcast.inventory import SharedTerms, SupplierTerms

DEAR = SharedTerms(suppliers=(SupplierTerms("a", order_cost=1e6),))


def situation(**terms):
    rng = np.random.default_rng(4)
    return case(rng.poisson(5.0, (1, 200, 10)), shared=DEAR, review_period=3, lead_time=1, **terms)


@pytest.mark.parametrize("policy", ["optimizer", "newsvendor"])
def test_a_target_is_met_though_the_order_costs(policy):
    wanted = situation(objective=1, target=0.95)
    made = policies.plan(policy, wanted, next_review=reviews(wanted))
    assert made.plan.order_quantity[0] > 0
    assert made.plan.stockout_risk_with[0] < 0.0501


@pytest.mark.parametrize("policy", ["optimizer", "newsvendor"])
def test_under_costs_an_order_that_costs_more_than_it_saves_is_given_up(policy):
    weighed = situation()
    made = policies.plan(policy, weighed, next_review=reviews(weighed))
    assert made.plan.order_quantity[0] == 0


def test_an_order_sized_by_its_order_cost_says_so():
    rng = np.random.default_rng(4)
    sized = case(rng.poisson(5.0, (1, 200, 10)), review_period=2, lead_time=1, order_cost=80.0, holding_cost=0.01)
    made = policies.plan("optimizer", sized, next_review=reviews(sized))
    assert "since ordering often costs 80 a line each time" in str(made.plan.reason[0])
