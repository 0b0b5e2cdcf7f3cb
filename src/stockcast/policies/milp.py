"""The couplings between lines as mixed-integer models in PuLP: minimums and header cost of a supplier, the budget.

In multiple-choice form (no big-M, so that the relaxation is strong). With Q_ij the candidates of line i, Q_i0 = 0, C_ij
their expected costs and c_i the unit cost::

    min   Σ_ij C_ij x_ij + Σ_v K_v y_v
    s.t.  Σ_j x_ij = 1                              every line takes one candidate
          1 − x_i0 ≤ y_v                            a line of supplier v opens its order
          Σ_i c_i Σ_j Q_ij x_ij ≥ V_v y_v           minimum value; the same with units
          Σ_ij c_i Q_ij x_ij ≤ B                    the budget, where one joint model is solved
          x, y binary

Ordering nothing meets every limit, so that no model is infeasible; what open orders hold above the budget is priced in
``policies.plan``. ``LpStatus`` says "Optimal" after a time-out: only ``sol_status`` is read, each line must have taken
exactly one candidate, and the cost is added up again from the candidates. PuLP is loaded by the first model: most
commands solve none.
"""

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int

from stockcast.policies.coupling import Order
from stockcast.policies.lines import Lines

SEED = 7
FAILURES = (OSError, RuntimeError, KeyError, ValueError)  # of a solver, beside PuLP's own


@final
@dataclass(frozen=True, slots=True)
class Solve:
    """One solved model, as the manifest lists it; status ``analytic`` says that no model was needed."""

    supplier: str
    solver: str
    status: str
    objective: float
    bound: float
    gap: float
    seconds: float


@final
@dataclass(frozen=True, slots=True)
class Solved:
    """A model's outcome: the candidate of each row asked for, or None where the solver gave none."""

    chosen: Int[np.ndarray, " line"] | None
    solve: Solve


def make_solver(time_limit: float) -> Any:
    """Give HiGHS with one thread and a fixed seed, or CBC where HiGHS is missing."""
    import pulp

    exact = {"mip_feasibility_tolerance": 1e-9, "primal_feasibility_tolerance": 1e-9, "random_seed": SEED}
    highs = pulp.HiGHS(msg=False, threads=1, timeLimit=time_limit, gapRel=0.0, gapAbs=1e-9, **exact)
    if highs.available():
        return highs
    return make_cbc(time_limit)


def make_cbc(time_limit: float) -> Any:
    """Give the CBC that PuLP 3 brings along."""
    import pulp

    with warnings.catch_warnings():  # PuLP 4 will want it installed by itself
        warnings.simplefilter("ignore", DeprecationWarning)
        return pulp.PULP_CBC_CMD(msg=False, threads=1, timeLimit=time_limit, gapRel=0.0)


def solve(
    name: str,
    lines: Lines,
    every: Sequence[Order],
    unit_cost: Float[np.ndarray, " series"],
    *,
    budget: float | None = None,
    price: float = 0.0,
    time_limit: float = 60.0,
) -> Solved:
    """Solve one model over the lines of some orders.

    Parameters
    ----------
    budget
        Money that all lines together may take.
    price
        λ added to the cost of each unit of money spent; the objective then contains it.

    Returns
    -------
    chosen, solve
        Candidates in the order of the concatenated rows of ``every``.
    """
    import pulp

    rows = np.concatenate([order.rows for order in every])
    cost = lines.cost[rows] + price * unit_cost[rows, None] * lines.quantity[rows]
    least = cost.min(axis=1)
    # a candidate that costs more than all lines and orders could save together is in no optimum; without it the
    # coefficients stay within a range that the solver's absolute tolerances can resolve
    worth = float((cost[:, 0] - least).sum()) + sum(order.header for order in every)
    problem = pulp.LpProblem("order", pulp.LpMinimize)
    objective, spending = [], []
    takes: dict[int, list[tuple[int, Any]]] = {}
    for at, row in enumerate(rows.tolist()):
        distinct = np.unique(lines.quantity[row], return_index=True)[1].tolist()
        distinct = [j for j in distinct if j == 0 or cost[at, j] - cost[at, 0] <= worth * (1 + 1e-9)]
        takes[row] = [(j, problem.add_variable(f"x_{row}_{j}", 0, 1, cat="Integer")) for j in distinct]
        objective += [(x, float(cost[at, j] - least[at])) for j, x in takes[row]]
        spending += [(x, float(unit_cost[row] * lines.quantity[row, j])) for j, x in takes[row] if j]
        problem += pulp.LpAffineExpression([(x, 1.0) for _, x in takes[row]]) == 1
    for v, order in enumerate(every):
        if order.coupled:
            opens = problem.add_variable(f"y_{v}", 0, 1, cat="Integer")
            objective.append((opens, order.header))
            _add_order(problem, order, opens, takes, lines, unit_cost)
    if budget is not None:
        problem += pulp.LpAffineExpression(spending) <= budget
    problem.setObjective(pulp.LpAffineExpression(objective))
    constant = float(least.sum())
    return _run(name, problem, rows, takes, lambda chosen: _total(cost, every, rows, chosen), constant, time_limit)


def _add_order(problem: Any, order: Order, opens: Any, takes: dict, lines: Lines, unit_cost: np.ndarray) -> None:
    import pulp

    value, units = [], []
    for row in order.rows.tolist():
        problem += pulp.LpAffineExpression([(takes[row][0][1], 1.0), (opens, 1.0)]) >= 1
        value += [(x, float(unit_cost[row] * lines.quantity[row, j])) for j, x in takes[row] if j]
        units += [(x, float(lines.quantity[row, j])) for j, x in takes[row] if j]
    for terms, wanted in ((value, order.value), (units, order.units)):
        if wanted > 0:  # in shares of the minimum: the solver's tolerances are absolute
            shares = [(x, amount / wanted) for x, amount in terms]
            problem += pulp.LpAffineExpression([*shares, (opens, -1.0)]) >= 0


def _total(cost: np.ndarray, every: Sequence[Order], rows: np.ndarray, chosen: np.ndarray) -> float:
    placed = dict(zip(rows.tolist(), (chosen > 0).tolist(), strict=True))
    headers = sum(order.header for order in every if any(placed[row] for row in order.rows.tolist()))
    return float(cost[np.arange(len(rows)), chosen].sum()) + headers


def _run(
    name: str, problem: Any, rows: np.ndarray, takes: dict, total: Any, constant: float, time_limit: float
) -> Solved:
    import pulp

    solver = make_solver(time_limit)
    began = time.perf_counter()
    try:
        problem.solve(solver)
    except (pulp.PulpError, *FAILURES) as error:
        seconds = time.perf_counter() - began
        status = f"failed: {type(error).__name__}"
        return Solved(None, Solve(name, solver.name, status, math.nan, math.nan, math.nan, seconds))
    seconds = time.perf_counter() - began
    found = problem.sol_status
    chosen = _read(rows, takes) if found in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible) else None
    if chosen is None:
        status = "no solution" if found != pulp.LpSolutionOptimal else "rejected: not a plan"
        return Solved(None, Solve(name, solver.name, status, math.nan, math.nan, math.nan, seconds))
    objective = total(chosen)
    bound = objective
    if found != pulp.LpSolutionOptimal:
        bound = min(_bound(problem) + constant, objective)
    gap = (objective - bound) / max(abs(objective), 1.0)
    status = "optimal" if found == pulp.LpSolutionOptimal else "time limit"
    return Solved(chosen, Solve(name, solver.name, status, objective, bound, gap, seconds))


def _bound(problem: Any) -> float:
    """Give the solver's dual bound; costs above the cheapest candidates are ≥ 0, so that 0 always is one."""
    model = getattr(problem, "solverModel", None)
    if model is None or not hasattr(model, "getInfo"):
        return 0.0
    bound = float(model.getInfo().mip_dual_bound)
    return max(bound, 0.0) if math.isfinite(bound) else 0.0


def _read(rows: np.ndarray, takes: dict) -> np.ndarray | None:
    chosen = np.zeros(len(rows), dtype=np.int64)
    for at, row in enumerate(rows.tolist()):
        values = [(x.varValue, j) for j, x in takes[row]]
        if any(value is None or not math.isfinite(value) for value, _ in values):
            return None
        taken = [j for value, j in values if value > 0.5]
        if len(taken) != 1 or any(min(abs(value), abs(value - 1.0)) > 1e-5 for value, _ in values):
            return None
        chosen[at] = taken[0]
    return chosen
