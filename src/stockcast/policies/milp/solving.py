"""One problem solved with PuLP in this process: HiGHS, or the CBC that PuLP brings along.

``LpStatus`` says "Optimal" after a time-out: only ``sol_status`` is read. How long a solver searches is told in nodes,
which follow from the size of the problem, so that two runs give the same answer; the time limit is a safety only.
"""

import math
import time
import warnings
from typing import Any

import numpy as np

from stockcast.policies.milp.problem import Answer, Problem

SEED = 7
SOLVERS = ("HiGHS", "CBC")
FAILURES = (OSError, RuntimeError, ValueError, TypeError, AttributeError)  # of a solver, beside PuLP's own
NODES = 4_000_000  # nodes × variables of one search: 4,000 nodes of a problem with 1,000 variables


def make_solver(name: str, problem: Problem, time_limit: float) -> Any:
    """Give a solver of PuLP with one thread and a fixed seed."""
    import pulp

    whole = int(problem.integer.sum())
    nodes = max(NODES // max(whole, 1), 100)
    if name == "HiGHS":
        # below 1e-7 for whole numbers HiGHS 1.15 cuts the best off now and then (one night in a thousand), with
        # presolve and without, and calls what is left optimal
        exact = {"mip_feasibility_tolerance": 1e-7, "primal_feasibility_tolerance": 1e-9, "random_seed": SEED}
        return pulp.HiGHS(
            msg=False,
            threads=1,
            timeLimit=time_limit,
            gapRel=0.0,
            gapAbs=problem.tolerance,
            mip_max_nodes=nodes,
            **exact,
        )
    with warnings.catch_warnings():  # PuLP 4 will want it installed by itself
        warnings.simplefilter("ignore", DeprecationWarning)
        return pulp.PULP_CBC_CMD(
            msg=False, threads=1, timeLimit=time_limit, gapRel=0.0, gapAbs=problem.tolerance, maxNodes=nodes
        )


def answer(name: str, problem: Problem, time_limit: float) -> Answer:
    """Solve a problem and tell how it ended; whatever goes wrong is told, never raised."""
    import pulp

    began = time.perf_counter()

    def told(status: str, values: np.ndarray | None = None, bound: float = problem.floor) -> Answer:
        return Answer(name, status, values, bound, time.perf_counter() - began)

    model, variables = _model(problem)
    try:
        solver = make_solver(name, problem, time_limit)
        if not solver.available():
            return told("failed: not installed")
        try:
            model.solve(solver)
            status = model.sol_status
        except KeyError:  # PuLP knows no name for HiGHS's status at a limit of nodes
            status = pulp.LpSolutionIntegerFeasible
    except (pulp.PulpError, *FAILURES) as error:
        return told(f"failed: {type(error).__name__}")
    if status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        return told("no solution")
    values = [variable.varValue for variable in variables]
    if any(value is None or not math.isfinite(value) for value in values) or not _has_solution(model):
        return told("no solution")
    found = np.array(values, dtype=float)
    bound = _bound(model)
    if bound is None and status == pulp.LpSolutionOptimal:
        bound = float(found @ problem.cost) - problem.tolerance
    bound = problem.floor if bound is None else max(bound, problem.floor)
    return told("optimal" if status == pulp.LpSolutionOptimal else "feasible", found, bound)


def _model(problem: Problem) -> tuple[Any, list[Any]]:
    import pulp

    model = pulp.LpProblem("order", pulp.LpMinimize)
    variables = [
        model.add_variable(
            f"x{at}", 0, upper if math.isfinite(upper) else None, cat="Integer" if whole else "Continuous"
        )
        for at, (upper, whole) in enumerate(zip(problem.upper.tolist(), problem.integer.tolist(), strict=True))
    ]
    terms: list[list[tuple[Any, float]]] = [[] for _ in problem.low]
    entries = zip(problem.row.tolist(), problem.column.tolist(), problem.value.tolist(), strict=True)
    for row, column, value in entries:
        terms[row].append((variables[column], value))
    for some, low, high in zip(terms, problem.low.tolist(), problem.high.tolist(), strict=True):
        left = pulp.LpAffineExpression(some)
        if low == high:
            model += left == low
            continue
        if math.isfinite(low):
            model += left >= low
        if math.isfinite(high):
            model += pulp.LpAffineExpression(some) <= high
    model.setObjective(pulp.LpAffineExpression(list(zip(variables, problem.cost.tolist(), strict=True))))
    return model, variables


def _info(model: Any) -> Any:
    highs = getattr(model, "solverModel", None)
    return highs.getInfo() if highs is not None and hasattr(highs, "getInfo") else None


def _has_solution(model: Any) -> bool:
    """Tell whether HiGHS holds a feasible point: at a limit it may hand back zeros that look like a plan."""
    info = _info(model)
    return info is None or int(info.primal_solution_status) == 2


def _bound(model: Any) -> float | None:
    """Give the solver's dual bound, where it tells one."""
    info = _info(model)
    if info is None:
        return None
    bound = float(info.mip_dual_bound)
    return bound if math.isfinite(bound) else None
