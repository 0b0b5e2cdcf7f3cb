"""A budget shared by all suppliers: one joint model, or a price of money where that would be too large."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.policies.coupling import Order, keep_budget, reaches
from stockcast.policies.lines import Lines
from stockcast.policies.milp import Solve, Solved, solve

JOINT = 4_000  # candidates up to which one joint model is solved
HALVINGS = 24


@final
@dataclass(frozen=True, slots=True)
class Shared:
    """Orders that fit the budget, and what was solved for them."""

    chosen: Int[np.ndarray, " series"]
    solve: Solve


def within_budget(
    lines: Lines,
    every: list[Order],
    chosen: Int[np.ndarray, " series"],
    unit_cost: Float[np.ndarray, " series"],
    budget: float,
    *,
    time_limit: float,
) -> Shared | Solve:
    """Fit all orders into the budget; a bare ``Solve`` says that the solver gave none."""
    rows = np.concatenate([order.rows for order in every])
    size = sum(len(np.unique(lines.quantity[row])) for row in rows.tolist())
    if size <= JOINT:
        solved = solve("budget", lines, every, unit_cost, budget=budget, time_limit=time_limit)
        if solved.chosen is None:
            return solved.solve
        out = np.zeros_like(chosen)
        out[rows] = solved.chosen
        return Shared(out, solved.solve)
    return priced(lines, every, chosen, unit_cost, budget, time_limit=time_limit)


def priced(
    lines: Lines,
    every: list[Order],
    chosen: Int[np.ndarray, " series"],
    unit_cost: Float[np.ndarray, " series"],
    budget: float,
    *,
    time_limit: float,
) -> Shared | Solve:
    """Bisect the price λ of money around the suppliers' own problems, then spend what is left over.

    For any λ ≥ 0, ``min Σ C + λ (spend − B)`` is a lower bound of the cost (Lagrange); the best of them is reported.
    """
    rows = np.concatenate([order.rows for order in every])
    low, high = 0.0, 1.0
    bound, seconds, fits = -math.inf, 0.0, None
    for _ in range(2 * HALVINGS):
        price = high if fits is None else 0.5 * (low + high)
        found = _at_price(lines, every, unit_cost, price, time_limit)
        if isinstance(found, Solve):
            return found
        candidate, objective, spent = found
        seconds += spent
        bound = max(bound, objective - price * budget)
        if float((lines.at(candidate) * unit_cost).sum()) <= budget:
            high, fits = price, candidate
        elif fits is None:
            low, high = high, 4.0 * high
        else:
            low = price
        if fits is not None and high - low <= 1e-4 * high:
            break
    best = keep_budget(lines, every, chosen, unit_cost, budget) if fits is None else fits
    best = _spend_the_rest(lines, every, best, unit_cost, budget)
    objective = _cost(lines, every, rows, best)
    gap = max(objective - bound, 0.0) / max(abs(objective), 1.0)
    return Shared(best, Solve("budget", "price", "feasible", objective, min(bound, objective), gap, seconds))


def _cost(lines: Lines, every: list[Order], rows: np.ndarray, chosen: np.ndarray) -> float:
    headers = sum(order.header for order in every if (chosen[order.rows] > 0).any())
    return float(lines.cost[rows, chosen[rows]].sum()) + headers


def _at_price(
    lines: Lines, every: list[Order], unit_cost: np.ndarray, price: float, time_limit: float
) -> tuple[np.ndarray, float, float] | Solve:
    cost = lines.cost + price * unit_cost[:, None] * lines.quantity
    chosen = np.argmin(cost, axis=1)
    total, seconds = 0.0, 0.0
    for order in every:
        separate = chosen[order.rows]
        alone = float(cost[order.rows, separate].sum())
        if not order.coupled:
            total += alone
        elif reaches(order, lines.at(chosen), unit_cost):
            # the minimum does not bind: each line at its best, or no order at all, is the model's optimum
            nothing = float(cost[order.rows, 0].sum())
            opens = order.header if separate.any() else 0.0
            if alone + opens > nothing:
                chosen[order.rows] = 0
            total += min(alone + opens, nothing)
        else:
            solved: Solved = solve(order.supplier, lines, [order], unit_cost, price=price, time_limit=time_limit)
            if solved.chosen is None:
                return solved.solve
            chosen[order.rows] = solved.chosen
            total += solved.solve.bound
            seconds += solved.solve.seconds
    return chosen, total, seconds


def _spend_the_rest(
    lines: Lines, every: list[Order], chosen: np.ndarray, unit_cost: np.ndarray, budget: float
) -> np.ndarray:
    """Take further steps that save cost and still fit, the best for their money first."""
    out = chosen.copy()
    spend = float((lines.at(out) * unit_cost).sum())
    offers = []
    for order in every:
        if order.coupled and not (out[order.rows] > 0).any():
            continue
        for row in order.rows.tolist():
            more = lines.quantity[row] > lines.quantity[row, out[row]]
            for j in np.flatnonzero(more).tolist():
                saves = float(lines.cost[row, out[row]] - lines.cost[row, j])
                needs = float((lines.quantity[row, j] - lines.quantity[row, out[row]]) * unit_cost[row])
                if saves > 0 and spend + needs <= budget:
                    offers.append((-saves / max(needs, 1e-12), row, j, needs))
    taken: set[int] = set()
    for _, row, j, needs in sorted(offers):
        if row not in taken and spend + needs <= budget:
            out[row], spend = j, spend + needs
            taken.add(row)
    kept = all(reaches(order, lines.at(out), unit_cost) for order in every)
    return out if kept else chosen
