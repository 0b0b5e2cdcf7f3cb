"""What to move of one sku: a flow of least cost between places whose stock has a value curve each.

Nodes are places, each a giver or a receiver of what arrives in one period; arcs are lanes with packs of m_a units::

    min   Σ_n f_n(u_n) + Σ_a (c_a + δ) m_a x_a
    s.t.  u_n = Σ_{a at n} m_a x_a          units that leave a giver, or come to a receiver
          0 ≤ u_n ≤ U_n,  x_a ≥ 0 whole

f_n is piecewise linear between the units at which it was valued, 0 at 0. Negative cycles of the residual network are
cancelled, in lumps of packs that are halved (Ahuja, Magnanti and Orlin 1993, ch. 10 and 14): with one pack size and
convex curves the end is the best of all integer flows. A purchase's minimum, packs or order cost make a curve bend
back, and lanes may have packs of their own: then single lanes and pairs of them are changed in lumps as well, until
nothing gains, from where the search began and from the best flow on the convex hulls of the curves; the better end
counts. δ is far below every value: what gains nothing stays.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze

STILL = 1e-6  # relative: a move that gains less than this of the largest value of a unit is not made
ROUNDING = 1e-12  # relative: by as much a sum of decimal packs may miss what a place holds
MOVES = 10_000  # of one sku; a hundred are many


@final
@dataclass(frozen=True, slots=True)
class Node:
    """One place: the units at which it was valued, ascending from 0, and the cost of each against 0 units."""

    units: Float[np.ndarray, " point"]
    cost: Float[np.ndarray, " point"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, units=self.units, cost=self.cost)

    def hull(self) -> "Node":
        """Give the largest convex curve that does not exceed this one; itself where it is convex, up to rounding."""
        slope = np.diff(self.cost) / np.diff(self.units)
        if (np.diff(slope) >= -1e-9 * np.abs(slope).max(initial=0.0)).all():
            return self
        kept: list[int] = []
        for at in range(len(self.units)):
            while len(kept) > 1 and not self._turns_up(kept[-2], kept[-1], at):
                kept.pop()
            kept.append(at)
        return Node(self.units[kept], self.cost[kept])

    def _turns_up(self, first: int, middle: int, last: int) -> bool:
        wide, tall = np.diff(self.units[[first, middle, last]]), np.diff(self.cost[[first, middle, last]])
        return bool(tall[1] * wide[0] - tall[0] * wide[1] > -1e-12 * np.abs(tall).max() * wide.max())


@final
@dataclass(frozen=True, slots=True)
class Arc:
    """A lane between two nodes (by index): the units of a pack, and the money a unit."""

    giver: int
    receiver: int
    step: float
    cost: float


def flow(nodes: list[Node], arcs: list[Arc], begin: Int[np.ndarray, " arc"] | None = None) -> Int[np.ndarray, " arc"]:
    """Give the packs to send on each arc.

    Parameters
    ----------
    begin
        A flow to begin with, such as the best one before a curve was known better.

    Examples
    --------
    >>> giver = Node(np.array([0.0, 4.0, 8.0]), np.array([0.0, 0.0, 8.0]))
    >>> taker = Node(np.array([0.0, 6.0]), np.array([0.0, -18.0]))
    >>> flow([giver, taker], [Arc(0, 1, 1.0, 0.5)]).tolist()
    [6]
    """
    if not arcs:
        return np.zeros(0, dtype=np.int64)
    hulls = [node.hull() for node in nodes]
    starts: list[np.ndarray] = [np.zeros(len(arcs), dtype=np.int64) if begin is None else begin]
    bent = any(hull is not node for hull, node in zip(hulls, nodes, strict=True))
    if bent:
        starts.append(_improved(hulls, arcs, starts[0]).packs)
    ends = [_improved(nodes, arcs, start, bent=bent) for start in starts]
    return min(ends, key=_Search.total).packs


def _improved(nodes: list[Node], arcs: list[Arc], start: Int[np.ndarray, " arc"], *, bent: bool = False) -> "_Search":
    search = _Search(nodes, arcs)
    if start.any():
        search.make(dict(enumerate(start.tolist())))
    even = len({arc.step for arc in arcs}) == 1
    while search.moves < MOVES:
        before = search.moves
        if even and search.cancel(1):
            for lump in search.lumps():
                while search.moves < MOVES and search.cancel(lump):
                    pass
        if even and not bent:
            break  # no cycle gains: the best there is
        while search.moves < MOVES and search.change():
            pass
        if search.moves == before:
            break
    return search


@final
class _Search:
    """A flow as it is improved: packs of each arc, units of each node, and what they cost there."""

    def __init__(self, nodes: list[Node], arcs: list[Arc]) -> None:
        self.curves = [(node.units.tolist(), node.cost.tolist()) for node in nodes]
        self.arcs = arcs
        self.packs = np.zeros(len(arcs), dtype=np.int64)
        self.units = [0.0] * len(nodes)
        self.cost = [0.0] * len(nodes)
        slopes = [np.abs(np.diff(node.cost) / np.diff(node.units)).max(initial=0.0) for node in nodes]
        self.still = STILL * max(slopes, default=0.0)
        self.moves = 0
        self.beside = [
            [b for b in range(len(arcs)) if b != a and {arcs[b].giver, arcs[b].receiver} & {arc.giver, arc.receiver}]
            for a, arc in enumerate(arcs)
        ]

    def at(self, node: int, units: float) -> float:
        """Give the cost of some units of a node; infinite where there are not so many."""
        points, costs = self.curves[node]
        if units < -1e-9 or units > points[-1] * (1 + ROUNDING):
            return math.inf
        k = min(max(bisect_right(points, units) - 1, 0), len(points) - 2)
        share = (units - points[k]) / (points[k + 1] - points[k])
        return costs[k] + share * (costs[k + 1] - costs[k])

    def lumps(self) -> Iterator[int]:
        """Give packs to move at once: the largest power of two that a place holds, then halves, down to one."""
        most = max((self.curves[arc.giver][0][-1] / arc.step for arc in self.arcs), default=1.0)
        for power in range(int(np.log2(max(most, 1.0))), -1, -1):
            yield 1 << power

    def total(self) -> float:
        """Give the cost of all nodes and arcs."""
        carried = zip(self.packs.tolist(), self.arcs, strict=True)
        return sum(self.cost, 0.0) + sum(packs * arc.step * (arc.cost + self.still) for packs, arc in carried)

    def gains(self, arcs: list[int], packs: np.ndarray) -> np.ndarray:
        """Give what changing the packs of some arcs saves, one column of ``packs`` a change."""
        moved: dict[int, np.ndarray] = {}
        paid = np.zeros(packs.shape[1])
        for a, change in zip(arcs, packs, strict=True):
            arc, units = self.arcs[a], change * self.arcs[a].step
            paid += np.where(self.packs[a] + change < 0, np.inf, units * (arc.cost + self.still))
            for node in (arc.giver, arc.receiver):
                moved[node] = moved.get(node, 0.0) + units
        for node, units in moved.items():
            points, costs = self.curves[node]
            after = self.units[node] + units
            outside = (after < -1e-9) | (after > points[-1] * (1 + ROUNDING))
            paid += np.where(outside, np.inf, np.interp(after, points, costs)) - self.cost[node]
        return -paid

    def make(self, change: dict[int, int]) -> None:
        """Change the packs of some arcs."""
        for a, packs in change.items():
            self.packs[a] += packs
        for node in {end for a in change for end in (self.arcs[a].giver, self.arcs[a].receiver)}:
            units = sum(
                float(self.packs[a]) * arc.step for a, arc in enumerate(self.arcs) if node in (arc.giver, arc.receiver)
            )
            self.units[node], self.cost[node] = units, self.at(node, units)
        self.moves += 1

    def change(self) -> bool:
        """Make the best change of one arc, or of one against another at the same place; tell whether one gains.

        One arc changes by a power of two, or to where a curve at its ends is known; two exchange one to three packs, or
        all that one of them carries.
        """
        best, found = self.least, {}
        powers = np.array(list(self.lumps()))
        for a, arc in enumerate(self.arcs):
            held = int(self.packs[a])
            kinks = [(np.array(self.curves[n][0]) - self.units[n]) / arc.step for n in (arc.giver, arc.receiver)]
            packs = np.unique(np.concatenate([powers, -np.minimum(powers, held), *kinks]).astype(np.int64))
            gains = self.gains([a], packs[None, :])
            if gains.max(initial=-np.inf) > best:
                best, found = float(gains.max()), {a: int(packs[gains.argmax()])}
            for b in self.beside[a] if held else ():
                some = np.unique(np.minimum([1, 2, 3, held], held))
                ratio = some * arc.step / self.arcs[b].step
                packs = np.stack([
                    -np.tile(some, 2),
                    np.concatenate([np.floor(ratio), np.ceil(ratio)]).astype(np.int64),
                ])
                gains = self.gains([a, b], packs)
                if gains.max() > best:
                    best, found = (
                        float(gains.max()),
                        {a: int(packs[0, gains.argmax()]), b: int(packs[1, gains.argmax()])},
                    )
        if found:
            self.make(found)
        return bool(found)

    @property
    def least(self) -> float:
        """Give the gain below which a change is rounding."""
        return 1e-12 * (1.0 + max((abs(cost) for cost in self.cost), default=0.0))

    def cancel(self, lump: int) -> bool:
        """Send a lump around the cheapest cycle that Bellman and Ford find; tell whether one gains.

        The hub stands for what is not moved: hub → giver → receiver → hub is a transfer.
        """
        n = len(self.curves)
        hub = n
        weight = np.full((n + 1, n + 1), np.inf)
        via = np.full((n + 1, n + 1), -1, dtype=np.int64)
        units = lump * self.arcs[0].step
        gives = {arc.giver for arc in self.arcs}
        for node in range(n):
            more, less = (self.at(node, self.units[node] + sign * units) - self.cost[node] for sign in (1, -1))
            ahead, back = ((hub, node), (node, hub)) if node in gives else ((node, hub), (hub, node))
            weight[ahead], weight[back] = more, less
        for a, arc in enumerate(self.arcs):
            price = units * (arc.cost + self.still)
            if price < weight[arc.giver, arc.receiver]:
                weight[arc.giver, arc.receiver], via[arc.giver, arc.receiver] = price, a
            if self.packs[a] >= lump and -price < weight[arc.receiver, arc.giver]:
                weight[arc.receiver, arc.giver], via[arc.receiver, arc.giver] = -price, a
        cycle = _negative_cycle(weight, self.least)
        change: dict[int, int] = {}
        for one, other in zip(cycle, cycle[1:] + cycle[:1], strict=True):
            a = int(via[one, other])
            if a >= 0:
                change[a] = change.get(a, 0) + (lump if self.arcs[a].giver == one else -lump)
        change = {a: packs for a, packs in change.items() if packs}
        if not change:
            return False
        if float(self.gains(list(change), np.array([[packs] for packs in change.values()]))[0]) <= self.least:
            return False
        self.make(change)
        return True


def _negative_cycle(weight: np.ndarray, least: float) -> list[int]:
    """Give the nodes of a cycle of negative weight, in order; none where there is none."""
    n = len(weight)
    far, before = np.zeros(n), np.full(n, -1, dtype=np.int64)
    for _ in range(n):
        through = far[:, None] + weight
        best = through.argmin(axis=0)
        found = through[best, np.arange(n)]
        shorter = found < far - least
        if not shorter.any():
            return []
        far = np.where(shorter, found, far)
        before = np.where(shorter, best, before)
        cycle = _cycle(before)
        if cycle:
            return cycle
    return []


def _cycle(before: np.ndarray) -> list[int]:
    """Give a cycle among predecessors, in order; none where there is none."""
    colour = [0] * len(before)
    for start in range(len(before)):
        walk, at = [], start
        while at >= 0 and not colour[at]:
            colour[at] = start + 1
            walk.append(at)
            at = int(before[at])
        if at >= 0 and colour[at] == start + 1:
            return walk[walk.index(at) :][::-1]
    return []
