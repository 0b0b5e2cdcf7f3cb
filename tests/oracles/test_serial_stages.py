"""Stages in a row: Clark and Scarf's levels to the digits, and our warehouse orders and shipments replayed against them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from echelon_case import fed_network
from stockcast.core.errors import DataError
from stockcast.policies import propose
from stockcast.policies.classical import Normal, Poisson, base_stock, serial_levels
from stockcast.policies.lines import lines


def normal(periods):
    return Normal(np.array([10.0 * periods]), np.array([2.0 * periods**0.5]))


def test_the_levels_of_the_textbook():
    # the book's digits are of a coarser lattice than ours: the second and third level differ by 0.03, the cost by 0.01 %
    found = serial_levels([normal(1), normal(1), normal(2)], np.array([4.0, 3.0, 1.0]), 40.0)
    assert found.level == pytest.approx([12.765, 23.497, 46.280], abs=0.035)
    assert found.cost == pytest.approx(86.0253, abs=0.01)


def test_the_levels_are_the_roots_that_quadrature_finds():
    found = serial_levels([normal(1), normal(1), normal(2)], np.array([4.0, 3.0, 1.0]), 40.0)
    one = 10.0 + 2.0 * stats.norm.ppf(44.0 / 48.0)

    def slope(y):
        inner = lambda d: (4.0 - 48.0 * stats.norm.sf((y - d - 10.0) / 2.0)) * stats.norm.pdf(d, 10.0, 2.0)  # noqa: E731
        return 3.0 + integrate.quad(inner, y - one, 40.0, epsabs=1e-12, limit=500)[0]

    two = optimize.brentq(slope, 15.0, 35.0)
    assert found.level[:2] == pytest.approx([one, two], abs=2e-3)


def test_one_stage_is_the_base_stock_of_one_place():
    found = serial_levels([Poisson(np.array([18.0]))], np.array([200.0]), 270.0, step=1.0)
    level, cost = base_stock(Poisson(np.array([18.0])), np.array([200.0]), np.array([270.0]))
    assert (found.level[0], found.cost) == pytest.approx((level[0], cost[0]), rel=1e-9)


def test_stages_and_costs_must_fit():
    with pytest.raises(DataError, match="2 stages"):
        serial_levels([normal(1)] * 2, np.array([1.0]), 4.0)
    with pytest.raises(DataError, match="positive"):
        serial_levels([normal(1)], np.array([0.0]), 4.0)


LEAD, RATE, STORED, HELD, OWED = 2, 10.0, 1.0, 4.0, 40.0


def replay(decide, demand):
    """The cost a period of two stages; ``decide`` gives what to ship and to order from stock, pipeline and what is owed."""
    warehouse, place, coming, cost = 30.0, 14.0, [10.0] * LEAD, []
    for t, units in enumerate(demand.tolist()):
        warehouse += coming.pop(0)
        ship, order = decide(t, warehouse, place, list(coming))
        assert 0.0 <= ship <= warehouse
        warehouse, place = warehouse - ship, place + ship
        coming.append(order)
        place -= units
        cost.append(STORED * warehouse + HELD * max(place, 0.0) + OWED * max(-place, 0.0))
    return float(np.mean(cost[10:]))


def ours(t, warehouse, place, coming):
    """The plan's own transfers and warehouse order, on fresh paths of the demand that is true."""
    paths = np.random.default_rng([5, t]).poisson(RATE, (2, 300, 8)).astype(float)
    paths[1] = 0.0
    pipeline = np.zeros((2, 9))
    pipeline[1, 1 : 1 + len(coming)] = coming
    tonight = fed_network(
        paths, places="A", lead_time=LEAD, review_period=1, holding_cost=np.array([HELD, STORED]), shortage_cost=OWED,
        on_hand=np.array([max(place, 0.0), warehouse]), backorders=np.array([max(-place, 0.0), 0.0]),
        pipeline=pipeline, shared={"unmet_demand": "backorder"}, sales=np.array([1.0, 0.0]),
    )  # fmt: skip
    moved = propose(tonight)
    found = lines(replace(tonight, state=moved.state))
    return float(moved.transfers.quantity.sum()), float(found.at(found.chosen)[1])


@pytest.mark.slow
def test_our_orders_and_shipments_cost_what_the_optimum_of_two_stages_costs():
    best = serial_levels(
        [Poisson(np.array([RATE])), Poisson(np.array([LEAD * RATE]))], np.array([HELD - STORED, STORED]), OWED, step=1.0
    )

    def optimal(_, warehouse, place, coming):
        ship = min(max(best.level[0] - place, 0.0), warehouse)
        return ship, max(best.level[1] - warehouse - place - sum(coming), 0.0)

    demand = np.random.default_rng(11).poisson(RATE, 60).astype(float)
    mine, least = replay(ours, demand), replay(optimal, demand)
    assert mine == pytest.approx(least, rel=0.04)
    # the book counts the upper stage's stock before the last period's demand, we after it
    many = replay(optimal, np.random.default_rng(12).poisson(RATE, 40_000).astype(float))
    assert many == pytest.approx(best.cost - STORED * RATE, rel=0.01)
