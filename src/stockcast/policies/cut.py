"""The priority list cut where the money ends: ``plan --rank-by value --budget B``."""

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.findings import Alert
from stockcast.inventory import Situation
from stockcast.policies.coupling import REACHED
from stockcast.policies.decision import Decision
from stockcast.policies.figures import ordered_text
from stockcast.policies.lines import Lines
from stockcast.policies.moved import RANKED


def cut_at(
    money: float,
    situation: Situation,
    lines: Lines,
    made: Decision,
    priority: Int[np.ndarray, " series"],
    spend: Float[np.ndarray, " series"],
) -> tuple[dict[int, str], dict[int, str], tuple[Alert, ...]]:
    """Keep the lines down the ranking until the money is spent; the first that does not fit and all below it go.

    Lines stay whole: no line is made smaller, and none further down is taken in the place of one that does not fit. An
    order that falls below its supplier's minimums on the way is dropped, too; what that frees is not spent again.

    Parameters
    ----------
    money
        For this order period, at ``unit_cost`` before discount; what open orders of it took already comes off.
    made
        What was decided; changed in place.
    priority, spend
        Rank, and the money spent down to each line.

    Returns
    -------
    reasons, further, alerts
        Why each line that was cut is not ordered, by row; what is to be added for each that was not, where its order
        reaches its price break no longer; and an exception for each, with what it would have saved.
    """
    terms = situation.terms
    left = max(money - situation.shared.budget_used, 0.0)
    before = lines.at(made.final)
    beyond = (before > 0) & (spend > left * (1 + REACHED))
    made.final = np.where(beyond, 0, made.final)
    dropped = np.zeros(len(before), dtype=bool)
    for order in made.every:
        quantity = lines.at(made.final)[order.rows]
        if order.coupled and not order.keeps(quantity, made.goods):
            dropped[order.rows] = quantity > 0
            made.final[order.rows] = 0
    gone = np.flatnonzero(beyond | dropped)
    made.final_by = made.final_by.copy()
    made.final_by[gone] = RANKED
    count = int((before > 0).sum())
    reasons, alerts = {}, []
    for at in gone[np.argsort(priority[gone], kind="stable")].tolist():
        units = ordered_text(float(before[at]), float(situation.terms.pack_size[at]))
        if beyond[at]:
            why = (
                f"the budget of {money:,.10g} ends before it: line {priority[at]} of {count} by value, "
                f"{spend[at]:,.2f} down to it of {left:,.2f}"
            )
        else:
            why = f"what the budget of {money:,.10g} leaves of the order to {terms.supplier[at]} misses its minimum"
        reasons[at] = f"nothing: {units} would be ordered, but {why}"
        saved = float(lines.cost[at, 0] - lines.cost[at, np.argmax(lines.quantity[at] == before[at])])
        alerts.append(
            Alert(
                "warning", "SC-P035", f"{units} units are not ordered: {why}",
                "raise --budget, or leave the choice to the optimizer with plan.budget",
                str(terms.series.sku[at]), str(terms.series.location[at]), str(terms.supplier[at]), max(saved, 0.0),
            )
        )  # fmt: skip
    further, missed = _breaks_missed(money, lines, made, before)
    return reasons, further, (*alerts, *missed)


def _breaks_missed(
    money: float, lines: Lines, made: Decision, before: Float[np.ndarray, " series"]
) -> tuple[dict[int, str], list[Alert]]:
    """Tell of orders that what was cut takes below their price break: the rest was chosen for it, and pays more."""
    further, alerts, after = {}, [], lines.at(made.final)
    for order in made.every:
        rows = order.rows
        was, now = (float(some[rows] @ made.goods.cost[rows]) for some in (before, after))
        share = order.discount(was) / was if was > 0 else 0.0
        lost = share * now - order.discount(now)
        if now <= 0 or lost <= REACHED * was:
            continue
        for at in rows[after[rows] > 0].tolist():
            further[at] = f"the budget of {money:,.10g} leaves the order below its price break"
        alerts.append(
            Alert(
                "warning", "SC-P035",
                f"the order to {order.supplier} was to be worth {was:,.2f} and is {now:,.2f} with the budget of "
                f"{money:,.10g}: its price break is missed, {lost:,.2f} on what is left of it",
                "raise --budget, or leave the choice to the optimizer with plan.budget", supplier=order.supplier,
                value=lost,
            )
        )  # fmt: skip
    return further, alerts
