"""Planning a night again, once its orders and its transfers are booked, with everything that ties them: nothing more."""

from dataclasses import replace

import numpy as np
import pytest

from night_case import night
from planning_case import after_ordering, reviews
from stockcast.policies import check, check_transfers, plan, propose
from transfer_case import lines_of

USUAL = 6


def moves_and_orders_nothing_again(seed):
    tonight = night(seed)
    moved = propose(tonight)
    movable = np.ones(len(tonight.terms.series), dtype=bool)
    assert check_transfers(tonight, lines_of(tonight, moved.transfers), moved.state, movable) == ()
    after = replace(tonight, state=moved.state)
    first = plan("auto", after, next_review=reviews(after))
    quantity = first.plan.order_quantity
    assert check(after, quantity, held=first.held) == ()
    sent = propose(after).transfers
    assert not len(sent), (seed, "transfers booked", sent.reason)
    booked = after_ordering(after, quantity)
    again = propose(booked)
    assert not len(again.transfers), (seed, "both booked", again.transfers.reason)
    more = plan("auto", booked, next_review=reviews(booked)).plan.order_quantity
    assert not more.any(), (seed, np.flatnonzero(more))
    return len(moved.transfers) > 0, bool(quantity.any()), any(one.code == "SC-P031" for one in moved.alerts)


@pytest.mark.parametrize(
    "seed", [0, 1, 186, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, USUAL))]
)  # a break just out of reach of a settled order
def test_planning_again_moves_and_orders_nothing(seed):
    moves_and_orders_nothing_again(seed)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_planning_again_moves_and_orders_nothing_in_many_nights():
    seen = np.array([moves_and_orders_nothing_again(seed) for seed in range(USUAL, 400)])
    assert (seen.mean(axis=0) > 0.3).all(), "they do move, order, and lack room"
