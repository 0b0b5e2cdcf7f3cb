"""The classical rules on a situation: their levels by hand, and what a plan says of them."""

import numpy as np
import pytest
from scipy.stats import norm

from planning_case import case, drawn, reviews
from stockcast.policies import check, plan


def poisson(n=3, rate=5.0, horizon=20):
    return np.random.default_rng(5).poisson(rate, (n, 4000, horizon)).astype(float)


def planned(rule, situation):
    return plan(rule, situation, next_review=reviews(situation)).plan


TERMS = {"lead_time": 2, "review_period": 3, "holding_cost": 0.1, "shortage_cost": 2.0, "unit_cost": 1.0}


def test_levels_by_hand():
    paths = poisson()
    total = paths[:, :, :5].sum(axis=2)
    ratio = 2.0 / (2.0 + 0.1 * 3)
    mean, sd = total.mean(axis=1), np.sqrt(paths.var(axis=1)[:, :5].sum(axis=1))
    quantile = np.sort(total, axis=1)[:, int(np.ceil(ratio * 4000)) - 1]
    wanted = {
        "order_up_to": (quantile, quantile),
        "safety_stock": (mean + norm.ppf(ratio) * sd, mean + norm.ppf(ratio) * sd),
        "cover": (mean / 5 * 8, mean / 5 * 8),
        "min_max": (quantile, quantile + np.maximum(np.sqrt(2 * 4.0 * mean / 5 / 0.1), mean / 5 * 3)),
    }
    for rule, (point, level) in wanted.items():
        found = planned(rule, case(paths, order_cost=4.0, on_hand=1.0, **TERMS))
        np.testing.assert_allclose(found.order_up_to_level, level, rtol=1e-9, err_msg=rule)
        np.testing.assert_allclose(found.reorder_point, point, rtol=1e-9, err_msg=rule)
        assert (found.order_quantity == np.ceil(level - 1.0 - 1e-9)).all(), rule
        assert (found.policy == rule).all()


def test_a_service_target_is_met_by_the_level():
    paths = poisson(2)
    total = paths[:, :, :5].sum(axis=2)
    cycle = planned("order_up_to", case(paths, objective=1, target=0.9, **TERMS)).order_up_to_level
    assert (cycle == np.sort(total, axis=1)[:, 3599]).all()
    filled = planned("order_up_to", case(paths, objective=2, target=0.98, **TERMS)).order_up_to_level
    lost = np.maximum(total - filled[:, None], 0).mean(axis=1)
    assert lost == pytest.approx(0.02 * total.mean(axis=1) / 5 * 3, rel=1e-6)


def test_min_max_waits_until_its_minimum_and_fills_up():
    paths = np.repeat(poisson(1), 60, axis=0)
    found = planned("min_max", case(paths, order_cost=8.0, on_hand=np.arange(60.0), **TERMS))
    orders = found.order_quantity > 0
    assert np.array_equal(orders, np.arange(60) <= found.reorder_point)
    assert orders.any()
    assert not orders.all()


@pytest.mark.parametrize("rule", ["order_up_to", "safety_stock", "cover", "min_max"])
def test_every_rule_keeps_all_limits(rule):
    from dataclasses import replace

    for seed in (1, 9):
        situation = drawn(seed)
        situation = replace(situation, shared=replace(situation.shared, budget=400.0))
        made = planned(rule, situation)
        assert check(situation, made.order_quantity) == ()
        for name in ("demand_mean", "stockout_risk_with", "order_up_to_level", "days_of_cover"):
            assert np.isfinite(getattr(made, name)).all()
