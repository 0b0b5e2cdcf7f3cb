"""What a planner should look at in whole orders and shared limits: given up, cut, exceeded, nearly reached."""

import numpy as np

from stockcast.core.findings import Alert
from stockcast.inventory import Situation, SupplyTerms
from stockcast.policies.coupling import Order
from stockcast.policies.decision import Decision
from stockcast.policies.figures import units_text
from stockcast.policies.lines import Lines
from stockcast.policies.moved import moved_by_limits
from stockcast.policies.smallest import price_text, too_small

TOP_UP = 3  # lines that a top-up list names
NEARLY = 0.1  # of a truck or of a price break's value: what is missing is told from here on


def order_alerts(situation: Situation, lines: Lines, made: Decision) -> list[Alert]:
    """Tell which orders were given up because of their terms, what would fill them up, and what is nearly reached."""
    found = []
    alone, joined, final = lines.at(made.alone), lines.at(made.joined), lines.at(made.final)
    for order in made.every:
        if not order.coupled:
            continue
        wished = order.rows[alone[order.rows] > 0]
        if len(wished) and not (joined[order.rows] > 0).any():
            found.append(_given_up(situation, lines, made, order, wished))
        found += _nearly(situation, made, order, final[order.rows])
    return found


def _given_up(situation: Situation, lines: Lines, made: Decision, order: Order, wished: np.ndarray) -> Alert:
    alone, goods = lines.at(made.alone), made.goods
    value, units = float(alone[wished] @ goods.cost[wished]), float(alone[wished].sum())
    weight = float(alone[wished] @ goods.weight[wished])
    best = lines.cost[order.rows, made.alone[order.rows]]
    saved = float(np.maximum(lines.cost[order.rows, 0] - best, 0.0).sum())
    wants = []
    if value < order.value:
        wants.append(f"the minimum value is {order.value:g}")
    if units < order.units:
        wants.append(f"the minimum is {order.units:g} units")
    if weight < order.weight:
        wants.append(f"the minimum weight is {order.weight:g}")
    short = bool(wants)
    if order.header > 0:
        wants.append(f"the order costs {order.header:g}")
    if order.trucks is not None:
        cost, fill = order.trucks.cost, order.trucks.min_fill
        asks = [f"costs {cost:g}"] * (cost > 0) + [f"is filled to {fill:.0%} at least"] * (fill > 0)
        wants.append(f"a truck {' and '.join(asks)}")
    further = order.rows[np.argsort(-lines.demand_mean[order.rows], kind="stable")][:TOP_UP]
    axis = situation.terms.series
    names = ", ".join(f"{axis.sku[at]}@{axis.location[at]}" for at in further.tolist())
    return Alert(
        "warning", "SC-P014",
        f"{_lines(len(wished))} of {order.supplier} ({units_text(units)} units, worth {value:,.2f}) would save "
        f"{saved:,.2f} but {'is' if len(wished) == 1 else 'are'} not ordered: {', '.join(wants)}",
        f"top up to reach it, e.g. {names}; or wait for the next review" if short
        else "wait for the next review, when more lines share the order cost",
        supplier=order.supplier, value=saved,
    )  # fmt: skip


def _nearly(situation: Situation, made: Decision, order: Order, quantity: np.ndarray) -> list[Alert]:
    """Tell of a truck whose last tenth is empty, and of a price break that a tenth more would reach.

    What is placed of the order already counts, also where nothing more of it is ordered.
    """
    found: list[Alert] = []
    goods, rows = made.goods, order.rows
    held = situation.shared.supplier(order.supplier).committed_value
    if not (quantity > 0).any() and held <= 0:
        return found
    value = float(quantity @ goods.cost[rows])
    missed = [tier for tier in order.tiers if value < tier.value <= value + NEARLY * (held + value)]
    for tier in missed[:1]:
        gift = tier.discount * tier.value + tier.bonus - order.discount(value)
        found.append(
            Alert(
                "info", "SC-P021",
                f"{tier.value - value:,.2f} more would bring the order to {order.supplier} to a discount of "
                f"{tier.discount:.1%}, {gift:,.2f} on all of it; "
                f"{'it was not worth its stock' if held <= 0 else f'{held:,.2f} of it are placed already'}",
                "add what sells soon in any case", supplier=order.supplier, value=max(gift, 0.0),
            )
        )  # fmt: skip
    if order.trucks is not None and (quantity > 0).any():
        load = order.trucks.load(float(quantity @ goods.volume[rows]), float(quantity @ goods.weight[rows]))
        count = order.trucks.count(float(quantity @ goods.volume[rows]), float(quantity @ goods.weight[rows]))
        if 0 < count - load <= NEARLY:
            found.append(
                Alert(
                    "info", "SC-P021",
                    f"the order to {order.supplier} fills {load:.2f} of {count} trucks",
                    "fill the last one up with what sells soon in any case", supplier=order.supplier,
                    value=(count - load) * order.trucks.cost,
                )
            )  # fmt: skip
    return found


def _changed(before: np.ndarray, after: np.ndarray) -> str:
    """Say how many lines a limit cut, and how many got more of what was left or of their whole order's terms."""
    more = int((after > before).sum())
    rest = f", and {_lines(more)} got more" if more else ""
    return f"cut {_lines(len(after) - more)}{rest}"


def _lines(count: int) -> str:
    return f"{count} line{'s' * (count != 1)}"


def limit_alerts(situation: Situation, lines: Lines, made: Decision) -> list[Alert]:
    """Tell of limits that cut the plan, of those exceeded by themselves (slack used), and of wishes left unmet."""
    found: list[Alert] = []
    joined, final = lines.at(made.joined), lines.at(made.final)
    bare, moved_by = moved_by_limits(situation, lines, made.shared, joined, final, made.joined_by, made.final_by)
    rows = np.arange(len(final))
    loss = lines.cost[rows, made.final] - lines.cost[rows, made.joined]
    for limit, price in zip(made.shared, made.price.tolist(), strict=True):
        money = limit.name == "budget"
        if limit.slack > 0:
            found.append(
                Alert(
                    "error", "SC-P015" if money else "SC-P018",
                    f"open orders of this period exceed the budget by {limit.slack:.6g}: nothing was added" if money
                    else f"what is expected at {limit.name.removeprefix('storage ')} exceeds its room by "
                    f"{limit.slack:.6g}: nothing was added",
                    "raise the budget, or cancel open orders" if money
                    else "move or sell off stock, postpone open orders, or find more room",
                    location="" if money else limit.name.removeprefix("storage "), value=float(limit.slack),
                )
            )  # fmt: skip
        name = "budget" if money else "storage"
        cut = np.flatnonzero((final != bare) & (limit.use > 0) & (moved_by == name))
        if (final[cut] < joined[cut]).any():
            wanted = float(joined @ limit.use)
            # an order that is too large for what is left: one more unit buys nothing, whatever its price
            told = (too_small(lines, made) if money else "") or price_text(lines, made, limit, price)
            worth = f"; {told}" if told else ""
            changed = _changed(joined[cut], final[cut])
            asked = f"; {wanted:,.2f} were wanted" if money else f"; a volume of {wanted:,.2f} was wanted"
            asked = asked if wanted > limit.left else ""  # the terms of whole orders ask for more than lines do
            found.append(
                Alert(
                    "warning", "SC-P016" if money else "SC-P019",
                    f"the budget of {situation.shared.budget:g} {changed}{asked}{worth}" if money
                    else f"the room at {limit.name.removeprefix('storage ')} {changed}{asked}; a volume of "
                    f"{limit.left:,.2f} is free before tonight's orders{worth}",
                    "raise the budget; priority and cumulative_spend rank the lines" if money
                    else "find more room, or order more often in smaller lots",
                    location="" if money else limit.name.removeprefix("storage "),
                    value=max(float(loss[cut].sum()), 0.0),
                )
            )  # fmt: skip
    return [*found, *_wishes(situation, lines, made, loss), *_expiring(situation, lines, made)]


def _expiring(situation: Situation, lines: Lines, made: Decision) -> list[Alert]:
    """Tell of orders of which a tenth or more is expected to stay unsold, because of a minimum or a pack."""
    rows = np.arange(len(made.final))
    waste, units = lines.waste[rows, made.final], lines.at(made.final)
    terms, found = situation.terms, []
    for at in np.flatnonzero((units > 0) & (waste >= NEARLY * units)).tolist():
        found.append(
            Alert(
                "warning", "SC-P022",
                f"{units_text(float(waste[at]))} of the {units_text(float(units[at]))} units ordered are expected to "
                f"{_unsold(terms, at)}",
                "negotiate smaller packs or minimums, or plan a markdown", str(terms.series.sku[at]),
                str(terms.series.location[at]), str(terms.supplier[at]), float(waste[at] * made.goods.cost[at]),
            )
        )  # fmt: skip
    return found


def _unsold(terms: SupplyTerms, at: int) -> str:
    """Say when what is ordered can be sold no longer."""
    left = max(float(terms.sold_for[at] - terms.lead_time[at]), 0.0)
    if left < terms.shelf_life[at]:
        return f"be left when the sale of it ends, {left:g} period{'s' if left != 1 else ''} after they arrive"
    return f"expire unsold within {terms.shelf_life[at]:g} period{'s' if terms.shelf_life[at] != 1 else ''}"


def _wishes(situation: Situation, lines: Lines, made: Decision, loss: np.ndarray) -> list[Alert]:
    """Tell of each service target and ``min_stock`` that whole orders or limits leave unmet, with what is missing."""
    terms, state = situation.terms, situation.state
    alone, joined, final = lines.at(made.alone), lines.at(made.joined), lines.at(made.final)
    joined, moved_by = moved_by_limits(situation, lines, made.shared, joined, final, made.joined_by, made.final_by)
    position = state.inventory_position
    wish = np.where(terms.objective > 0, lines.level, terms.min_stock)
    missing = np.minimum(wish - position, alone) - final
    found = []
    for at in np.flatnonzero((missing > 1e-9 * np.maximum(1.0, wish)) & (final < alone) & (wish > 0)).tolist():
        why = moved_by[at] if final[at] != joined[at] else made.joined_by[at]
        what = "its service target" if terms.objective[at] > 0 else f"min_stock {terms.min_stock[at]:g}"
        lost = lines.cost[at, made.final[at]] - lines.cost[at, made.alone[at]]
        found.append(
            Alert(
                "warning", "SC-P020",
                f"{units_text(float(missing[at]))} units are missing from {what}, because of {why.replace('_', ' ')}",
                "raise the limit, or lower the wish", str(terms.series.sku[at]), str(terms.series.location[at]),
                str(terms.supplier[at]), max(float(lost), 0.0),
            )
        )  # fmt: skip
    return found
