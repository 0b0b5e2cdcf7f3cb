"""The least money that an order takes: what a budget below it says of every price of money."""

import numpy as np
from jaxtyping import Float

from stockcast.policies.coupling import REACHED, Goods, Limit, Order
from stockcast.policies.decision import Decision
from stockcast.policies.explain import NO_ORDER
from stockcast.policies.lines import Lines


def too_small(lines: Lines, made: Decision) -> str:
    """Say that what is left of the budget admits none of the orders that are wanted; nothing where it admits one.

    A price of money says what orders would save for it once they can be placed at all: below the least of them one more
    unit buys nothing.
    """
    for limit in made.shared:
        if limit.name == "budget":
            return _told(lines, made, limit)
    return ""


def _told(lines: Lines, made: Decision, limit: Limit) -> str:
    wanted = lines.at(made.joined)
    least = [
        (least_money(lines, order, made.goods), order.supplier)
        for order in made.every
        if (wanted[order.rows] > 0).any()
    ]
    if not least or (lines.at(made.final) * limit.use > 0).any():
        return ""
    money, supplier = min(least)
    if limit.left * (1 + REACHED) >= money:
        return ""
    whose = f", of {supplier}," if supplier else ""
    return f"{limit.left:,.2f} of it left {NO_ORDER}: the smallest that is wanted{whose} takes {money:,.2f}"


def least_money(lines: Lines, order: Order, goods: Goods) -> float:
    """Give money below which no order of a supplier can be placed.

    It is the dearest of: the cheapest smallest line; the minimum value; and what units, weight or the filling of a
    truck ask for, in the goods that are cheapest by it. For a single line the steps are whole, and no truck is asked.

    Examples
    --------
    ``tests/unit/policies/test_smallest_orders.py`` holds it against all orders of small tables.
    """
    rows = order.rows[lines.quantity[order.rows].max(axis=1) > 0]
    if not len(rows):
        return np.inf
    cost, least = goods.cost[rows], lines.least[rows]
    asks = [(goods.cost, order.value), (np.ones(len(goods.cost)), order.units), (goods.weight, order.weight)]
    if len(rows) == 1:
        return float(cost[0]) * _one_line(lines, int(rows[0]), asks)
    found = [float((cost * least).min())]
    found += [_cheapest(cost, use[rows], amount) for use, amount in asks if amount > 0]
    if order.trucks is not None and order.trucks.hired == 0 and order.trucks.min_fill > 0:
        sizes = ((goods.volume, order.trucks.volume), (goods.weight, order.trucks.weight))
        fills = [_cheapest(cost, use[rows], order.trucks.min_fill * size) for use, size in sizes if size > 0]
        found.append(min(fills))
    return max(found)


def _cheapest(cost: Float[np.ndarray, " line"], use: Float[np.ndarray, " line"], amount: float) -> float:
    """Give what an amount costs in the goods that have most of it for their money; infinite where none has any."""
    some = use > 0
    return float(amount * (cost[some] / use[some]).min()) if some.any() else np.inf


def _one_line(lines: Lines, row: int, asks: list[tuple[np.ndarray, float]]) -> float:
    """Give the smallest quantity of a line that reaches what its order asks for, in whole steps."""
    least, step = float(lines.least[row]), float(lines.step[row])
    wants = [amount / float(use[row]) if use[row] > 0 else np.inf for use, amount in asks if amount > 0]
    most = max([least, *wants])
    if not np.isfinite(most) or step <= 0:
        return most
    return float(np.ceil(most / step * (1 - REACHED))) * step
