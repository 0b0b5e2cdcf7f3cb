"""The models against full enumeration of the candidate tables, and what happens when a solver misbehaves."""

import itertools
from dataclasses import replace

import numpy as np
import pulp
import pytest

from planning_case import case, reviews
from stockcast.inventory import SharedTerms, SupplierTerms
from stockcast.policies import budget as budget_module
from stockcast.policies import check, milp, plan
from stockcast.policies.budget import priced, within_budget
from stockcast.policies.coupling import Order, keep_budget, meet_minimum
from stockcast.policies.lines import Lines


def table(rng, n, width):
    """Random convex candidate tables, as Lines."""
    quantity, cost = np.zeros((n, width)), np.zeros((n, width))
    for row in range(n):
        pack, moq = rng.choice([1, 6, 12]), rng.choice([1, 3])
        quantity[row, 1:] = pack * (moq + np.cumsum(rng.integers(0, 3, width - 1)))
        best = rng.uniform(0, quantity[row, -1])
        cost[row] = rng.uniform(0.05, 1) * np.abs(quantity[row] - best) ** 1.3 + 3.0 * (quantity[row] > 0)
    columns = {name: np.zeros(n) for name in Lines.__dataclass_fields__}
    chosen = np.argmin(cost, axis=1)
    return Lines(**{**columns, "quantity": quantity, "cost": cost, "risk": np.zeros((n, width)), "chosen": chosen})


def enumerate_best(lines, every, unit_cost, budget):
    best = np.inf
    n, width = lines.quantity.shape
    for choice in itertools.product(range(width), repeat=n):
        at = np.array(choice)
        quantity, cost = lines.at(at), float(lines.cost[np.arange(n), at].sum())
        if budget is not None and (quantity * unit_cost).sum() > budget + 1e-9:
            continue
        fine = True
        for order in every:
            mine = quantity[order.rows]
            if mine.sum() > 0:
                cost += order.header
                value = (mine * unit_cost[order.rows]).sum()
                fine &= value >= order.value - 1e-9 and mine.sum() >= order.units - 1e-9
        if fine:
            best = min(best, cost)
    return best


def instance(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 5))
    lines = table(rng, n, 6)
    unit_cost = rng.integers(1, 9, n).astype(float)
    split = int(rng.integers(1, n + 1))
    groups = [rows for rows in (np.arange(split), np.arange(split, n)) if len(rows)]
    every = [
        Order(str(v), rows, float(rng.choice([0, 8, 30])), float(rng.choice([0, 60, 250])), float(rng.choice([0, 25])))
        for v, rows in enumerate(groups)
    ]
    wanted = float((lines.at(lines.chosen) * unit_cost).sum())
    budget = None if rng.random() < 0.4 else float(round(wanted * rng.uniform(0.2, 1.0)))
    return lines, every, unit_cost, budget


@pytest.mark.parametrize("seed", range(100))
def test_the_model_finds_the_enumerated_optimum(seed):
    lines, every, unit_cost, budget = instance(seed)
    solved = milp.solve("test", lines, every, unit_cost, budget=budget)
    best = enumerate_best(lines, every, unit_cost, budget)
    assert solved.solve.status == "optimal"
    assert solved.solve.objective == pytest.approx(best, abs=1e-6)
    assert solved.solve.bound <= solved.solve.objective


@pytest.mark.parametrize("seed", range(0, 100, 7))
def test_repair_and_price_keep_the_limits_and_bound_the_optimum(seed):
    lines, every, unit_cost, budget = instance(seed)
    budget = 1e9 if budget is None else budget
    best = enumerate_best(lines, every, unit_cost, budget)
    shared = priced(lines, every, lines.chosen, unit_cost, budget, time_limit=30.0)
    analytic = lines.chosen
    for order in every:
        analytic = meet_minimum(lines, order, analytic, unit_cost)
    analytic = keep_budget(lines, every, analytic, unit_cost, budget)
    for chosen in (shared.chosen, analytic):
        quantity = lines.at(chosen)
        assert (quantity * unit_cost).sum() <= budget + 1e-9
        for order in every:
            mine = quantity[order.rows]
            assert mine.sum() == 0 or (mine * unit_cost[order.rows]).sum() >= order.value - 1e-9
            assert mine.sum() == 0 or mine.sum() >= order.units
    assert shared.solve.bound <= best + 1e-6
    assert shared.solve.objective >= best - 1e-6


def coupled_case(budget=None):
    paths = np.random.default_rng(8).poisson(4.0, (6, 80, 14))
    shared = SharedTerms((SupplierTerms("a", order_cost=6.0, min_order_value=150.0),), budget=budget)
    return case(paths, review_period=7, pack_size=4, unit_cost=2.0, holding_cost=0.05, shared=shared)


class Stub:
    """A solver that hands back whatever it likes."""

    name = "Stub"

    def __init__(self, behaviour):
        self.behaviour = behaviour

    def __call__(self, time_limit):
        return self

    def available(self):
        return True

    def actualSolve(self, problem):
        values = {"zeros": 0.0, "ones": 1.0, "halves": 0.5, "nothing": None, "nan": float("nan")}
        if self.behaviour == "crash":
            raise pulp.PulpSolverError("crashed")
        if self.behaviour == "smallest":  # one candidate a line, but far below the supplier's minimum
            for variable in problem.variables():
                row, _, j = variable.name.removeprefix("x_").partition("_")
                first = sorted(int(v.name.split("_")[2]) for v in problem.variables() if v.name.startswith(f"x_{row}_"))
                variable.varValue = float(variable.name == "y_0" or j == str(first[1] if row == "0" else 0))
        else:
            for variable in problem.variables():
                variable.varValue = values[self.behaviour]
        status = pulp.LpSolutionIntegerFeasible if self.behaviour == "zeros" else pulp.LpSolutionOptimal
        if self.behaviour == "nothing":
            status = pulp.LpSolutionNoSolutionFound
        problem.assignStatus(pulp.LpStatusOptimal, status)  # "Optimal", as after a time-out
        return pulp.LpStatusOptimal


@pytest.mark.parametrize("behaviour", ["zeros", "ones", "halves", "nothing", "nan", "crash", "smallest"])
@pytest.mark.parametrize("budget", [None, 200.0])
def test_a_solver_that_misbehaves_leaves_the_analytic_plan(monkeypatch, behaviour, budget):
    situation = coupled_case(budget)
    analytic = plan("newsvendor", situation, next_review=reviews(situation)).plan.order_quantity
    monkeypatch.setattr(milp, "make_solver", Stub(behaviour))
    made = plan("optimizer", situation, next_review=reviews(situation))
    assert analytic.any()
    assert np.array_equal(made.plan.order_quantity, analytic)
    assert (made.plan.fallback != "").all()
    assert "SC-P017" in {alert.code for alert in made.alerts}
    assert all(solve.status != "optimal" for solve in made.solves)
    assert check(situation, made.plan.order_quantity) == ()


def test_cbc_finds_what_highs_finds(monkeypatch):
    situation = coupled_case(200.0)
    highs = plan("optimizer", situation, next_review=reviews(situation))
    monkeypatch.setattr(milp, "make_solver", milp.make_cbc)
    cbc = plan("optimizer", situation, next_review=reviews(situation))
    for one, other in zip(highs.solves, cbc.solves, strict=True):
        assert (one.status, other.status) == ("optimal", "optimal")
        assert one.objective == pytest.approx(other.objective, abs=1e-6)


def test_nothing_reaches_stdout(capfd):
    situation = coupled_case(200.0)
    plan("optimizer", situation, next_review=reviews(situation))
    assert capfd.readouterr() == ("", "")


def test_the_model_is_never_worse_than_the_repair():
    for seed in range(30):
        lines, every, unit_cost, _ = instance(seed)
        for order in every:
            solved = milp.solve("v", lines, [order], unit_cost)
            repaired = meet_minimum(lines, order, lines.chosen, unit_cost)[order.rows]
            cost = lines.cost[order.rows, repaired].sum() + order.header * bool((repaired > 0).any())
            assert solved.solve.objective <= cost + 1e-6


def test_a_large_budget_changes_nothing_and_a_small_one_goes_to_the_price(monkeypatch):
    free, rich = coupled_case(), coupled_case(1e9)
    assert np.array_equal(
        plan("auto", free, next_review=reviews(free)).plan.order_quantity,
        plan("auto", rich, next_review=reviews(rich)).plan.order_quantity,
    )
    monkeypatch.setattr(budget_module, "JOINT", 0)
    tight = coupled_case(200.0)
    made = plan("auto", tight, next_review=reviews(tight))
    assert made.solves[-1].solver == "price"
    assert check(tight, made.plan.order_quantity) == ()
    assert (made.plan.binding == "budget").any()
    monkeypatch.undo()
    exact = plan("auto", tight, next_review=reviews(tight))
    assert exact.solves[-1].objective <= made.solves[-1].objective + 1e-9
    assert made.solves[-1].bound <= exact.solves[-1].objective + 1e-6


def test_open_orders_beyond_the_budget_add_nothing_and_are_told_as_slack():
    situation = coupled_case(100.0)
    situation = replace(situation, shared=replace(situation.shared, budget_used=130.0))
    made = plan("auto", situation, next_review=reviews(situation))
    assert not made.plan.order_quantity.any()
    (slack,) = [alert for alert in made.alerts if alert.code == "SC-P015"]
    assert (slack.severity, slack.value) == ("error", 30.0)


def test_within_budget_reports_a_failure():
    lines, every, unit_cost, _ = instance(1)
    original = milp.make_solver
    try:
        milp.make_solver = Stub("crash")
        assert within_budget(lines, every, lines.chosen, unit_cost, 10.0, time_limit=1.0).status.startswith("failed")
    finally:
        milp.make_solver = original
