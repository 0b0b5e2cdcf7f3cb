"""What one more unit of each shared limit is worth: a price of money and of room, found without a solver.

At prices λ, orders answer by themselves: each line takes its cheapest candidate at C + λ·use·Q; an order that falls
short of its minimums is pushed by a price of its own until it reaches them, and dropped where that does not pay. A
truck counts by the part of it that is filled. Each price is bisected until what is used fits; locations do not compete
for one another's room, so that all their prices move at once.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.policies.coupling import Goods, Limit, Order
from stockcast.policies.lines import Lines

ROUNDS = 4
HALVINGS = 22
PUSHES = 18


@final
@dataclass(frozen=True, slots=True)
class Market:
    """All lines that can be ordered, flat, with the order each belongs to."""

    rows: Int[np.ndarray, " line"]
    order: Int[np.ndarray, " line"]
    quantity: Float[np.ndarray, "line candidate"]
    cost: Float[np.ndarray, "line candidate"]
    use: Float[np.ndarray, "line limit"]
    left: Float[np.ndarray, " limit"]
    need: Float[np.ndarray, "order minimum"]
    share: Float[np.ndarray, "line minimum"]
    header: Float[np.ndarray, " order"]
    coupled: Bool[np.ndarray, " order"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def of(cls, lines: Lines, every: list[Order], goods: Goods, limits: list[Limit]) -> "Market":
        """Lay the lines out; trucks count by the part that is filled, a price break once its value is likely."""
        rows = np.concatenate([order.rows for order in every])
        owner = np.repeat(np.arange(len(every)), [len(order.rows) for order in every])
        quantity, cost = lines.quantity[rows], lines.cost[rows].copy()
        truck = np.zeros(len(rows))
        cut = np.zeros(len(rows))
        for v, order in enumerate(every):
            here = owner == v if order.trucks is not None or order.tiers else None
            if order.trucks is not None:
                by = order.trucks
                parts = [
                    use[rows[here]] / size
                    for use, size in ((goods.volume, by.volume), (goods.weight, by.weight))
                    if size > 0
                ]
                truck[here] = by.cost * np.max(parts, axis=0)
            if order.tiers:
                usual = float(lines.at(lines.chosen)[order.rows] @ goods.cost[order.rows])
                reached = [tier.discount for tier in order.tiers if usual >= tier.value]
                cut[here] = reached[-1] if reached else 0.0
        cost += (truck - cut * goods.cost[rows])[:, None] * quantity
        return cls(
            rows=rows,
            order=owner,
            quantity=quantity,
            cost=cost,
            use=np.stack([limit.use[rows] for limit in limits], axis=1) if limits else np.zeros((len(rows), 0)),
            left=np.array([limit.left for limit in limits], dtype=float),
            need=np.array([(order.value, order.units, order.weight) for order in every], dtype=float).reshape(-1, 3),
            share=np.stack([goods.cost[rows], np.ones(len(rows)), goods.weight[rows]], axis=1),
            header=np.array([order.header for order in every], dtype=float),
            coupled=np.array([order.coupled for order in every], dtype=bool),
        )

    def answer(self, prices: Float[np.ndarray, " limit"]) -> Int[np.ndarray, " line"]:
        """Give the candidates that lines and orders take at some prices."""
        cost = self.cost + (self.use @ prices)[:, None] * self.quantity
        chosen = np.argmin(cost, axis=1)
        at, n = np.arange(len(chosen)), len(self.header)
        for minimum in range(3):
            share, need = self.share[:, minimum], self.need[:, minimum]
            if not (need > 0).any():
                continue
            held = np.bincount(self.order, share * self.quantity[at, chosen], minlength=n)
            opened = np.bincount(self.order, chosen > 0, minlength=n) > 0
            short = opened & (held < need)
            mine = np.flatnonzero(short[self.order])
            if len(mine):
                chosen[mine] = self._pushed(cost, mine, share, need)
        paid = np.bincount(self.order, cost[at, chosen] - cost[:, 0], minlength=n) + self.header
        closed = self.coupled & (paid >= 0)
        chosen[closed[self.order]] = 0
        return chosen

    def _pushed(self, cost: np.ndarray, mine: np.ndarray, share: np.ndarray, need: np.ndarray) -> np.ndarray:
        """Bisect a reward per unit of a minimum for each order that falls short of it."""
        n = len(self.header)
        quantity, owner = self.quantity[mine] * share[mine, None], self.order[mine]
        price = cost[mine]
        steep = np.abs(price).max(axis=1) / np.maximum(share[mine], 1e-9)
        low, high = np.zeros(n), np.zeros(n)
        np.maximum.at(high, owner, steep)
        rows = np.arange(len(mine))
        for _ in range(PUSHES):
            middle = 0.5 * (low + high)
            chosen = np.argmin(price - middle[owner, None] * quantity, axis=1)
            enough = np.bincount(owner, quantity[rows, chosen], minlength=n) >= need
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        found: np.ndarray = np.argmin(price - high[owner, None] * quantity, axis=1)
        return found

    def used(self, chosen: Int[np.ndarray, " line"]) -> Float[np.ndarray, " limit"]:
        """Give what a choice uses of each limit."""
        found: np.ndarray = self.quantity[np.arange(len(chosen)), chosen] @ self.use
        return found


def prices(lines: Lines, every: list[Order], goods: Goods, limits: list[Limit]) -> Float[np.ndarray, " limit"]:
    """Give the price of each limit, 0 where it does not bind.

    Examples
    --------
    A budget that all wishes together keep has no price; ``tests/oracles/test_milp_enumeration.py`` holds the rest.
    """
    if not limits or not every:
        return np.zeros(len(limits))
    market = Market.of(lines, every, goods, limits)
    found = np.zeros(len(limits))
    groups = [[at for at, limit in enumerate(limits) if limit.name == "budget"]]
    groups.append([at for at in range(len(limits)) if at not in groups[0]])
    groups = [group for group in groups if group]
    for _ in range(ROUNDS if len(groups) > 1 else 1):
        before = found.copy()
        for group in groups:
            found = _bisected(market, found, np.array(group))
        if np.allclose(before, found, rtol=1e-3, atol=0.0):
            break
    return found


def _bisected(market: Market, start: np.ndarray, group: np.ndarray) -> np.ndarray:
    low = np.zeros(len(group))
    trial = start.copy()
    trial[group] = 0.0
    over = market.used(market.answer(trial))[group] > market.left[group]
    high = np.where(over, np.maximum(start[group], 1e-3), 0.0)
    for _ in range(60):
        trial[group] = high
        over = market.used(market.answer(trial))[group] > market.left[group]
        if not over.any():
            break
        low, high = np.where(over, high, low), np.where(over, 4.0 * high + 1e-3, high)
    for _ in range(HALVINGS):
        if (high - low <= 1e-5 * np.maximum(high, 1e-12)).all():
            break
        middle = 0.5 * (low + high)
        trial[group] = middle
        over = market.used(market.answer(trial))[group] > market.left[group]
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    trial[group] = high
    return trial
