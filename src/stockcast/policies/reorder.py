"""From a situation to the reorder plan: lines, then what couples them, then the check, then the words."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np
from jaxtyping import Float, Int, Shaped

from stockcast.core.errors import DataError, InvariantError, UsageError, did_you_mean
from stockcast.core.findings import Alert
from stockcast.inventory import ReorderPlan, Situation
from stockcast.policies import explain
from stockcast.policies.alerts import budget_alerts, line_alerts, order_alerts, ranked, solver_alert
from stockcast.policies.base import Policy
from stockcast.policies.budget import Shared, within_budget
from stockcast.policies.check import check
from stockcast.policies.costs import NEAR
from stockcast.policies.coupling import Order, first_of, keep_budget, meet_minimum, money, orders, trim
from stockcast.policies.lines import Lines, lines
from stockcast.policies.milp import Solve, solve
from stockcast.policies.newsvendor import Newsvendor
from stockcast.policies.orderable import Orderable
from stockcast.policies.projection import require_horizon

NAMES = ("clairvoyant", "cover", "learned", "min_max", "newsvendor", "optimizer", "order_up_to", "safety_stock")


@final
@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, the models solved for it, what a planner should look at, and the largest relative gap."""

    plan: ReorderPlan
    solves: tuple[Solve, ...]
    alerts: tuple[Alert, ...]
    gap: float


@final
@dataclass(frozen=True, slots=True)
class Optimizer(Policy):
    """The newsvendor on paths, in packs, with suppliers' minimums and the budget solved as models."""

    name: ClassVar[str] = "optimizer"
    time_limit: float = 60.0

    def order(self, situation: Situation) -> Float[np.ndarray, " series"]:
        """Give the quantities of the joint plan."""
        found = lines(situation)
        return found.at(_decide(situation, found, joint=True, time_limit=self.time_limit).final)


POLICIES: dict[str, Callable[[], Policy]] = {
    "newsvendor": lambda: Orderable(Newsvendor()),
    "optimizer": Optimizer,
}


@final
@dataclass(slots=True)
class _Decision:
    """Candidates of each line: by itself, with its supplier, with the budget; and how they were found."""

    alone: np.ndarray
    joined: np.ndarray
    final: np.ndarray
    fallback: np.ndarray
    solves: list[Solve]
    alerts: list[Alert]


def plan(
    policy: str,
    situation: Situation,
    *,
    next_review: Shaped[np.ndarray, " series"],
    time_limit: float = 60.0,
    workers: int = 1,
    done: Callable[[int], None] = lambda count: None,
) -> Planned:
    """Plan the orders of the first future period.

    Parameters
    ----------
    policy
        ``optimizer`` (or ``auto``): couplings are solved as models. ``newsvendor``: they are met by analytic repair.
    next_review
        The next date on which each series can be ordered, for the reason of a line that is not at review.
    time_limit
        Seconds for each model, a safety only.
    workers, done
        Processes, and what takes the number of chunks finished; neither changes the result.

    Raises
    ------
    UsageError
        If the policy is not one of this version.
    DataError
        If the forecast ends before a protection interval, or a limit in money meets a line without unit cost.
    InvariantError
        If our own rounding broke a rule: a bug.
    """
    name = "optimizer" if policy == "auto" else policy
    if name not in POLICIES:
        text = "is not in this version" if name in NAMES else f"is unknown{did_you_mean(name, NAMES)}"
        raise UsageError(f"plan.policy: {policy!r} {text}", code="SC-P003", help=f"use auto, {', '.join(POLICIES)}")
    require_horizon(situation)
    _require_costs(situation)
    found = lines(situation, workers=workers, done=done)
    decision = _decide(situation, found, joint=name == "optimizer", time_limit=time_limit)
    made = _assemble(name, situation, found, decision, next_review)
    solves = tuple(decision.solves)
    gaps = [solve.gap for solve in solves if solve.gap == solve.gap]
    alerts = [*decision.alerts, *line_alerts(situation, found, made.order_quantity)]
    return Planned(made, solves, ranked(alerts), max(gaps, default=0.0))


def _require_costs(situation: Situation) -> None:
    """Hold that every line which a limit in money concerns has a unit cost."""
    terms, shared = situation.terms, situation.shared
    needs = np.full(len(terms.series), shared.budget is not None)
    for supplier in shared.suppliers:
        if supplier.min_order_value > 0:
            needs |= terms.supplier == supplier.supplier
    lacking = np.flatnonzero(needs & terms.at_review & terms.orderable & ~np.isfinite(terms.unit_cost))
    if len(lacking):
        raise DataError(
            f"unit_cost is missing for {len(lacking)} series that a budget or a minimum order value needs it of",
            code="SC-P002",
            details=[f"{terms.series.sku[at]} at {terms.series.location[at]}" for at in lacking[:10].tolist()],
            help="give unit_cost in items or item_locations, or drop the budget and min_order_value",
        )


def _decide(situation: Situation, found: Lines, *, joint: bool, time_limit: float) -> _Decision:
    terms, shared = situation.terms, situation.shared
    cost = money(terms.unit_cost)
    alone = found.chosen.copy()
    every = orders(terms, shared, found.at(found.chosen) > 0)
    analytic = alone
    for order in every:
        if order.coupled:
            analytic = meet_minimum(found, order, analytic, cost)
    made = _Decision(alone, analytic.copy(), analytic, np.full(len(alone), "", dtype="<U64"), [], [])
    for order in every:
        _join(situation, found, order, made, cost, joint=joint, time_limit=time_limit)
    made.final = made.joined.copy()
    left = None if shared.budget is None else max(shared.budget - shared.budget_used, 0.0)
    if left is not None and every and float((found.at(made.joined) * cost).sum()) > left * (1 + 1e-12):
        made.final = first_of(found, _fit(situation, found, every, made, cost, left, joint, time_limit))
    _hold(situation, found.at(made.final))
    quantities = (found.at(made.alone), found.at(made.joined), found.at(made.final))
    rows = np.arange(len(alone))
    loss = float((found.cost[rows, made.final] - found.cost[rows, made.joined]).sum())
    made.alerts += order_alerts(situation, found, every, quantities[0], quantities[1])
    made.alerts += budget_alerts(situation, found, quantities[1], quantities[2], loss)
    return made


def _join(
    situation: Situation,
    found: Lines,
    order: Order,
    made: _Decision,
    cost: np.ndarray,
    *,
    joint: bool,
    time_limit: float,
) -> None:
    """Find one supplier's order; the analytic one stands unless a model gives a better one that the check passes."""
    rows = order.rows

    def total(chosen: np.ndarray) -> float:
        return float(found.cost[rows, chosen].sum()) + (order.header if (chosen > 0).any() else 0.0)

    if not order.coupled or not joint:
        value = total(made.joined[rows])
        made.solves.append(Solve(order.supplier, "none", "analytic", value, value, 0.0, 0.0))
        return
    solved = solve(order.supplier, found, [order], cost, time_limit=time_limit)
    text = "" if solved.chosen is not None else f"solver: {solved.solve.status}"
    if solved.chosen is not None:
        quantity = np.zeros(len(made.joined))
        quantity[rows] = found.quantity[rows, solved.chosen]
        broken = check(_without_budget(situation), quantity)
        if broken:
            text = f"solver: plan rejected ({broken[0].rule})"
        elif solved.solve.status != "optimal" and total(solved.chosen) > total(made.joined[rows]):
            text = "solver: worse than the analytic plan at its time limit"
    if text:
        made.fallback[rows] = text
        at_stake = float((found.cost[rows, 0] - found.cost[rows, made.joined[rows]]).sum())
        words = f"the order to {order.supplier} was planned without the solver ({text.removeprefix('solver: ')})"
        made.alerts.append(solver_alert(order.supplier, words, max(at_stake, 0.0)))
        made.solves.append(_replaced(solved.solve, text))
        return
    made.solves.append(solved.solve)
    made.joined = trim(found, order, first_of(found, _put(made.joined, rows, solved.chosen)), cost)


def _put(chosen: np.ndarray, rows: np.ndarray, values: np.ndarray | None) -> Int[np.ndarray, " series"]:
    out = chosen.copy()
    out[rows] = values
    return out


def _replaced(solve: Solve, text: str) -> Solve:
    status = solve.status if solve.status.startswith(("failed", "no solution", "rejected")) else text[8:]
    return Solve(solve.supplier, solve.solver, status, solve.objective, solve.bound, solve.gap, solve.seconds)


def _fit(
    situation: Situation,
    found: Lines,
    every: list[Order],
    made: _Decision,
    cost: np.ndarray,
    left: float,
    joint: bool,
    time_limit: float,
) -> Int[np.ndarray, " series"]:
    """Fit all orders into what is left of the budget."""
    analytic = keep_budget(found, every, made.joined, cost, left)
    if not joint:
        return analytic
    result = within_budget(found, every, made.joined, cost, left, time_limit=time_limit)
    if isinstance(result, Shared):
        broken = check(situation, found.at(result.chosen))
        if not broken:
            made.solves.append(result.solve)
            return result.chosen
        text = f"solver: plan rejected ({broken[0].rule})"
        made.solves.append(_replaced(result.solve, text))
    else:
        made.solves.append(result)
        text = f"solver: {result.status}"
    rows = np.concatenate([order.rows for order in every])
    made.fallback[rows] = text
    loss = float((found.cost[rows, analytic[rows]] - found.cost[rows, made.joined[rows]]).sum())
    made.alerts.append(solver_alert("", f"the budget was met without the solver ({text})", max(loss, 0.0)))
    return analytic


def _without_budget(situation: Situation) -> Situation:
    return replace(situation, shared=replace(situation.shared, budget=None))


def _hold(situation: Situation, quantity: np.ndarray) -> None:
    broken = check(situation, quantity)
    if broken:
        raise InvariantError(
            f"the plan breaks {len(broken)} of its own rules, first: {broken[0].rule}, {broken[0].where}",
            code="SC-P004",
            details=[f"{v.rule}: {v.where}: {v.message}" for v in broken[:10]],
            help="this is a fault of stockcast; nothing is published",
        )


def _assemble(name: str, situation: Situation, found: Lines, made: _Decision, next_review: np.ndarray) -> ReorderPlan:
    terms = situation.terms
    rows = np.arange(len(terms.series))
    alone, joined, final = found.at(made.alone), found.at(made.joined), found.at(made.final)
    binding = explain.binding_constraints(situation, found, alone, joined, final)
    with_order = found.risk[rows, made.final]
    saving = np.where(final > 0, found.cost[:, 0] - found.cost[rows, made.final], 0.0)
    marginal = _marginal_value(found, made.final, terms.unit_cost)
    priority, spend = _rank(saving, final, marginal, terms.unit_cost)
    # a service target without a holding cost has no money to state a saving in
    priced = (terms.objective == 0) | (terms.holding_cost > 0)
    saving, marginal = np.where(priced, saving, np.nan), np.where(priced, marginal, np.nan)
    return ReorderPlan(
        series=terms.series,
        order_quantity=final,
        unconstrained_quantity=found.free,
        demand_mean=found.demand_mean,
        demand_median=found.demand_median,
        demand_q90=found.demand_q90,
        reorder_point=found.reorder_point,
        order_up_to_level=found.level,
        stockout_risk_without=found.risk[:, 0],
        stockout_risk_with=with_order,
        days_of_cover=explain.days_of_cover(situation, found, final),
        expected_cost_saving=saving,
        marginal_value=marginal,
        priority=priority,
        cumulative_spend=spend,
        binding=binding,
        reason=explain.reasons(situation, found, next_review, binding, final, joined, with_order),
        policy=np.full(len(rows), name),
        fallback=made.fallback,
    )


def _marginal_value(
    found: Lines, chosen: Int[np.ndarray, " series"], unit_cost: Float[np.ndarray, " series"]
) -> Float[np.ndarray, " series"]:
    """Give the cost that the next larger candidate saves, per unit of money it takes (per unit without unit cost)."""
    rows = np.arange(len(chosen))
    larger = found.quantity > found.at(chosen)[:, None]
    some = larger.any(axis=1)
    following = np.where(some, larger.argmax(axis=1), chosen)
    units = found.quantity[rows, following] - found.at(chosen)
    price = np.where(np.isfinite(unit_cost) & (unit_cost > 0), unit_cost, 1.0)
    here, there = found.cost[rows, chosen], found.cost[rows, following]
    saves = here - there
    real = np.abs(saves) > NEAR * np.maximum(np.abs(here), np.abs(there))  # what is less is rounding
    return np.where(some & real, saves / np.where(some, units * price, 1.0), 0.0)


def _rank(
    saving: np.ndarray, quantity: np.ndarray, marginal: np.ndarray, unit_cost: np.ndarray
) -> tuple[Int[np.ndarray, " series"], Float[np.ndarray, " series"]]:
    """Rank by saving per money of the line, then by the value of the next step; add up the money in that order."""
    value = quantity * money(unit_cost)
    price = np.where(value > 0, value, np.maximum(quantity, 1e-12))
    ratio = np.where(quantity > 0, saving / price, marginal)
    order = np.lexsort((np.arange(len(quantity)), -ratio, quantity <= 0))
    priority = np.empty(len(quantity), dtype=np.int64)
    priority[order] = np.arange(1, len(quantity) + 1)
    spend = np.empty(len(quantity))
    spend[order] = np.cumsum(value[order])
    return priority, spend
