"""When a supplier is ordered from, where trucks or price breaks tie tonight's lines: they may decide it.

A price break that is worth reaching tonight lengthens what tonight's order lasts for, and with that moves later ones.
So every set Y of later reviews is tried with tonight's whole order on it, planned and bounded by prices of its sums
(``policies.relaxed``)::

    min over Y of   relax(Σ_i min_s F_i(Q_i, s) + V_i(s); tonight's header, minimums, trucks, breaks) + K |Y|

The quantities are decided afterwards as always, on the tables that the best Y gives.
"""

import numpy as np

from stockcast.policies.ahead.cycles import Cycles
from stockcast.policies.ahead.schedule import Schedule, Terms, reaches, sets, table
from stockcast.policies.coupling import Goods, Order
from stockcast.policies.relaxed import Table, relaxed


def tied_schedule(found: Cycles, terms: Terms, order: Order, goods: Goods, alone: float) -> Schedule:
    """Try every set of later reviews with tonight's whole order; the bound holds for all of them.

    Parameters
    ----------
    alone
        What an order of one line at another review costs; infinite where there is none.
    """
    best: tuple[float, Schedule] | None = None
    bound = np.inf
    rows = np.arange(len(order.rows))
    start = np.zeros(len(rows), dtype=np.int64)
    for later in sets(found.last):
        costs, after = table(found, later, alone)
        near = relaxed(Table.laid(order, found.quantity, costs, goods.units(order.rows)), start)
        start = near.chosen
        further = float(later.sum() * terms.later_header)
        bound = min(bound, near.bound + further)
        cost = near.cost + further
        if best is not None and cost >= best[0] - 1e-9 * max(abs(best[0]), 1.0):
            continue
        if later.any() and (terms.later > 0).any() and not reaches(found, later, after[rows, near.chosen], terms):
            continue
        opens = bool((found.quantity[rows, near.chosen] > 0).any())
        orders = np.concatenate([[opens], later[1:]])
        best = (cost, Schedule(orders, near.chosen, after[rows, near.chosen], cost, bound))
    assert best is not None  # no later order at all keeps every minimum
    made = best[1]
    return Schedule(made.orders, made.chosen, made.after, made.cost, min(float(bound), made.cost))
