"""What it costs a line to order at one review and not again until another: the tables that looking ahead plans on.

Nodes are the reviews 0 … T − 1 and the end T, the first review that is not planned any more. An order of node r that
lasts until the order of node s serves the periods between the two arrivals; c_r is the unit cost at r::

    now     F(Q, s) = C_s(Q) + K [Q > 0] + (c_0 − c_s) Q + (c_s − c_T) (D̄(0, s) − position)
    later   G(r, s) = min_S C_rs(S) + K + (c_r − c_s) S + (c_s − c_T) D̄(r, s)

C is the expected cost on the joint paths between the two arrivals with what is left at the second one
(``policies.costs``): for the order placed now by the dynamics of the shop from today's stock, for a later one from the
position S that it is filled up to, since its quantity is decided when the demand before it is known (Bookbinder & Tan
1988: reviews are fixed now, quantities as they come). D̄ is mean demand. What is left at s is worth c_s there, for it
takes the place of a purchase; with one unit cost the money drops out. What exceeds the need up to the review after s
takes the place of a later, perhaps cheaper one, and is kept over all of it: it is charged for both, since a later s
has it exactly.

On known demand this is the shortest path of Wagner and Whitin.
"""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.demand import RecordedPaths, SampledForecast
from stockcast.inventory import InventoryState, Outlook, Situation
from stockcast.policies.costs import CostCurve, Cycle
from stockcast.policies.newsvendor import Aim, aim
from stockcast.policies.orderable import Admissible, floor_penalty
from stockcast.policies.projection import Part, batches, project

AT_ONCE = 4_000_000  # path × period cells of the lines that are computed together
HALVINGS = 50


@final
@dataclass(frozen=True, slots=True)
class Cycles:
    """The tables of some lines; infinite where a line cannot be ordered at that node.

    Parameters
    ----------
    quantity
        Candidates of this order, ascending, the first 0; one may stand twice.
    first
        F: cost of each candidate with the next order at node s = 1 … T (column s − 1).
    later
        G: cost of an order of node r that lasts until s.
    covers
        Mean demand from review r to review s: what an order of r is expected to hold.
    times
        Periods from the first future one to each node.
    """

    quantity: Float[np.ndarray, "line candidate"]
    first: Float[np.ndarray, "line candidate next"]
    later: Float[np.ndarray, "line node node"]
    covers: Float[np.ndarray, "line node node"]
    times: Int[np.ndarray, " node"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    @property
    def last(self) -> int:
        """Give T, the number of reviews."""
        return len(self.times) - 1


@final
@dataclass(frozen=True, slots=True)
class _Nodes:
    """Reviews of some lines on the calendar of their supplier: when, which are their own, where each line ends."""

    times: Int[np.ndarray, " node"]
    own: Bool[np.ndarray, "line node"]
    at: Int[np.ndarray, "line node"]
    cost: Float[np.ndarray, "line node"]


def nodes_of(outlook: Outlook, reach: Int[np.ndarray, " series"]) -> Int[np.ndarray, " node"]:
    """Give the times that a supplier's lines can be planned at: reviews of any of them, as many as are asked for.

    The last one is the end. It is drawn nearer until the order of every line's next review after it arrives within
    ``reach``, the last review of each line whose order the forecast sees arrive.
    """
    known = np.unique(outlook.reviews[outlook.reviews <= outlook.end().max(initial=0)])
    for count in range(min(outlook.ahead, len(known) - 1), 0, -1):
        ends = _ends(outlook, int(known[count]))
        if ((ends >= 0) & (ends <= reach)).all():
            return np.asarray(known[: count + 1])
    return np.asarray(known[:1])


def _ends(outlook: Outlook, time: int) -> Int[np.ndarray, " series"]:
    """Give each line's first own review from a time on; −1 where none is known."""
    after = (outlook.reviews >= time) & (outlook.reviews <= outlook.end()[:, None])
    first = np.take_along_axis(outlook.reviews, after.argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.where(after.any(axis=1), first, -1)


def _nodes(outlook: Outlook, times: Int[np.ndarray, " node"]) -> _Nodes:
    own = (outlook.reviews[:, :, None] == times[None, None, :]).any(axis=1)
    at = np.broadcast_to(times, own.shape).copy()
    at[:, -1] = _ends(outlook, int(times[-1]))
    own[:, -1] = True
    place = (outlook.reviews[:, :, None] <= at[:, None, :]).sum(axis=1) - 1
    cost = np.take_along_axis(outlook.unit_cost, place, axis=1)
    same = np.isfinite(cost).all(axis=1)
    return _Nodes(times, own, at, np.where(same[:, None], cost, 0.0))


def cycles(
    situation: Situation,
    rows: Int[np.ndarray, " line"],
    outlook: Outlook,
    times: Int[np.ndarray, " node"],
    given: Float[np.ndarray, "line candidate"],
) -> Cycles:
    """Compute the tables of the lines of one order, which are at review now.

    Parameters
    ----------
    outlook
        Of these lines.
    times
        From :func:`nodes_of`.
    given
        Quantities that are candidates in any case: those of the plan that looks one review ahead.
    """
    nodes, cells = _nodes(outlook, times), situation.demand.n_paths * situation.demand.horizon
    size = max(AT_ONCE // cells, 1)
    found = [
        _piece(situation, rows[at], _Nodes(times, nodes.own[at], nodes.at[at], nodes.cost[at]), given[at])
        for at in (slice(begin, begin + size) for begin in range(0, len(rows), size))
    ]
    width = max(quantity.shape[1] for quantity, *_ in found)
    quantity = np.concatenate([_padded(one[0], width) for one in found])
    first = np.concatenate([_padded(one[1], width) for one in found])
    later, covers = (np.concatenate([one[at] for one in found]) for at in (2, 3))
    return Cycles(quantity, first, later, covers, times)


def _padded(table: np.ndarray, width: int) -> np.ndarray:
    """Repeat the first candidate, 0, so that all tables are of one width."""
    missing = width - table.shape[1]
    return np.concatenate([np.repeat(table[:, :1], missing, axis=1), table], axis=1) if missing else table


def _piece(situation: Situation, rows: np.ndarray, nodes: _Nodes, given: np.ndarray) -> tuple[np.ndarray, ...]:
    part, last, n = Part.of(situation, rows), len(nodes.times) - 1, len(rows)
    paths = part.demand.paths()
    demand = part.demand
    recorded = SampledForecast(demand.series, demand.time, RecordedPaths(paths), demand.stream, demand.n_paths)
    part = replace(part, demand=recorded)  # drawn once for all pairs of nodes
    total = np.concatenate([np.zeros((n, 1)), np.cumsum(paths.mean(axis=1), axis=1)], axis=1)
    until = np.take_along_axis(total, np.minimum(nodes.at, demand.horizon), axis=1)
    covers = until[:, None, :] - until[:, :, None]
    ahead = _Ahead.of(part, nodes, covers)
    aims = [_between(part, nodes, 0, s, ahead) for s in range(1, last + 1)]
    quantity = _candidates(part, aims, nodes, given)
    first = np.full((*quantity.shape, last), np.inf)
    position = part.state.inventory_position
    for s, found in enumerate(aims, 1):
        money = (nodes.cost[:, :1] - nodes.cost[:, s : s + 1]) * quantity
        value = (nodes.cost[:, s] - nodes.cost[:, -1]) * (covers[:, 0, s] - position)
        first[:, :, s - 1] = _by_batch(found, quantity, _first_cost) + money + value[:, None]
    first += (part.terms.order_cost * (part.terms.ordered_now == 0))[:, None, None] * (quantity > 0)[:, :, None]
    first += _left_for_good(part, paths, nodes, quantity)[:, :, None]
    first = np.where(nodes.own[:, None, 1:], first, np.inf)
    later = np.full((n, last + 1, last + 1), np.inf)
    for r in range(1, last):
        for s in range(r + 1, last + 1):
            found = _between(part, nodes, r, s, ahead)
            slope = nodes.cost[:, r] - nodes.cost[:, s]
            value = (nodes.cost[:, s] - nodes.cost[:, -1]) * covers[:, r, s] + part.terms.order_cost
            both = np.stack([slope, covers[:, r, s]], axis=1)
            cost = _by_batch(found, both, _later_cost)[:, 0] + value
            later[:, r, s] = np.where(nodes.own[:, r] & nodes.own[:, s], cost, np.inf)
    return quantity, first, later, covers


def _left_for_good(
    part: Part, paths: np.ndarray, nodes: _Nodes, quantity: Float[np.ndarray, "line candidate"]
) -> Float[np.ndarray, "line candidate"]:
    """Give the money in what no demand is left for, of goods that end: it takes the place of no later purchase.

    They end where the last quarter of the forecast, two reviews at least, expects nothing.
    """
    gap = max(int(np.median(np.diff(nodes.times))), 1)
    tail = min(max(paths.shape[2] // 4, 2 * gap), paths.shape[2])
    ends = np.flatnonzero((paths[:, :, -tail:].sum(axis=(1, 2)) == 0) & (nodes.cost[:, -1] > 0))
    out = np.zeros_like(quantity)
    for row in ends.tolist():
        there = float(part.state.inventory_position[row]) + quantity[row]
        left = np.maximum(there[:, None] - paths[row].sum(axis=1), 0.0).mean(axis=1)
        out[row] = nodes.cost[row, -1] * left
    return out


@final
@dataclass(frozen=True, slots=True)
class _Ahead:
    """What comes after each node but the first: periods and mean demand up to the review after it.

    ``dear`` is what a unit beyond that costs more than being held as it is used up: half a review's holding, and by how
    much the cost falls later.
    """

    gap: Float[np.ndarray, "line next"]
    need: Float[np.ndarray, "line next"]
    dear: Float[np.ndarray, "line next"]

    @classmethod
    def of(cls, part: Part, nodes: _Nodes, covers: np.ndarray) -> "_Ahead":
        gaps, rest = np.diff(nodes.at, axis=1).astype(float), np.zeros((len(covers), 1))
        usual = np.median(gaps, axis=1, keepdims=True)  # of the reviews after the end, which are not looked at
        gap = np.concatenate([gaps[:, 1:], usual], axis=1)
        steps = range(1, covers.shape[1] - 1)
        need = np.concatenate([*(covers[:, s, s + 1 : s + 2] for s in steps), np.full_like(rest, np.nan)], axis=1)
        least = np.minimum.accumulate(nodes.cost[:, ::-1], axis=1)[:, ::-1]
        dear = 0.5 * part.terms.holding_cost[:, None] * gap[:, :-1] + nodes.cost[:, 1:-1] - least[:, 2:]
        return cls(gap, need, np.concatenate([np.maximum(dear, 0.0), rest], axis=1))


@final
@dataclass(frozen=True, slots=True)
class _Aimed:
    """An aim whose excess at the next order is dear."""

    aim: Aim
    dear: Float[np.ndarray, " line"]

    def cost(self, units: Float[np.ndarray, "line unit"]) -> Float[np.ndarray, "line unit"]:
        """Give the cost of some units; under a service target that of holding alone: it says itself what is served."""
        cost, made = self.aim.size_cost(units), self.aim
        if self.dear.any():
            cost = cost + self.dear[:, None] * made.leftover.excess.over(units) / made.leftover.need.shape[1]
        if not made.served.any():
            return cost
        assert isinstance(made.curve, CostCurve)  # no warehouse's: those look one review ahead
        unmet = made.curve.shortage[:, None] * made.curve.unmet.under(units)
        return np.where(made.served[:, None], cost - unmet, cost)


def _between(part: Part, nodes: _Nodes, r: int, s: int, ahead: _Ahead) -> list[tuple[np.ndarray, _Aimed]]:
    """Give what the lines aim at with an order of node r that lasts until node s, batch by batch."""
    n, terms = len(ahead.gap), part.terms
    here = nodes.at[:, r]
    length = np.maximum(nodes.at[:, s] - here, 1)
    changed = terms.replace(
        first_review=here, review_period=length,
        order_cost=terms.order_cost if s == nodes.at.shape[1] - 1 else np.zeros(n),
    )  # fmt: skip
    state = part.state
    if r:
        nothing = np.zeros(n)
        changed = changed.replace(ordered_now=nothing, at_review=np.ones(n, dtype=bool))
        state = InventoryState(state.series, nothing, nothing.copy(), state.pipeline)
    whole = replace(part, terms=changed, state=state)
    found = []
    for rows in batches(whole):
        some = whole.take(rows)
        made = aim(some, project(some, anew=r > 0))
        if r:  # the position is counted from 0, whatever comes later
            floor = np.where(some.terms.min_stock > 0, some.terms.min_stock, -np.inf)
            made = replace(made, position=np.zeros(len(rows)), floor=floor)
        made = _at_the_end(made, ahead.gap[rows, s - 1], ahead.need[rows, s - 1])
        found.append((rows, _Aimed(made, ahead.dear[rows, s - 1])))
    return found


def _at_the_end(made: Aim, gap: np.ndarray, need: np.ndarray) -> Aim:
    """Value what is left by the gap after it, not by the time that the order had to last."""
    before, between = made.leftover, made.projection.demand.mean(axis=1)
    scale = np.where(before.review > 0, before.level / np.where(before.review > 0, before.review, 1.0), 0.0)
    level = scale * gap
    told = np.isfinite(need)  # after the end, at the mean rate
    unscaled = before.level * np.where(before.rate > 0, between / (before.rate * before.review), 1.0)
    ratio = np.where(between > 0, np.where(told, need, 0.0) / np.where(between > 0, between, 1.0), 1.0)
    level = np.where(told & (between > 0), unscaled * ratio, level)
    leftover = replace(before, review=gap, level=level)
    size = leftover.economic()[0]
    cycle = Cycle.of(leftover, size, np.flatnonzero(leftover.lumpy(size) & ~made.served))
    return replace(made, leftover=leftover, cycle=cycle)


def _by_batch(found: list[tuple[np.ndarray, _Aimed]], table: np.ndarray, cost: object) -> np.ndarray:
    parts = [(rows, cost(made, table[rows])) for rows, made in found]  # type: ignore[operator]
    out = np.empty((len(table), parts[0][1].shape[1]))
    for rows, values in parts:
        out[rows] = values
    return out


def _first_cost(aimed: _Aimed, quantity: Float[np.ndarray, "line candidate"]) -> Float[np.ndarray, "line candidate"]:
    """Give C_s(Q); a service target or ``min_stock`` that it misses costs more than keeping it."""
    made = aimed.aim
    units = made.projection.mine[:, None] + quantity
    cost = aimed.cost(units)
    wish = np.where(made.served, made.units, made.floor)[:, None]
    short = units < wish - 1e-9 * np.maximum(1.0, np.abs(wish))
    if not short.any():
        return cost
    kept = aimed.cost(np.where(np.isfinite(wish), wish, 0.0))
    missed = made.unmet(np.maximum(units, wish)) - made.unmet(units)
    behind = np.where(made.served[:, None], made.shortage_cost[:, None] * np.maximum(-missed, 0.0), 0.0)
    return np.where(short, np.maximum(cost, kept) + behind + floor_penalty(made, units), cost)


def _later_cost(aimed: _Aimed, given: Float[np.ndarray, "line two"]) -> Float[np.ndarray, "line one"]:
    """Give the least cost over S; a minimum or maximum of the line moves S by what it adds to the mean demand."""
    slope, covers = given[:, 0], given[:, 1]
    made, terms = aimed.aim, aimed.aim.part.terms
    wish = np.where(made.served, made.units, made.floor)
    least = np.where(np.isfinite(wish), wish, np.minimum(made.curve.least, 0.0) - 1.0)
    low = least.copy()
    high = np.maximum(made.curve.most + made.leftover.safety, low + 1.0)
    high += made.leftover.rate * made.leftover.year * (slope < 0)
    high[made.cycle.rows] += 2.0 * made.cycle.size
    step = np.where(made.part.whole, 1.0, 1e-6 * np.maximum(1.0, np.abs(high)))

    def cost(units: np.ndarray) -> np.ndarray:
        found: np.ndarray = aimed.cost(units) + slope[:, None] * units
        return found

    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        both = cost(np.stack([middle, middle + step], axis=1))
        rises = both[:, 1] >= both[:, 0]
        low, high = np.where(rises, low, middle), np.where(rises, middle, high)
    near = np.stack([high, np.rint(high), np.floor(high), np.ceil(high), high + step], axis=1)
    near = np.maximum(near, least[:, None])
    best = near[np.arange(len(near)), np.argmin(cost(near), axis=1)]
    ordered = np.clip(covers, terms.moq, np.maximum(terms.max_order, terms.moq))
    return cost((best + np.where(covers > 0, ordered - covers, 0.0))[:, None])


def _candidates(
    part: Part, aims: list[list[tuple[np.ndarray, _Aimed]]], nodes: _Nodes, given: np.ndarray
) -> Float[np.ndarray, "line candidate"]:
    """Give 0, what was given, and admissible quantities around the best for each next order, and in between.

    The grid follows from the whole order of the period, what is placed of it included: planning the rest of a night
    sees the same grid.
    """
    before = part.terms.ordered_now
    whole = Admissible.of(part.terms, part.step, np.zeros_like(before))
    now = Admissible.of(part.terms, part.step, before)
    tops = []
    for s, found in enumerate(aims, 1):
        slope = nodes.cost[:, 0] - nodes.cost[:, s]
        tops.append(_by_batch(found, slope[:, None], _best_now)[:, 0])
    between = [0.5 * (one + other) for one, other in zip(tops, tops[1:], strict=False)]
    wanted = [whole.around(top) for top in tops] + [whole.up(top)[:, None] for top in (*between, whole.least)]
    table = now.down(np.concatenate(wanted, axis=1) - before[:, None])
    table = np.where(table < now.least[:, None], 0.0, np.minimum(table, now.most[:, None]))
    table = np.where(now.possible[:, None], np.maximum(table, 0.0), 0.0)
    return np.sort(np.concatenate([np.zeros((len(table), 1)), given, table], axis=1), axis=1)


def _best_now(aimed: _Aimed, slope: Float[np.ndarray, "line one"]) -> Float[np.ndarray, "line one"]:
    """Give the units of this order that cost least: the bottom of a convex curve."""
    made = aimed.aim
    wish = np.where(made.served, made.units, made.floor)
    low = np.where(np.isfinite(wish), np.maximum(wish, 0.0), 0.0)
    high = np.maximum(made.curve.most + made.leftover.safety, low) + 1.0
    high += made.leftover.rate * made.leftover.year * (slope[:, 0] < 0)
    high[made.cycle.rows] += 2.0 * made.cycle.size
    step = np.where(made.part.step > 0, made.part.step, 1e-6 * np.maximum(1.0, np.abs(high)))
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        both = np.stack([middle, middle + step], axis=1)
        cost = aimed.cost(both) + slope * both
        rises = cost[:, 1] >= cost[:, 0]
        low, high = np.where(rises, low, middle), np.where(rises, middle, high)
    return np.asarray(high[:, None])
