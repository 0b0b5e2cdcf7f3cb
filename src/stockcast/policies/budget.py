"""Money and room that all suppliers share: one joint model, or prices around the suppliers' own models."""

import math
from collections.abc import Callable, Sequence
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
from stockcast.policies.search import Search

JOINT = 2_500  # candidates up to which one joint model is solved
WORK = 60_000  # lines × rounds of prices
ROUNDS = 10
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
    known: float = math.inf,
) -> Shared:
    """Fit all orders into what they share.

    Parameters
    ----------
    chosen
        The orders without the limits.
    solving
        Who solves: one process each.
    known
        The cost of a plan within the limits, where there is one.
    """
    price = prices(lines, every, goods, limits)
    rows = np.concatenate([order.rows for order in every])
    some = lines.quantity[rows]
    size = len(rows) + int((some[:, 1:] != some[:, :-1]).sum())
    if size > JOINT:
        return priced(lines, every, chosen, goods, limits, price, solving)
    solved = solve("limits", lines, every, goods, solving[0], limits=limits, known=known)
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
    """Plan every order at prices of the limits, then repair and use what is left over.

    For any λ ≥ 0, ``min Σ C + λ (use − R)`` is a lower bound of the cost (Lagrange); it is the joint bound reported.
    The prices are moved until bound and plan are close, in as many rounds as the number of lines allows. A solver is
    asked, at the prices of the best bound, for the orders whose plan is furthest from its own bound
    (``policies.relaxed``) only, until the rest is close enough.

    Parameters
    ----------
    price
        What to begin from.
    """
    hull = Hull.of(lines.quantity, lines.cost)
    best = _round(lines, every, goods, hull, limits, price, chosen)
    plans = _Best(lines, every, goods, limits)
    plans.repair(chosen)
    plans.repair(best.chosen)
    left = np.array([limit.left for limit in limits])
    search = Search(left, 1e-3 * abs(best.bound) / np.maximum(left, 1e-12))
    last = best
    for _ in range(min(max(WORK // len(chosen), 1), ROUNDS)):
        if plans.cost - best.bound <= NEAR_ENOUGH * abs(plans.cost):
            break
        used = np.array([float((lines.at(last.chosen) * limit.use).sum()) for limit in limits])
        moved = search.moved(last.price, used)
        if np.array_equal(moved, last.price):
            break
        last = _round(lines, every, goods, hull, limits, moved, last.chosen)
        plans.repair(last.chosen)
        best = last if last.bound > best.bound else best
    solves: list[Solve] = []
    bound, seconds = best.bound, 0.0
    if plans.cost - bound > CLOSE * abs(plans.cost):
        helped, bound, solves = _helped(best, lines, goods, solving)
        seconds = sum((one.seconds for one in solves), 0.0)
        plans.repair(helped)
    gap = max(plans.cost - bound, 0.0) / max(abs(plans.cost), 1.0)
    told = Solve("limits", "price", "feasible", plans.cost, min(bound, plans.cost), gap, seconds)
    failed = [one for one in solves if not math.isfinite(one.objective)]
    return Shared(plans.chosen, (*failed, told), best.price)


@final
@dataclass(frozen=True, slots=True)
class _Round:
    """What all orders do at some prices of the limits, and the bound that it gives."""

    price: Float[np.ndarray, " limit"]
    whole: Float[np.ndarray, " series"]
    tied: tuple[tuple[Order, Relaxed], ...]
    chosen: Int[np.ndarray, " series"]
    bound: float


def _round(
    lines: Lines,
    every: list[Order],
    goods: Goods,
    hull: Hull,
    limits: list[Limit],
    price: np.ndarray,
    start: np.ndarray,
) -> _Round:
    whole = sum((at * limit.use for at, limit in zip(price.tolist(), limits, strict=True)), np.zeros(len(start)))
    cost = lines.cost + whole[:, None] * lines.quantity
    out, bound = np.argmin(cost, axis=1), 0.0
    tied: list[tuple[Order, Relaxed]] = []
    for order in every:
        if order.coupled:
            near = relax(order, lines, goods, hull, whole, start)
            tied.append((order, near))
            out[order.rows] = near.chosen
            bound += near.bound
        else:
            bound += float(cost[order.rows, out[order.rows]].sum())
    bound -= sum(at * limit.left for at, limit in zip(price.tolist(), limits, strict=True))
    return _Round(price, whole, tuple(tied), out, bound)


@final
@dataclass(slots=True)
class _Best:
    """The best plan that keeps every limit, of all that were tried."""

    lines: Lines
    every: list[Order]
    goods: Goods
    limits: list[Limit]
    chosen: np.ndarray | None = None
    cost: float = math.inf

    def repair(self, chosen: np.ndarray) -> None:
        """Cut a plan to the limits, use what is left, and keep it if it is the best."""
        kept = keep_limits(self.lines, self.every, chosen, self.goods, self.limits)
        kept = use_the_rest(self.lines, self.every, kept, self.goods, self.limits)
        cost = total_cost(self.lines, self.every, kept, self.goods)
        if cost < self.cost:
            self.chosen, self.cost = kept, cost


def _helped(best: _Round, lines: Lines, goods: Goods, solving: list[Solving]) -> tuple[np.ndarray, float, list[Solve]]:
    """Solve models for the orders that are most in doubt; give the plans, the bound, and every answer."""
    asked = _doubtful(best.tied, CLOSE * abs(best.bound))
    answers = at_once(
        lambda task, who: solve(task[0].supplier, lines, [task[0]], goods, who, price=best.whole), asked, solving
    )
    out, bound = best.chosen.copy(), best.bound
    for (order, near), solved in zip(asked, answers, strict=True):
        if solved.chosen is None:
            continue
        if solved.solve.objective < near.cost:
            out[order.rows] = solved.chosen
        known = max((one.bound for one in solved.solves if math.isfinite(one.bound)), default=-math.inf)
        bound += max(known - near.bound, 0.0)
    return out, bound, [one for solved in answers for one in solved.solves]


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


def _doubtful(tied: Sequence[tuple[Order, Relaxed]], close: float) -> list[tuple[Order, Relaxed]]:
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
