"""An independent check of order lines as they are published: every line once, of the right supplier, date and sums."""

from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np
from jaxtyping import Float, Shaped

from stockcast.core.arrays import freeze
from stockcast.inventory import Situation
from stockcast.policies.check import Violation, check

ROUNDING = Fraction(1, 10**11)  # relative: what a product or a sum of floating numbers may be off


@final
@dataclass(frozen=True, slots=True)
class OrderLines:
    """The lines that go out, as columns; ``total`` is what all of them are said to be worth."""

    sku: Shaped[np.ndarray, " line"]
    location: Shaped[np.ndarray, " line"]
    supplier: Shaped[np.ndarray, " line"]
    quantity: Float[np.ndarray, " line"]
    packs: Float[np.ndarray, " line"]
    value: Float[np.ndarray, " line"]
    order_date: Shaped[np.ndarray, " line"]
    receipt_date: Shaped[np.ndarray, " line"]
    total: float

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__ if name != "total"})


def check_lines(
    situation: Situation,
    lines: OrderLines,
    planned: Float[np.ndarray, " series"],
    held: Float[np.ndarray, " series"] | None = None,
) -> tuple[Violation, ...]:
    """Hold order lines against the plan that they stand for, and their quantities against every rule of :func:`check`.

    Parameters
    ----------
    planned
        The quantity of each series in the plan.
    held
        As in :func:`check`.

    Returns
    -------
    violations
        Empty for lines that can be sent.
    """
    terms, axis, time = situation.terms, situation.past.series, situation.demand.time
    row_of = {pair: at for at, pair in enumerate(zip(axis.sku.tolist(), axis.location.tolist(), strict=True))}
    found: list[Violation] = []
    quantity = np.zeros(len(axis.sku))
    seen: set[int] = set()
    start = time.start.astype("datetime64[D]")
    total = Fraction(0)
    for at, pair in enumerate(zip(lines.sku.tolist(), lines.location.tolist(), strict=True)):
        where = f"{pair[0]} at {pair[1]}"
        row = row_of.get(pair)
        if row is None:
            found.append(Violation("series", where, "no series of the plan"))
            continue
        if row in seen:
            found.append(Violation("double", where, "ordered on two lines"))
            continue
        seen.add(row)
        quantity[row] = units = float(lines.quantity[at])
        if not np.isfinite(units) or units <= 0:
            found.append(Violation("number", where, f"{units} is no quantity of an order line"))
            continue
        if str(lines.supplier[at]) != str(terms.supplier[row]):
            found.append(Violation("supplier", where, f"ordered from {lines.supplier[at]}, not {terms.supplier[row]}"))
        if lines.order_date[at] != start:
            found.append(Violation("date", where, f"ordered on {lines.order_date[at]}, the period begins {start}"))
        arrives = start + int(terms.lead_time[row]) * np.timedelta64(time.days, "D")
        if lines.receipt_date[at] != arrives:
            found.append(Violation("receipt", where, f"expected on {lines.receipt_date[at]}, it arrives {arrives}"))
        amount = Fraction(str(units))
        pack = Fraction(str(float(terms.pack_size[row]))) or Fraction(1)
        if not _near(float(lines.packs[at]), amount / pack):
            found.append(Violation("packs", where, f"{lines.packs[at]:g} packs of {float(pack):g}, {units:g} units"))
        cost = float(terms.unit_cost[row])
        if cost == cost:
            worth = amount * Fraction(str(cost))
            total += worth
            if not _near(float(lines.value[at]), worth):
                found.append(Violation("value", where, f"worth {lines.value[at]:g}, not {float(worth):g}"))
    found += _against_plan(situation, planned, quantity)
    if not _near(lines.total, total):
        found.append(Violation("total", "orders", f"{lines.total:g} in all, the lines add up to {float(total):g}"))
    return (*found, *check(situation, quantity, held=held))


def _against_plan(situation: Situation, planned: np.ndarray, quantity: np.ndarray) -> list[Violation]:
    axis, found = situation.past.series, []
    for row in np.flatnonzero(planned != quantity).tolist():
        where = f"{axis.sku[row]} at {axis.location[row]}"
        missing = quantity[row] == 0
        text = f"{planned[row]:g} are planned, " + ("no line orders them" if missing else f"{quantity[row]:g} ordered")
        found.append(Violation("missing" if missing else "quantity", where, text))
    return found


def _near(told: float, exact: Fraction) -> bool:
    if not np.isfinite(told):
        return False
    return abs(Fraction(told) - exact) <= ROUNDING * max(abs(exact), Fraction(1, 10**6))
