"""Whole orders planned several reviews ahead, and handed back as cost tables of this one.

The schedule of a supplier's later orders is found first (``policies.ahead.schedule``, ``policies.milp.ahead``). Given
it, what each candidate costs a line up to the end is a number: it takes the place of the cost up to the next review,
and all that ties lines tonight (minimums, trucks, price breaks, budget, room) is decided on it as always. Only this
period's quantities go out; the next night looks ahead again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.findings import Alert
from stockcast.inventory import Outlook, Situation
from stockcast.policies.ahead.cycles import Cycles, cycles, nodes_of
from stockcast.policies.ahead.schedule import Schedule, Terms, best_schedule, cost_of, table
from stockcast.policies.ahead.tied import tied_schedule
from stockcast.policies.coupling import Goods, Limit, Order
from stockcast.policies.lines import TABLES, Lines
from stockcast.policies.milp import Solve, Solving, solve_ahead
from stockcast.policies.newsvendor import aim
from stockcast.policies.projection import Part, batches, lead_margin

MOST = 300  # lines of an order that is planned ahead


@final
@dataclass(frozen=True, slots=True)
class Looked:
    """One order planned ahead: its tables, its schedule, and where its lines go from here."""

    order: Order
    tables: Cycles
    schedule: Schedule
    terms: Terms

    def cost(self, quantity: Float[np.ndarray, " line"], goods: Goods) -> float:
        """Give what some quantities cost until the end with the best orders that can follow."""
        at = np.argmax(self.tables.quantity == quantity[:, None], axis=1)
        if (self.tables.quantity[np.arange(len(at)), at] != quantity).any():
            return np.inf  # not among the candidates
        return cost_of(self.tables, at, self.terms, self.schedule.orders) + self.order.extra(quantity, goods)

    def next_order(self, quantity: Float[np.ndarray, " line"]) -> Int[np.ndarray, " line"]:
        """Give the period of each line's next order after these quantities, by the schedule."""
        at = np.argmax(self.tables.quantity == quantity[:, None], axis=1)
        later = np.concatenate([[False], self.schedule.orders[1:]])
        _, after = table(self.tables, later)
        found: np.ndarray = self.tables.times[after[np.arange(len(at)), at]]
        return found


@final
@dataclass(frozen=True, slots=True)
class Seen:
    """What looking ahead found: the lines with the costs of this order until the end, and how.

    ``near`` is what each line would order by itself for the next review alone.
    """

    lines: Lines
    looked: tuple[Looked, ...]
    near: Float[np.ndarray, " series"]
    solves: tuple[Solve, ...]
    alerts: tuple[Alert, ...]
    failed: dict[str, str]

    def __post_init__(self) -> None:
        """Freeze the array."""
        freeze(self, near=self.near)

    def without(self, before: Lines, refused: Sequence[str]) -> "Seen":
        """Give the same with some suppliers' orders as they were before."""
        kept = tuple(one for one in self.looked if one.order.supplier not in refused)
        back = [one.order.rows for one in self.looked if one.order.supplier in refused]
        rows = np.concatenate(back) if back else np.zeros(0, dtype=np.int64)
        width = self.lines.quantity.shape[1]
        changed = {name: getattr(self.lines, name).copy() for name in (*TABLES, "chosen")}
        for name in TABLES:
            changed[name][rows] = _wide(getattr(before, name), width)[rows]
        changed["chosen"][rows] = before.chosen[rows] + width - before.quantity.shape[1]
        return replace(self, lines=replace(self.lines, **changed), looked=kept)


def look_ahead(
    situation: Situation,
    found: Lines,
    every: Sequence[Order],
    outlook: Outlook,
    goods: Goods,
    *,
    shared: Sequence[Limit] = (),
    price: Float[np.ndarray, " limit"] | None = None,
    solving: Solving,
) -> Seen:
    """Plan the orders for which timing matters over the reviews of an outlook.

    Parameters
    ----------
    every
        The orders of this period.
    shared, price
        What all orders share and what one more unit of it would save, by the plan that looks one review ahead.
    solving
        Who solves models, where minimums ask for one.
    """
    matters = outlook.matters(situation.terms, situation.shared)
    dearer = np.zeros(len(found.chosen))
    for limit, worth in zip(shared, np.zeros(len(shared)) if price is None else price, strict=True):
        dearer += worth * limit.use
    feeders = situation.terms.feeder[situation.terms.feeder >= 0]
    looked, solves, alerts = [], [], []
    failed: dict[str, str] = {}
    for order in every:
        if not matters[order.rows].any():
            continue
        if len(order.rows) > MOST:
            alerts.append(_too_large(order))
            continue
        if np.isin(order.rows, feeders).any():
            alerts.append(_for_places(order))
            continue
        mine = outlook.take(order.rows)
        terms = situation.terms.take(order.rows)
        reach = situation.demand.horizon - terms.lead_time - lead_margin(terms)
        times = nodes_of(mine, reach)
        known = int((mine.reviews <= mine.end()[:, None]).sum(axis=1).max()) - 1
        if len(times) - 1 < min(mine.ahead, known):
            alerts.append(_fewer(order, len(times) - 1, mine.ahead))
        if len(times) < 3:
            continue
        # what usual orders get off: later ones in any case, this one if it reaches its break
        rebate = found.rebate[order.rows]
        usual = replace(mine, unit_cost=mine.unit_cost - rebate[:, None])
        tables = cycles(situation, order.rows, usual, times, found.quantity[order.rows])
        tables = replace(tables, first=tables.first + (rebate[:, None] * tables.quantity)[:, :, None])
        supplier = situation.shared.supplier(order.supplier)
        least = (supplier.min_order_value, supplier.min_order_units, supplier.min_order_weight)
        whole = Terms.of(order, goods, supplier.order_cost, least)
        priced = replace(tables, first=tables.first + (dearer[order.rows, None] * tables.quantity)[:, :, None])
        schedule, answers, trouble = _solved(order, priced, whole, goods, solving)
        solves += answers
        if trouble:
            failed[order.supplier] = trouble
            alerts.append(refused_alert(order.supplier, trouble))
        looked.append(Looked(order, tables, schedule, whole))
    lines = _joined(situation, found, looked)
    return Seen(lines, tuple(looked), found.at(found.chosen), tuple(solves), tuple(alerts), failed)


def _solved(
    order: Order, tables: Cycles, terms: Terms, goods: Goods, solving: Solving
) -> tuple[Schedule, list[Solve], str]:
    """Find a schedule: without a solver where the best one keeps the minimums by itself."""
    if order.trucks is not None or order.tiers:
        tied = tied_schedule(tables, terms, order, goods, terms.alone)
        gap = (tied.cost - tied.bound) / max(abs(tied.cost), 1.0)
        told = Solve(f"{order.supplier} ahead", "price", "feasible", tied.cost, tied.bound, gap, 0.0)
        return tied, [told], ""
    found = best_schedule(tables, terms)
    at = np.arange(len(tables.quantity))
    held = terms.use @ tables.quantity[at, found.chosen]
    keeps = not found.orders[0] or bool((held >= terms.now * (1 - 1e-12)).all())
    scale = max(abs(found.cost), 1.0)
    name = f"{order.supplier} ahead"
    if terms.free or (keeps and found.cost <= found.bound + 1e-9 * scale):
        gap = (found.cost - found.bound) / scale
        return found, [Solve(name, "none", "analytic", found.cost, found.bound, gap, 0.0)], ""
    ways = solve_ahead(name, tables, terms, solving)
    if ways.orders is None or ways.chosen is None:
        return found, list(ways.solves), ways.solves[-1].status
    best = min((one for one in ways.solves if np.isfinite(one.objective)), key=lambda one: one.objective)
    if keeps and found.cost <= best.objective:
        return found, list(ways.solves), ""
    later = np.concatenate([[False], ways.orders[1:]])
    _, after = table(tables, later)
    return replace(
        found, orders=ways.orders, chosen=ways.chosen, after=after[at, ways.chosen], cost=best.objective,
        bound=best.bound,
    ), list(ways.solves), ""  # fmt: skip


def _wide(values: np.ndarray, width: int) -> np.ndarray:
    missing = width - values.shape[1]
    return np.concatenate([np.repeat(values[:, :1], missing, axis=1), values], axis=1) if missing else values


def _joined(situation: Situation, found: Lines, looked: Sequence[Looked]) -> Lines:
    """Put the costs until the end in the place of those until the next review."""
    if not looked:
        return found
    width = max(found.quantity.shape[1], *(one.tables.quantity.shape[1] for one in looked))
    changed = {name: _wide(getattr(found, name), width).copy() for name in TABLES}
    chosen = found.chosen + width - found.quantity.shape[1]
    for one in looked:
        rows, quantity = one.order.rows, _wide(one.tables.quantity, width)
        later = np.concatenate([[False], one.schedule.orders[1:]])
        cost = _wide(table(one.tables, later, one.terms.alone)[0], width)
        cost = _kept_service(found, rows, quantity, cost - cost[:, :1], situation.terms.objective[rows] > 0)
        changed["quantity"][rows], changed["cost"][rows] = quantity, cost
        alone = cost - found.rebate[rows, None] * quantity  # at what a usual order pays, as all later ones do
        least = alone.min(axis=1, keepdims=True)
        chosen[rows] = np.argmax(alone <= least + 1e-9 * np.maximum(np.abs(least), 1e-300), axis=1)
        part = Part.of(situation, rows)
        for at in batches(part):
            made = aim(part.take(at))
            units = made.projection.mine[:, None] + quantity[at]
            changed["risk"][rows[at]] = made.stockout_risk(units)
            waste = np.stack([made.waste.expected(some) for some in units.T], axis=1)
            changed["waste"][rows[at]], changed["left"][rows[at]] = waste, made.left(units) - waste
    return replace(found, chosen=chosen, **changed)


def _kept_service(
    found: Lines, rows: np.ndarray, quantity: np.ndarray, cost: np.ndarray, served: Bool[np.ndarray, " line"]
) -> np.ndarray:
    """Let no look ahead save on a service target: what falls short of it costs at least what that costs by itself."""
    out = cost.copy()
    near = found.at(found.chosen)[rows]
    for line in np.flatnonzero(served & (near > 0)).tolist():
        row, units = int(rows[line]), quantity[line]
        there = int(np.argmax(units == near[line]))
        own = np.interp(units, found.quantity[row], found.cost[row]) - found.cost[row, found.chosen[row]]
        short = units < near[line]
        out[line, short] = np.maximum(cost[line, short], cost[line, there] + np.maximum(own[short], 0.0))
    return out - out[:, :1]


def _too_large(order: Order) -> Alert:
    return Alert(
        "info", "SC-P036", f"the order to {order.supplier} has {len(order.rows)} lines: it looks one review ahead, as "
        f"every order of more than {MOST} does", "plan.order_scope: supplier_location makes smaller orders",
        supplier=order.supplier,
    )  # fmt: skip


def _for_places(order: Order) -> Alert:
    return Alert(
        "info", "SC-P036", f"the order to {order.supplier} looks one review ahead: it holds lines of a warehouse, "
        "which are for the places that it feeds", "nothing to do; with a supplier of their own for the warehouse, "
        "the other lines of this one look ahead", supplier=order.supplier,
    )  # fmt: skip


def _fewer(order: Order, seen: int, asked: int) -> Alert:
    return Alert(
        "info", "SC-P036", f"the order to {order.supplier} looks {max(seen, 1)} in place of {asked} reviews ahead: the "
        "forecast ends before", "set forecast.horizon: auto, or further out", supplier=order.supplier,
    )  # fmt: skip


def refused_alert(supplier: str, why: str) -> Alert:
    """Tell that an order was not planned ahead as it was meant to be."""
    return Alert(
        "warning", "SC-P037", f"the order to {supplier} was not planned ahead as asked for ({why})",
        "look at solves in manifest.json", supplier=supplier,
    )  # fmt: skip
