"""Money and room that all suppliers share: one joint model, or prices around the suppliers' own models."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar, final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.policies.coupling import Goods, Limit, Order, total_cost
from stockcast.policies.hull import Hull
from stockcast.policies.lines import Lines
from stockcast.policies.milp import Solve, Solved, Solving, solve
from stockcast.policies.milp.model import EXACT, NEAR_ENOUGH
from stockcast.policies.prices import prices
from stockcast.policies.relaxed import Relaxed, relax
from stockcast.policies.repair import keep_limits, trim, use_the_rest

JOINT = 2_500  # candidates up to which one joint model is solved
CLOSE = 1e-3  # the share of all savings that plans without a solver may miss together
Task = TypeVar("Task")
Result = TypeVar("Result")


@final
@dataclass(frozen=True, slots=True)
class Shared:
    """Orders that keep every limit, what was solved for them, and the price of each limit; ``chosen`` None: no plan."""

    chosen: Int[np.ndarray, " series"] | None
    solves: tuple[Solve, ...]
    price: Float[np.ndarray, " limit"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, chosen=self.chosen, price=self.price)


def within_limits(
    lines: Lines,
    every: list[Order],
    chosen: Int[np.ndarray, " series"],
    goods: Goods,
    limits: list[Limit],
    solving: list[Solving],
) -> Shared:
    """Fit all orders into what they share.

    Parameters
    ----------
    chosen
        The orders without the limits.
    solving
        Who solves: one process each.
    """
    price = prices(lines, every, goods, limits)
    rows = np.concatenate([order.rows for order in every])
    some = lines.quantity[rows]
    size = len(rows) + int((some[:, 1:] != some[:, :-1]).sum())
    if size > JOINT:
        return priced(lines, every, chosen, goods, limits, price, solving)
    solved = solve("limits", lines, every, goods, solving[0], limits=limits)
    if solved.chosen is None:
        return Shared(None, solved.solves, price)
    out = np.zeros_like(chosen)
    out[rows] = solved.chosen
    for order in every:
        out = _trimmed(lines, order, out, goods, limits)
    return Shared(use_the_rest(lines, every, out, goods, limits), solved.solves, price)


def priced(
    lines: Lines,
    every: list[Order],
    chosen: Int[np.ndarray, " series"],
    goods: Goods,
    limits: list[Limit],
    price: Float[np.ndarray, " limit"],
    solving: list[Solving],
) -> Shared:
    """Plan every order at the prices of the limits, then repair and use what is left over.

    For any λ ≥ 0, ``min Σ C + λ (use − R)`` is a lower bound of the cost (Lagrange); it is the joint bound reported.
    A solver is asked for the orders whose plan is furthest from its own bound (``policies.relaxed``) only, until the
    rest is close enough.
    """
    whole = sum((at * limit.use for at, limit in zip(price.tolist(), limits, strict=True)), np.zeros(len(chosen)))
    cost = lines.cost + whole[:, None] * lines.quantity
    out, bound, seconds = np.argmin(cost, axis=1), 0.0, 0.0
    hull = Hull.of(lines.quantity, lines.cost)
    tied: list[tuple[Order, Relaxed]] = []
    for order in every:
        if order.coupled:
            tied.append((order, relax(order, lines, goods, hull, whole, chosen)))
            out[order.rows] = tied[-1][1].chosen
            bound += tied[-1][1].bound
        else:
            bound += float(cost[order.rows, out[order.rows]].sum())
    asked = _doubtful(tied, CLOSE * abs(bound))
    answers = at_once(
        lambda task, who: solve(task[0].supplier, lines, [task[0]], goods, who, price=whole), asked, solving
    )
    failed: list[Solve] = []
    for (order, near), solved in zip(asked, answers, strict=True):
        seconds += sum(one.seconds for one in solved.solves)
        if solved.chosen is None:
            failed += solved.solves
            continue
        if solved.solve.objective < near.cost:
            out[order.rows] = solved.chosen
        known = max((one.bound for one in solved.solves if math.isfinite(one.bound)), default=-math.inf)
        bound += max(known - near.bound, 0.0)
    bound -= sum(at * limit.left for at, limit in zip(price.tolist(), limits, strict=True))
    plans = []
    for start in (out, chosen):
        kept = keep_limits(lines, every, start, goods, limits)
        plans.append(use_the_rest(lines, every, kept, goods, limits))
    costs = [total_cost(lines, every, plan, goods) for plan in plans]
    best, objective = (plans[0], costs[0]) if costs[0] <= costs[1] else (plans[1], costs[1])
    gap = max(objective - bound, 0.0) / max(abs(objective), 1.0)
    told = Solve("limits", "price", "feasible", objective, min(bound, objective), gap, seconds)
    return Shared(best, (*failed, told), price)


def near_enough(
    order: Order, lines: Lines, goods: Goods, hull: Hull, start: Int[np.ndarray, " series"]
) -> Solved | None:
    """Plan an order of many lines without a solver, where its own bound proves it as near as a model would be."""
    rows = order.rows
    quantity, cost = lines.quantity[rows], lines.cost[rows]
    if len(rows) + int((quantity[:, 1:] != quantity[:, :-1]).sum()) <= EXACT:
        return None
    near = relax(order, lines, goods, hull, np.zeros(len(lines.chosen)), start)
    missed = near.cost - near.bound
    if missed > NEAR_ENOUGH * float((cost[:, 0] - cost.min(axis=1)).sum()):
        return None
    gap = missed / max(abs(near.cost), 1.0)
    return Solved(near.chosen, (Solve(order.supplier, "price", "feasible", near.cost, near.bound, gap, 0.0),))


def _doubtful(tied: list[tuple[Order, Relaxed]], close: float) -> list[tuple[Order, Relaxed]]:
    """Give the orders whose plans may be furthest from the best, until what the others may miss is close enough."""
    gaps = np.array([near.cost - near.bound for _, near in tied])
    ranked = np.argsort(gaps, kind="stable")
    asked = np.sort(ranked[np.cumsum(gaps[ranked]) > close])
    return [tied[at] for at in asked.tolist()]


def _trimmed(lines: Lines, order: Order, chosen: np.ndarray, goods: Goods, limits: list[Limit]) -> np.ndarray:
    """Settle ties of one order, unless that breaks a limit."""
    if not order.coupled:
        return chosen
    out = trim(lines, order, chosen, goods)
    return chosen if any(limit.over(lines.at(out)) > 0 for limit in limits) else out


def at_once(work: Callable[[Task, Solving], Result], tasks: list[Task], solving: list[Solving]) -> list[Result]:
    """Give each task's result, in order, one task a process at a time; which process solves changes nothing."""
    if len(solving) == 1 or len(tasks) <= 1:
        return [work(task, solving[0]) for task in tasks]
    results: list[Result | None] = [None] * len(tasks)
    todo = iter(range(len(tasks)))

    def serve(who: Solving) -> None:
        for at in todo:  # range iterators hand out each number once under the interpreter's lock
            results[at] = work(tasks[at], who)

    with ThreadPoolExecutor(len(solving)) as pool:
        for running in [pool.submit(serve, who) for who in solving]:
            running.result()
    return results  # type: ignore[return-value]
