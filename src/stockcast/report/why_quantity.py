"""Why this quantity: sentences for a planner from one row of ``plan.csv`` and one of ``waterfall.csv``."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from stockcast.policies import STEPS
from stockcast.policies.explain import LONG, NO_ORDER, made_larger
from stockcast.policies.figures import beside_text, exact_text, ordered_text, packed_text, units_text
from stockcast.policies.waterfall import SHARED, WHOLE_ORDER

Row = Mapping[str, Any]
LABELS = {
    "need": "mean demand until {until}",
    "safety": "{safety}",
    "cycle": "{cycle}",
    "on_hand": "on hand",
    "on_order": "on order",
    "backorders": "owed to customers",
    "at_places": "at the places that it feeds",
    "excess": "stock above the order-up-to level",
    "not_due": "an order does not pay yet",
    "no_review": "no order can be placed now",
    "not_orderable": "the line is not ordered",
    "pack": "whole {packs}",
    "moq": "minimum of the line",
    "max_order": "maximum of the line",
    "later": "looking further ahead than the next order",
    "supplier_minimum": "minimum or order cost of {supplier}",
    "truck": "trucks of {supplier}",
    "price_break": "price break of {supplier}",
    "budget": "budget",
    "storage": "room at {location}",
}


def waterfall_of(row: Row, plan: Row) -> list[dict[str, Any]]:
    """Give the steps that are not 0 and the quantity that they add up to, each with its name and what it is."""
    packs = "units" if plan["pack_size"] == 1 else f"packs of {exact_text(plan['pack_size'])}"
    below = "less than the mean, as the target allows" if row["objective"] != "cost" else "less, for stock is dearer"
    words = {
        "safety": "safety stock" if row["safety"] >= 0 else below,
        "until": _until(row) or "the next possible receipt", "packs": packs,
        "cycle": _cycle(row), "supplier": plan["supplier"] or "the supplier", "location": plan["location"],
    }  # fmt: skip
    steps = [
        {"step": name, "units": row[name], "what": _label(name, row[name]).format(**words)}
        for name in STEPS
        if row[name] or name in ("need", "on_hand")
    ]
    return [*steps, {"step": "order_quantity", "units": row["order_quantity"], "what": "order"}]


def _until(row: Row) -> Any:
    """Give the day until which demand counts; a run before there was the column has the next receipt's."""
    return row.get("demand_until") or row["next_receipt_date"]


def _label(name: str, units: float) -> str:
    return f"what was left of the {LABELS[name]}" if name in SHARED and units > 0 else LABELS[name]


def _cycle(row: Row) -> str:
    """Say what moves the level beyond demand and its risk."""
    if row["cycle"] < 0:
        return "less, for what would stay unsold"
    causes = [
        text for name, text in (("order_cost", "the order cost"), ("min_stock", "the minimum stock")) if row[name]
    ]
    return f"more, for {' and '.join(causes)}" if causes else "more, for few large orders"


def sentences(
    plan: Row, row: Row | None, prices: Mapping[str, float], lines: int, coarse: Set[str] = frozenset()
) -> list[str]:
    """Say why this quantity.

    Parameters
    ----------
    plan, row
        The line in ``plan.csv`` and in ``waterfall.csv``; None for the latter where the run has none.
    prices
        What one more unit of each shared limit would save.
    lines
        How many lines are ordered.
    coarse
        Limits of which one more unit changes nothing, but enough for a step: an exception tells how much.
    """
    if row is None:
        return [_capital(str(plan["reason"]))]
    held = plan["binding_constraint"] == "no_review"
    told = [_order(plan)]
    if plan["binding_constraint"] == "not_orderable":
        return told + _room_price(plan, prices, coarse)  # transfers may reach it
    told.append(_outlook(plan, row))
    told += _risk(plan, row)
    told += _difference(plan, row)
    if not held:
        told += _limits(plan, row)
        told += _money(plan, row, prices, lines, coarse)
    return told


def _order(plan: Row) -> str:
    if not plan["order_quantity"]:
        reason = str(plan["reason"]).partition("; until ")[0]
        return f"{_capital(reason)}."
    who = f" from {plan['supplier']}" if plan["supplier"] else ""
    worth = "" if plan["line_value"] is None else f", worth {plan['line_value']:,.2f}"
    return f"Order {_packed(plan)}{who} on {plan['order_date']} for receipt on {plan['expected_receipt_date']}{worth}."


def _outlook(plan: Row, row: Row) -> str:
    until = f"Until the next possible receipt, {row['next_receipt_date']}, " if row["next_receipt_date"] else ""
    if _until(row) != row["next_receipt_date"]:
        until = f"Until {_until(row)}, when what the next order brings can be at the places that it feeds, "
    demand = (
        f"demand is expected at {units_text(plan['demand_mean'])} (80 % range {units_text(row['demand_q0.1'])}–"
        f"{units_text(plan['demand_q0.9'])})"
    )
    arrival = row["receipt_date"]
    left = units_text(row["stock_at_receipt"])
    when = "it arrives" if plan["order_quantity"] else f"an order could arrive, {arrival}"
    said = f"{until}{demand}; {left} {'is' if left == '1' else 'are'} expected to be left when {when}."
    return _capital(said)


def _risk(plan: Row, row: Row) -> list[str]:
    without, with_order = plan["stockout_risk_without"], plan["stockout_risk_with"]
    lost = row["unmet_without"]
    what = ""
    if lost >= 0.05:
        if row["unmet_demand"] == "lost":
            cost = f" at a cost of {lost * row['shortage_cost']:,.2f}" if row["objective"] == "cost" else ""
            what = f", {units_text(lost)} units expected to be lost{cost}"
        else:
            what = f", up to {units_text(lost)} units waiting"
    span = f"from {row['receipt_date']} to {_until(row) or 'the next receipt'}"
    if not plan["order_quantity"]:
        return [f"The risk of a stockout {span} is {without:.0%}{what}."]
    saves = plan["expected_cost_saving"]
    gain = f"; the order saves {saves:,.2f} in all" if saves is not None and row["objective"] == "cost" else ""
    return [f"Without the order the risk of a stockout {span} is {without:.0%}{what}; with it {with_order:.0%}{gain}."]


def _difference(plan: Row, row: Row) -> list[str]:
    """Say what moved the quantity from the one that costs alone, or a service target, would ask for."""
    size = 0.0 if plan["pack_size"] == 1 else plan["pack_size"]
    quantity = ordered_text(plan["order_quantity"], size)
    free = beside_text(plan["unconstrained_quantity"], plan["order_quantity"], size)
    causes = []
    said = {
        "pack": "whole units" if plan["pack_size"] == 1 else f"whole packs of {exact_text(plan['pack_size'])}",
        "moq": f"the minimum of {exact_text(plan['moq'])}",
        "max_order": "the maximum" if row["most"] is None else f"the maximum of {exact_text(row['most'])}",
        "later": "looking further ahead",
        "supplier_minimum": f"the minimum or the order cost of {plan['supplier']}",
        "truck": f"the trucks of {plan['supplier']}",
        "price_break": f"a price break of {plan['supplier']}",
        "budget": "the budget",
        "storage": f"the room at {plan['location']}",
    }
    for name, text in said.items():
        units = row[name]
        if not units:
            continue
        if name in SHARED and units > 0:
            causes.append(_more(plan, row, name, text))
            continue
        verb = "cut" if units < 0 else "added"
        causes.append(f"{text} {verb} {units_text(abs(units))}")
    long = _long_cycle(plan, row)
    if not causes or (free == quantity and set(causes) == {"pack"}):
        return long
    what = "its costs alone ask" if row["objective"] == "cost" else "its service target alone asks"
    quantity = quantity if plan["order_quantity"] else "Nothing"
    return [f"{quantity} instead of the {free} that {what} for: {', '.join(causes)}.", *long]


def _more(plan: Row, row: Row, name: str, limit: str) -> str:
    """Say what made an order larger that a limit was met with: what was left of it, or the terms of the whole order."""
    units = units_text(row[name])
    if sum(row[step] for step in (*WHOLE_ORDER, *SHARED)) > 0:  # more than is best for it
        return f"the terms of the order to {plan['supplier']}, within {limit}, added {units}"
    return f"what was left of {limit} {'bought' if name == 'budget' else 'holds'} {units} more"


def _long_cycle(plan: Row, row: Row) -> list[str]:
    """Say why an order reaches far beyond the next receipt: its order cost, or what else has made it larger."""
    if not (plan["order_quantity"] and _until(row)) or row["later"]:
        return []
    far = LONG * (_until(row) - plan["order_date"]).days
    days = plan["days_of_cover"]
    if days <= far:
        return []
    held = -sum(row[name] for name in ("on_hand", "on_order", "backorders", "at_places"))
    least = min(plan["unconstrained_quantity"], plan["order_quantity"])
    alone = days * (held + least) / max(held + plan["order_quantity"], 1e-9)
    because = {
        "moq": f"for its minimum is {exact_text(plan['moq'])}",
        "pack": f"for its pack is {exact_text(plan['pack_size'])}",
        "supplier_minimum": f"to reach the minimum of {plan['supplier']}",
        "truck": f"for the trucks of {plan['supplier']}",
        "price_break": f"for the price break of {plan['supplier']}",
    }
    cause = ""
    if made_larger(days, alone, far):
        cause = because.get(plan["binding_constraint"], "")
    elif plan["unconstrained_quantity"] and row["order_cost"] and row["objective"] == "cost" and row["cycle"] > 0:
        cause = f"since each order line costs {row['order_cost']:g}"
    return [f"It covers {units_text(days)} days, {cause}."] if cause else []


def _limits(plan: Row, row: Row) -> list[str]:
    """Say which of the line's own limits are there and do not bind."""
    loose = []
    if plan["moq"] and not row["moq"]:
        loose.append(f"the minimum of {exact_text(plan['moq'])} is not binding")
    if row["most"] is not None and not row["max_order"]:
        loose.append(f"the maximum of {exact_text(row['most'])} is not binding")
    if row["ordered_now"]:
        loose.append(f"{exact_text(row['ordered_now'])} were ordered in this period already and count")
    return [f"{_capital(', '.join(loose))}."] if loose else []


def _money(plan: Row, row: Row, prices: Mapping[str, float], lines: int, coarse: Set[str] = frozenset()) -> list[str]:
    told = []
    if row["objective"] != "cost":
        target = str(row["objective"]).replace("_", " ")
        told.append(
            f"The target is a {target} of {row['target']:.4g}; it implies a shortage cost of "
            f"{row['shortage_cost']:.4g} a unit against a holding cost of {row['holding_cost']:.4g} a unit and period."
        )
    if plan["order_quantity"]:
        told.append(
            f"It is line {plan['priority']} of {lines} by what it saves for its money, with "
            f"{plan['cumulative_spend']:,.2f} spent down to it."
        )
    marginal = plan["marginal_value"]
    if row["objective"] == "cost" and marginal is not None and abs(marginal) >= 5e-4:
        does = f"save {marginal:.3f}" if marginal > 0 else f"cost {-marginal:.3f} more than it saves,"
        told.append(f"The next larger quantity would {does} for each unit of money.")
    money = prices.get("budget", 0.0)
    if money > 0 and NO_ORDER not in str(plan["reason"]):
        told.append(_price("budget", money, " somewhere in the plan", coarse="budget" in coarse))
    return told + _room_price(plan, prices, coarse)


def _room_price(plan: Row, prices: Mapping[str, float], coarse: Set[str]) -> list[str]:
    name = f"storage {plan['location']}"
    price = prices.get(name, 0.0)
    return [_price(f"room at {plan['location']}", price, "", coarse=name in coarse)] if price > 0 else []


def _price(what: str, price: float, where: str, *, coarse: bool) -> str:
    if coarse:
        return (
            f"More {what} would save {price:.4g} a unit on average{where}, once it is enough for what is wanted next."
        )
    return f"One more unit of {what} would save {price:.4g}{where}."


def moves(transfers: Sequence[Row], location: str) -> list[str]:
    """Say what is moved to and from a place, from rows of ``transfers.csv``: the plan counts it as sent.

    Examples
    --------
    >>> row = {"from_location": "x", "to_location": "y", "quantity": 12.0, "expected_receipt_date": "2026-11-25"}
    >>> moves([row], "y")
    ['12 are moved here from x, for 2026-11-25, and count as on order.']
    >>> moves([row], "x")
    ['12 are moved from here to y, and count as gone.']
    """
    told = []
    for row in transfers:
        units = exact_text(row["quantity"])
        if row["to_location"] == location:
            when = row["expected_receipt_date"]
            told.append(f"{units} are moved here from {row['from_location']}, for {when}, and count as on order.")
        else:
            told.append(f"{units} are moved from here to {row['to_location']}, and count as gone.")
    return told


def headline(plan: Row) -> str:
    """Say in one line what is ordered of a series, for a list of several."""
    if plan["order_quantity"]:
        return f"order {_packed(plan)} for receipt on {plan['expected_receipt_date']}"
    return str(plan["reason"]).partition(";")[0]


def _packed(plan: Row) -> str:
    return packed_text(plan["order_quantity"], plan["order_packs"], plan["pack_size"])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
