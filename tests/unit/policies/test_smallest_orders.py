"""The least money that an order takes: against every order of small tables, and what a budget below it is told with."""

import itertools

import numpy as np
import pytest

from planning_case import case, reviews
from stockcast.inventory import SharedTerms, SupplierTerms
from stockcast.policies import plan
from stockcast.policies.coupling import Goods, Order, Trucks
from stockcast.policies.lines import lines
from stockcast.policies.smallest import least_use
from stockcast.report import why_quantity


def every_order(found, order, goods, use, wanted):
    """What each order with a wanted line takes that keeps its terms, of all quantities that are candidates."""
    tables = [np.unique(found.quantity[row]) for row in order.rows]
    for one in itertools.product(*tables):
        quantity = np.array(one)
        if (quantity * wanted[order.rows]).any() and order.keeps(quantity, goods):
            yield float(quantity @ use[order.rows])


@pytest.mark.parametrize("seed", range(40))
def test_no_order_takes_less_and_a_single_line_takes_just_that(seed):
    rng = np.random.default_rng(seed)
    n = 1 + seed % 2
    situation = case(
        rng.poisson(rng.uniform(1, 6, (n, 1, 1)), (n, 30, 20)), review_period=7, holding_cost=0.1,
        pack_size=rng.choice([1.0, 4.0, 12.0], n), unit_cost=rng.choice([0.5, 2.0, 7.0], n),
    )  # fmt: skip
    found = lines(situation)
    goods = Goods(situation.terms.unit_cost, rng.choice([0.5, 1.0], n), rng.choice([0.0, 0.3, 2.0], n))
    trucks = Trucks(30.0, 0.0, 5.0, 0.8) if seed % 5 == 4 and n > 1 else None
    order = Order("a", np.arange(n), value=float(rng.choice([0, 30])), units=float(rng.choice([0, 15])),
                  weight=float(rng.choice([0, 9])), trucks=trucks)  # fmt: skip
    wanted = np.where(np.arange(n) == seed % 3, 0.0, 12.0)
    for use in (goods.cost, goods.volume):
        told, exact = least_use(found, order, goods, use, wanted)
        able = list(every_order(found, order, goods, use, wanted))
        assert all(money >= told * (1 - 1e-9) for money in able)
        alone = np.diag(told / use) if np.isfinite(told) else np.zeros((n, n))
        assert not exact or not np.isfinite(told) or any(order.keeps(np.round(one, 9), goods) for one in alone)
    wanted = np.full(n, 12.0)
    told, exact = least_use(found, order, goods, goods.cost, wanted)
    able = list(every_order(found, order, goods, goods.cost, wanted))
    assert exact or n > 1 or not able
    if n == 1 and able:
        step = float(found.step[0])
        fewer = np.array([np.ceil(told / goods.cost[0] / step - 1e-9) * step - step])
        assert fewer[0] <= 0 or not order.keeps(fewer, goods)
        assert order.keeps(fewer + step, goods)


def lived(budget, **terms):
    shared = SharedTerms((SupplierTerms("a", min_order_value=300.0), SupplierTerms("b", min_order_units=90.0)),
                         budget=budget)  # fmt: skip
    return case(
        np.random.default_rng(3).poisson(12.0, (4, 60, 20)), review_period=7, holding_cost=0.02, unit_cost=4.0,
        supplier=["a", "a", "b", "b"], shared=shared, **terms,
    )  # fmt: skip


def test_a_budget_below_every_minimum_is_told_to_admit_no_order():
    small = plan("optimizer", lived(290.0), next_review=reviews(lived(290.0)))
    assert not small.plan.order_quantity.any()
    (alert,) = [alert for alert in small.alerts if alert.code == "SC-P016"]
    assert alert.message.endswith(
        "290.00 of it left admit no order that is wanted: the smallest, of a, takes at least 300.00"
    )
    assert "one more unit" not in alert.message
    assert all("290.00 of it left admit no order" in reason for reason in small.plan.reason)
    able = plan("optimizer", lived(310.0), next_review=reviews(lived(310.0)))
    assert able.plan.order_quantity.any()
    assert not [alert for alert in able.alerts if "admit no order" in alert.message]
    assert not any("admit no order" in reason for reason in able.plan.reason)


def test_explain_gives_no_price_of_money_that_buys_nothing():
    row = {"marginal_value": None, "order_quantity": 0.0, "location": "main", "reason": "nothing: the budget cut 84"}
    line = {"objective": "cost"}
    assert why_quantity._money(row, line, {"budget": 0.4}, 0) == [
        "One more unit of budget would save 0.4 somewhere in the plan."
    ]
    assert why_quantity._money(row, line, {"storage main": 0.4}, 0, {"storage main"}) == [
        "More room at main would save 0.4 a unit on average, once it is enough for what is wanted next."
    ]
    row["reason"] += ", 290.00 of it left admit no order that is wanted: the smallest, of a, takes at least 300.00"
    assert why_quantity._money(row, line, {"budget": 0.4}, 0) == []


def of_three(**shared):
    """A cheap line that wants nothing beside two that order 24 at least, for 4 and 9 a unit; volumes 2 and 1, the stock none."""
    paths = np.random.default_rng(3).poisson([[[0.1]], [[12.0]], [[12.0]]], (3, 60, 20))
    made = case(
        paths, review_period=7, holding_cost=0.02, unit_cost=[1.0, 4.0, 9.0], pack_size=[0, 12, 12], moq=[0, 24, 24],
        on_hand=[9.0, 0.0, 0.0], volume=[0.0, 2.0, 1.0], shared=SharedTerms(**shared),
    )  # fmt: skip
    return plan("optimizer", made, next_review=reviews(made))


def told(made, code):
    (alert,) = [alert for alert in made.alerts if alert.code == code]
    return alert.message


def test_a_budget_is_held_against_the_smallest_line_that_is_wanted():
    made = of_three(budget=90.0)
    assert not made.plan.order_quantity.any()
    assert told(made, "SC-P016").endswith("admit no order that is wanted: the smallest, of a, takes 96.00")
    assert "one more unit" not in told(made, "SC-P016")


def test_a_room_of_which_one_more_unit_holds_nothing_has_no_price():
    made = of_three(storage={"main": 22.0})
    assert not made.plan.order_quantity.any()
    assert "22.00 is free before tonight's orders; at least 2.00 more of it is needed before" in told(made, "SC-P019")
    near = of_three(storage={"main": 23.5})
    assert "; one more unit of it would save" in told(near, "SC-P019")


def test_a_room_that_is_exceeded_by_itself_needs_that_as_well():
    rng = np.random.default_rng(3)
    made = case(
        rng.poisson([[[0.1]], [[12.0]]], (2, 60, 20)), review_period=7, holding_cost=0.02, volume=1.0,
        on_hand=[40.0, 0.0], pack_size=12, shared=SharedTerms(storage={"main": 25.0}),
    )  # fmt: skip
    planned = plan("optimizer", made, next_review=reviews(made))
    over = 40.0 - 25.0
    assert f"at least {12 + over:.2f} more of it is needed" in told(planned, "SC-P019")
