"""Lot sizes under steady demand: the economic order quantity, with backorders, with price breaks, in powers of two."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from stockcast.policies.classical.demand import Number

Each = Float[np.ndarray, " series"]


def economic_order_quantity(order_cost: Each, holding_cost: Each, rate: Each) -> tuple[Each, Each]:
    """Give Q* = √(2KD/h) and its cost a period, √(2KDh) (Harris 1913; Snyder & Shen 2019, thm 3.1).

    Parameters
    ----------
    order_cost, holding_cost, rate
        K a lot, h a unit and period, D units a period; h > 0.

    Examples
    --------
    >>> quantity, cost = economic_order_quantity(*(np.array([x]) for x in (8.0, 0.225, 1300.0)))
    >>> quantity.round(4).tolist(), cost.round(4).tolist()
    ([304.0468], [68.4105])
    """
    return np.sqrt(2.0 * order_cost * rate / holding_cost), np.sqrt(2.0 * order_cost * rate * holding_cost)


def with_backorders(order_cost: Each, holding_cost: Each, backorder_cost: Each, rate: Each) -> tuple[Each, Each, Each]:
    """Give Q*, the share of it that is backordered, and the cost a period (Snyder & Shen 2019, thm 3.5).

    Q* = √(2KD(h + p)/(hp)), x* = h/(h + p), cost √(2KDhp/(h + p)); p a unit backordered and period.
    """
    both = holding_cost * backorder_cost / (holding_cost + backorder_cost)
    quantity, cost = economic_order_quantity(order_cost, both, rate)
    return quantity, holding_cost / (holding_cost + backorder_cost), cost


def with_price_breaks(
    order_cost: Number, holding_rate: Number, rate: Number, begins: Sequence[Number], unit_costs: Sequence[Number]
) -> tuple[float, float]:
    """Give the best lot under all-units price breaks, and the whole cost a period with what is bought.

    Within a tier the cost is c D + K D/Q + i c Q/2: the best lot is the tier's EOQ, or its begin where that is larger
    (Snyder & Shen 2019, sec. 3.4).

    Parameters
    ----------
    holding_rate
        i: the holding cost of a unit is i times its price.
    begins, unit_costs
        Where each tier begins, ascending from 0, and its price of every unit.

    Examples
    --------
    >>> quantity, cost = with_price_breaks(8, 0.3, 1300, [0, 400, 800], [0.75, 0.72, 0.68])
    >>> quantity, round(cost, 2)
    (800.0, 978.6)
    """
    found = []
    for tier, (begin, price) in enumerate(zip(begins, unit_costs, strict=True)):
        end = begins[tier + 1] if tier + 1 < len(begins) else np.inf
        best = float(np.sqrt(2.0 * order_cost * rate / (holding_rate * price)))
        quantity = max(best, float(begin))
        if quantity < end:
            cost = price * rate + order_cost * rate / quantity + holding_rate * price * quantity / 2.0
            found.append((cost, quantity))
    cost, quantity = min(found)
    return quantity, cost


def power_of_two(order_cost: Each, holding_cost: Each, rate: Each, base: Number) -> tuple[Each, Each]:
    """Give the order interval that is a power of two of a base, and its cost: at most 6.07 % above the best.

    The cheapest of the base's 2^k multiples is the first with interval ≥ T*/√2 (Roundy 1985; Snyder & Shen 2019,
    thm 3.3); the bound is 3/(2√2).

    Examples
    --------
    >>> one = np.ones(1)
    >>> interval, cost = power_of_two(8 * one, 0.225 * one, 1300 * one, 1 / 52)
    >>> (interval * 52).round(6).tolist(), cost.round(3).tolist()
    ([16.0], [71.0])
    """
    best = np.sqrt(2.0 * order_cost / (holding_cost * rate))
    exponent = np.ceil(np.log2(best / np.sqrt(2.0) / base) - 1e-12)
    interval = base * 2.0**exponent
    return interval, order_cost / interval + holding_cost * rate * interval / 2.0
