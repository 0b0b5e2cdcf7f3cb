"""Minimums, trucks and price breaks of orders with few lines, held against every number of packs there is."""

from dataclasses import replace

import numpy as np
import pytest

from planning_case import after_ordering, case, reviews
from stockcast.inventory import PriceBreak, SharedTerms, SupplierTerms
from stockcast.policies import check, lines, plan
from stockcast.policies.coupling import Goods, orders, total_cost
from stockcast.policies.finer import with_quantities

PACK, MOST = 6.0, 120


def situation(seed, n=1, pack=PACK, **supplier):
    rng = np.random.default_rng(seed)
    paths = rng.poisson(rng.uniform(2.0, 9.0, (n, 1, 1)), (n, 150, 25)).astype(float)
    made = case(
        paths, lead_time=3, review_period=7, on_hand=5.0, pack_size=pack, unit_cost=np.linspace(2.0, 3.5, n),
        holding_cost=0.01, shortage_cost=3.0, shared=SharedTerms((SupplierTerms("a", **supplier),)),
    )  # fmt: skip
    return replace(made, terms=made.terms.replace(volume=np.ones(n)))


def least_cost(one):
    """The least cost of an order over every number of packs of each line, up to ``MOST``."""
    n = len(one.terms.series)
    found = lines.lines(one)
    every = np.tile(np.arange(1, MOST) * one.terms.pack_size[0], (n, 1))
    whole = with_quantities(found, one, np.arange(n), every, workers=1)
    goods, order = Goods.of(one.terms), orders(one.terms, one.shared, found.at(found.chosen) > 0)
    shape = (whole.quantity.shape[1],) * n
    best = min(
        (total_cost(whole, order, np.array(at), goods), at)
        for at in np.ndindex(*shape)
        if order[0].keeps(whole.at(np.array(at)), goods)
    )
    return best[0], whole, goods, order


@pytest.mark.parametrize(
    "supplier",
    [
        {"min_order_value": 150.0}, {"min_order_value": 420.0, "order_cost": 3.0}, {"min_order_units": 190.0},
        {"truck_volume": 160.0, "truck_min_fill": 0.9, "truck_cost": 4.0},
        {"price_breaks": (PriceBreak(260.0, 0.05),)},
    ],
)  # fmt: skip
def test_one_line_takes_the_packs_that_cost_least(supplier):
    for seed in range(3):
        one = situation(seed, **supplier)
        made = plan("optimizer", one, next_review=reviews(one))
        assert check(one, made.plan.order_quantity, held=made.held) == ()
        best, whole, goods, order = least_cost(one)
        at = np.argmax(whole.quantity == made.plan.order_quantity[:, None], axis=1)
        assert np.array_equal(whole.at(at), made.plan.order_quantity)
        assert total_cost(whole, order, at, goods) <= best + 1e-9 * max(abs(best), 1.0)
        assert not plan("optimizer", after_ordering(one, made.plan.order_quantity),
                        next_review=reviews(one)).plan.order_quantity.any()  # fmt: skip


def test_two_lines_share_a_minimum_as_cheaply_as_any_two_numbers_of_packs(monkeypatch):
    monkeypatch.setattr("test_what_an_order_asks_of_few_lines.MOST", 40)
    for seed in range(2):
        one = situation(seed, n=2, min_order_value=330.0)
        made = plan("optimizer", one, next_review=reviews(one)).plan
        best, whole, goods, order = least_cost(one)
        at = np.argmax(whole.quantity == made.order_quantity[:, None], axis=1)
        assert total_cost(whole, order, at, goods) <= best + 5e-3 * max(abs(best), 1.0)


def test_a_finer_pack_never_costs_more():
    """Whatever packs of 24 can do, single pieces can."""
    for least in (300.0, 600.0, 900.0):
        cost = [
            sum(solve.objective for solve in plan("optimizer", one, next_review=reviews(one)).solves)
            for one in (situation(1, pack=pack, min_order_value=least) for pack in (1.0, 24.0))
        ]
        assert cost[0] <= cost[1] + 1e-9
        assert cost[0] < 0 or least > 300
