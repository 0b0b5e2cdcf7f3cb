"""The orders of a night with those of later reviews in mind, or as they were where that costs no less."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.arrays import freeze
from stockcast.core.errors import InvariantError
from stockcast.core.findings import Alert
from stockcast.inventory import Outlook, Situation
from stockcast.policies.ahead.looking import Looked, Seen, look_ahead, refused_alert
from stockcast.policies.ahead.words import words
from stockcast.policies.coupling import total_cost
from stockcast.policies.decision import Decision, decide
from stockcast.policies.finer import between, with_quantities
from stockcast.policies.lines import Lines
from stockcast.policies.milp import Solve, Solving

WORSE = "worse than the plan that looks one review ahead"
LIMITED = "limits"  # in the place of a supplier: all orders
ROUNDS = 4  # of more candidates where limits move lines that look further


@final
@dataclass(frozen=True, slots=True)
class Further:
    """What was decided, on which lines, and which orders looked further than the next review.

    ``near`` is what each line would order by itself up to the next review.
    """

    lines: Lines
    decision: Decision
    near: Float[np.ndarray, " series"]
    looked: tuple[Looked, ...] = ()
    solves: tuple[Solve, ...] = ()
    alerts: tuple[Alert, ...] = ()
    outlook: Outlook | None = None

    def __post_init__(self) -> None:
        """Freeze the array."""
        freeze(self, near=self.near)

    @classmethod
    def none(cls, lines: Lines, decision: Decision) -> "Further":
        """Give what was decided one review ahead."""
        return cls(lines, decision, lines.at(decision.alone))

    def ahead(self, n: int) -> Bool[np.ndarray, " series"]:
        """Tell which of ``n`` lines are of orders that looked further."""
        found = np.zeros(n, dtype=bool)
        for one in self.looked:
            found[one.order.rows] = True
        return found

    def reasons(self, situation: Situation, final: Float[np.ndarray, " series"]) -> dict[int, str]:
        """Say for each line of an order planned ahead what that changed, and when it is ordered next."""
        found: dict[int, str] = {}
        for one in self.looked:
            if self.outlook is not None:
                found |= words(situation, one, self.outlook, self.near, final)
        return found


def further(situation: Situation, found: Lines, before: Decision, outlook: Outlook, solving: list[Solving]) -> Further:
    """Decide again with later reviews in mind; what costs more over them than before stays as it was.

    An order is taken if it keeps every rule and its cost until the end of what is looked at, on the same paths and with
    the best orders that can follow, is not above that of the quantities decided before. Where a budget or a room binds,
    all orders are held against that together.
    """
    plain = Further.none(found, before)
    seen = look_ahead(
        situation, found, before.every, outlook, before.goods, shared=before.shared, price=before.price,
        solving=solving[0],
    )  # fmt: skip
    if not seen.looked:
        return replace(plain, alerts=seen.alerts)
    alerts = list(seen.alerts)
    refused: list[str] = []
    try:
        made = decide(situation, seen.lines, joint=True, solving=solving)
        refused = _worse(found, before, seen, made)
        if refused:
            seen = seen.without(found, refused)
            made = decide(situation, seen.lines, joint=True, solving=solving)
    except InvariantError as error:
        made, seen = before, replace(seen.without(found, [one.order.supplier for one in seen.looked]), lines=found)
        refused = [LIMITED]
        alerts.append(refused_alert("", f"plan rejected: {error.message}"))
    alerts += [refused_alert(name, WORSE) for name in refused if name != LIMITED]
    for order in before.every:
        text = seen.failed.get(order.supplier) or (WORSE if order.supplier in refused or LIMITED in refused else "")
        if text:
            made.fallback[order.rows] = np.where(made.fallback[order.rows] == "", f"ahead: {text}"[:64],
                                                 made.fallback[order.rows])  # fmt: skip
    return Further(seen.lines, made, seen.near, seen.looked, seen.solves, tuple(alerts), outlook)


def to_the_pack(
    situation: Situation, seen: Further, outlook: Outlook, new: Bool[np.ndarray, " series"], solving: list[Solving],
    *, near: tuple[Lines, Decision], workers: int = 1,
) -> Further:  # fmt: skip
    """Look ahead again with more quantities where limits moved the lines that did, as long as that saves.

    Parameters
    ----------
    new
        Lines of orders that are to have them; others keep their candidates.
    near
        The lines and the decision that look one review ahead.
    """
    found, before = near
    for _ in range(ROUNDS):
        final = seen.lines.at(seen.decision.final)
        rows = np.flatnonzero((final != seen.lines.at(seen.decision.joined)) & seen.ahead(len(final)) & new)
        if not len(rows) or solving[0].limit <= 0:
            break
        wanted = between(seen.lines, seen.decision.final, rows)
        more = with_quantities(found, situation, rows, wanted, workers=workers)
        if more is found:
            break
        again = further(situation, more, before.on(found, more), outlook, solving)
        if len(again.looked) < len(seen.looked):
            break
        place = np.argmax(again.lines.quantity == final[:, None], axis=1)
        was = total_cost(again.lines, seen.decision.every, place, before.goods)
        now = total_cost(again.lines, again.decision.every, again.decision.final, before.goods)
        if not np.array_equal(again.lines.at(place), final) or now >= was - 1e-9 * max(abs(was), 1.0):
            break
        found, before, seen = more, before.on(found, more), again
    return seen


def _worse(found: Lines, before: Decision, seen: Seen, made: Decision) -> list[str]:
    """Give the suppliers whose orders cost more over the reviews looked at than those decided before."""
    goods = before.goods
    old, new = found.at(before.final), seen.lines.at(made.final)
    differs = []
    for one in seen.looked:
        rows = one.order.rows
        was, now = one.cost(old[rows], goods), one.cost(new[rows], goods)
        differs.append((one.order.supplier, now - was, 1e-9 * max(abs(was), 1.0)))
    if any(limit.over(found.at(before.joined)) > 0 for limit in before.shared):
        ahead = {one.order.supplier for one in seen.looked}
        rest = [order for order in before.every if order.supplier not in ahead]
        more = total_cost(seen.lines, rest, made.final, goods) - total_cost(found, rest, before.final, goods)
        if more + sum(by for _, by, _ in differs) <= sum(near for *_, near in differs):
            return []
        return [name for name, *_ in differs]
    return [name for name, by, near in differs if by > near]
