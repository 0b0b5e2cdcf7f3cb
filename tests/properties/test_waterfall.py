"""The steps to a quantity add up to it exactly, and each is what its name says, over many drawn plans."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from planning_case import case, drawn, reviews
from stockcast.core.errors import InvariantError
from stockcast.policies import STEPS, Waterfall, plan
from stockcast.policies.classical.rules import NAMES
from stockcast.policies.waterfall import SHARED, WHOLE_ORDER
from whole_case import whole


def fractional(seed):
    """Goods by weight: stock, pipeline and demand are no whole numbers, of very different sizes."""
    situation = drawn(seed, coupled=False)
    rng = np.random.default_rng(seed)
    scale = rng.choice([0.013, 0.37, 41.7], len(situation.terms.series))
    demand = replace(
        situation.demand,
        source=replace(situation.demand.source, values=situation.demand.paths() * scale[:, None, None]),
    )
    state = replace(
        situation.state, on_hand=situation.state.on_hand * scale, backorders=situation.state.backorders * scale
    )
    past = replace(situation.past, sales=situation.past.sales * 0.37)
    packs = np.where(rng.random(len(scale)) < 0.5, situation.terms.pack_size * 0.25, 0.0)
    return replace(situation, past=past, state=state, demand=demand, terms=situation.terms.replace(pack_size=packs))


def plans():
    for seed in range(24):
        yield drawn(seed), "optimizer" if seed < 6 else "newsvendor"
    for seed in range(16):
        yield whole(seed), "newsvendor"
        yield fractional(seed), "newsvendor"
    for seed in range(8):
        yield drawn(100 + seed), NAMES[seed % len(NAMES)]


def test_steps_add_up_exactly_and_mean_what_they_say():
    seen = dict.fromkeys(STEPS, 0)
    binds = 0
    for situation, policy in plans():
        planned = plan(policy, situation, next_review=reviews(situation))
        made, steps, terms = planned.plan, planned.waterfall.steps, situation.terms
        # as decimals, the way they are written
        for row in range(len(terms.series)):
            told = sum(Decimal(repr(float(value))) for value in steps[row])
            assert told == Decimal(repr(float(planned.waterfall.quantity[row])))
            assert sum(units for _, units in planned.waterfall.line(row)) == Fraction(str(told))
        assert np.allclose(planned.waterfall.quantity, made.order_quantity, rtol=1e-5, atol=0)
        whole_units = made.order_quantity == np.rint(made.order_quantity)
        assert np.array_equal(planned.waterfall.quantity[whole_units], made.order_quantity[whole_units])
        of = {name: steps[:, at] for at, name in enumerate(STEPS)}
        for name in STEPS:
            seen[name] += int((of[name] != 0).sum())
        digit = 2e-5 * np.maximum(1.0, np.abs(steps).max(axis=1))  # six digits of the line's largest number
        assert (np.abs(of["need"] - made.demand_mean) <= digit).all()
        assert (np.abs(of["need"] + of["safety"] + of["cycle"] - made.order_up_to_level) <= digit).all()
        assert np.allclose(-of["on_hand"], situation.state.on_hand, rtol=1e-5, atol=0)
        free = steps[:, : STEPS.index("pack")].sum(axis=1)
        assert (np.abs(free - made.unconstrained_quantity) <= digit).all()
        assert (of["excess"] >= 0).all()
        assert (of["max_order"] <= 0).all()
        for name in ("not_due", "no_review", "not_orderable"):
            assert (of[name] <= digit).all(), name
        for row, name in enumerate(made.binding.tolist()):
            if name in (*WHOLE_ORDER, *SHARED):
                assert of[name][row] != 0
                binds += 1
    # the first of warehouses only; these plans look one review ahead, tests/properties/test_plan_ahead.py has others
    assert [name for name, count in seen.items() if not count] == ["at_places", "later"], seen
    assert binds > 50


def test_a_move_without_a_name_is_refused():
    from stockcast.policies.decision import decide
    from stockcast.policies.lines import lines

    situation = case(np.full((1, 4, 6), 5.0), review_period=2)
    found = lines(situation)
    made = decide(situation, found, joint=False, solving=[])
    made.final = np.zeros_like(made.final)
    with pytest.raises(InvariantError, match="do not add up"):
        Waterfall.of(situation, found, made)
