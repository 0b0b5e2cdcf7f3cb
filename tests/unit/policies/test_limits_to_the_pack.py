"""What a limit leaves is bought to the last pack: one line within a budget or a room, against every quantity there is."""

from dataclasses import replace

import numpy as np
import pytest

from planning_case import after_ordering, case, reviews
from stockcast.inventory import PriceBreak, SharedTerms, SupplierTerms
from stockcast.policies import check, plan
from whole_case import whole

PACK, COST = 6.0, 5.0


def situation(budget=None, room=None, most=np.inf, lines=1, seed=3):
    paths = np.random.default_rng(seed).poisson(4.0, (lines, 200, 21))
    shared = SharedTerms(
        (SupplierTerms("a", order_cost=10.0),), budget=budget, storage={} if room is None else {"main": room}
    )
    made = case(
        paths, lead_time=3, review_period=7, on_hand=10.0, pack_size=PACK, unit_cost=COST, holding_cost=0.0034,
        shortage_cost=4.0, order_cost=2.0, max_order=most, shared=shared,
    )  # fmt: skip
    return replace(made, terms=made.terms.replace(volume=np.ones(lines)))


def planned(one):
    made = plan("optimizer", one, next_review=reviews(one))
    assert check(one, made.plan.order_quantity, held=made.held) == ()
    return made.plan


@pytest.mark.parametrize("budget", [30.0, 60.0, 100.0, 150.0, 240.0, 300.0])
def test_a_budget_is_spent_to_the_pack_that_saves_most(budget):
    made = planned(situation(budget))
    most = {q: planned(situation(most=q)) for q in np.arange(PACK, budget / COST + 0.1, PACK).tolist()}
    assert max(float(one.order_quantity[0]) for one in most.values()) > 0 or budget < 60
    best = max(most.values(), key=lambda one: float(one.expected_cost_saving[0]))
    assert made.order_quantity[0] == best.order_quantity[0]


@pytest.mark.parametrize("room", [12.0, 20.0, 27.0, 33.0, 50.0])
def test_a_room_is_filled_to_the_pack_that_fits(room):
    free, made = planned(situation()), planned(situation(room=room))
    lies = float(plan("optimizer", situation(), next_review=reviews(situation())).held[0])
    fits = max(np.floor((room - lies) / PACK) * PACK, 0.0)
    if fits < free.order_quantity[0]:
        assert made.order_quantity[0] in (fits, 0.0)
        assert made.order_quantity[0] == fits or fits < 2 * PACK


@pytest.mark.parametrize("seed", range(6))
def test_no_pack_more_of_any_line_is_affordable_and_saves(seed):
    one = situation(budget=350.0, lines=5, seed=seed)
    whole = plan("optimizer", one, next_review=reviews(one))
    made = whole.plan
    left = 350.0 - float(made.order_quantity @ one.terms.unit_cost)
    again = planned(situation(lines=5, seed=seed))
    assert left < PACK * COST or np.array_equal(made.order_quantity, again.order_quantity)


@pytest.mark.parametrize("terms", [{"min_order_value": 900.0}, {"price_breaks": (PriceBreak(900.0, 0.1),)}])
def test_the_rest_of_a_begun_order_is_chosen_to_the_pack_too(terms):
    """24 of the 90 that the terms ask for are placed: 66 are missing, and the next candidates of the line are 48, 108."""
    night = case(
        np.full((1, 10, 90), 5.0), on_hand=5.0, lead_time=3, review_period=7, pack_size=6.0, unit_cost=10.0,
        holding_cost=0.02, shortage_cost=5.0, shared=SharedTerms((SupplierTerms("a", **terms),)),
    )  # fmt: skip
    begun = after_ordering(night, np.array([24.0]))
    rest = planned(begun)
    assert rest.order_quantity.tolist() == [66.0]
    assert planned(after_ordering(begun, rest.order_quantity)).order_quantity.tolist() == [0.0]


@pytest.mark.parametrize(("pack", "placed"), [(2.4, 7.2), (2.4, 16.8), (6.0, 5.0), (0.3, 0.9)])
def test_what_is_ordered_further_is_whole_packs_whatever_is_placed_already(pack, placed):
    """Sums of packs may be off in their last digit, and an order that was placed by hand may hold half a pack."""
    one = situation(seed=4)
    terms = one.terms.replace(pack_size=np.full(1, pack), moq=np.full(1, 4 * pack), ordered_now=np.full(1, placed))
    free = planned(replace(one, terms=terms))
    assert free.order_quantity[0] > 0
    bound = replace(one, terms=terms, shared=replace(one.shared, budget=0.61 * COST * float(free.order_quantity[0])))
    assert 0 < planned(bound).order_quantity[0] < free.order_quantity[0]


@pytest.mark.parametrize("pack", [2.4, 0.3, 1.7, 0.001, 1 / 3])
@pytest.mark.parametrize("policy", ["optimizer", "newsvendor", "order_up_to"])
def test_packs_of_any_decimals_are_whole_in_exact_numbers(pack, policy):
    paths = np.random.default_rng(5).poisson(4.0, (9, 60, 21))
    one = case(paths, lead_time=3, review_period=7, on_hand=np.arange(9.0), pack_size=pack, unit_cost=COST,
               holding_cost=0.0034, shortage_cost=4.0, moq=6 * pack, max_order=np.arange(9.0, 27.0, 2.0))  # fmt: skip
    made = plan(policy, one, next_review=reviews(one))
    assert check(one, made.plan.order_quantity, held=made.held) == ()
    assert (made.plan.order_quantity > 0).sum() > 5


def test_the_rest_of_a_night_opens_nothing_again():
    """Of a night whose first plan filled a room to the pack, a second plan orders nothing more."""
    for seed in (158, 164, 579):
        one = whole(seed)
        first = plan("optimizer", one, next_review=reviews(one)).plan.order_quantity
        assert not planned(after_ordering(one, first)).order_quantity.any()


def test_lines_that_are_too_many_for_more_candidates_are_counted(monkeypatch):
    one = situation(budget=350.0, lines=5)
    assert plan("optimizer", one, next_review=reviews(one)).coarse == 0
    monkeypatch.setattr("stockcast.policies.decision.MANY", 2)
    assert plan("optimizer", one, next_review=reviews(one)).coarse > 2
