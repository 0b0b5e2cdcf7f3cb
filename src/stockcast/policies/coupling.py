"""What ties lines together: the whole order of a supplier, and the money of the order period."""

import heapq
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.inventory import SharedTerms, SupplierTerms, SupplyTerms
from stockcast.policies.costs import NEAR
from stockcast.policies.lines import Lines


@final
@dataclass(frozen=True, slots=True)
class Order:
    """One whole order: a supplier's terms, as far as open orders of this period leave them to be met, and its lines.

    ``header`` is the order cost that is still to be decided on; ``value`` and ``units`` what is missing from the
    minimums.
    """

    supplier: str
    rows: Int[np.ndarray, " line"]
    header: float
    value: float
    units: float

    @property
    def coupled(self) -> bool:
        """Tell whether anything ties the lines together."""
        return self.header > 0 or self.value > 0 or self.units > 0


def orders(terms: SupplyTerms, shared: SharedTerms, wanted: Bool[np.ndarray, " series"]) -> list[Order]:
    """Give the order of each supplier that has a line which can be ordered now, by name.

    Where a line with a service target wants an order (``wanted``: the line by itself orders), the order cost is no
    reason to give it up: the target is to be met at the least cost, and that cost is part of it.
    """
    open_now = terms.at_review & terms.orderable
    due = set(terms.supplier[open_now & wanted & (terms.objective > 0)].tolist())
    found = []
    for name in np.unique(terms.supplier[open_now]).tolist():
        supplier: SupplierTerms = shared.supplier(name)
        found.append(
            Order(
                supplier=name,
                rows=np.flatnonzero(open_now & (terms.supplier == name)),
                header=0.0 if supplier.committed_units > 0 or name in due else supplier.order_cost,
                value=max(supplier.min_order_value - supplier.committed_value, 0.0),
                units=max(supplier.min_order_units - supplier.committed_units, 0.0),
            )
        )
    return found


def money(unit_cost: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
    """Give the unit cost with 0 where it is not known (nothing that needs it is then in force)."""
    return np.where(np.isfinite(unit_cost), unit_cost, 0.0)


def reaches(order: Order, quantity: Float[np.ndarray, " series"], unit_cost: Float[np.ndarray, " series"]) -> bool:
    """Tell whether an order meets its minimums, or holds nothing."""
    units = float(quantity[order.rows].sum())
    value = float((quantity[order.rows] * unit_cost[order.rows]).sum())
    return units <= 0 or (value >= order.value * (1 - 1e-12) and units >= order.units * (1 - 1e-12))


def meet_minimum(
    lines: Lines, order: Order, chosen: Int[np.ndarray, " series"], unit_cost: Float[np.ndarray, " series"]
) -> Int[np.ndarray, " series"]:
    """Fill an order up to its minimums with the cheapest further steps, or drop it where that costs less.

    The analytic counterpart of the model in ``policies.milp``, and its fallback.
    """
    out = chosen.copy()
    rows = order.rows
    nothing = float(lines.cost[rows, 0].sum())

    def lacks() -> tuple[float, float]:
        units = lines.quantity[rows, out[rows]]
        return order.value - float((units * unit_cost[rows]).sum()), order.units - float(units.sum())

    def price_of_step(row: int) -> tuple[float, int, int] | None:
        at = int(out[row])
        more = np.flatnonzero(lines.quantity[row] > lines.quantity[row, at])
        if not len(more):
            return None
        # a line that is opened only to fill up is opened at its best size: once its order cost is paid, that is wanted
        step = int(more[np.argmin(lines.cost[row, more])]) if lines.quantity[row, at] == 0 else int(more[0])
        gained = lines.quantity[row, step] - lines.quantity[row, at]
        worth = gained * unit_cost[row] if order.value > 0 else gained
        return (float((lines.cost[row, step] - lines.cost[row, at]) / max(worth, 1e-12)), row, step)

    if (out[rows] > 0).any():
        queue = [entry for row in rows.tolist() if (entry := price_of_step(row)) is not None]
        heapq.heapify(queue)
        value, units = lacks()
        while queue and (value > 1e-12 * order.value or units > 1e-12 * order.units):
            _, row, step = heapq.heappop(queue)
            out[row] = step
            entry = price_of_step(row)
            if entry is not None:
                heapq.heappush(queue, entry)
            value, units = lacks()
        cost = float(lines.cost[rows, out[rows]].sum()) + order.header
        if not reaches(order, lines.at(out), unit_cost) or cost >= nothing:
            out[rows] = 0
    return out


def keep_budget(
    lines: Lines,
    every: list[Order],
    chosen: Int[np.ndarray, " series"],
    unit_cost: Float[np.ndarray, " series"],
    budget: float,
) -> Int[np.ndarray, " series"]:
    """Cut orders back, the step that is worth least for its money first, until they fit the budget.

    An order that falls below its minimum on the way is dropped as a whole.
    """
    out = chosen.copy()

    def worth_of_step(row: int) -> tuple[float, int, int] | None:
        at = int(out[row])
        less = np.flatnonzero(lines.quantity[row] < lines.quantity[row, at])
        freed = [(float(lines.quantity[row, at] - lines.quantity[row, j]) * float(unit_cost[row]), j) for j in less]
        loss = [((lines.cost[row, j] - lines.cost[row, at]) / money, j) for money, j in freed if money > 0]
        if not loss:
            return None
        best = min(loss)
        return float(best[0]), row, int(best[1])

    queue = [entry for row in np.flatnonzero(out > 0).tolist() if (entry := worth_of_step(row)) is not None]
    heapq.heapify(queue)
    spend = float((lines.at(out) * unit_cost).sum())
    while spend > budget * (1 - 1e-12) and queue:
        _, row, step = heapq.heappop(queue)
        spend -= float(lines.quantity[row, out[row]] - lines.quantity[row, step]) * float(unit_cost[row])
        out[row] = step
        entry = worth_of_step(row)
        if entry is not None:
            heapq.heappush(queue, entry)
    for order in every:
        if not reaches(order, lines.at(out), unit_cost):
            out[order.rows] = 0
    return out


def first_of(lines: Lines, chosen: Int[np.ndarray, " series"]) -> Int[np.ndarray, " series"]:
    """Give the first candidate of the same quantity, so that equal orders have one index."""
    found: np.ndarray = np.argmax(lines.quantity == lines.at(chosen)[:, None], axis=1)
    return found


def trim(
    lines: Lines, order: Order, chosen: Int[np.ndarray, " series"], unit_cost: Float[np.ndarray, " series"]
) -> Int[np.ndarray, " series"]:
    """Undo what a model chose among equals: a line goes back to its own best, an order to nothing, if it costs no more.

    A solver's tolerances leave open which of several plans of one cost it gives; this settles it.
    """
    out, rows = chosen.copy(), order.rows
    for row in rows[(out[rows] > 0) & (out[rows] != lines.chosen[rows])].tolist():
        own = int(lines.chosen[row])
        same = NEAR * max(abs(float(lines.cost[row, own])), abs(float(lines.cost[row, out[row]])))
        if lines.cost[row, own] <= lines.cost[row, out[row]] + same:
            before, out[row] = int(out[row]), own
            if not reaches(order, lines.at(out), unit_cost):
                out[row] = before
    saved = lines.cost[rows, out[rows]]
    if float(saved.sum()) + order.header >= -NEAR * (float(np.abs(saved).sum()) + order.header):
        out[rows] = 0
    return out
