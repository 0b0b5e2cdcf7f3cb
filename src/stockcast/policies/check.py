"""An independent check of a plan with exact arithmetic: it shares no code with what made the plan.

Numbers are read as they are written (``0.1`` is a tenth): a sum that reaches a minimum on paper reaches it here.
They are decimals with more digits than any sum or product of doubles needs; rounding, were there any, is an error.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, localcontext
from fractions import Fraction
from typing import final

import numpy as np
from jaxtyping import Float, Int, Shaped

from stockcast.inventory import Situation, SupplierTerms

EXACT = Context(prec=5_000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, InvalidOperation, DivisionByZero])


@final
@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule: its name, where, and by how much (in units or money)."""

    rule: str
    where: str
    message: str


def check(
    situation: Situation,
    quantity: Shaped[np.ndarray, "..."],
    *,
    rows: Int[np.ndarray, " row"] | None = None,
    held: Float[np.ndarray, " series"] | None = None,
) -> tuple[Violation, ...]:
    """Hold order quantities against every rule: packs, MOQ, maximum, calendar, suppliers' terms, budget and storage.

    Without a pack, goods are ordered in whole pieces where all recorded sales and stock are whole, a warehouse's at the
    places that it feeds, too; nothing else says what a piece is.

    What open orders of this period hold already counts towards MOQ, maximum, minimums, trucks and budget; where it
    exceeds the budget, or stock the room, by itself, nothing may be added.

    Parameters
    ----------
    rows
        The lines to look at, for the order of one supplier; all when left out.
    held
        Units expected to lie at the location when the line's order arrives, without it and without what is ordered in
        this period; what is on hand and on order when left out.

    Returns
    -------
    violations
        Empty for a plan that keeps every rule.
    """
    n = len(situation.past.series.sku)
    if quantity.shape != (n,):
        return (Violation("lines", "plan", f"{quantity.shape[0]} quantities for {n} series"),)
    with localcontext(EXACT):
        return _check(situation, quantity, range(n) if rows is None else sorted(rows.tolist()), held)


def _check(
    situation: Situation, quantity: np.ndarray, rows: Iterable[int], held: np.ndarray | None
) -> tuple[Violation, ...]:
    found: list[Violation] = []
    amounts: dict[int, Decimal] = {}
    for at in rows:
        value = float(quantity[at])
        if value != value or value in (float("inf"), float("-inf")):
            found.append(Violation("number", _name(situation, at), f"{value} is not a quantity"))
        elif value != 0:
            amounts[at] = _exact(value)
            found.extend(_line(situation, at, amounts[at]))
    found.extend(_suppliers(situation, amounts))
    found.extend(_budget(situation, amounts))
    found.extend(_storage(situation, amounts, held))
    return tuple(found)


def _name(situation: Situation, at: int) -> str:
    return f"{situation.past.series.sku[at]} at {situation.past.series.location[at]}"


def _exact(value: object) -> Decimal:
    return Decimal(repr(float(value)))  # type: ignore[arg-type]


def _line(situation: Situation, at: int, amount: Decimal) -> list[Violation]:
    terms, where = situation.terms, _name(situation, at)
    if amount < 0:
        return [Violation("negative", where, f"{float(amount):g} units")]
    found = []
    if str(terms.fed_by[at]):
        found.append(Violation("fed", where, f"{float(amount):g} units bought, {terms.fed_by[at]} feeds it"))
    if not bool(terms.orderable[at]):
        found.append(Violation("not_orderable", where, f"{float(amount):g} units of a series that is not ordered"))
    if not bool(terms.at_review[at]):
        found.append(Violation("review", where, f"{float(amount):g} units, not at review"))
    pack, before = _exact(terms.pack_size[at]), _exact(terms.ordered_now[at])
    if pack > 0 and not _whole(amount, pack):
        found.append(Violation("pack", where, f"{float(amount):g} units in packs of {float(pack):g}"))
    if pack == 0 and not _whole(amount, Decimal(1)) and _pieces(situation, at):
        found.append(Violation("pack", where, f"{float(amount):g} units of goods that come in whole pieces"))
    if before + amount < _exact(terms.moq[at]):
        found.append(Violation("moq", where, f"{float(before + amount):g} units, the minimum is {terms.moq[at]:g}"))
    most = float(terms.max_order[at])
    if most != float("inf") and before + amount > _exact(most):
        found.append(Violation("max_order", where, f"{float(before + amount):g} units, the maximum is {most:g}"))
    return found


def _whole(amount: Decimal, pack: Decimal) -> bool:
    """Tell whether an amount is whole packs, as near as its number can come: a third of a case has no last decimal."""
    off = amount % pack
    return min(off, pack - off) <= _exact(math.ulp(float(amount)))


def _pieces(situation: Situation, at: int) -> bool:
    """Tell whether goods come in whole pieces: all that was sold and lies there is whole, at places that it feeds."""
    sales, stock = situation.past.sales, situation.state.on_hand

    def whole(row: int) -> bool:
        return all(float(value).is_integer() for value in (*sales[row].tolist(), stock[row]))

    terms = situation.terms
    sku, location = terms.series.sku, terms.series.location
    if not whole(at):  # goods by weight are known by their own record: no look at all other series
        return False
    fed = np.flatnonzero((terms.fed_by != "") & (terms.fed_by == location[at]) & (sku == sku[at])).tolist()
    return all(whole(row) for row in fed)


def _suppliers(situation: Situation, amounts: dict[int, Decimal]) -> list[Violation]:
    of: dict[str, list[int]] = {}
    for at in amounts:
        of.setdefault(str(situation.terms.supplier[at]), []).append(at)
    found: list[Violation] = []
    for supplier in situation.shared.suppliers:
        lines = [(at, amounts[at]) for at in of.get(supplier.supplier, [])]
        if sum((amount for _, amount in lines), Decimal(0)) <= 0:
            continue
        terms = situation.terms
        sums = {
            "units": _exact(supplier.committed_units) + sum(amount for _, amount in lines),
            "worth": _exact(supplier.committed_value) + sum(amount * _cost(situation, at) for at, amount in lines),
            "weight": _exact(supplier.committed_weight)
            + sum(amount * _exact(terms.weight[at]) for at, amount in lines),
            "volume": _exact(supplier.committed_volume)
            + sum(amount * _exact(terms.volume[at]) for at, amount in lines),
        }
        for what, least in (
            ("units", supplier.min_order_units),
            ("worth", supplier.min_order_value),
            ("weight", supplier.min_order_weight),
        ):
            if sums[what] < _exact(least):
                text = f"{what} {float(sums[what]):g}, the minimum is {least:g}"
                found.append(Violation("supplier_minimum", supplier.supplier, text))
        found.extend(_trucks(supplier, sums["volume"], sums["weight"]))
    return found


def _trucks(supplier: SupplierTerms, volume: Decimal, weight: Decimal) -> list[Violation]:
    """Hold what an order loads against the share that its trucks are filled to at least."""
    loads = [
        Fraction(amount) / Fraction(_exact(size))
        for amount, size in ((volume, supplier.truck_volume), (weight, supplier.truck_weight))
        if size > 0
    ]
    if not loads or supplier.truck_min_fill <= 0:
        return []
    load = max(loads)
    trucks = -((-load.numerator) // load.denominator)
    if load < Fraction(_exact(supplier.truck_min_fill)) * trucks:
        text = f"{float(load):.3g} of {trucks} trucks, to be filled to {supplier.truck_min_fill:g}"
        return [Violation("truck", supplier.supplier, text)]
    return []


def _cost(situation: Situation, at: int) -> Decimal:
    cost = float(situation.terms.unit_cost[at])
    return Decimal(0) if cost != cost else _exact(cost)


def _budget(situation: Situation, amounts: dict[int, Decimal]) -> list[Violation]:
    if situation.shared.budget is None:
        return []
    spend = sum((amount * _cost(situation, at) for at, amount in amounts.items()), Decimal(0))
    left = max(_exact(situation.shared.budget) - _exact(situation.shared.budget_used), Decimal(0))
    if spend > left:
        return [Violation("budget", "plan", f"{float(spend):g} of {float(left):g} left")]
    return []


def _storage(situation: Situation, amounts: dict[int, Decimal], held: np.ndarray | None) -> list[Violation]:
    found: list[Violation] = []
    terms, state = situation.terms, situation.state
    for location, room in situation.shared.storage.items():
        here = np.flatnonzero(terms.series.location == location).tolist()
        taken = sum((amounts[at] * _exact(terms.volume[at]) for at in here if at in amounts), Decimal(0))
        if taken <= 0:
            continue
        lies = Decimal(0)
        for at in here:
            if held is None:
                units = _exact(state.on_hand[at]) + _exact(state.pipeline[at].sum())
            else:
                units = _exact(held[at]) + _exact(terms.ordered_now[at])
            lies += units * _exact(terms.volume[at])
        left = max(_exact(room) - lies, Decimal(0))
        if taken > left:
            found.append(Violation("storage", location, f"a volume of {float(taken):g}, {float(left):g} is left"))
    return found
