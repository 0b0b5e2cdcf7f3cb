"""The checker refuses every way of breaking a plan, and no plan that keeps the rules."""

from dataclasses import replace

import numpy as np
import pytest

from echelon_case import fed_network
from planning_case import case, drawn, reviews
from stockcast.inventory import SharedTerms, SupplierTerms
from stockcast.policies import check, plan

SHARED = SharedTerms((SupplierTerms("a", min_order_value=100.0, min_order_units=20.0),), budget=200.0)


def situation(**terms):
    given = {"pack_size": 6, "moq": 12, "max_order": 36, "unit_cost": 4.1, "shared": SHARED} | terms
    return case(np.ones((3, 4, 5)), **given)


VALID = np.array([12.0, 0.0, 24.0])


def rules(plan_quantity, **terms):
    return {violation.rule for violation in check(situation(**terms), np.asarray(plan_quantity))}


def test_a_valid_plan_passes():
    assert rules(VALID) == set()
    assert rules([0.0, 0.0, 0.0]) == set()


@pytest.mark.parametrize(
    ("quantity", "terms", "rule"),
    [
        ([13.0, 0, 24], {}, "pack"),
        ([12.0, 0, 23.999999], {}, "pack"),
        ([6.0, 0, 24], {}, "moq"),
        ([42.0, 0, 0], {}, "max_order"),
        ([24.0, 0, 30], {}, "budget"),
        ([18.0, 0, 0], {}, "supplier_minimum"),
        ([24.0, 0, 0], {"unit_cost": 4.0}, "supplier_minimum"),
        ([-6.0, 0, 24], {}, "negative"),
        ([np.nan, 0, 24], {}, "number"),
        ([np.inf, 0, 24], {}, "number"),
        ([12.0, 0, 24], {"at_review": [False, True, True]}, "review"),
        ([12.0, 0, 24], {"orderable": [True, True, False]}, "not_orderable"),
        ([12.0, 0, 24, 12], {}, "lines"),
        ([12.0, 0, 24], {"ordered_now": [30.0, 0, 0]}, "max_order"),
    ],
)
def test_a_broken_plan_is_refused(quantity, terms, rule):
    assert rule in rules(quantity, **terms)


def test_what_was_ordered_in_this_period_counts():
    assert rules([6.0, 0, 24], ordered_now=[6.0, 0, 0]) == set()
    used = replace(SHARED, budget_used=60.0)
    assert rules(VALID, shared=used) == {"budget"}
    met = replace(SHARED, suppliers=(replace(SHARED.suppliers[0], committed_value=100.0, committed_units=20.0),))
    assert rules([12.0, 0, 0], shared=met) == set()


def test_a_sum_that_reaches_the_minimum_on_paper_reaches_it():
    shared = SharedTerms((SupplierTerms("a", min_order_value=0.3),))
    assert rules([1.0, 1.0, 1.0], unit_cost=0.1, pack_size=0, moq=0, shared=shared) == set()


@pytest.mark.parametrize("seed", range(30, 36))
def test_every_mutation_of_a_real_plan_is_refused(seed):
    given = drawn(seed)
    quantity = plan("auto", given, next_review=reviews(given)).plan.order_quantity
    assert check(given, quantity) == ()
    terms = given.terms
    for at in np.flatnonzero(quantity > 0):
        for wrong in (
            -quantity[at],
            quantity[at] + terms.pack_size[at] / 2,
            terms.max_order[at] + 1,
            terms.moq[at] - 1,
        ):
            if wrong in (0.0, quantity[at], np.inf) or (
                terms.pack_size[at] == 0 and wrong > 0 and wrong >= terms.moq[at]
            ):
                continue
            broken = quantity.copy()
            broken[at] = wrong
            found = {v.rule for v in check(given, broken)}
            legal = (
                wrong >= terms.moq[at] and wrong % max(terms.pack_size[at], 1e-9) == 0 and wrong <= terms.max_order[at]
            )
            assert found or legal


@pytest.mark.parametrize(
    ("quantity", "given", "refused"),
    [
        (12.5, {}, True),
        (13.0, {}, False),
        (12.5, {"sales": 0.5}, False),
        (12.5, {"on_hand": 0.25}, False),
        (12.5, {"pack_size": 2.5}, False),
    ],
)
def test_half_a_piece_of_goods_in_whole_pieces_is_refused(quantity, given, refused):
    terms = {"pack_size": 0, "moq": 0, "shared": SharedTerms()} | given
    found = check(situation(**terms), np.array([quantity, 0.0, 0.0]))
    assert [one.rule for one in found] == ["pack"] * refused
    assert all("12.5 units of goods that come in whole pieces" in one.message for one in found)


def test_a_warehouse_orders_parts_of_what_a_place_sells_in_parts():
    paths = np.ones((2, 4, 9))
    whole = fed_network(paths, places="A", on_hand=0.0, sales=np.array([1.0, 0.0]))
    parts = fed_network(paths, places="A", on_hand=0.0, sales=np.array([0.5, 0.0]))
    quantity = np.array([0.0, 2.5])
    assert [one.rule for one in check(whole, quantity)] == ["pack"]
    assert check(parts, quantity) == ()
