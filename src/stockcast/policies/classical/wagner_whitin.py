"""Lots for demand that is known but varies: the shortest path of Wagner and Whitin."""

import numpy as np
from jaxtyping import Float

from stockcast.core.errors import DataError
from stockcast.policies.classical.demand import Number

Periods = Float[np.ndarray, " period"]


def wagner_whitin(
    demand: Periods, holding_cost: Number, order_cost: Periods | Number, unit_cost: Periods | Number = 0.0
) -> tuple[Periods, float]:
    """Give the lots of least cost, and that cost (Wagner & Whitin 1958).

    A lot of period t covers whole periods t … s − 1, so that with θ_t the cost from t on::

        θ_t = min_{s > t} K_t [Σ d > 0] + c_t Σ_{t≤i<s} d_i + h Σ_{t≤i<s} (i − t) d_i + θ_s,   θ_{T} = 0

    A period without anything to cover orders nothing and pays nothing. Of several plans of one cost the one with the
    later first lot is given.

    Parameters
    ----------
    demand
        Units a period, ≥ 0, to be served at once.
    holding_cost
        A unit left at the end of a period.
    order_cost, unit_cost
        Of the lot, and of each unit, of the period in which it is ordered.

    Raises
    ------
    DataError
        If a demand or a cost is negative or not finite.

    Examples
    --------
    >>> lots, cost = wagner_whitin(np.array([90.0, 120, 80, 70]), 2, 500)
    >>> lots.tolist(), cost
    ([210.0, 0.0, 150.0, 0.0], 1380.0)
    """
    n = len(demand)
    fixed = np.broadcast_to(np.asarray(order_cost, dtype=float), (n,))
    price = np.broadcast_to(np.asarray(unit_cost, dtype=float), (n,))
    for what, values in (("demand", demand), ("order cost", fixed), ("unit cost", price), ("holding", holding_cost)):
        if not (np.isfinite(values).all() and (np.asarray(values) >= 0).all()):
            raise DataError(f"{what} must be finite and not negative", code="SC-B006")
    value = np.zeros(n + 1)
    reach = np.zeros(n, dtype=np.int64)
    total = np.concatenate([[0.0], np.cumsum(demand)])
    for t in range(n - 1, -1, -1):
        ends = np.arange(t + 1, n + 1)
        covered = total[ends] - total[t]
        waits = np.cumsum((np.arange(t, n) - t) * demand[t:])
        cost = fixed[t] * (covered > 0) + price[t] * covered + holding_cost * waits + value[ends]
        best = len(cost) - 1 - int(np.argmin(cost[::-1])) if demand[t] > 0 else int(np.argmin(cost))
        value[t], reach[t] = cost[best], ends[best]
    lots = np.zeros(n)
    t = 0
    while t < n:
        lots[t] = total[reach[t]] - total[t]
        t = int(reach[t])
    return lots, float(value[0])
