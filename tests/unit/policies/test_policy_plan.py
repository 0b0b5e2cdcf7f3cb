"""The plan's columns, words and alerts."""

import numpy as np
import pytest

from planning_case import case, reviews
from stockcast.core.errors import DataError, UsageError
from stockcast.inventory import SharedTerms, SupplierTerms
from stockcast.policies import POLICIES, Orderable, check, naive_shadow, plan
from stockcast.policies.base import Policy


def poisson(n, rate=4.0, horizon=20, n_paths=200):
    return np.random.default_rng(5).poisson(rate, (n, n_paths, horizon)).astype(float)


def made(situation, policy="auto", **options):
    return plan(policy, situation, next_review=reviews(situation), **options)


def test_the_reason_names_quantity_packs_receipt_and_range():
    situation = case(poisson(1), lead_time=3, review_period=7, pack_size=12, on_hand=10)
    line = made(situation).plan
    assert line.binding[0] == "pack"
    quantity = line.order_quantity[0]
    assert line.reason[0].startswith(f"{quantity:g} ({quantity / 12:g} × 12) for receipt on 2026-01-18")
    assert "until 2026-01-25 demand is expected at" in line.reason[0]
    assert "because of packs of 12" in line.reason[0]
    assert line.demand_mean[0] == pytest.approx(40, abs=1)


def test_an_order_below_the_minimum_says_what_of_it_is_ordered_already():
    situation = case(poisson(1), lead_time=3, review_period=7, pack_size=12, moq=48, ordered_now=36)
    line = made(situation).plan
    assert 0 < line.order_quantity[0] < 48
    assert "36 ordered in this period already count towards the minimum of 48" in line.reason[0]
    alone = made(case(poisson(1), lead_time=3, review_period=7, pack_size=12, moq=48)).plan
    assert "already count" not in alone.reason[0]


def test_lines_that_do_not_order_say_why():
    situation = case(
        poisson(4), lead_time=2, review_period=3, on_hand=[0, 500, 0, 0], at_review=[False, True, True, True],
        first_review=[2, 0, 0, 0], orderable=[True, True, False, True], moq=[0, 0, 0, 5000],
    )  # fmt: skip
    line = made(situation).plan
    assert not line.order_quantity.any()
    assert line.binding.tolist() == ["no_review", "none", "not_orderable", "moq"]
    assert line.reason[0] == "no review until 2026-01-20"
    assert "stock covers it" in line.reason[1]
    assert "the minimum of 5000 does not pay" in line.reason[3]


def test_reorder_point_and_level_tell_when_an_order_is_placed():
    """One series at every stock: it orders exactly at and below the reorder point (lead time 0: nothing is projected)."""
    n = 60
    paths = np.repeat(poisson(1, rate=6.0), n, axis=0)
    for terms in ({}, {"pack_size": 10}, {"moq": 30}, {"order_cost": 60.0}, {"objective": 1, "target": 0.9}):
        line = made(case(paths, review_period=3, holding_cost=0.2, on_hand=np.arange(n), **terms)).plan
        assert np.array_equal(line.order_quantity > 0, np.arange(n) <= line.reorder_point), terms
        assert (line.reorder_point <= line.order_up_to_level).all()
        assert np.ptp(line.order_up_to_level) < 1e-9


def test_max_order_and_min_stock_bind():
    situation = case(poisson(2), review_period=7, max_order=[10, np.inf], min_stock=[0, 90], holding_cost=0.1)
    line = made(situation).plan
    assert line.order_quantity.tolist() == [10, 90]
    assert line.binding[0] == "max_order"
    assert line.order_up_to_level[1] == 90


def test_the_waterfall_names_the_budget_and_adds_up():
    shared = SharedTerms((SupplierTerms("a", min_order_units=10.0),), budget=60.0)
    situation = case(poisson(5), review_period=7, pack_size=5, shared=shared, holding_cost=0.1)
    planned = made(situation)
    line = planned.plan
    assert (line.binding == "budget").any()
    for row in range(5):
        steps = planned.waterfall.line(row)
        assert sum(units for _, units in steps) == line.order_quantity[row]
        assert (line.binding[row] == "budget") == ("budget" in dict(steps))
    in_rank = np.argsort(line.priority)
    assert np.all(np.diff(line.cumulative_spend[in_rank]) >= 0)
    assert line.cumulative_spend.max() <= 60


def test_a_supplier_minimum_not_reached_is_told_with_a_top_up_list():
    shared = SharedTerms((SupplierTerms("a", min_order_value=1e6),))
    situation = case(poisson(3), review_period=7, max_order=50, shared=shared, holding_cost=0.1)
    result = made(situation)
    assert not result.plan.order_quantity.any()
    assert set(result.plan.binding) == {"supplier_minimum"}
    (alert,) = [alert for alert in result.alerts if alert.code == "SC-P014"]
    assert alert.supplier == "a"
    assert alert.value > 0
    assert "s00000" in alert.suggested_action


def test_alerts_rank_by_money_and_name_the_date():
    pipeline = np.zeros((4, 21))
    pipeline[1, 6] = 100
    situation = case(
        poisson(4), lead_time=10, review_period=7, on_hand=[0, 0, 5000, 60], moq=[0, 0, 0, 900], pipeline=pipeline,
        holding_cost=0.001, unit_cost=2.0,
    )  # fmt: skip
    alerts = made(situation).alerts
    codes = {(alert.code, alert.sku) for alert in alerts}
    assert {("SC-P010", "s00000"), ("SC-P011", "s00001"), ("SC-P012", "s00002"), ("SC-P013", "s00003")} <= codes
    assert all(a.value >= b.value for a, b in zip(alerts, alerts[1:], strict=False))
    late = next(alert for alert in alerts if alert.code == "SC-P011")
    assert "2026-01-21" in late.message
    assert next(alert for alert in alerts if alert.sku == "s00000").value == pytest.approx(9 * 40, rel=0.05)


@pytest.mark.parametrize(
    ("name", "text"), [("learned", "not in this version"), ("optimiser", "did you mean optimizer")]
)
def test_a_policy_of_another_version_is_refused(name, text):
    with pytest.raises(UsageError, match=text):
        made(case(poisson(1)), name)


def test_a_forecast_that_ends_too_early_and_a_missing_cost_are_refused():
    with pytest.raises(DataError, match="ends after 20 periods"):
        made(case(poisson(1), lead_time=15, review_period=7))
    with pytest.raises(DataError, match="unit_cost is missing for 1 series"):
        made(case(poisson(2), unit_cost=[np.nan, 1.0], shared=SharedTerms(budget=10.0)))
    free = made(case(poisson(1), unit_cost=np.nan))
    assert free.plan.order_quantity[0] > 0
    assert free.plan.cumulative_spend[0] == 0


def test_any_policy_can_be_made_orderable():
    class Always(Policy):
        name = "always"

        def order(self, situation):
            return np.full(len(situation.past.series), 7.3)

    situation = case(poisson(4), pack_size=[0, 5, 0, 5], moq=[0, 0, 20, 0], max_order=[np.inf, np.inf, np.inf, 5])
    quantity = Orderable(Always()).order(situation)
    assert quantity.tolist() == [8, 10, 20, 5]
    assert check(situation, quantity) == ()


def test_the_shadow_plan_is_of_the_same_size():
    situation = case(poisson(3), lead_time=2, review_period=7, sales=4.0, pack_size=[0, 10, 0], on_hand=[0, 0, 999])
    assert naive_shadow(situation).tolist() == [54, 60, 0]


def test_no_series_at_all():
    situation = case(np.zeros((0, 5, 5)))
    assert len(made(situation).plan.order_quantity) == 0


def test_every_name_makes_a_policy_that_agrees_with_the_plan():
    situation = case(poisson(5), review_period=7, pack_size=4)
    for name, maker in POLICIES.items():
        assert np.array_equal(maker().order(situation), made(situation, name).plan.order_quantity)


def test_a_price_break_is_named_where_an_order_cost_stands_beside_it_and_no_minimum():
    from stockcast.inventory import PriceBreak

    def with_break(header, value):
        breaks = (PriceBreak(value, 0.2),)
        shared = SharedTerms((SupplierTerms("a", order_cost=header, price_breaks=breaks),))
        return made(case(poisson(2), lead_time=3, review_period=7, unit_cost=3.0, shared=shared)).plan

    value = 1.05 * 3.0 * float(with_break(5.0, 1e6).order_quantity.sum())
    raised = with_break(5.0, value)
    assert "price_break" in raised.binding.tolist()
    assert any("for a price break of a" in reason for reason in raised.reason)
    assert not any("minimum" in reason for reason in raised.reason)
    dropped = with_break(1e6, value)
    assert not dropped.order_quantity.any()
    assert set(dropped.binding.tolist()) == {"supplier_minimum"}
