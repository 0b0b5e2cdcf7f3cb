"""What stock is worth where it lies and where it could go: the expected cost of a series whose stock has been changed.

With y units given up now, or z units that arrive at the start of period k, on the series' own joint paths::

    V(y, z) = E Σ_{t<a} [h x_t⁺ + p unmet_t] + min_q C(q)

a is the arrival of the next possible purchase, x runs by the dynamics of the shop (``policies.projection``), and C is
what the plan itself minimises over the admissible purchases q (``policies.orderable.choose``): the cost up to the
arrival of the purchase after it, the value of what is left, waste, the line's order cost. So a unit is worth little
where a purchase comes in time, and much where demand comes before any purchase can.

A place that a warehouse feeds has no purchase: a is where what is sent tonight arrives, C(0) runs to the arrival of the
next shipment. A unit that stays at the warehouse costs its h until it ships again.

Where an order of this period is placed already, a change is valued with it and without it, as if it were still to be
decided, and the worse counts. A transfer that was not worth it before the order is not worth it after it: planning
again undoes nothing, and what was bought for a minimum or a discount is not passed on.

Money for goods is not part of it: whatever is moved is bought once, sooner or later. Only where the sale ends, what is
left then, on hand or coming, is bought for nothing: each unit of it counts its unit cost, and is held no longer
(``policies.ending``). At a warehouse that feeds places that is so where none of them could sell what its next
shipment brings.

A series with a service target counts what is missing at the shortage cost that the target implies. Stock that would lie
longer than a year counts as if it lay a year, as in ``policies.costs``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.parallel import map_pieces
from stockcast.core.random import Stream
from stockcast.demand import RecordedPaths
from stockcast.inventory import InventoryState, Situation
from stockcast.policies.costs import Leftover
from stockcast.policies.coupling import money
from stockcast.policies.ending import Ending
from stockcast.policies.newsvendor import Aim, aim
from stockcast.policies.orderable import choose
from stockcast.policies.projection import Part, arrivals, batches

CHUNK = 256  # series whose paths are held at once
BEYOND = 1e9  # units above any stock
WORTH_A_POOL = 4  # chunks from which worker processes pay for their start


@final
@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of stock to be valued, some for each series; NaN in ``units`` where there is none.

    Parameters
    ----------
    units
        Units received where positive, given up where negative.
    arrival
        The period at whose start they come, counted from 0; without meaning for units given up.
    """

    units: Float[np.ndarray, "series change"]
    arrival: Int[np.ndarray, "series change"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, units=self.units, arrival=self.arrival)

    def take(self, rows: np.ndarray) -> "Changes":
        """Give those of some series."""
        return Changes(self.units[rows], self.arrival[rows])


@final
@dataclass(frozen=True, slots=True)
class Anchor:
    """What is held fixed while stock changes.

    Parameters
    ----------
    shortage_cost
        p: as given, or the one that a service target implies.
    rate
        The demand a period at which what is left is used up.
    wanted
        Units that would be purchased in this period without packs and minimums, in all: a size to look at.
    ships
        Periods to the next shipment of a warehouse that feeds others, 0 for all other series.
    """

    shortage_cost: Float[np.ndarray, " series"]
    rate: Float[np.ndarray, " series"]
    wanted: Float[np.ndarray, " series"]
    ships: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, shortage_cost=self.shortage_cost, rate=self.rate, wanted=self.wanted, ships=self.ships)

    def take(self, rows: np.ndarray) -> "Anchor":
        """Give that of some series."""
        return Anchor(self.shortage_cost[rows], self.rate[rows], self.wanted[rows], self.ships[rows])


def worth(
    situation: Situation,
    rows: Int[np.ndarray, " row"],
    changes: Changes,
    anchor: Anchor,
    *,
    workers: int = 1,
    done: Callable[[int], None] = lambda count: None,
) -> Float[np.ndarray, "row change"]:
    """Give V of each change of some series (ascending rows), up to one constant a series; NaN where there is none."""
    pieces = []
    for begin in range(0, len(rows), CHUNK):
        some = slice(begin, begin + CHUNK)
        pieces.append((
            Part.of(situation, rows[some]),
            changes.take(np.arange(len(rows))[some]),
            anchor.take(rows[some]),
        ))
    workers = workers if len(pieces) >= WORTH_A_POOL else 1
    found = map_pieces(_worth, pieces, workers=workers, done=done)
    return np.concatenate(found) if found else np.zeros((0, changes.units.shape[1]))


def anchor(
    situation: Situation, rows: Int[np.ndarray, " row"], ships: Float[np.ndarray, " series"], *, workers: int = 1
) -> Anchor:
    """Find what is held fixed for some series (ascending rows); 0 for the others."""
    pieces = [Part.of(situation, rows[begin : begin + CHUNK]) for begin in range(0, len(rows), CHUNK)]
    workers = workers if len(pieces) >= WORTH_A_POOL else 1
    found = map_pieces(_anchor, pieces, workers=workers)
    out = np.zeros((3, len(situation.past.series)))
    if found:
        out[:, rows] = np.concatenate(found, axis=1)
    return Anchor(out[0], out[1], out[2], ships)


def _anchor(part: Part) -> Float[np.ndarray, "3 series"]:
    out = np.zeros((3, len(part.terms.series)))
    part = _unplaced(part)
    for rows in batches(part):
        found = aim(part.take(rows))
        rest = found.leftover
        usual = np.maximum(_left(rest, found.free), rest.level[:, None])
        excess = np.maximum(_left(rest, np.zeros(len(rows))) - usual, 0.0).mean(axis=1)
        out[0, rows], out[1, rows] = found.shortage_cost, np.maximum(rest.rate, excess / rest.year)
        out[2, rows] = np.maximum(found.units, 0.0)
    return out


def _left(rest: Leftover, units: Float[np.ndarray, " series"]) -> Float[np.ndarray, "series path"]:
    """Give the stock at the next arrival, open orders that come later included."""
    held = units[:, None] if rest.backorder else np.maximum(units[:, None], rest.peak)
    return np.asarray(held - rest.need + rest.later)


def _worth(piece: tuple[Part, Changes, Anchor]) -> Float[np.ndarray, "series change"]:
    given, changes, fixed = piece
    paths = given.demand.paths()
    terms = given.terms
    priced = replace(
        given,
        demand=replace(given.demand, source=RecordedPaths(paths)),
        terms=terms.replace(
            at_review=np.ones_like(terms.at_review),  # what comes next is valued, tonight's calendar or not
            objective=np.zeros_like(terms.objective),
            target=np.zeros_like(terms.target),
            shortage_cost=fixed.shortage_cost,
            min_stock=np.where(terms.orderable, terms.min_stock, 0.0),
        ),
    )
    out = _with_changes(priced, changes, fixed)
    placed = np.flatnonzero(terms.ordered_now > 0)
    if len(placed):
        some, asked, held = priced.take(placed), changes.take(placed), fixed.take(placed)
        nothing = Changes(np.zeros((len(placed), 1)), np.zeros((len(placed), 1), dtype=np.int64))
        ways = [_with_changes(one, asked, held) - _with_changes(one, nothing, held) for one in (some, _unplaced(some))]
        out[placed] = np.maximum(*ways)
    return out


def _unplaced(part: Part) -> Part:
    """Give the same without what is ordered in this period already, to be ordered yet."""
    terms, pipeline = part.terms, part.state.pipeline.copy()
    rows = np.flatnonzero(terms.ordered_now > 0)
    if not len(rows):
        return part
    own = np.minimum((terms.lead_time + terms.first_review)[rows], pipeline.shape[1] - 1)
    pipeline[rows, own] -= np.minimum(terms.ordered_now[rows], pipeline[rows, own])
    return replace(
        part,
        state=replace(part.state, pipeline=pipeline),
        terms=terms.replace(ordered_now=np.zeros_like(terms.ordered_now)),
    )


def _with_changes(part: Part, changes: Changes, fixed: Anchor) -> Float[np.ndarray, "series change"]:
    n, count = changes.units.shape
    out = np.full((n, count), np.nan)
    for at in range(count):
        rows = np.flatnonzero(np.isfinite(changes.units[:, at]))
        if len(rows):
            some = part.take(rows)
            state = changed(some.state, changes.units[rows, at], changes.arrival[rows, at])
            out[rows, at] = _costs(replace(some, state=state), fixed.take(rows))
    return out


def changed(
    state: InventoryState, units: Float[np.ndarray, " series"], arrival: Int[np.ndarray, " series"]
) -> InventoryState:
    """Give the stock with units given up (negative) or on their way."""
    richer = state.with_order(np.maximum(units, 0.0), arrival)
    return replace(richer, on_hand=np.maximum(state.on_hand + np.minimum(units, 0.0), 0.0))


def _costs(part: Part, fixed: Anchor) -> Float[np.ndarray, " series"]:
    out = np.empty(len(part.terms.series))
    feeds = np.flatnonzero(fixed.ships > 0)
    if len(feeds):
        out[feeds] = _kept(part.take(feeds), fixed.ships[feeds])
    for rows in batches(part):
        rows = rows[fixed.ships[rows] == 0]
        if not len(rows):
            continue
        some = part.take(rows)
        found = _anchored(aim(some), fixed.take(rows))
        best = choose(found, valued=True)
        after = np.where(best.quantity > 0, best.cost_positive, best.cost_none)
        out[rows] = after + cost_before(some) + _lost(some, found.projection.rate)
    return out


def _anchored(found: Aim, fixed: Anchor) -> Aim:
    rest, terms = found.leftover, found.part.terms
    rest = replace(rest, rate=np.maximum(rest.rate, fixed.rate))
    over = terms.sold_for <= terms.protection_interval
    if over.any():  # nothing is left to be held after the next arrival: it is lost by then
        rest = replace(rest, level=np.where(over, BEYOND, rest.level))
    return replace(found, leftover=rest)


def _lost(part: Part, rate: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
    """Give what is lost at the end of a sale if nothing is ordered tonight, at unit cost; 0 without an end.

    The cost of what lies there runs on to the next possible arrival in C: from the end on it is taken off again.
    """
    out = np.zeros(len(rate))
    rows = np.flatnonzero(np.isfinite(part.terms.sold_for))
    if len(rows):
        some = _unplaced(part.take(rows))
        terms, demand = some.terms, some.demand
        found = Ending.of(some, rate[rows])
        _, until = arrivals(terms, Stream(demand.stream.seed, "policies/lead_time"), demand.n_paths, demand.horizon)
        out[rows] = money(terms.unit_cost) * found.lost - terms.holding_cost * found.held(until.astype(float))
    return out


def _kept(part: Part, ships: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
    """Give what the stock of a warehouse costs while it waits for the next shipment, sales of its own served from it.

    Its own sales count until a purchase can arrive; what stays is there to be shipped then, and worth neither more nor
    less for it. Where its sale ends before that, what stays is lost; then it is held no dearer here than where it could
    go, so that nothing is sent that nobody will buy.
    """
    terms = part.terms
    over = terms.sold_for <= ships
    own = terms.first_review + terms.lead_time
    until = np.minimum(ships, part.demand.horizon - 1).astype(np.int64)
    until = np.minimum(until, own)
    here = part.terms.replace(
        lead_time=until, lead_time_sd=np.zeros_like(terms.lead_time_sd), first_review=np.zeros_like(until),
        ordered_now=np.where(until == own, terms.ordered_now, 0.0),
        holding_cost=np.where(over, 0.0, terms.holding_cost),
    )  # fmt: skip
    rest = np.maximum(ships - until, 0.0) * here.holding_cost * part.state.on_hand
    rows = np.flatnonzero(over)
    if len(rows):
        some = part.take(rows)
        rest[rows] = money(some.terms.unit_cost) * Ending.of(some, np.zeros(len(rows))).lost
    return cost_before(replace(part, terms=here)) + rest


def cost_before(part: Part) -> Float[np.ndarray, " series"]:
    """Give the expected holding and shortage cost of the periods before the next possible purchase arrives.

    Parameters
    ----------
    part
        Series under the objective ``cost``.
    """
    terms, state, horizon = part.terms, part.state, part.demand.horizon
    paths = part.demand.paths()
    n, n_paths, _ = paths.shape
    here, _ = arrivals(terms, Stream(part.demand.stream.seed, "policies/lead_time"), n_paths, horizon)
    supply = np.zeros((n, horizon + 1))
    near = min(horizon, state.pipeline.shape[1])
    supply[:, :near] = state.pipeline[:, :near]
    own = np.minimum(terms.lead_time + terms.first_review, horizon)
    supply[np.arange(n), own] -= np.minimum(terms.ordered_now, supply[np.arange(n), own])
    stock = np.broadcast_to((state.on_hand - state.backorders)[:, None], (n, n_paths)).copy()
    cost = np.zeros((n, n_paths))
    holding, shortage = terms.holding_cost[:, None], terms.shortage_cost[:, None]
    for k in range(int(here.max(initial=0))):
        before, demand = stock + supply[:, k, None], paths[:, :, k]
        left = before - demand
        if part.backorder:
            missed = np.maximum(-left, 0.0)
        else:
            missed = demand - np.clip(before, 0.0, demand)
            left = np.maximum(left, np.minimum(before, 0.0))
        running = k < here
        stock = np.where(running, left, stock)
        cost += np.where(running, holding * np.maximum(left, 0.0) + shortage * missed, 0.0)
    return np.asarray(cost.mean(axis=1))
