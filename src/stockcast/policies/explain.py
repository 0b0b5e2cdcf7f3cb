"""Why this quantity, in the sentence that a planner reads; ``policies.waterfall`` has the steps that add up to it."""

import numpy as np
from jaxtyping import Bool, Float, Shaped

from stockcast.inventory import Situation, SupplyTerms
from stockcast.inventory.timing import FAR
from stockcast.policies.coupling import limits
from stockcast.policies.figures import beside_text, exact_text, ordered_text, packed_text, units_text
from stockcast.policies.lines import Lines
from stockcast.policies.moved import moved_by_limits
from stockcast.policies.onward import goes_on

LONG = 1.5  # protection intervals that an order covers: from there on it is told why
LONGEST_COVER = 9999.0  # days; a series that sells nothing
WHOLE_ORDERS = ("supplier_minimum", "truck", "price_break")
NO_ORDER = "admit no order"  # what is left of a budget
NOTHING_FITS = "before anything that is wanted fits"  # into what is left of a budget or a room
ON_AVERAGE = "on average"  # what more of it saves, once it is enough for a step
NOTHING_COMES = "nothing more comes now"  # to a place that a warehouse feeds
NO_SHIPMENT = "no shipment until"  # to such a place, by the calendar of its warehouse
SHARED_LIMITS = ("budget", "storage")
MAKE_LARGER = ("pack", "moq", *WHOLE_ORDERS)
AFTER_PACKS = ("moq", "max_order", "later", *WHOLE_ORDERS, *SHARED_LIMITS, "no_review", "not_orderable")


def binding_constraints(
    situation: Situation,
    lines: Lines,
    alone: Float[np.ndarray, " series"],
    joined: Float[np.ndarray, " series"],
    final: Float[np.ndarray, " series"],
    joined_by: Shaped[np.ndarray, " series"],
    final_by: Shaped[np.ndarray, " series"],
    near: Float[np.ndarray, " series"] | None = None,
) -> Shaped[np.ndarray, " series"]:
    """Name the constraint that set each quantity.

    Parameters
    ----------
    alone
        What is best for the line by itself.
    joined
        With its supplier's terms, of which ``joined_by`` names the one that moved it.
    final
        Within what all share, of which ``final_by`` names the one that weighs most; the one that moved it is named
        (``policies.moved``).
    near
        What would be best for the line by itself up to the next review; ``alone`` when left out.
    """
    terms, free = situation.terms, lines.free
    joined, final_by = moved_by_limits(situation, lines, limits(situation, lines), joined, final, joined_by, final_by)
    near = alone if near is None else near
    tiny = 1e-9 * np.maximum(1.0, free)
    rounded = np.where(lines.step > 0, np.ceil(free / np.where(lines.step > 0, lines.step, 1.0) - 1e-9), 0.0)
    rounded = np.where(lines.step > 0, rounded * lines.step, free)
    short = terms.moq - terms.ordered_now
    name = np.full(len(free), "none", dtype="<U16")
    name[(np.abs(final - free) > tiny) & (terms.pack_size > 0)] = "pack"
    under_moq = (terms.moq > 0) & (rounded < short) & (free > tiny)
    name[under_moq & ((final <= lines.least + tiny) | (final == 0))] = "moq"
    name[near < lines.unlimited - tiny] = "max_order"
    name = np.where(np.abs(alone - near) > 0, "later", name)
    name = np.where(np.abs(joined - alone) > 0, joined_by, name)
    name = np.where(np.abs(final - joined) > 0, final_by, name)
    name[~terms.at_review] = "no_review"
    name[~terms.orderable] = "not_orderable"
    return name


def days_of_cover(
    situation: Situation, lines: Lines, quantity: Float[np.ndarray, " series"]
) -> Float[np.ndarray, " series"]:
    """Give the days for which the inventory position, this order included, covers the mean demand; at most 9999."""
    position = np.maximum(situation.state.inventory_position + lines.elsewhere + quantity, 0.0)
    periods = np.minimum(situation.terms.covered, situation.demand.horizon)
    daily = lines.demand_mean / (periods * situation.past.time.days)
    cover = np.where(daily > 0, position / np.where(daily > 0, daily, 1.0), LONGEST_COVER)
    return np.minimum(np.where(position > 0, cover, 0.0), LONGEST_COVER)


def reasons(
    situation: Situation,
    lines: Lines,
    next_review: Shaped[np.ndarray, " series"],
    binding: Shaped[np.ndarray, " series"],
    quantity: Float[np.ndarray, " series"],
    joined: Float[np.ndarray, " series"],
    with_order: Float[np.ndarray, " series"],
    looked: Bool[np.ndarray, " series"] | None = None,
    no_order: str = "",
) -> Shaped[np.ndarray, " series"]:
    """Say in a sentence or two what was ordered and why.

    Parameters
    ----------
    looked
        Lines planned several reviews ahead.
    no_order
        That the budget is too small for any order (``policies.smallest``); empty where it is not.
    """
    terms, time = situation.terms, situation.past.time
    cover, position = days_of_cover(situation, lines, quantity), situation.state.inventory_position
    ends, in_time = terms.covered, _in_time(situation)
    alone = days_of_cover(situation, lines, np.minimum(lines.free, quantity))
    far = LONG * ends * time.days
    ahead = np.zeros(len(quantity), dtype=bool) if looked is None else looked
    out = []
    for at in range(len(quantity)):
        lead = int(terms.first_review[at] + terms.lead_time[at])
        until = time.date(time.n + int(min(ends[at], lead + 10**5)))
        demand = (
            f"until {until} demand is expected at {units_text(lines.demand_mean[at])} "
            f"(80 % range {units_text(lines.demand_q10[at])}–{units_text(lines.demand_q90[at])})"
        )
        last = _last_sale(situation, at) if terms.sold_for[at] < ends[at] else ""
        demand += f", {last}" if last else ""
        if binding[at] == "not_orderable":
            text = "not ordered: no item row, no stock row, ended, or held"
            if terms.fed_by[at]:
                open_now, date = bool(terms.at_review[at]), next_review[at]
                waits = "no shipment is known" if np.isnat(date) else f"{NO_SHIPMENT} {date}"
                text = f"fed from {terms.fed_by[at]}: {NOTHING_COMES if open_now else waits}; {demand}"
        elif binding[at] == "no_review":
            text = f"no review until {next_review[at]}"
        elif quantity[at] > 0:
            larger = made_larger(cover[at], alone[at], far[at])
            own = cover[at] > far[at] and not larger and not ahead[at] and binding[at] != "later"
            own = own and lines.free[at] > 0  # else its own costs ask for no order
            moved = _difference(situation, lines, binding, quantity, joined, at)
            if moved and larger and binding[at] in MAKE_LARGER:
                moved += f", which covers {units_text(cover[at])} days"
            text = (
                f"{_order(quantity[at], terms.pack_size[at])} for receipt on {time.date(time.n + lead)}; {demand}; "
                f"{_risk(lines.risk[at, 0], with_order[at])} between receipt and {until}"
                f"{_long_cycle(situation, lines, float(cover[at]), at) if own else ''}{moved}"
                f"{_placed(situation, quantity, at)}"
            )
        else:
            more = f", {no_order}" if no_order and binding[at] == "budget" else ""
            none = f"{last}, before an order can arrive on {time.date(time.n + lead)}"
            over = bool(last) and terms.sold_for[at] <= lead
            idle = _idle(
                situation, lines, binding, joined, float(position[at]), at, none if over else in_time.get(at, "")
            )
            text = f"{idle}{more}; {demand}"
        out.append(text)
    return np.array(out, dtype=np.str_)


def _last_sale(situation: Situation, at: int) -> str:
    """Say until when a series is sold."""
    time, left = situation.past.time, int(situation.terms.sold_for[at])
    day = time.date(time.n + left - 1)
    return f"its sale ends {'in the week of' if time.step == 'week' else 'on'} {day}"


def _long_cycle(situation: Situation, lines: Lines, days: float, at: int) -> str:
    """Say that an order reaches far beyond its protection interval since its order cost makes that cheaper."""
    terms = situation.terms
    if terms.order_cost[at] > 0 and terms.objective[at] == 0 and lines.level[at] > lines.base[at]:
        dear = f"ordering often costs {terms.order_cost[at]:g} a line each time"
        return f"; it covers {units_text(days)} days, since {dear}"
    return ""


def made_larger(days: float, alone: float, far: float) -> bool:
    """Tell whether an order lasts for long because something made it larger, rather than by what its own costs ask for.

    Parameters
    ----------
    days, alone
        What it covers, and what it would cover as its own costs ask for it.
    far
        Days beyond which it is told.

    Examples
    --------
    >>> made_larger(90.0, 18.0, 10.5), made_larger(20.0, 18.0, 10.5), made_larger(9.0, 2.0, 10.5)
    (True, False, False)
    """
    return bool(days > far and days - alone > alone - far)


def _placed(situation: Situation, quantity: np.ndarray, at: int) -> str:
    """Say that what is ordered in this period already counts, where a line would be below its minimum without it."""
    placed, moq = situation.terms.ordered_now[at], situation.terms.moq[at]
    if placed > 0 and quantity[at] < moq:
        return f"; {exact_text(placed)} ordered in this period already count towards the minimum of {exact_text(moq)}"
    return ""


def _risk(without: float, with_order: float) -> str:
    before, after = f"{without:.0%}", f"{with_order:.0%}"
    what = "the risk of a stockout"
    return f"{what} is {after}" if before == after else f"{what} falls from {before} to {after}"


def _difference(
    situation: Situation, lines: Lines, binding: np.ndarray, quantity: np.ndarray, joined: np.ndarray, at: int
) -> str:
    terms, pack = situation.terms, float(situation.terms.pack_size[at])
    free, many = beside_text(lines.free[at], quantity[at], pack), ordered_text(quantity[at], pack)
    if many == free and binding[at] not in (*WHOLE_ORDERS, *SHARED_LIMITS):
        return ""
    placed = terms.ordered_now[at]
    there = f", of which {exact_text(placed)} are ordered already" if placed > 0 else ""
    because = {
        "pack": f"; {many} instead of {free} because of packs of {exact_text(pack)}",
        "moq": f"; {many} instead of {free} because of the minimum of {exact_text(terms.moq[at])}",
        "max_order": f"; {many} instead of {free} because of the maximum of {exact_text(terms.max_order[at])}{there}",
        "later": f"; {many} instead of {free}, looking further ahead",
        "supplier_minimum": f"; {many} instead of {free} {_whole_order(situation, lines, quantity, at)}",
        "truck": f"; {many} instead of {free} because of the trucks of {terms.supplier[at]}",
        "price_break": f"; {many} instead of {free} for a price break of {terms.supplier[at]}",
    }
    if binding[at] in SHARED_LIMITS:
        return _within(situation, lines, binding, quantity, joined, at)
    return because.get(str(binding[at]), "")


def _within(
    situation: Situation, lines: Lines, binding: np.ndarray, quantity: np.ndarray, joined: np.ndarray, at: int
) -> str:
    """Say what a limit that all share did to an order: cut it, or left something that more of it was bought with."""
    terms, pack = situation.terms, float(situation.terms.pack_size[at])
    whose = "budget" if binding[at] == "budget" else f"room at {terms.series.location[at]}"
    more = quantity[at] - joined[at]
    if more < 0:
        return f"; the {whose} cut it from {ordered_text(joined[at], pack)}"
    best = max(lines.unlimited[at], lines.quantity[at, lines.chosen[at]])
    if quantity[at] > best:  # its whole order asks for that
        many, before = ordered_text(quantity[at], pack), ordered_text(joined[at], pack)
        return f"; {many} instead of {before} for the terms of the order to {terms.supplier[at]}, within the {whose}"
    verb = "bought" if binding[at] == "budget" else "holds"
    return f"; what was left of the {whose} {verb} {ordered_text(more, pack)} more"


def _whole_order(situation: Situation, lines: Lines, quantity: np.ndarray, at: int) -> str:
    """Say what of a supplier's order moves its lines: a minimum, where there is one, else the cost of the order."""
    supplier = str(situation.terms.supplier[at])
    terms = situation.shared.supplier(supplier)
    if quantity[at] < lines.free[at]:
        return f"for the terms of the order to {supplier}"
    if max(terms.min_order_value, terms.min_order_units, terms.min_order_weight) > 0:
        return f"to reach the minimum of {supplier}"
    return f"for the order cost of {supplier} is paid once for all its lines"


def _idle(
    situation: Situation, lines: Lines, binding: np.ndarray, joined: np.ndarray, position: float, at: int, later: str
) -> str:
    terms, wanted, pack = situation.terms, units_text(lines.free[at]), float(situation.terms.pack_size[at])
    because = {
        "moq": f"nothing: {wanted} would do, the minimum of {exact_text(terms.moq[at])} does not pay",
        "max_order": f"nothing: {wanted} would do, {_no_more(situation, lines, at)}",
        "later": "nothing: it waits for a later order",
        "supplier_minimum": f"nothing: the order to {terms.supplier[at]} misses its minimum or does not pay",
        "truck": f"nothing: the order to {terms.supplier[at]} does not pay its truck, or does not fill it",
        "budget": f"nothing: the budget cut {ordered_text(joined[at], pack)}",
        "storage": f"nothing: the room at {terms.series.location[at]} cut {ordered_text(joined[at], pack)}",
        "pack": f"nothing: {wanted} would do, a pack of {exact_text(pack)} does not pay",
    }
    if str(binding[at]) in because and (lines.free[at] > 0 or joined[at] > 0):
        return because[str(binding[at])]
    there = f", {units_text(lines.elsewhere[at])} at the places that it feeds" if lines.elsewhere[at] else ""
    held = f"{units_text(position)} on hand and on order{there}"
    return f"nothing: {later}, {held}" if later else f"nothing: stock covers it, {held}"


def _in_time(situation: Situation) -> dict[int, str]:
    """Say which warehouses need no order now since a later one is in time for the shipment that it would go with.

    One that sells goods itself decides about its own sales all the same.
    """
    terms, time = situation.terms, situation.past.time
    onward, following = goes_on(terms)
    arrives = terms.first_review + terms.lead_time
    waits = (onward > arrives) & (onward == following) & ~(situation.past.sales > 0).any(axis=1)
    return {
        at: "no shipment is known that an order could go with" if onward[at] >= FAR
        else f"a later order is in time for the shipment of {time.date(time.n + int(onward[at]))}"
        for at in np.flatnonzero(waits).tolist()
    }  # fmt: skip


def _no_more(situation: Situation, lines: Lines, at: int) -> str:
    """Say why a line's maximum leaves it without an order."""
    terms = situation.terms
    most = f"the maximum of {exact_text(terms.max_order[at])}"
    if contradicting(terms)[at]:
        return f"{most} is below {below_what(terms, at)}: no order is possible"
    placed = terms.ordered_now[at]
    if placed > 0 and placed + lines.least[at] > terms.max_order[at]:
        return f"{exact_text(placed)} of {most} are ordered in this period already"
    return f"{most} does not pay"


def contradicting(terms: SupplyTerms) -> Bool[np.ndarray, " series"]:
    """Tell which lines can order nothing on any night, since their maximum is below their minimum or a pack."""
    return np.asarray(terms.orderable & (terms.max_order < np.maximum(terms.moq, terms.pack_size)))


def below_what(terms: SupplyTerms, at: int) -> str:
    """Name what the maximum of such a line is below."""
    if terms.max_order[at] < terms.moq[at]:
        return f"its minimum of {exact_text(terms.moq[at])}"
    return f"a pack of {exact_text(terms.pack_size[at])}"


def _order(quantity: float, pack: float) -> str:
    return packed_text(quantity, quantity / pack, pack) if pack > 0 else units_text(quantity)
