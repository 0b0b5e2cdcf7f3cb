"""What a line says of its maximum, its packs, its whole order and the limits: the true reason, in exact figures."""

from dataclasses import replace

import numpy as np
import pytest

from planning_case import case, reviews
from stockcast.inventory import PriceBreak, SharedTerms, SupplierTerms
from stockcast.policies import POLICIES, plan, propose
from transfer_case import lanes, network
from whole_case import whole


def made(situation, policy="optimizer"):
    return plan(policy, situation, next_review=reviews(situation))


def known(**terms):
    """A line of 5 a day, known for sure, reviewed weekly: it wants 35."""
    return case(np.full((1, 8, 20), 5.0), review_period=7, holding_cost=0.1, **terms)


def steps(planned, row=0):
    return {name: float(units) for name, units in planned.waterfall.line(row)}


def test_a_maximum_that_a_whole_pack_would_exceed_cuts_and_the_pack_does_not():
    planned = made(known(pack_size=12, max_order=30))
    assert steps(planned) == {"need": 35, "pack": 1, "max_order": -12}
    assert planned.plan.order_quantity[0] == 24
    assert planned.plan.binding[0] == "max_order"
    assert "24 instead of 35 because of the maximum of 30" in planned.plan.reason[0]


def test_a_maximum_that_is_ordered_already_cuts_and_the_pack_does_not():
    pipeline = np.zeros((1, 21))
    pipeline[0, 0] = 30.0
    planned = made(known(pack_size=12, max_order=36, ordered_now=30.0, pipeline=pipeline))
    assert planned.plan.order_quantity[0] == 0
    assert planned.plan.binding[0] == "max_order"
    assert steps(planned)["max_order"] == -12
    assert "30 of the maximum of 36 are ordered in this period already" in planned.plan.reason[0]
    pipeline[0, 0] = 12.0
    some = made(known(pack_size=12, max_order=24, ordered_now=12.0, pipeline=pipeline))
    assert some.plan.order_quantity[0] == 12
    assert "because of the maximum of 24, of which 12 are ordered already" in some.plan.reason[0]


def test_a_maximum_that_does_not_pay_the_order_cost_says_so():
    planned = made(known(max_order=2.0, order_cost=60.0))
    assert planned.plan.order_quantity[0] == 0
    assert planned.plan.binding[0] == "max_order"
    assert "the maximum of 2 does not pay" in planned.plan.reason[0]


@pytest.mark.parametrize("policy", sorted(set(POLICIES)))
def test_the_maximum_takes_what_would_be_ordered_without_it(policy):
    rng = np.random.default_rng(2)
    paths = rng.poisson(rng.choice([1.0, 4.0, 9.0], (30, 1, 1)), (30, 40, 20)).astype(float)
    terms = {
        "review_period": 7, "holding_cost": 0.1, "on_hand": rng.integers(0, 20, 30).astype(float),
        "pack_size": rng.choice([0.0, 5.0, 12.0, 2.4], 30), "moq": rng.choice([0.0, 0.0, 60.0], 30),
    }  # fmt: skip
    most = rng.choice([np.inf, 10.0, 30.0, 61.0], 30)
    limited, free = made(case(paths, max_order=most, **terms), policy), made(case(paths, **terms), policy)
    cut = np.array([steps(limited, row).get("max_order", 0.0) for row in range(30)])
    # 0 where the maximum leaves its own best alone: what is told is the difference, to the digit
    assert cut == pytest.approx(limited.plan.order_quantity - free.plan.order_quantity)
    assert np.array_equal(limited.plan.binding == "max_order", cut < 0)
    assert (cut < 0).any()


def test_an_order_in_packs_is_the_product_that_is_written_beside_it():
    reason = made(known(pack_size=2.4, on_hand=18.3)).plan.reason[0]
    assert reason.startswith("16.8 (7 × 2.4) for receipt")


def test_terms_that_forbid_every_order_are_an_exception_of_their_own():
    situation = case(
        np.full((4, 8, 20), 5.0), review_period=7, holding_cost=0.1, moq=[50, 0, 0, 50], pack_size=[0, 48, 12, 0],
        max_order=[30, 40, 30, 60], orderable=[True, True, True, True],
    )  # fmt: skip
    planned = made(situation)
    told = {alert.sku: alert for alert in planned.alerts if alert.code == "SC-D047"}
    assert set(told) == {"s00000", "s00001"}
    assert told["s00000"].message == ("no order is possible: the maximum of 30 is below its minimum of 50; 35 would do")
    assert "below a pack of 48" in told["s00001"].message
    assert all(alert.value == pytest.approx(9 * 35) for alert in told.values())
    assert planned.plan.order_quantity.tolist() == [0, 0, 24, 50]
    assert "the maximum of 30 is below its minimum of 50: no order is possible" in planned.plan.reason[0]


def test_what_a_price_break_makes_last_is_no_matter_of_the_order_cost():
    breaks = (PriceBreak(300.0, 0.3),)
    rng = np.random.default_rng(1)
    one = case(
        rng.poisson(5.0, (1, 60, 90)), review_period=7, holding_cost=0.002, unit_cost=2.0, order_cost=0.01,
        shared=SharedTerms((SupplierTerms("a", price_breaks=breaks),)),
    )  # fmt: skip
    line = made(one).plan
    assert line.binding[0] == "price_break"
    assert line.days_of_cover[0] > 10.5
    assert "ordering often" not in line.reason[0]
    assert f"for a price break of a, which covers {line.days_of_cover[0]:.0f} days" in line.reason[0]
    dear = made(replace(one, terms=one.terms.replace(order_cost=np.array([2.0])), shared=SharedTerms())).plan
    assert (
        f"it covers {dear.days_of_cover[0]:.0f} days, since ordering often costs 2 a line each time" in dear.reason[0]
    )


def test_more_of_a_line_is_bought_with_what_is_left_of_a_budget():
    planned = made(whole(0))
    line = planned.plan
    assert line.binding[10] == "budget"
    assert steps(planned, 10)["budget"] == 24
    assert "; what was left of the budget bought 24 more" in line.reason[10]
    budget = np.array([steps(planned, row).get("budget", 0.0) for row in range(len(line.binding))])
    for row in np.flatnonzero(budget):
        assert ("the budget cut" in line.reason[row]) == (budget[row] < 0), line.reason[row]
    (alert,) = [alert for alert in planned.alerts if alert.code == "SC-P016"]
    assert ((budget < 0).sum(), (budget > 0).sum()) == (1, 2)
    assert "cut 1 line, and 2 lines got more" in alert.message


def test_transfers_of_tonight_are_no_open_order_that_comes_late():
    paths = np.repeat(np.random.default_rng(1).poisson(2.0, (1, 60, 14)).astype(float), 2, axis=0)
    pipeline = np.zeros((2, 15))
    tonight = network(
        paths, places="AB", on_hand=[80.0, 0.0], ways=lanes(("A", "B", 2, 0.1, 0.0, 0.0)), lead_time=7,
        review_period=5, holding_cost=0.02, shortage_cost=4.0, pipeline=pipeline,
    )  # fmt: skip
    moved = propose(tonight)
    assert moved.transfers.quantity.sum() > 0
    codes = {alert.code for alert in made(replace(tonight, state=moved.state)).alerts if alert.location == "B"}
    assert "SC-P011" not in codes
    assert "SC-P010" in codes, "the stock runs out before anything can be there all the same"
    pipeline[1, 5] = 3.0
    late = replace(tonight, state=replace(moved.state, pipeline=moved.state.pipeline + pipeline))
    told = [alert for alert in made(late).alerts if alert.code == "SC-P011"]
    assert [alert.message.split(" comes")[0] for alert in told] == ["the open order of 2026-01-20"]
    # what transfers bring before it counts as supply: no more than what runs out until they are there
    assert told[0].value < 4.0 * 5 * 2.0
