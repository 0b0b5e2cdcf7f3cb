"""What the paths say of one group: the stock of all its places when an order of the warehouse arrives, and the need.

The order arrives at the warehouse at the start of a, the next possible one at the start of n. Goods go on with the
first shipment in or after that, a_i and n_i (a and n where the warehouse ships in every period, and at the warehouse
itself), and are at place i at a_i + l_i; so on each path it decides about the periods a_i + l_i … n_i + l_i − 1 there:
none, where both go with the same shipment. With D the demand::

    N_ik = Σ_{a_i≤t≤a_i+l_i+k} D_it − L_i        what place i needs at a_i to be served up to its period k
    pool = Σ_i x_i + w + what comes in time      the stock of all, and what is on its way to any of them

Before a_i every place lives on its own stock and what is on its way; once a further shipment can reach it, the stock w
of the warehouse serves what it lacks. Under lost sales what nobody serves is lost; so it is while the goods are on the
lane, L_i, and no order has to replace it. With backorders it waits, L_i is 0, and the pool is the echelon position less
all demand, whoever serves it.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream
from stockcast.inventory import InventoryState, SupplyTerms
from stockcast.policies.echelon.feeding import next_shipment
from stockcast.policies.projection import arrivals

SCALARS = ("rate", "mine", "first")


@final
@dataclass(frozen=True, slots=True)
class Nodes:
    """One group's needs and stock, path by path; ``first`` is the member that is the warehouse, with sales of its own.

    Parameters
    ----------
    need, inside
        N_ik, and which columns lie before the shipment that the next possible order can go with.
    waits
        Periods from the order's arrival at the warehouse to the shipment, a_i − a.
    stays
        Periods until the last of the later shipments, n_i − a: what is not sent with this one is there for that.
    pool
        Stock of the whole group when the order arrives, without it.
    own
        Units then at the warehouse.
    later
        Open orders that come with or after the next possible order.
    unmet
        Demand that goes unmet before what is ordered is there.
    demand, total
        Demand of all members inside, and over the whole protection interval up to their lanes.
    rate
        Mean demand a period after that.
    mine
        Units of this very order that stand in the pipeline already.
    """

    need: Float[np.ndarray, "member path period"]
    inside: Bool[np.ndarray, "member path period"]
    waits: Float[np.ndarray, "member path"]
    stays: Float[np.ndarray, " path"]
    pool: Float[np.ndarray, " path"]
    own: Float[np.ndarray, " path"]
    later: Float[np.ndarray, " path"]
    unmet: Float[np.ndarray, " path"]
    demand: Float[np.ndarray, " path"]
    total: Float[np.ndarray, " path"]
    rate: float
    mine: float
    first: int

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__ if name not in SCALARS})

    @property
    def end(self) -> Float[np.ndarray, "member path"]:
        """Give what each member needs for all its periods; 0 where it has none."""
        count = self.inside.sum(axis=2)
        last = np.take_along_axis(self.need, np.maximum(count - 1, 0)[:, :, None], axis=2)[:, :, 0]
        return np.where(count > 0, last, 0.0)


def nodes(
    state: InventoryState,
    terms: SupplyTerms,
    paths: Float[np.ndarray, "member path period"],
    stream: Stream,
    *,
    first: int,
    backorder: bool,
) -> Nodes:
    """Project one group: the warehouse in row ``first``, and the places, whose lead times are their lanes'."""
    m, n_paths, horizon = paths.shape
    here, after = (found[0] for found in arrivals(terms.take(np.array([first])), stream, n_paths, horizon))
    lane = terms.lead_time.copy()
    lane[first] = 0
    supply = np.zeros((m, horizon + 1))
    near = min(horizon, state.pipeline.shape[1])
    supply[:, :near] = state.pipeline[:, :near]
    supply[:, horizon] = state.pipeline[:, near:].sum(axis=1)
    arrives = min(int(terms.lead_time[first] + terms.first_review[first]), horizon)
    mine = float(min(terms.ordered_now[first], supply[first, arrives]))
    supply[first, arrives] -= mine
    begin, end, cut = _calendar(terms, here, after, paths, first)
    stock, own, unmet, sent = _until(state, terms, lane, paths, supply, begin, first)
    running = _running(paths)
    inside, demand, need = _windows(running, begin, end, lane)
    lost, brought = _on_the_lane(stock, own, paths, supply, begin, lane, next_shipment(terms) + lane)
    gone = np.where(end <= begin, brought, 0.0).sum(axis=0)  # else it is part of the need
    own, sent = own - gone, sent + gone
    if not backorder:
        need, unmet = need - lost[:, :, None], unmet + lost.sum(axis=0)
    coming = np.concatenate([np.zeros((m, 1)), np.cumsum(supply, axis=1)], axis=1)
    until = np.minimum(cut + lane[:, None], horizon)
    later = coming[:, -1:] - np.take_along_axis(coming, until, axis=1)
    comes = coming[:, -1:] - np.take_along_axis(coming, begin, axis=1) - later
    if backorder:
        served = np.take_along_axis(running, begin[:, :, None], axis=2)[:, :, 0]
        each = (state.on_hand - state.backorders)[:, None] + coming[:, -1:] - later - served
        others = np.arange(m) != first
        alone = others.any() & (end <= begin)[others].all(axis=0)  # what places lack the next order still serves
        pool = np.where(alone, each[first] - sent, each.sum(axis=0))
    else:
        pool = own + stock.sum(axis=0) + comes.sum(axis=0)
    next_one = int(terms.protection_interval[first])
    goes = np.array([next_one if i == first else int(terms.shipped_from(i, next_one)) for i in range(m)])
    interval = np.minimum(goes + lane, horizon)
    return Nodes(
        need=need,
        inside=inside,
        waits=(begin - here).astype(float),
        stays=(end.max(axis=0) - here).astype(float),
        pool=pool,
        own=own + comes[first],
        later=later.sum(axis=0),
        unmet=unmet,
        demand=demand,
        total=np.take_along_axis(running, interval[:, None, None], axis=2)[:, :, 0].sum(axis=0),
        rate=_rate(paths, interval, int(terms.review_period[first])),
        mine=mine,
        first=first,
    )


def _running(paths: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros((*paths.shape[:2], 1)), np.cumsum(paths, axis=2)], axis=2)


def _calendar(
    terms: SupplyTerms, here: np.ndarray, after: np.ndarray, paths: np.ndarray, first: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give a_i and n_i of each member on each path, and until when what else comes is in time for its periods.

    A warehouse without sales keeps what it does not send for the next shipment, so its own periods last until that.
    """
    m, n_paths, horizon = paths.shape
    begin, end = np.empty((m, n_paths), dtype=np.int64), np.empty((m, n_paths), dtype=np.int64)
    cut = np.empty_like(end)
    for i in range(m):
        begin[i], end[i] = (here, after) if i == first else (terms.shipped_from(i, t) for t in (here, after))
        cut[i] = end[i]
    begin, end = np.minimum(begin, horizon), np.minimum(end, horizon)
    others = np.arange(m) != first
    if others.any() and terms.shipments.shape[1]:
        known = terms.shipments
        last = [np.append(-1, known[i])[np.searchsorted(known[i], end[i])] for i in np.flatnonzero(others).tolist()]
        cut[first] = np.max(last, axis=0) + 1  # what comes to the warehouse after its last shipment goes with the next
        if paths[first].any():
            cut[first] = np.maximum(cut[first], after)
        else:
            end[first] = end[others].max(axis=0)
    return begin, end, np.clip(cut, begin, horizon)


def _until(
    state: InventoryState,
    terms: SupplyTerms,
    lane: Int[np.ndarray, " member"],
    paths: np.ndarray,
    supply: np.ndarray,
    begin: np.ndarray,
    first: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Walk to the order's shipment; give each member's stock, what lies at W, what went unmet, and what W sent off."""
    m, n_paths, _ = paths.shape
    ready = next_shipment(terms) + lane  # tonight's has gone, or is not made
    ready[first] = 0
    stock = np.broadcast_to((state.on_hand - state.backorders)[:, None], (m, n_paths)).copy()
    stock[first] = -state.backorders[first]
    own, unmet, sent = np.full(n_paths, state.on_hand[first]), np.zeros(n_paths), np.zeros(n_paths)
    for k in range(int(begin.max(initial=0))):
        running = k < begin
        own = own + np.where(running[first], supply[first, k], 0.0)
        before = stock + np.where(np.arange(m) != first, supply[:, k], 0.0)[:, None]
        left = np.maximum(before - paths[:, :, k], np.minimum(before, 0.0))
        missed = np.where(running, np.maximum(paths[:, :, k] - np.maximum(before, 0.0), 0.0), 0.0)
        served = np.minimum(missed[k >= ready].sum(axis=0), np.maximum(own, 0.0))
        stock = np.where(running, left, stock)
        own = own - served
        sent += np.maximum(served - missed[first], 0.0)  # its own customers come first
        unmet += missed.sum(axis=0) - served
    return stock, own, unmet, sent


def _on_the_lane(
    stock: Float[np.ndarray, "member path"],
    own: Float[np.ndarray, " path"],
    paths: Float[np.ndarray, "member path period"],
    supply: Float[np.ndarray, "member column"],
    begin: Int[np.ndarray, "member path"],
    lane: Int[np.ndarray, " member"],
    ready: Int[np.ndarray, " member"],
) -> tuple[Float[np.ndarray, "member path"], Float[np.ndarray, "member path"]]:
    """Give what is lost at each place from a_i until goods sent then are there, and what the warehouse serves of it.

    Earlier shipments bring what the warehouse has for it, the earliest demand first, and shared by what is asked for.
    """
    horizon = paths.shape[2]
    lost, brought = np.zeros_like(stock), np.zeros_like(stock)
    here, left = stock.copy(), np.maximum(own, 0.0)
    for offset in range(int(lane.max(initial=0))):
        at = begin + offset
        runs = (offset < lane[:, None]) & (at < horizon)
        at = np.minimum(at, horizon - 1)
        demand = np.take_along_axis(paths, at[:, :, None], axis=2)[:, :, 0]
        before = here + np.where(runs, np.take_along_axis(supply, at, axis=1), 0.0)
        missed = np.where(runs, np.maximum(demand - np.maximum(before, 0.0), 0.0), 0.0)
        here = np.where(runs, np.maximum(before - demand, np.minimum(before, 0.0)), here)
        asked = np.where(at >= ready[:, None], missed, 0.0)
        every = asked.sum(axis=0)
        served = np.minimum(every, left)
        left = left - served
        comes = asked * np.where(every > 0, served / np.where(every > 0, every, 1.0), 0.0)
        lost += missed - comes
        brought += comes
    return lost, brought


def _windows(
    total: np.ndarray, begin: np.ndarray, end: np.ndarray, lane: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    horizon = total.shape[2] - 1
    offset = np.arange(max(int((end - begin).max(initial=1)), 1))
    inside = offset < (end - begin)[:, :, None]
    here = np.take_along_axis(total, begin[:, :, None], axis=2)
    start = np.minimum(begin + lane[:, None], horizon)[:, :, None]
    ends = start + np.minimum(offset + 1, (end - begin)[:, :, None])
    need = np.take_along_axis(total, np.minimum(ends, horizon), axis=2) - here
    demand = (need[:, :, -1:] + here - np.take_along_axis(total, start, axis=2))[:, :, 0].sum(axis=0)
    return inside, demand, need


def _rate(paths: np.ndarray, interval: np.ndarray, review: int) -> float:
    """Give the mean demand a period of all members, each after its own interval; as in ``policies.projection``."""
    horizon = paths.shape[2]
    beyond = np.arange(horizon)[None, :] >= interval[:, None]
    beyond = np.where((horizon - interval >= review)[:, None], beyond, True)
    means = paths.mean(axis=1)
    after = (means * beyond).sum(axis=1) / np.maximum(beyond.sum(axis=1), 1)
    return float(np.maximum(after, 0.1 * means.mean(axis=1)).sum())
