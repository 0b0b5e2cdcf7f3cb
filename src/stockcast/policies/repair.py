"""Plans without a solver: fill an order up to its minimums or drop it, cut orders back to a limit, settle ties.

It is the analytic counterpart of the models in ``policies.milp``: what stands before a solver is asked, and after it
failed; and the last touch on what a solver gives.
"""

import heapq
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.policies.costs import NEAR
from stockcast.policies.coupling import Goods, Limit, Order
from stockcast.policies.lines import Lines


def meet_minimum(
    lines: Lines, order: Order, chosen: Int[np.ndarray, " series"], goods: Goods
) -> Int[np.ndarray, " series"]:
    """Fill an order up to its minimums, to each price break in turn, or drop it: whichever costs least."""
    out, rows = chosen.copy(), order.rows
    best, kept = 0.0, np.zeros(len(rows), dtype=np.int64)
    best = float(lines.cost[rows, 0].sum())
    if not (lines.quantity[rows, out[rows]] > 0).any():
        return out
    for value in (order.value, *(tier.value for tier in order.tiers if tier.value > order.value)):
        filled = _filled(lines, order, out, goods, value)
        quantity = lines.quantity[rows, filled]
        if not order.keeps(quantity, goods):
            continue
        cost = float(lines.cost[rows, filled].sum()) + order.extra(quantity, goods)
        if cost < best:
            best, kept = cost, filled
    out[rows] = kept
    return out


def _filled(lines: Lines, order: Order, chosen: np.ndarray, goods: Goods, value: float) -> np.ndarray:
    """Take the cheapest further steps until the minimums are met and the trucks are full enough."""
    rows, at = order.rows, chosen[order.rows].copy()
    quantity = lines.quantity[rows, at]
    uses = (goods.cost[rows], np.ones(len(rows)), goods.weight[rows], goods.volume[rows])

    def lacking() -> int:
        """Give which use of the lines is missing first; −1 where none is."""
        for at_least, (least, use) in enumerate(zip((value, order.units, order.weight), uses, strict=False)):
            if least > 0 and float(quantity @ use) < least * (1 - 1e-12):
                return at_least
        if order.fill_lacks(quantity, goods) > 0 and order.trucks is not None:
            return 3 if order.trucks.volume > 0 else 2
        return -1

    def step(line: int, use: np.ndarray) -> tuple[float, int, int] | None:
        row, here = int(rows[line]), int(at[line])
        more = np.flatnonzero(lines.quantity[row] > lines.quantity[row, here])
        if not len(more) or use[line] <= 0:
            return None
        # a line that is opened only to fill up is opened at its best size: once its order cost is paid, that is wanted
        to = int(more[np.argmin(lines.cost[row, more])]) if lines.quantity[row, here] == 0 else int(more[0])
        gained = (lines.quantity[row, to] - lines.quantity[row, here]) * use[line]
        return float((lines.cost[row, to] - lines.cost[row, here]) / max(gained, 1e-12)), line, to

    while (missing := lacking()) >= 0:
        queue = [entry for line in range(len(rows)) if (entry := step(line, uses[missing])) is not None]
        heapq.heapify(queue)
        if not queue:
            break
        while queue and lacking() == missing:
            _, line, to = heapq.heappop(queue)
            at[line], quantity[line] = to, lines.quantity[rows[line], to]
            if (entry := step(line, uses[missing])) is not None:
                heapq.heappush(queue, entry)
    return at


def keep_limits(
    lines: Lines, every: list[Order], chosen: Int[np.ndarray, " series"], goods: Goods, shared: list[Limit]
) -> Int[np.ndarray, " series"]:
    """Cut orders back, the step that is worth least for what it uses first, until they keep every limit.

    An order that falls below its minimum on the way is dropped as a whole.
    """
    out = chosen.copy()
    for limit in shared:
        if limit.over(lines.at(out)) > 0:
            rows = np.flatnonzero(limit.use > 0)
            out[rows] = cut(lines.quantity[rows], lines.cost[rows], out[rows], limit.use[rows], limit.left)
    for order in every:
        if not order.keeps(lines.quantity[order.rows, out[order.rows]], goods):
            out[order.rows] = 0
    return out


def cut(
    quantity: Float[np.ndarray, "line candidate"],
    cost: Float[np.ndarray, "line candidate"],
    chosen: Int[np.ndarray, " line"],
    use: Float[np.ndarray, " line"],
    left: float,
) -> Int[np.ndarray, " line"]:
    """Cut some lines back, the step that is worth least for what it frees first, until they use what is left."""
    out = chosen.copy()

    def steps(rows: np.ndarray) -> list[tuple[float, int, int]]:
        here, at = np.arange(len(rows)), out[rows]
        some, worth = quantity[rows], cost[rows]
        freed = (some[here, at][:, None] - some) * use[rows][:, None]
        less = freed > 0
        worth = np.where(less, (worth - worth[here, at][:, None]) / np.where(less, freed, 1.0), np.inf)
        to = np.argmin(worth, axis=1)
        found = zip(worth[here, to].tolist(), rows.tolist(), to.tolist(), less.any(axis=1).tolist(), strict=True)
        return [(least, row, best) for least, row, best, any_less in found if any_less]

    held = quantity[np.arange(len(out)), out]
    queue = steps(np.flatnonzero((held > 0) & (use > 0)))
    heapq.heapify(queue)
    used = float((held * use).sum())
    while used > left * (1 - 1e-12) and queue:
        _, row, to = heapq.heappop(queue)
        units, costs, price = quantity[row].tolist(), cost[row].tolist(), float(use[row])
        used -= (units[out[row]] - units[to]) * price
        out[row] = to
        # one line again, as in steps: plain numbers are quicker than arrays of one row
        freed = [(units[to] - less) * price for less in units]
        following = [((costs[at] - costs[to]) / gain, row, at) for at, gain in enumerate(freed) if gain > 0]
        if following:
            heapq.heappush(queue, min(following))
    return out


def use_the_rest(
    lines: Lines, every: list[Order], chosen: Int[np.ndarray, " series"], goods: Goods, shared: list[Limit]
) -> Int[np.ndarray, " series"]:
    """Take further steps that save cost and still fit every limit, the best for what they use first, until none does.

    Trucks are paid for where a step needs another; an order that is closed stays closed.
    """
    if not every:
        return chosen.copy()
    rest = _Rest.of(lines, every, chosen.copy(), goods, shared)
    rows = np.concatenate([order.rows for order in every])
    closed = np.array([order.coupled and not (lines.at(chosen)[order.rows] > 0).any() for order in every])
    able = (rest.owner[rows] < 0) | ~closed[rest.owner[rows]]
    better = lines.cost[rows].min(axis=1) < lines.cost[rows, chosen[rows]]
    queue = rest.offers(rows[able & better])
    heapq.heapify(queue)
    while queue:
        _, row, to = heapq.heappop(queue)
        needs = float(lines.quantity[row, to] - lines.quantity[row, rest.out[row]]) * rest.use[row]
        fits = bool((needs <= rest.left).all())
        if fits and not rest.pays(row, to):
            continue
        if fits:
            rest.out[row] = to
            rest.left[:] -= needs
        if (entry := rest.offer(row)) is not None:
            heapq.heappush(queue, entry)
    return rest.out


@final
@dataclass(frozen=True, slots=True)
class _Rest:
    """Orders while they are added to, and what is left of each limit."""

    lines: Lines
    every: list[Order]
    goods: Goods
    out: np.ndarray
    owner: np.ndarray
    use: np.ndarray
    left: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, lines: Lines, every: list[Order], out: np.ndarray, goods: Goods, shared: list[Limit]) -> "_Rest":
        held, owner = lines.at(out), np.full(len(out), -1)
        for number, order in enumerate(every):
            owner[order.rows] = number if order.coupled else -1
        use = np.stack([limit.use for limit in shared], axis=1) if shared else np.zeros((len(out), 0))
        left = np.array([limit.left * (1 - 1e-12) - float((held * limit.use).sum()) for limit in shared])
        return cls(lines, every, goods, out, owner, use, left, np.array([max(limit.left, 1e-12) for limit in shared]))

    def offers(self, rows: np.ndarray) -> list[tuple[float, int, int]]:
        """Give the step of each row that saves most for the scarcest of what it uses."""
        here, at = np.arange(len(rows)), self.out[rows]
        quantity, cost = self.lines.quantity[rows], self.lines.cost[rows]
        step, saves = quantity - quantity[here, at][:, None], cost[here, at][:, None] - cost
        fits = (step > 0) & (saves > 0) & (saves > NEAR * np.abs(cost[here, at])[:, None])
        scarce = np.zeros(step.shape)
        for limit in range(len(self.left)):
            need = step * self.use[rows, limit][:, None]
            fits &= need <= self.left[limit]
            np.maximum(scarce, need / self.scale[limit], out=scarce)
        ratio = np.where(fits, -saves / np.maximum(scarce, 1e-12), np.inf)
        to = np.argmin(ratio, axis=1)
        found = zip(ratio[here, to].tolist(), rows.tolist(), to.tolist(), fits.any(axis=1).tolist(), strict=True)
        return [(best, row, at) for best, row, at, some in found if some]

    def offer(self, row: int) -> tuple[float, int, int] | None:
        """Give the same for one row: plain numbers are quicker than arrays of one row."""
        units, costs, here = self.lines.quantity[row].tolist(), self.lines.cost[row].tolist(), int(self.out[row])
        uses = [(at, price) for at, price in enumerate(self.use[row].tolist()) if price > 0]
        best: tuple[float, int, int] | None = None
        for to, (more, cost) in enumerate(zip(units, costs, strict=True)):
            step, saves = more - units[here], costs[here] - cost
            if step <= 0 or saves <= 0 or saves <= NEAR * abs(costs[here]):
                continue
            if any(step * price > self.left[at] for at, price in uses):
                continue
            scarce = max((step * price / self.scale[at] for at, price in uses), default=0.0)
            ratio = float(-saves / max(scarce, 1e-12))
            if best is None or ratio < best[0]:
                best = (ratio, row, to)
        return best

    def pays(self, row: int, to: int) -> bool:
        """Tell whether a step saves with what it does to trucks and price breaks, and keeps the order's terms."""
        order = self.every[self.owner[row]]
        if self.owner[row] < 0 or (order.trucks is None and not order.tiers):
            return True
        before = self.lines.quantity[order.rows, self.out[order.rows]]
        after = np.where(order.rows == row, self.lines.quantity[row, to], before)
        saves = float(self.lines.cost[row, self.out[row]] - self.lines.cost[row, to])
        saves += order.extra(before, self.goods) - order.extra(after, self.goods)
        return saves > NEAR and order.keeps(after, self.goods)


def trim(
    lines: Lines, order: Order, chosen: Int[np.ndarray, " series"], goods: Goods, *, within: bool = False
) -> Int[np.ndarray, " series"]:
    """Undo what a model chose among equals: a line goes back to its own best, an order to nothing, if it costs no more.

    A solver's tolerances leave open which of several plans of one cost it gives; this settles it. What has to stay
    ``within`` shared limits only gets less.
    """
    out, rows = chosen.copy(), order.rows
    quantity = lines.quantity[rows, out[rows]].copy()
    extra = order.extra(quantity, goods)
    for line in np.flatnonzero((quantity > 0) & (out[rows] != lines.chosen[rows])).tolist():
        row = int(rows[line])
        own, before = int(lines.chosen[row]), int(out[row])
        if within and lines.quantity[row, own] > quantity[line]:
            continue
        tried = quantity.copy()
        tried[line] = lines.quantity[row, own]
        other = order.extra(tried, goods)
        here, there = float(lines.cost[row, before]), float(lines.cost[row, own])
        if there + other <= here + extra + NEAR * max(abs(here), abs(there)) and order.keeps(tried, goods):
            out[row], quantity, extra = own, tried, other
    saved: Float[np.ndarray, " line"] = lines.cost[rows, out[rows]]
    if float(saved.sum()) + extra >= -NEAR * (float(np.abs(saved).sum()) + order.header):
        out[rows] = 0
    return out
