"""An independent check of a plan with exact arithmetic: it shares no code with what made the plan.

Numbers are read as they are written (``0.1`` is a tenth): a sum that reaches a minimum on paper reaches it here.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np
from jaxtyping import Shaped

from stockcast.inventory import Situation


@final
@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule: its name, where, and by how much (in units or money)."""

    rule: str
    where: str
    message: str


def check(situation: Situation, quantity: Shaped[np.ndarray, "..."]) -> tuple[Violation, ...]:
    """Hold order quantities against packs, MOQ, maximum, calendar, supplier minimums and budget.

    What open orders of this period hold already counts towards MOQ, maximum, minimums and budget; where it exceeds the
    budget by itself, nothing may be added.

    Returns
    -------
    violations
        Empty for a plan that keeps every rule.
    """
    n = len(situation.past.series.sku)
    if quantity.shape != (n,):
        return (Violation("lines", "plan", f"{quantity.shape[0]} quantities for {n} series"),)
    found: list[Violation] = []
    amounts: list[Fraction] = []
    for at in range(n):
        value = float(quantity[at])
        if value != value or value in (float("inf"), float("-inf")):
            found.append(Violation("number", _name(situation, at), f"{value} is not a quantity"))
            amounts.append(Fraction(0))
            continue
        amounts.append(Fraction(str(value)))
        found.extend(_line(situation, at, amounts[at]))
    found.extend(_suppliers(situation, amounts))
    found.extend(_budget(situation, amounts))
    return tuple(found)


def _name(situation: Situation, at: int) -> str:
    return f"{situation.past.series.sku[at]} at {situation.past.series.location[at]}"


def _exact(value: object) -> Fraction:
    return Fraction(str(float(value)))  # type: ignore[arg-type]


def _line(situation: Situation, at: int, amount: Fraction) -> list[Violation]:
    terms, where = situation.terms, _name(situation, at)
    if amount < 0:
        return [Violation("negative", where, f"{float(amount):g} units")]
    if amount == 0:
        return []
    found = []
    if not bool(terms.orderable[at]):
        found.append(Violation("not_orderable", where, f"{float(amount):g} units of a series that is not ordered"))
    if not bool(terms.at_review[at]):
        found.append(Violation("review", where, f"{float(amount):g} units, not at review"))
    pack, before = _exact(terms.pack_size[at]), _exact(terms.ordered_now[at])
    if pack > 0 and (amount / pack).denominator != 1:
        found.append(Violation("pack", where, f"{float(amount):g} units in packs of {float(pack):g}"))
    if before + amount < _exact(terms.moq[at]):
        found.append(Violation("moq", where, f"{float(before + amount):g} units, the minimum is {terms.moq[at]:g}"))
    most = float(terms.max_order[at])
    if most != float("inf") and before + amount > _exact(most):
        found.append(Violation("max_order", where, f"{float(before + amount):g} units, the maximum is {most:g}"))
    return found


def _suppliers(situation: Situation, amounts: list[Fraction]) -> list[Violation]:
    found = []
    for supplier in situation.shared.suppliers:
        rows = [at for at, name in enumerate(situation.terms.supplier.tolist()) if name == supplier.supplier]
        units = sum((amounts[at] for at in rows), Fraction(0))
        if units <= 0:
            continue
        if _exact(supplier.committed_units) + units < _exact(supplier.min_order_units):
            text = f"{float(units):g} units, the minimum is {supplier.min_order_units:g}"
            found.append(Violation("supplier_minimum", supplier.supplier, text))
        if supplier.min_order_value > 0:
            value = sum((amounts[at] * _cost(situation, at) for at in rows), Fraction(0))
            if _exact(supplier.committed_value) + value < _exact(supplier.min_order_value):
                text = f"worth {float(value):g}, the minimum is {supplier.min_order_value:g}"
                found.append(Violation("supplier_minimum", supplier.supplier, text))
    return found


def _cost(situation: Situation, at: int) -> Fraction:
    cost = float(situation.terms.unit_cost[at])
    return Fraction(0) if cost != cost else _exact(cost)


def _budget(situation: Situation, amounts: list[Fraction]) -> list[Violation]:
    if situation.shared.budget is None:
        return []
    spend = sum((amount * _cost(situation, at) for at, amount in enumerate(amounts) if amount), Fraction(0))
    left = max(_exact(situation.shared.budget) - _exact(situation.shared.budget_used), Fraction(0))
    if spend > left:
        return [Violation("budget", "plan", f"{float(spend):g} of {float(left):g} left")]
    return []
