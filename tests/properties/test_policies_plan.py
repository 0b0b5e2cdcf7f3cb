"""What must hold of any plan, over many drawn situations."""

from dataclasses import replace

import numpy as np
import pytest

from planning_case import after_ordering, case, drawn, reviews
from stockcast.policies import Newsvendor, Orderable, check, plan
from whole_case import whole

SEEDS = (1, 9)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("policy", ["optimizer", "newsvendor"])
def test_planning_again_orders_nothing(seed, policy):
    for backorder in (False, True):
        situation = drawn(seed, backorder=backorder)
        first = plan(policy, situation, next_review=reviews(situation)).plan.order_quantity
        again = plan(policy, after_ordering(situation, first), next_review=reviews(situation)).plan.order_quantity
        assert not again.any(), np.flatnonzero(again)


def test_the_drawn_situations_do_order():
    ordered = [plan("auto", s, next_review=reviews(s)).plan.order_quantity > 0 for s in map(drawn, SEEDS)]
    assert 0.2 < np.mean(ordered) < 0.8


@pytest.mark.parametrize("seed", SEEDS)
def test_every_plan_is_finite_passes_the_check_and_its_waterfall_adds_up(seed):
    situation = drawn(seed)
    situation = replace(situation, shared=replace(situation.shared, budget=300.0 if seed % 2 else None))
    planned = plan("auto", situation, next_review=reviews(situation))
    made = planned.plan
    assert check(situation, made.order_quantity) == ()
    for name in made.__dataclass_fields__:
        column = getattr(made, name)
        if isinstance(column, np.ndarray) and column.dtype.kind in "fi":
            # a service target without a holding cost has no money to state a saving in
            blank = name in ("expected_cost_saving", "marginal_value")
            told = (situation.terms.objective == 0) | (situation.terms.holding_cost > 0) | (not blank)
            assert np.isfinite(column[told]).all(), name
    assert sorted(made.priority.tolist()) == list(range(1, len(made.priority) + 1))
    assert (made.stockout_risk_with <= made.stockout_risk_without + 1e-12).all()
    for row in range(len(made.order_quantity)):
        assert sum(units for _, units in planned.waterfall.line(row)) == made.order_quantity[row]


@pytest.mark.parametrize("seed", SEEDS)
def test_series_by_themselves_or_in_chunks_give_the_same_bytes(seed, monkeypatch):
    situation = drawn(seed, coupled=False)
    whole = Orderable(Newsvendor()).order(situation)
    for rows in (np.arange(0, 12, 3), np.array([5])):
        assert np.array_equal(Orderable(Newsvendor()).order(situation.take(rows)), whole[rows])


@pytest.mark.parametrize("seed", SEEDS)
def test_more_stock_never_orders_more(seed):
    situation = drawn(seed, coupled=False)
    terms = situation.terms
    situation = replace(situation, terms=terms.replace(order_cost=np.zeros_like(terms.order_cost)))
    last = None
    for extra in range(0, 60, 7):
        state = situation.state
        richer = replace(situation, state=replace(state, on_hand=state.on_hand + extra))
        quantity = Newsvendor().order(richer)
        assert last is None or (quantity <= last + 1e-9).all()
        last = quantity


@pytest.mark.parametrize("seed", SEEDS)
def test_monotone_in_shortage_and_holding_cost(seed):
    situation = drawn(seed, coupled=False, objective=0)
    terms = situation.terms.replace(order_cost=np.zeros(12), holding_cost=np.full(12, 0.1))
    low = replace(situation, terms=terms)
    dearer = replace(situation, terms=terms.replace(shortage_cost=terms.shortage_cost * 3))
    costly = replace(situation, terms=terms.replace(holding_cost=terms.holding_cost * 3))
    order = Newsvendor().order
    assert (order(dearer) >= order(low) - 1e-9).all()
    assert (order(costly) <= order(low) + 1e-9).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_units_times_k_and_costs_by_k_orders_k_times_as_much(seed):
    k = 4.0
    one = drawn(seed, coupled=False)
    terms, state, demand = one.terms, one.state, one.demand
    terms = terms.replace(pack_size=np.maximum(terms.pack_size, 2.0), moq=np.ceil(terms.moq / 24) * 24)
    one = replace(one, terms=terms)
    scaled = {name: getattr(terms, name) * k for name in ("moq", "pack_size", "max_order", "min_stock", "ordered_now")}
    costs = {name: getattr(terms, name) / k for name in ("unit_cost", "holding_cost", "shortage_cost")}
    many = replace(
        one,
        terms=terms.replace(**scaled, **costs),
        state=replace(state, on_hand=state.on_hand * k, backorders=state.backorders * k, pipeline=state.pipeline * k),
        demand=replace(demand, source=type(demand.source)(demand.source.values * k)),
    )
    np.testing.assert_allclose(Orderable(Newsvendor()).order(many), k * Orderable(Newsvendor()).order(one), rtol=1e-9)


def test_nothing_is_ordered_when_stock_covers_every_path():
    for seed in SEEDS:
        situation = drawn(seed)
        state, terms = situation.state, situation.terms.replace(min_stock=np.zeros(12))
        total = situation.demand.paths().sum(axis=2).max(axis=1)
        rich = replace(situation, terms=terms, state=replace(state, on_hand=total + state.backorders))
        assert not plan("auto", rich, next_review=reviews(rich)).plan.order_quantity.any()


def test_a_lead_time_without_variance_is_a_fixed_one_to_the_byte():
    rng = np.random.default_rng(3)
    paths = rng.poisson(3.0, (4, 80, 20))
    fixed = case(paths, lead_time=3, review_period=4)
    varied = case(paths, lead_time=3, review_period=4, lead_time_sd=[0.0, 0.0, 2.0, 0.0])
    a, b = Newsvendor().order(fixed), Newsvendor().order(varied)
    assert np.array_equal(a[[0, 1, 3]], b[[0, 1, 3]])
    assert a[2] != b[2]


def test_workers_change_nothing(monkeypatch):
    from stockcast.policies import lines

    situation = drawn(5)
    one = plan("auto", situation, next_review=reviews(situation)).plan
    monkeypatch.setattr(lines, "PIECE", 3)
    monkeypatch.setattr(lines, "WORTH_A_POOL", 2)
    two = plan("auto", situation, next_review=reviews(situation), workers=2).plan
    for name in one.__dataclass_fields__:
        if name != "series":
            numbers = getattr(one, name).dtype.kind == "f"
            assert np.array_equal(getattr(one, name), getattr(two, name), equal_nan=numbers), name


def orders_nothing_again(seed):
    situation = whole(seed)
    first = plan("auto", situation, next_review=reviews(situation))
    assert check(situation, first.plan.order_quantity, held=first.held) == ()
    again = plan("auto", after_ordering(situation, first.plan.order_quantity), next_review=reviews(situation))
    assert not again.plan.order_quantity.any(), (seed, np.flatnonzero(again.plan.order_quantity))
    return first


@pytest.mark.parametrize(
    "seed",
    [0, 20298, 100713, 105059, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2204, 3813, 20097, 105055))],
)  # once: cut off, a break, for nothing
def test_planning_again_orders_nothing_with_every_kind_of_term(seed):
    orders_nothing_again(seed)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_planning_again_orders_nothing_in_many_states():
    ordered = [orders_nothing_again(seed).plan.order_quantity.any() for seed in range(1000, 1300)]
    assert np.mean(ordered) > 0.5


def test_more_budget_and_more_room_never_cost_more():
    situation = whole(3)
    last = np.inf
    for share in (0.2, 0.5, 0.8, 1.2, 2.0):
        shared = replace(situation.shared, budget=2000.0 * share, storage={"main": 400.0 * share})
        made = plan("auto", replace(situation, shared=shared), next_review=reviews(situation))
        names = [solve.supplier for solve in made.solves]
        held = [solve for solve in made.solves if solve.supplier == "limits"] if "limits" in names else made.solves
        cost = sum(solve.objective for solve in held)
        assert cost <= last + 1e-6 * abs(cost)
        last = cost
