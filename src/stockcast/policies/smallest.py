"""The least that an order takes of a limit: what little is left of a budget or a room says of every price of it."""

import numpy as np
from jaxtyping import Float

from stockcast.policies.coupling import REACHED, Goods, Limit, Order
from stockcast.policies.decision import Decision
from stockcast.policies.explain import NO_ORDER, NOTHING_FITS, ON_AVERAGE
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


def price_text(lines: Lines, made: Decision, limit: Limit, price: float) -> str:
    """Say what one more unit of a limit would save; where nothing that is wanted fits with it, what would be needed."""
    if price <= 0:
        return ""
    lacks = lacking(lines, made, limit)
    if not np.isfinite(lacks):
        return ""
    if lacks > 1:
        some = bool((lines.at(made.final) * limit.use > 0).any())  # else the price is of no plan that there is
        average = f", which saves {price:.4g} a unit {ON_AVERAGE}" if some else ""
        return f"at least {lacks:,.2f} more of it is needed {NOTHING_FITS}{average}"
    return f"one more unit of it would save {price:.4g}"


def lacking(lines: Lines, made: Decision, limit: Limit) -> float:
    """Give what is missing of a limit at least for the least of what is wanted: a step of a line, or a whole order.

    0 where something fits, which other reasons leave out; infinite where nothing more is wanted of what uses it.

    Examples
    --------
    ``tests/unit/policies/test_smallest_orders.py`` has a room of which nothing is left.
    """
    wanted, final = lines.at(made.joined), lines.at(made.final)
    left = limit.left - limit.slack - float((final * limit.use).sum())
    least = [np.inf]
    for order in made.every:
        rows = order.rows
        short = rows[(wanted[rows] > final[rows]) & (limit.use[rows] > 0)]
        if not len(short):
            continue
        if (final[rows] > 0).any() or not order.coupled:
            step = np.where(final[short] > 0, lines.step[short], lines.least[short])
            least.append(float((step * limit.use[short]).min()))
        else:
            least.append(least_use(lines, order, made.goods, limit.use, np.where(limit.use > 0, wanted, 0.0))[0])
    return max(min(least) - left, 0.0)


def _told(lines: Lines, made: Decision, limit: Limit) -> str:
    wanted = lines.at(made.joined)
    least = [
        (*least_use(lines, order, made.goods, limit.use, wanted), order.supplier)
        for order in made.every
        if (wanted[order.rows] > 0).any()
    ]
    if not least or (lines.at(made.final) * limit.use > 0).any():
        return ""
    money, exact, supplier = min(least)
    if limit.left * (1 + REACHED) >= money:
        return ""
    whose = f", of {supplier}," if supplier else ""
    takes = f"takes {'' if exact else 'at least '}{money:,.2f}"
    return f"{limit.left:,.2f} of it left {NO_ORDER} that is wanted: the smallest{whose} {takes}"


def least_use(
    lines: Lines,
    order: Order,
    goods: Goods,
    use: Float[np.ndarray, " series"],
    wanted: Float[np.ndarray, " series"],
) -> tuple[float, bool]:
    """Give what of a limit every order takes at least that has a wanted line, and whether there is one of just that.

    It is the most of: the smallest wanted line; the minimum value; and what units, weight or the filling of a truck ask
    for, in the goods of the order, wanted or not, that take least for it. For a single line the steps are whole, and no
    truck is asked.

    Parameters
    ----------
    use
        Of the limit, by one unit of each series: money for a budget, volume for a room.
    wanted
        Units that would be ordered without the limit; lines of which none are wanted only fill an order up.

    Examples
    --------
    ``tests/unit/policies/test_smallest_orders.py`` holds it against all orders of small tables.
    """
    able = order.rows[lines.quantity[order.rows].max(axis=1) > 0]
    mine = able[wanted[able] > 0]
    if not len(mine):
        return np.inf, True
    asks = [(goods.cost, order.value), (np.ones(len(goods.cost)), order.units), (goods.weight, order.weight)]
    first = int(mine[np.argmin((use * lines.least)[mine])])
    units = _one_line(lines, first, asks) if len(able) == 1 else float(lines.least[first])
    exact = order.keeps(np.where(order.rows == first, units, 0.0), goods) if np.isfinite(units) else False
    found = [float(use[first]) * units]
    if len(able) > 1:
        found += [_cheapest(use[able], some[able], amount) for some, amount in asks if amount > 0]
        if order.trucks is not None and order.trucks.hired == 0 and order.trucks.min_fill > 0:
            sizes = ((goods.volume, order.trucks.volume), (goods.weight, order.trucks.weight))
            fills = [_cheapest(use[able], some[able], order.trucks.min_fill * size) for some, size in sizes if size > 0]
            found.append(min(fills))
    return max(found), exact


def _cheapest(use: Float[np.ndarray, " line"], some: Float[np.ndarray, " line"], amount: float) -> float:
    """Give what an amount takes in the goods that have most of it for their use; infinite where none has any."""
    has = some > 0
    return float(amount * (use[has] / some[has]).min()) if has.any() else np.inf


def _one_line(lines: Lines, row: int, asks: list[tuple[np.ndarray, float]]) -> float:
    """Give the smallest quantity of a line that reaches what its order asks for, in whole steps."""
    least, step = float(lines.least[row]), float(lines.step[row])
    wants = [amount / float(use[row]) if use[row] > 0 else np.inf for use, amount in asks if amount > 0]
    most = max([least, *wants])
    if not np.isfinite(most) or step <= 0:
        return most
    return float(np.ceil(most / step * (1 - REACHED))) * step
