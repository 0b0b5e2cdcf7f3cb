"""What a planner should look at before a sale ends: stock that will be left then, and orders that come after it."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.findings import Alert
from stockcast.inventory import Situation
from stockcast.policies.coupling import money
from stockcast.policies.ending import Ending
from stockcast.policies.figures import units_text
from stockcast.policies.lines import Lines
from stockcast.policies.projection import Part
from stockcast.policies.transfers.network import feeds, lies_for_others

NEARLY = 0.1  # of the stock: what will be left is told from here on
CHUNK = 256  # series whose paths are held at once


def end_alerts(
    situation: Situation, lines: Lines, quantity: Float[np.ndarray, " series"]
) -> tuple[list[Alert], Bool[np.ndarray, " series"]]:
    """Tell of goods whose end lies ahead and of which a tenth or more will be left, or something comes after it.

    Returns
    -------
    alerts, told
        The alerts, and which series they are about.
    """
    terms, time = situation.terms, situation.past.time
    left, after, stock = _left(situation, lines, quantity)
    left = np.where(left >= NEARLY * stock, left, 0.0)
    told, value = (left > 0) | (after > 0), (left + after) * money(terms.unit_cost)
    open_now = np.cumsum(situation.state.open_orders, axis=1)
    found = []
    for at in np.flatnonzero(told).tolist():
        last = int(terms.sold_for[at])
        when = f"{'on' if time.days == 1 else 'in the week of'} {time.date(time.n + last - 1)}"
        end = f"the end of its sale {when}"
        words, action = [], []
        if left[at] > 0:
            held, ordered = float(situation.state.on_hand[at]), float(quantity[at])
            parts = {"on hand": held, "on order": float(stock[at]) - held - ordered, "ordered now": ordered}
            names = [name for name, units in parts.items() if units > 0]
            words.append(
                f"{units_text(float(left[at]))} of the {units_text(float(stock[at]))} units {' and '.join(names)} are "
                f"expected to be left at {end}"
            )
            action.append("mark down, or move it to where its sale goes on")
            if open_now[at, min(last, open_now.shape[1]) - 1] > 0:
                action.append("cancel open orders that are not needed")
        if after[at] > 0:
            units = units_text(float(after[at]))
            words.append(f"{units} more on order arrive after it" if words else f"{units} on order arrive after {end}")
            action.append("cancel the order that comes too late, or send it to where its sale goes on")
        found.append(
            Alert(
                "warning", "SC-P012", "; ".join(words), "; ".join(action), str(terms.series.sku[at]),
                str(terms.series.location[at]), str(terms.supplier[at]), float(value[at]),
            )
        )  # fmt: skip
    return found, told


def _left(situation: Situation, lines: Lines, quantity: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the units expected to be left at the end, those that come after it, and all that is there or comes before.

    A warehouse's are there for what the places that it feeds lack until their end.
    """
    terms = situation.terms
    ends = np.isfinite(terms.sold_for) & (terms.sold_for > 0) & ~lies_for_others(situation)
    tonight = replace(situation, state=situation.state.with_order(quantity, terms.first_review + terms.lead_time))
    left, after = np.zeros(len(ends)), np.zeros(len(ends))
    gives = feeds(situation)
    position = tonight.state.on_hand + tonight.state.on_order
    some = np.flatnonzero(ends & ~gives)
    for begin in range(0, len(some), CHUNK):
        rows = some[begin : begin + CHUNK]
        found = Ending.of(Part.of(tonight, rows), lines.rate[rows])
        left[rows], after[rows] = np.maximum(found.stock, 0.0).mean(axis=1), found.after
    for row in np.flatnonzero(ends & gives).tolist():
        rows = np.sort(np.append(np.flatnonzero(terms.feeder == row), row))
        if not np.isfinite(terms.sold_for[rows]).all():
            continue  # what lies there is still sold where there is no end
        found = Ending.of(Part.of(tonight, rows), lines.rate[rows])
        own, places = rows == row, rows != row
        lack = (found.unmet + np.maximum(-found.stock, 0.0))[places].sum(axis=0)
        left[row] = np.maximum(found.stock[own][0] - lack, 0.0).mean()
        after[row] = found.after[own][0]
    return left, after, position - after
