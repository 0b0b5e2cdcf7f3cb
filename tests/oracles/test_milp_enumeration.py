"""The models against full enumeration of the candidate tables, and what happens when a solver misbehaves."""

import math
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from coupled_instance import best_of_all, cost_of, instance

from planning_case import case, reviews
from stockcast.inventory import PriceBreak, SharedTerms, SupplierTerms
from stockcast.policies import budget as budget_module
from stockcast.policies import check, plan
from stockcast.policies.budget import priced, within_limits
from stockcast.policies.milp import Answer, Solver, Solving, Worker, solve
from stockcast.policies.milp.solving import answer
from stockcast.policies.prices import prices
from stockcast.policies.repair import keep_limits, meet_minimum, use_the_rest


class Here(Solver):
    """Solves in this process: for instances so small that a pipe would take longer."""

    def ask(self, name, problem, time_limit):
        return answer(name, problem, time_limit)


HERE = Solving(Here())


def agrees(seed):
    lines, every, goods, limits = instance(seed)
    solved = solve("test", lines, every, goods, HERE, limits=limits)
    best = best_of_all(lines, every, goods, limits)
    assert solved.solve.status == "optimal"
    assert solved.solve.objective == pytest.approx(best, abs=1e-6), seed
    assert solved.solve.bound <= solved.solve.objective
    assert cost_of(lines, every, goods, solved.chosen) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("begin", range(0, 50, 10))  # all thousand in test-slow
def test_the_model_finds_the_enumerated_optimum(begin):
    for seed in range(begin, begin + 10):
        agrees(seed)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_the_model_finds_the_enumerated_optimum_of_a_thousand():
    for seed in range(1000, 2000):
        agrees(seed)


def test_the_instances_hold_every_kind_of_term():
    drawn = [instance(seed) for seed in range(100)]
    orders = [order for _, every, _, _ in drawn for order in every]
    assert any(
        order.trucks and order.trucks.min_fill and order.trucks.volume and order.trucks.weight for order in orders
    )
    for has in ("header", "value", "units", "weight", "trucks", "tiers"):
        assert 10 < sum(bool(getattr(order, has)) for order in orders), has
    assert {limit.name for _, _, _, limits in drawn for limit in limits} == {"budget", "storage a"}
    assert sum(best_of_all(*some) < float(some[0].cost[:, 0].sum()) - 1 for some in drawn[:20]) > 10  # orders pay


@pytest.mark.parametrize(
    "seed", [*range(0, 100, 18), *(pytest.param(n, marks=pytest.mark.slow) for n in range(9, 100, 18))]
)
def test_repair_and_price_keep_the_limits_and_bound_the_optimum(seed):
    lines, every, goods, limits = instance(seed)
    best = best_of_all(lines, every, goods, limits)
    price = prices(lines, every, goods, limits)
    shared = priced(lines, every, lines.chosen, goods, limits, price, [HERE])
    analytic = lines.chosen
    for order in every:
        analytic = meet_minimum(lines, order, analytic, goods)
    analytic = keep_limits(lines, every, analytic, goods, limits)
    analytic = use_the_rest(lines, every, analytic, goods, limits)
    for chosen in (shared.chosen, analytic):
        quantity = lines.at(chosen)
        assert all(quantity @ limit.use <= limit.left for limit in limits)
        assert cost_of(lines, every, goods, chosen) >= best - 1e-6
    assert shared.solves[-1].bound <= best + 1e-6
    assert shared.solves[-1].objective == pytest.approx(cost_of(lines, every, goods, shared.chosen), abs=1e-9)


@pytest.mark.parametrize(
    "seed", [*range(0, 100, 18), *(pytest.param(n, marks=pytest.mark.slow) for n in range(9, 100, 18))]
)
def test_any_prices_bound_the_optimum(seed):
    lines, every, goods, limits = instance(seed)
    best = best_of_all(lines, every, goods, limits)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        price = rng.uniform(0, 1, len(limits))
        assert priced(lines, every, lines.chosen, goods, limits, price, [HERE]).solves[-1].bound <= best + 1e-6


def test_a_price_is_what_one_more_unit_saves():
    """Many small lines: the saving of a little more budget is the price to within a tenth."""
    rng = np.random.default_rng(4)
    from coupled_instance import table

    from stockcast.policies.coupling import Goods, Limit, Order, total_cost

    lines = table(rng, 300, 12)
    goods = Goods.priced(rng.integers(1, 9, 300).astype(float))
    every = [Order("a", np.arange(300))]
    wish = float(lines.at(lines.chosen) @ goods.cost)

    def best(budget):
        limits = [Limit("budget", goods.cost, budget)]
        found = priced(lines, every, lines.chosen, goods, limits, prices(lines, every, goods, limits), [HERE])
        return total_cost(lines, every, found.chosen, goods), found.price[0]

    (low, price), (high, _) = best(0.6 * wish), best(0.62 * wish)
    assert (low - high) / (0.02 * wish) == pytest.approx(price, rel=0.1)
    assert best(2 * wish)[1] == 0.0


def coupled_case(budget=None, least=500.0):
    paths = np.random.default_rng(8).poisson(4.0, (6, 80, 14))
    shared = SharedTerms((SupplierTerms("a", order_cost=6.0, min_order_value=least),), budget=budget)
    return case(paths, review_period=7, pack_size=4, unit_cost=2.0, holding_cost=0.05, shared=shared)


def planned(situation, **options):
    return plan("optimizer", situation, next_review=reviews(situation), **options)


class Stub(Solver):
    """A solver that hands back whatever it likes."""

    def __init__(self, behaviour):
        self.behaviour = behaviour

    def ask(self, name, problem, time_limit):
        values = {"zeros": 0.0, "ones": 1.0, "halves": 0.5, "nan": float("nan")}
        n = len(problem.cost)
        status = "feasible" if self.behaviour == "zeros" else "optimal"
        if self.behaviour in values:
            return Answer(name, status, np.full(n, values[self.behaviour]), problem.floor, 0.0)
        if self.behaviour == "short":
            return Answer(name, status, np.zeros(max(n - 1, 0)), problem.floor, 0.0)
        if self.behaviour == "crash":
            return Answer(name, "failed: crashed", None, problem.floor, 0.0)
        if self.behaviour == "nothing":
            return Answer(name, "no solution", None, problem.floor, 0.0)
        found = answer(name, problem, time_limit)  # "smallest": one line alone, far below the supplier's minimum
        chosen = found.values.copy()
        one_each = np.flatnonzero((problem.low == 1) & (problem.high == 1))
        for at, row in enumerate(one_each):
            takes = problem.column[problem.row == row]
            chosen[takes] = 0.0
            chosen[takes[1 if at == 0 else 0]] = 1.0
        return Answer(name, "optimal", chosen, problem.floor, 0.0)


@pytest.mark.parametrize("behaviour", ["zeros", "ones", "halves", "nothing", "nan", "crash", "short", "smallest"])
@pytest.mark.parametrize("budget", [None, 600.0])
def test_a_solver_that_misbehaves_leaves_the_analytic_plan(behaviour, budget):
    situation = coupled_case(budget)
    analytic = plan("newsvendor", situation, next_review=reviews(situation)).plan.order_quantity
    made = planned(situation, solver=Stub(behaviour))
    assert analytic.any()
    assert np.array_equal(made.plan.order_quantity, analytic)
    assert (made.plan.fallback != "").all()
    assert "SC-P017" in {alert.code for alert in made.alerts}
    assert all(solve.status != "optimal" for solve in made.solves)
    assert check(situation, made.plan.order_quantity) == ()


@pytest.mark.parametrize(
    "seed", [*range(0, 60, 12), *(pytest.param(n, marks=pytest.mark.slow) for n in range(6, 60, 12))]
)
def test_cbc_finds_what_highs_finds(seed):
    from stockcast.policies.milp import Model

    model = Model.of("test", *instance(seed)[:3], instance(seed)[3])
    highs, cbc = (model.read(answer(name, model.problem, 30.0))[1] for name in ("HiGHS", "CBC"))
    assert (highs.status, cbc.status) == ("optimal", "optimal")
    assert highs.objective == pytest.approx(cbc.objective, abs=1e-6)


def test_cbc_is_asked_where_highs_gives_none():
    class Half(Solver):
        def ask(self, name, problem, time_limit):
            if name == "HiGHS":
                return Answer(name, "failed: crashed", None, problem.floor, 0.0)
            return answer(name, problem, time_limit)

    situation = coupled_case()
    made = planned(situation, solver=Half())
    assert [(solve.solver, solve.status) for solve in made.solves] == [("HiGHS", "failed: crashed"), ("CBC", "optimal")]
    assert (made.plan.fallback == "").all()
    assert np.array_equal(made.plan.order_quantity, planned(situation).plan.order_quantity)


@pytest.mark.parametrize("budget", [None, 600.0])
def test_what_is_called_the_best_and_is_not_is_doubted_and_cbc_is_asked(budget):
    class Sure(Solver):
        """HiGHS calls it the best to order the least that keeps every term."""

        def ask(self, name, problem, time_limit):
            if name == "CBC":
                return answer(name, problem, time_limit)
            least = replace(problem, cost=1e-3 * np.arange(len(problem.cost))[::-1])
            given = answer(name, least, time_limit)
            return Answer(name, "optimal", given.values, float(given.values @ problem.cost), 0.0)

    situation = coupled_case(budget)
    made = planned(situation, solver=Sure())
    first, second = made.solves[0], made.solves[1]
    assert (first.solver, first.status) == ("HiGHS", "not the best")
    assert (second.solver, second.status) == ("CBC", "optimal")
    assert first.bound < second.objective < first.objective
    assert np.array_equal(made.plan.order_quantity, planned(situation).plan.order_quantity)


@pytest.mark.parametrize(
    "seed", [*range(0, 100, 18), *(pytest.param(n, marks=pytest.mark.slow) for n in range(9, 100, 18))]
)
def test_the_best_is_not_refuted_and_a_worse_neighbour_is(seed):
    from stockcast.policies.milp import Model

    lines, every, goods, limits = instance(seed)
    model = Model.of("test", lines, every, goods, limits)
    chosen, _ = model.read(answer("HiGHS", model.problem, 30.0))
    assert not model.refuted(chosen)
    for line, taken in enumerate(model.takes):
        for j, _ in taken:
            other = chosen.copy()
            other[line] = j
            if model.total(other) > model.total(chosen) + 1e-3:
                assert model.refuted(other)  # going back is a change of one line


def test_a_solver_that_hangs_is_killed_and_the_next_problem_has_a_fresh_one(tmp_path):
    """P03: it answers the greeting, then sleeps; the second process of the same worker answers as it should."""
    mark = tmp_path / "hung"
    code = (
        "import json, os, sys, time; sys.path[:] = json.loads(sys.argv[1])\n"
        "from stockcast.policies.milp import child\n"
        f"mark = {str(mark)!r}\n"
        "if not os.path.exists(mark):\n"
        "    open(mark, 'w').write(str(os.getpid()))\n"
        "    out = os.fdopen(os.dup(1), 'wb'); child.send(out, 'ready'); time.sleep(3600)\n"
        "child.main()"
    )
    import json

    worker = Worker([sys.executable, "-c", code, json.dumps(sys.path)])
    situation = coupled_case()
    began = time.monotonic()
    made = planned(situation, solver=worker, time_limit=1.0)
    assert time.monotonic() - began < 60
    assert made.solves[0].status == "killed at its time limit"
    assert [solve.status for solve in made.solves[1:]] == ["optimal"]
    assert not _alive(int(mark.read_text()))
    worker.close()


def _alive(pid):
    import os

    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("code", ["import time; time.sleep(3600)", "raise SystemExit(3)", "print('not an answer')"])
def test_a_process_that_never_answers_leaves_the_analytic_plan(code):
    worker = Worker([sys.executable, "-c", code])
    situation = coupled_case()
    made = planned(situation, solver=worker, time_limit=0.3)
    assert all(math.isnan(solve.objective) for solve in made.solves)
    assert math.isnan(made.gap)
    assert np.array_equal(
        made.plan.order_quantity, plan("newsvendor", situation, next_review=reviews(situation)).plan.order_quantity
    )
    worker.close()


def test_after_the_deadline_nothing_is_solved():
    made = planned(coupled_case(), until=time.monotonic() - 1.0)
    assert [solve.status for solve in made.solves] == ["no time left before the deadline"]
    assert (made.plan.fallback != "").all()


def test_nothing_reaches_stdout(capfd):
    planned(coupled_case(600.0))
    assert capfd.readouterr() == ("", "")


def test_the_model_is_never_worse_than_the_repair():
    for seed in range(30):
        lines, every, goods, _ = instance(seed)
        for order in every:
            solved = solve("v", lines, [order], goods, HERE)
            repaired = meet_minimum(lines, order, lines.chosen, goods)[order.rows]
            cost = lines.cost[order.rows, repaired].sum() + order.extra(lines.quantity[order.rows, repaired], goods)
            assert solved.solve.objective <= cost + 1e-6


def test_a_large_budget_changes_nothing_and_a_small_one_goes_to_the_price(monkeypatch):
    free, rich = coupled_case(), coupled_case(1e9)
    assert np.array_equal(planned(free).plan.order_quantity, planned(rich).plan.order_quantity)
    tight = coupled_case(200.0, least=150.0)
    exact = planned(tight)
    monkeypatch.setattr(budget_module, "JOINT", 0)
    made = planned(tight)
    assert made.solves[-1].solver == "price"
    assert check(tight, made.plan.order_quantity) == ()
    assert (made.plan.binding == "budget").any()
    joint = next(solve for solve in exact.solves if solve.supplier == "limits")
    assert joint.objective <= made.solves[-1].objective + 1e-9
    assert made.solves[-1].bound <= joint.objective + 1e-6
    (cut,) = [alert for alert in made.alerts if alert.code == "SC-P016"]
    assert "8.00 more of it is needed before anything that is wanted fits, which saves" in cut.message


def test_open_orders_beyond_the_budget_add_nothing_and_are_told_as_slack():
    situation = coupled_case(100.0)
    situation = replace(situation, shared=replace(situation.shared, budget_used=130.0))
    made = planned(situation)
    assert not made.plan.order_quantity.any()
    (slack,) = [alert for alert in made.alerts if alert.code == "SC-P015"]
    assert (slack.severity, slack.value) == ("error", 30.0)


def test_limits_that_no_solver_keeps_are_told():
    lines, every, goods, _ = instance(1)
    from stockcast.policies.coupling import Limit

    limits = [Limit("budget", goods.cost, 10.0)]
    found = within_limits(lines, every, lines.chosen, goods, limits, [Solving(Stub("crash"))])
    assert found.chosen is None
    assert found.solves[-1].status.startswith("failed")


def whole_case(**given):
    """Lines of two suppliers at two places, with every kind of whole-order term."""
    paths = np.random.default_rng(3).poisson(5.0, (8, 60, 14))
    suppliers = (
        SupplierTerms(
            "a", order_cost=4.0, min_order_weight=90.0, truck_volume=40.0, truck_cost=9.0, truck_min_fill=0.6
        ),
        SupplierTerms("b", min_order_units=50.0, price_breaks=(PriceBreak(100.0, 0.02), PriceBreak(600.0, 0.07))),
    )
    terms = {
        "review_period": 7, "pack_size": 4, "unit_cost": 3.0, "holding_cost": 0.1, "volume": 0.5, "weight": 0.8,
        "supplier": np.array(["a", "b"] * 4),
    }  # fmt: skip
    return case(paths, shared=replace(SharedTerms(suppliers), **given), **terms)


@pytest.mark.parametrize(
    ("given", "code"),
    [({}, ""), ({"budget": 500.0}, "SC-P016"), ({"storage": {"main": 80.0}}, "SC-P019")],
)
def test_a_plan_with_every_term_passes_the_check_and_tells_what_bound(given, code):
    situation = whole_case(**given)
    made = planned(situation)
    assert check(situation, made.plan.order_quantity, held=made.held) == ()
    assert made.plan.order_quantity.any()
    assert all(solve.gap <= 1e-6 for solve in made.solves)
    if code:
        assert code in {alert.code for alert in made.alerts}
        assert {"SC-P016": "budget", "SC-P019": "storage"}[code] in set(made.plan.binding)


def test_stock_beyond_the_room_is_slack_and_adds_nothing():
    situation = whole_case(storage={"main": 10.0})
    state = situation.state
    full = replace(situation, state=replace(state, on_hand=state.on_hand + 4.0))
    made = planned(full)
    assert not made.plan.order_quantity.any()
    (slack,) = [alert for alert in made.alerts if alert.code == "SC-P018"]
    assert slack.value == pytest.approx(8 * 4 * 0.5 - 10.0)


def test_a_price_break_is_reached_where_it_pays_and_told_where_it_nearly_does():
    situation = whole_case()
    without = replace(
        situation, shared=replace(situation.shared, suppliers=(*situation.shared.suppliers[:1], SupplierTerms("b")))
    )
    mine = situation.terms.supplier == "b"
    more, less = (planned(s).plan.order_quantity[mine].sum() * 3.0 for s in (situation, without))
    assert less < 600.0 <= more
