"""The model of several reviews against every choice there is, both solvers against each other, and what is refused."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from ahead_case import drawn_ahead, outlook
from planning_case import reviews
from stockcast.policies import check, plan
from stockcast.policies.ahead import best_schedule, cycles
from stockcast.policies.ahead.cycles import Cycles
from stockcast.policies.ahead.schedule import Terms
from stockcast.policies.milp import AheadModel, Answer, Solver, Solving, solve_ahead
from stockcast.policies.milp.solving import answer


class Here(Solver):
    """Solves in this process."""

    def ask(self, name, problem, time_limit):
        return answer(name, problem, time_limit)


HERE = Solving(Here())


def instance(seed, n=3, last=3, width=5, minimums=True):
    """Draw tables of costs that are convex in the quantity, and a supplier's terms."""
    rng = np.random.default_rng(seed)
    quantity = np.concatenate([np.zeros((n, 1)), np.cumsum(rng.integers(1, 9, (n, width - 1)), axis=1) * 1.0], axis=1)
    best = rng.uniform(0, 30, (n, 1, last)) + 4.0 * np.arange(last)
    first = rng.uniform(0.5, 2, (n, 1, last)) * np.abs(quantity[:, :, None] - best) + 6.0 * np.arange(last)
    first += 3.0 * (quantity > 0)[:, :, None]
    later = np.full((n, last + 1, last + 1), np.inf)
    covers = np.zeros((n, last + 1, last + 1))
    for r, s in itertools.combinations(range(last + 1), 2):
        covers[:, r, s] = (s - r) * rng.uniform(3, 9, n)
        if r:
            later[:, r, s] = rng.uniform(1, 6, n) * (s - r) ** 2 + 2.0
    closed = rng.random(n) < 0.2  # a line that cannot be ordered at the second review
    first[closed, :, 0] = np.inf
    later[closed, 1] = np.inf
    later[closed, :, 1] = np.inf
    header = float(rng.choice([0, 5, 25]))
    least = np.array([float(rng.choice([0, 40, 90])), float(rng.choice([0, 12])), 0.0]) * minimums
    use = np.stack([rng.integers(1, 9, n) * 1.0, np.ones(n), np.zeros(n)])
    terms = Terms(header, header, least * rng.choice([0.5, 1.0]), least, use)
    return Cycles(quantity, first, later, covers, np.arange(last + 1) * 7), terms


def every_way(found):
    """Give each line's choices: candidate, the reviews at which it is ordered later, and the cost."""
    last = found.last
    for i in range(len(found.quantity)):
        ways = []
        for later in itertools.product([False, True], repeat=last - 1):
            nodes = [s for s, some in enumerate(later, 1) if some] + [last]
            for j in range(found.quantity.shape[1]):
                cost = found.first[i, j, nodes[0] - 1]
                cost += sum(found.later[i, r, s] for r, s in itertools.pairwise(nodes))
                if np.isfinite(cost):
                    ways.append((j, nodes, float(cost)))
        yield ways


def best_of_all(found, terms):
    best = np.inf
    for choice in itertools.product(*every_way(found)):
        orders = {0} if any(found.quantity[i, j] > 0 for i, (j, _, _) in enumerate(choice)) else set()
        orders |= {s for _, nodes, _ in choice for s in nodes[:-1]}
        cost = sum(one for *_, one in choice) + terms.header * (0 in orders) + terms.later_header * len(orders - {0})
        if cost >= best:
            continue
        held = np.zeros((found.last, 3))
        for i, (j, nodes, _) in enumerate(choice):
            held[0] += terms.use[:, i] * found.quantity[i, j]
            for r, s in itertools.pairwise(nodes):
                held[r] += terms.use[:, i] * found.covers[i, r, s]
        if all((held[t] >= (terms.now if t == 0 else terms.later) - 1e-9).all() for t in orders):
            best = cost
    return best


@pytest.mark.parametrize("begin", range(0, 60, 12))
def test_the_model_finds_the_enumerated_optimum(begin):
    for seed in range(begin, begin + 12):
        found, terms = instance(seed)
        best = best_of_all(found, terms)
        for solver in ("HiGHS", "CBC"):
            model = AheadModel.of("test", found, terms)
            orders, chosen, told = model.read(answer(solver, model.problem, 60.0))
            assert orders is not None
            assert chosen is not None
            assert told.objective == pytest.approx(best, abs=1e-6), (seed, solver)
            assert told.bound <= told.objective


@pytest.mark.parametrize("seed", [*range(12), *(pytest.param(n, marks=pytest.mark.slow) for n in range(12, 30))])
def test_trying_every_set_is_exact_without_minimums_and_a_bound_with_them(seed):
    found, terms = instance(seed, minimums=False)
    best = best_schedule(found, terms)
    assert best.cost == pytest.approx(best_of_all(found, terms))
    assert best.bound == pytest.approx(best.cost)
    found, terms = instance(seed)
    assert best_schedule(found, terms).bound <= best_of_all(found, terms) + 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_highs_and_cbc_agree_on_ten_lines_and_four_reviews(seed):
    found, terms = instance(100 + seed, n=10, last=4, width=8)
    model = AheadModel.of("test", found, terms)
    told = [model.read(answer(solver, model.problem, 60.0))[2] for solver in ("HiGHS", "CBC")]
    assert told[0].objective == pytest.approx(told[1].objective, abs=1e-5)
    relaxed = replace(model.problem, integer=np.zeros_like(model.problem.integer))
    bound = answer("HiGHS", relaxed, 60.0)
    assert float(bound.values @ model.problem.cost) + model.constant <= told[0].objective + 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_what_is_no_plan_is_refused(seed):
    found, terms = instance(seed)
    model = AheadModel.of("test", found, terms)
    good = answer("HiGHS", model.problem, 60.0)
    rng = np.random.default_rng(seed)
    n = len(good.values)
    broken = [np.zeros(n), np.full(n, 0.5), np.ones(n), np.full(n, np.nan), good.values[:-1]]
    two = good.values.copy()
    two[[x for x, _, _ in model.takes[0]][:2]] = 1.0
    none = good.values.copy()
    none[[x for x, _, _ in model.takes[int(rng.integers(3))]]] = 0.0
    shut = good.values.copy()
    shut[model.opens] = 0.0
    for values in (*broken, two, none, *([shut] if (good.values[model.opens] > 0.5).any() else [])):
        orders, chosen, told = model.read(Answer("HiGHS", "optimal", values, 0.0, 0.0))
        assert orders is None
        assert chosen is None
        assert "not a plan" in told.status


class Silent(Solver):
    """Gives nothing."""

    def ask(self, name, problem, time_limit):
        return Answer(name, "no solution", None, problem.floor, 0.0)


class Zeros(Solver):
    """Gives zeros that are called optimal."""

    def ask(self, name, problem, time_limit):
        return Answer(name, "optimal", np.zeros(len(problem.cost)), problem.floor, 0.0)


@pytest.mark.parametrize("stub", [Silent, Zeros])
def test_without_an_answer_the_order_is_planned_all_the_same_and_told(stub):
    situation, times = drawn_ahead(2, n=4, weeks=4, header=30.0, least=260.0)
    seen = outlook(situation, times)
    made = plan("optimizer", situation, next_review=reviews(situation), outlook=seen, solver=stub())
    assert "SC-P037" in {alert.code for alert in made.alerts}
    assert (made.plan.fallback != "").all()
    assert not check(situation, made.plan.order_quantity, held=made.held)
    assert (made.waterfall.quantity == made.plan.order_quantity).all()


def test_minimums_of_later_orders_are_expected_to_be_reached():
    situation, times = drawn_ahead(2, n=4, weeks=4, header=1.0, least=260.0)
    found = cycles(situation, np.arange(4), outlook(situation, times), times, np.zeros((4, 1)))
    unit = situation.terms.unit_cost
    terms = Terms(1.0, 1.0, np.array([260.0, 0, 0]), np.array([260.0, 0, 0]), np.stack([unit, np.ones(4), np.zeros(4)]))
    ways = solve_ahead("test", found, terms, HERE)
    assert ways.solves[0].status == "optimal"
    loose = replace(terms, now=np.zeros(3), later=np.zeros(3))
    assert ways.solves[0].objective >= best_schedule(found, loose).cost - 1e-9
    assert ways.orders.sum() < best_schedule(found, loose).orders.sum()
