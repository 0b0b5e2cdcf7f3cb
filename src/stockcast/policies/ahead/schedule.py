"""At which later reviews a supplier is ordered from: every set is tried, and each line's best way is a shortest path.

With Y the later reviews at which an order is placed (its header paid at each), line i comes at least cost from review s
on by::

    V_i(T) = 0      V_i(s) = min_{r > s, r ∈ Y ∪ {T}} G_i(s, r) + V_i(r)      V_i(now, Q) = min_s F_i(Q, s) + V_i(s)

so that up to eight reviews need no solver: 2^(T − 1) sets Y, of which the best with and without an order now is exact.
Minimums of the whole order are left to ``policies.milp.ahead`` where the best set does not keep them by itself: what is
found here then bounds the cost from below.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.policies.ahead.cycles import Cycles
from stockcast.policies.coupling import Goods, Order


@final
@dataclass(frozen=True, slots=True)
class Terms:
    """What a supplier's whole orders cost and hold, now and at later reviews, in what a unit of each line takes.

    ``now`` and ``later`` are the least value, units and weight; what open orders of this period hold is taken off now.
    """

    header: float
    later_header: float
    now: Float[np.ndarray, " use"]
    later: Float[np.ndarray, " use"]
    use: Float[np.ndarray, "use line"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, now=self.now, later=self.later, use=self.use)

    @classmethod
    def of(cls, order: Order, goods: Goods, later_header: float, later: tuple[float, float, float]) -> "Terms":
        """Take this period's terms from the order, those of later ones from the supplier."""
        use = np.stack([goods.cost[order.rows], np.ones(len(order.rows)), goods.weight[order.rows]])
        return cls(order.header, later_header, np.array([order.value, order.units, order.weight]), np.array(later), use)

    @property
    def alone(self) -> float:
        """Give what a line pays that is ordered by itself at another review; infinite where a minimum forbids it."""
        return np.inf if (self.later > 0).any() else self.later_header

    @property
    def free(self) -> bool:
        """Tell whether no minimum is to be reached."""
        return not (self.now > 0).any() and not (self.later > 0).any()


@final
@dataclass(frozen=True, slots=True)
class Schedule:
    """When a supplier is ordered from, and what every line does.

    Parameters
    ----------
    orders
        Whether an order is placed at each node 0 … T − 1.
    chosen
        The candidate of each line now.
    after
        The node of each line's next order.
    cost
        Of all lines and headers together.
    bound
        What no schedule can fall below.
    """

    orders: Bool[np.ndarray, " review"]
    chosen: Int[np.ndarray, " line"]
    after: Int[np.ndarray, " line"]
    cost: float
    bound: float

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, orders=self.orders, chosen=self.chosen, after=self.after)


def values(found: Cycles, later: Bool[np.ndarray, " review"]) -> Float[np.ndarray, "line node"]:
    """Give V: the cost of each line from an order at each node on, with orders at some later nodes only."""
    last = found.last
    out = np.full((len(found.quantity), last + 1), np.inf)
    out[:, last] = 0.0
    for s in range(last - 1, 0, -1):
        if later[s]:
            out[:, s] = (found.later[:, s, s + 1 :] + out[:, s + 1 :]).min(axis=1)
    return out


def sets(last: int) -> list[Bool[np.ndarray, " review"]]:
    """Give every set of later nodes, the empty one first."""
    return [
        np.array([False, *((number >> at) & 1 for at in range(last - 1))], bool) for number in range(2 ** (last - 1))
    ]


def table(
    found: Cycles, later: Bool[np.ndarray, " review"], header: float = np.inf
) -> tuple[Float[np.ndarray, "line candidate"], Int[np.ndarray, "line candidate"]]:
    """Give the cost of every candidate with orders at some later nodes, and the node of its next order.

    A line may also be ordered at another node by itself, and pay the ``header`` for that.
    """
    value, last = values(found, later), found.last
    if np.isfinite(header):
        for s in range(last - 1, 0, -1):
            if not later[s]:
                ways = (found.later[:, s, s + 1 :] + value[:, s + 1 :]).min(axis=1)
                value[:, s] = np.where(np.isfinite(ways), ways + header, np.inf)
    ways = found.first + value[:, None, 1:]
    after = ways.argmin(axis=2)
    return np.take_along_axis(ways, after[:, :, None], axis=2)[:, :, 0], after + 1


def cost_of(
    found: Cycles, quantity: Int[np.ndarray, " line"], terms: Terms, known: Bool[np.ndarray, " review"]
) -> float:
    """Give the cost of some candidates now with the best orders that can follow, this period's header apart.

    Later orders are expected to reach their minimums; those at the reviews ``known`` do.
    """
    best, at = np.inf, np.arange(len(quantity))
    tied = bool((terms.later > 0).any())
    for later in sets(found.last):
        ways = found.first[at, quantity] + values(found, later)[:, 1:]
        cost = float(ways.min(axis=1).sum() + terms.later_header * later.sum())
        if cost >= best:
            continue
        after = ways.argmin(axis=1) + 1
        if tied and not np.array_equal(later[1:], known[1:]) and not reaches(found, later, after, terms):
            continue
        best = cost
    return best


def best_schedule(found: Cycles, terms: Terms) -> Schedule:
    """Try every set of later reviews, with and without an order now.

    Where minimums are to be reached, the schedule is the best of those whose expected orders reach them at each later
    review; this period's minimum is met afterwards, line by line.

    Examples
    --------
    ``tests/oracles/test_wagner_whitin_ahead.py`` holds it to the textbooks' lots.
    """
    at = np.arange(len(found.quantity))
    positive = found.quantity > 0
    best: tuple[float, np.ndarray, np.ndarray, np.ndarray] | None = None
    bound = np.inf
    for later in sets(found.last):
        costs, after = table(found, later)
        free = later.sum() * terms.later_header
        none = costs[:, 0]
        some = np.where(positive, costs, np.inf).argmin(axis=1)
        takes = positive[at, some] & (costs[at, some] < none - 1e-9 * np.maximum(1.0, np.abs(none)))
        for opens in (False, True) if takes.any() else (False,):
            chosen = np.where(takes & opens, some, 0)
            cost = float(costs[at, chosen].sum()) + free + terms.header * opens
            bound = min(bound, cost)
            if best is not None and cost >= best[0] - 1e-9 * max(abs(best[0]), 1.0):
                continue
            if later.any() and (terms.later > 0).any() and not reaches(found, later, after[at, chosen], terms):
                continue
            best = (cost, np.concatenate([[opens], later[1:]]), chosen, after[at, chosen])
    assert best is not None  # no later order at all keeps every minimum
    cost, orders, chosen, after = best
    return Schedule(orders, chosen, after, float(cost), float(bound))


def ways(
    found: Cycles, later: Bool[np.ndarray, " review"], after: Int[np.ndarray, " line"]
) -> Float[np.ndarray, "review line"]:
    """Give what each line is expected to order at each later node, on its best way from its next order on."""
    value, out = values(found, later), np.zeros((found.last, len(after)))
    at, node = np.arange(len(after)), after.copy()
    while (node < found.last).any():
        going = node < found.last
        here = np.minimum(node, found.last - 1)
        step = np.where(np.arange(found.last + 1)[None, :] > here[:, None], found.later[at, here] + value, np.inf)
        to = step.argmin(axis=1)
        out[here[going], at[going]] = found.covers[at, here, to][going]
        node = np.where(going, to, node)
    return out


def reaches(found: Cycles, later: np.ndarray, after: np.ndarray, terms: Terms) -> bool:
    """Tell whether what is expected to be ordered at each later review reaches the minimums."""
    orders = ways(found, later, after)
    held = terms.use @ orders.T  # (use, node)
    return bool((held[:, later[: found.last]] >= terms.later[:, None] * (1 - 1e-9)).all())
