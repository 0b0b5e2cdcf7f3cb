"""The rules that every policy keeps."""

from dataclasses import replace

import numpy as np
import pytest

from planning_case import drawn
from stockcast.policies import Newsvendor, Optimizer, Orderable, check
from stockcast.policies.reorder import Classical

RULES = ("cover", "min_max", "order_up_to", "safety_stock")
POLICIES = [Newsvendor(), Orderable(Newsvendor()), Optimizer(), *(Classical(rule) for rule in RULES)]


@pytest.fixture(params=POLICIES, ids=lambda policy: getattr(policy, "rule", policy.name))
def policy(request):
    return request.param


def test_same_seed_same_bytes_and_no_input_changed(policy):
    situation = drawn(3)
    before = [situation.state.pipeline.copy(), situation.state.on_hand.copy(), situation.terms.moq.copy()]
    first, second = policy.order(situation), policy.order(situation)
    assert first.tobytes() == second.tobytes()
    after = [situation.state.pipeline, situation.state.on_hand, situation.terms.moq]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_finite_not_negative_and_only_at_review(policy):
    for seed in range(3):
        situation = drawn(seed)
        quantity = policy.order(situation)
        assert np.isfinite(quantity).all()
        assert (quantity >= 0).all()
        assert not quantity[~(situation.terms.at_review & situation.terms.orderable)].any()


def test_one_period_all_zero_and_constant_demand(policy):
    for paths in (np.zeros((2, 5, 1)), np.full((2, 5, 1), 3.0)):
        from planning_case import case

        quantity = policy.order(case(paths))
        ahead = 2 if getattr(policy, "rule", "") in ("cover", "min_max") else 1  # they cover one more review
        assert quantity.tolist() == (ahead * paths[:, 0, 0]).tolist()


def test_series_by_themselves_order_the_same(policy):
    situation = drawn(6, coupled=False)
    whole = policy.order(situation)
    rows = np.array([1, 4, 7])
    assert np.array_equal(policy.order(situation.take(rows)), whole[rows])


def test_nothing_above_the_target_before_packs():
    situation = drawn(8, coupled=False)
    state = situation.state
    rich = replace(situation, state=replace(state, on_hand=state.on_hand + 10_000))
    assert not Newsvendor().order(rich).any()


def test_what_is_orderable_passes_the_check():
    for seed in range(4):
        situation = drawn(seed, coupled=False)
        assert check(situation, Orderable(Newsvendor()).order(situation)) == ()
        coupled = drawn(seed)
        assert check(coupled, Optimizer().order(coupled)) == ()
