"""From a situation to the reorder plan: lines, then what couples them, then the check, then the words."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import ClassVar, final

import numpy as np
from jaxtyping import Float, Int, Shaped

from stockcast.core.errors import DataError, UsageError, did_you_mean
from stockcast.core.findings import Alert
from stockcast.inventory import Outlook, ReorderPlan, Situation, SupplierTerms
from stockcast.policies import explain
from stockcast.policies.ahead.plan import Further, further, to_the_pack
from stockcast.policies.alerts import line_alerts, ranked
from stockcast.policies.base import Policy
from stockcast.policies.classical.rules import NAMES as RULES
from stockcast.policies.costs import NEAR
from stockcast.policies.coupling import Order, money, orders
from stockcast.policies.cut import cut_at
from stockcast.policies.decision import Decision, deciding, hold, of_open_orders
from stockcast.policies.lines import Lines, lines
from stockcast.policies.milp import Solve, Solver, Solving
from stockcast.policies.milp.worker import kept
from stockcast.policies.newsvendor import Newsvendor
from stockcast.policies.order_alerts import limit_alerts, order_alerts
from stockcast.policies.orderable import Orderable
from stockcast.policies.projection import require_horizon
from stockcast.policies.smallest import too_small
from stockcast.policies.usual import settled
from stockcast.policies.waterfall import Waterfall

MOST_SOLVERS = 4  # processes that solve at once
NAMES = ("clairvoyant", "cover", "learned", "min_max", "newsvendor", "optimizer", "order_up_to", "safety_stock")


@final
@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, the models solved for it, what a planner should look at, and the relative gap of all orders together.

    ``held`` are the units expected in stock when each line's order arrives, without it; ``waterfall`` has the steps to
    each quantity, ``lines`` what they come from, and ``prices`` what one more unit of each shared limit would save;
    ``coarse`` lines were moved by limits, and were too many to look for more quantities of each.
    """

    plan: ReorderPlan
    solves: tuple[Solve, ...]
    alerts: tuple[Alert, ...]
    gap: float
    held: Float[np.ndarray, " series"]
    waterfall: Waterfall
    lines: Lines
    prices: Mapping[str, float]
    coarse: int = 0


@final
@dataclass(frozen=True, slots=True)
class Optimizer(Policy):
    """The newsvendor on paths, in packs, with suppliers' terms, budget and storage solved as models."""

    name: ClassVar[str] = "optimizer"
    solving: Solving = field(default_factory=Solving)

    def order(self, situation: Situation) -> Float[np.ndarray, " series"]:
        """Give the quantities of the joint plan."""
        _, found, made = settled(situation, lines(situation), deciding([self.solving]))
        return found.at(made.final)


@final
@dataclass(frozen=True, slots=True)
class Classical(Policy):
    """A rule of the textbooks (``policies.classical.rules``), each line by itself, in packs."""

    rule: str
    name: ClassVar[str] = "classical"

    def order(self, situation: Situation) -> Float[np.ndarray, " series"]:
        """Give admissible quantities, rounded up."""
        require_horizon(situation)
        found = lines(situation, rule=self.rule)
        return found.at(found.chosen)


POLICIES: dict[str, Callable[[], Policy]] = {
    "newsvendor": lambda: Orderable(Newsvendor()),
    "optimizer": Optimizer,
    **{rule: partial(Classical, rule) for rule in RULES},
}


def plan(
    policy: str,
    situation: Situation,
    *,
    next_review: Shaped[np.ndarray, " series"],
    time_limit: float = 60.0,
    until: float = math.inf,
    solver: Solver | None = None,
    outlook: Outlook | None = None,
    ranked_budget: float | None = None,
    workers: int = 1,
    done: Callable[[int], None] = lambda count: None,
) -> Planned:
    """Plan the orders of the first future period.

    Parameters
    ----------
    policy
        ``optimizer`` (or ``auto``): couplings are solved as models. ``newsvendor``, and the classical rules
        ``order_up_to``, ``safety_stock``, ``cover`` and ``min_max``: they are met by analytic repair.
    next_review
        The next date on which each series can be ordered, for the reason of a line that is not at review.
    time_limit, until
        Seconds for each model, and the deadline of all of them (``time.monotonic``): safeties only.
    solver
        Who answers models; the processes of ``policies.milp`` when left out.
    outlook
        The reviews that ``optimizer`` looks at; up to the next one when left out.
    ranked_budget
        Money at which the ranking by value is cut (:func:`stockcast.policies.cut.cut_at`); not cut when left out.
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
    _require_costs(situation, limited=ranked_budget is not None)
    joint = name == "optimizer"
    own = kept(min(workers, MOST_SOLVERS))
    if joint and solver is None and _tied(situation):
        own[0].start()  # it loads PuLP while the lines are computed
    found = lines(situation, rule=name if name in RULES else "", workers=workers, done=done)
    solving = [Solving(who, time_limit, until) for who in ([solver] if solver is not None else own)]

    decider = deciding(solving, joint=joint, workers=workers)
    tonight, found, decided = settled(situation, found, decider)
    seen = Further.none(found, decided)
    if outlook is not None and outlook.ahead > 1 and joint:
        seen = further(tonight, found, decided, outlook, solving)
        may = of_open_orders(tonight, seen.lines, seen.decision)
        seen = to_the_pack(tonight, seen, outlook, may, solving, near=(found, decided), workers=workers)
    tied = seen.decision.every  # as it was decided: money is told as the models counted it
    if tonight is not situation:  # breaks that were left alone are told of, if a little more would reach them
        every = orders(situation.terms, situation.shared, seen.lines.at(seen.lines.chosen) > 0)
        seen = replace(seen, decision=replace(seen.decision, every=every))
    found, decision = seen.lines, seen.decision
    ranks: tuple[np.ndarray, np.ndarray] | None = None
    cuts: tuple[Alert, ...] = ()
    reasons: dict[int, str] = {}
    more: dict[int, str] = {}
    if ranked_budget is not None:
        ranks = _rank(*_worth(situation, found, decision, tied), situation.terms.unit_cost)
        reasons, more, cuts = cut_at(ranked_budget, situation, found, decision, *ranks)
        hold(situation, found, found.at(decision.final))
    worth = _worth(situation, found, decision, tied)
    made = _assemble(name, situation, seen, next_review, worth, ranks, reasons, more)
    alerts = [
        *decision.alerts,
        *seen.alerts,
        *order_alerts(situation, found, decision),
        *limit_alerts(situation, found, decision),
        *line_alerts(situation, found, made.order_quantity),
        *cuts,
    ]
    prices = {limit.name: price for limit, price in zip(decision.shared, decision.price.tolist(), strict=True)}
    steps = Waterfall.of(situation, found, decision, seen.near)
    return Planned(
        made, (*decision.solves, *seen.solves), ranked(alerts), decision.gap, found.held, steps, found, prices,
        decided.coarse,
    )  # fmt: skip


def _tied(situation: Situation) -> bool:
    """Tell whether a model may have to be solved."""
    shared = situation.shared
    plain = SupplierTerms("")
    tied = any(replace(one, supplier="") != plain for one in shared.suppliers)
    return tied or shared.budget is not None or bool(shared.storage)


def _require_costs(situation: Situation, *, limited: bool = False) -> None:
    """Hold that every line which a limit in money concerns has a unit cost."""
    terms, shared = situation.terms, situation.shared
    needs = np.full(len(terms.series), limited or shared.budget is not None)
    for supplier in shared.suppliers:
        if supplier.min_order_value > 0 or supplier.price_breaks:
            needs |= terms.supplier == supplier.supplier
    lacking = np.flatnonzero(needs & terms.at_review & terms.orderable & ~np.isfinite(terms.unit_cost))
    if len(lacking):
        raise DataError(
            f"unit_cost is missing for {len(lacking)} series that a budget, minimum value or price break needs it of",
            code="SC-P002",
            details=[f"{terms.series.sku[at]} at {terms.series.location[at]}" for at in lacking[:10].tolist()],
            help="give unit_cost in items or item_locations, or drop the budget, min_order_value and price_breaks",
        )


def _worth(
    situation: Situation, found: Lines, made: Decision, every: list[Order]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give what each line saves, its share of a discount included, its quantity, and what its next step would save."""
    final = found.at(made.final)
    worth = final * made.goods.cost
    following = _following(found, made.final)
    step = (found.at(following) - final) * made.goods.cost
    off, more = np.zeros(len(final)), np.zeros(len(final))
    for order in every:
        value = float(worth[order.rows].sum())
        if order.tiers:
            off[order.rows] = order.discount(value) * worth[order.rows] / max(value, 1e-300)
            here = order.discount(value)
            more[order.rows] = [order.discount(value + by) - here for by in step[order.rows].tolist()]
    saving = found.cost[:, 0] - found.cost[np.arange(len(final)), made.final] + off
    marginal = _marginal_value(found, made.final, following, situation.terms.unit_cost, more)
    return np.where(final > 0, saving, 0.0), final, marginal


def _following(found: Lines, chosen: Int[np.ndarray, " series"]) -> Int[np.ndarray, " series"]:
    """Give the candidate that comes next above each line's choice; the choice itself where it is the largest."""
    larger = found.quantity > found.at(chosen)[:, None]
    return np.where(larger.any(axis=1), larger.argmax(axis=1), chosen)


def _assemble(
    name: str,
    situation: Situation,
    seen: Further,
    next_review: np.ndarray,
    worth: tuple[np.ndarray, np.ndarray, np.ndarray],
    ranks: tuple[np.ndarray, np.ndarray] | None = None,
    cut: Mapping[int, str] = MappingProxyType({}),
    more: Mapping[int, str] = MappingProxyType({}),
) -> ReorderPlan:
    terms, found, made = situation.terms, seen.lines, seen.decision
    rows = np.arange(len(terms.series))
    alone, joined = found.at(made.alone), found.at(made.joined)
    saving, final, marginal = worth
    binding = explain.binding_constraints(situation, found, alone, joined, final, made.joined_by, made.final_by,
                                          near=seen.near)  # fmt: skip
    with_order = found.risk[rows, made.final]
    priority, spend = _rank(saving, final, marginal, terms.unit_cost) if ranks is None else ranks
    reason = explain.reasons(
        situation,
        found,
        next_review,
        binding,
        final,
        joined,
        with_order,
        seen.ahead(len(rows)),
        too_small(found, made),
    ).astype(object)
    for row, text in seen.reasons(situation, final).items():
        reason[row] = f"{reason[row]}; {text}"
    reason[list(cut)] = list(cut.values())
    for row, text in more.items():
        reason[row] = f"{reason[row]}; {text}"
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
        reason=reason.astype(np.str_),
        policy=np.full(len(rows), name),
        fallback=made.fallback,
    )


def _marginal_value(
    found: Lines,
    chosen: Int[np.ndarray, " series"],
    following: Int[np.ndarray, " series"],
    unit_cost: Float[np.ndarray, " series"],
    more: Float[np.ndarray, " series"],
) -> Float[np.ndarray, " series"]:
    """Give the cost that the next larger candidate saves, per unit of money it takes (per unit without unit cost).

    ``more`` is what it adds to the discount of its whole order, a further price break that it reaches included.
    """
    rows = np.arange(len(chosen))
    units = found.at(following) - found.at(chosen)
    price = np.where(np.isfinite(unit_cost) & (unit_cost > 0), unit_cost, 1.0)
    here, there = found.cost[rows, chosen], found.cost[rows, following]
    saves = here - there
    real = np.abs(saves) > NEAR * np.maximum(np.abs(here), np.abs(there))  # what is less is rounding
    saves = np.where(real, saves, 0.0) + more
    return np.where(units > 0, saves / np.where(units > 0, units * price, 1.0), 0.0)


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
