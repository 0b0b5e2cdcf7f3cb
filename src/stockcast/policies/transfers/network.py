"""The places and lanes of every sku, and the value curves of their stock, valued where a solution asks."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.inventory import Situation
from stockcast.policies.transfers.flow import ROUNDING, Arc, Node, flow
from stockcast.policies.transfers.worth import Anchor, Changes, worth

GIVES = -1  # in place of an arrival: the role of a giver
REFINEMENTS = 16  # of the curves around a solution; three or four are usual
Key = tuple[int, int]  # a role: the row of the series, and the period in which it receives, or GIVES


@final
@dataclass(frozen=True, slots=True)
class Ways:
    """Every way in which a series could send stock to another of its sku, sorted by sku and lane.

    Parameters
    ----------
    lane, giver, receiver
        Rows of the lanes and of the series.
    arrival
        The period at whose start the goods are there.
    step
        Units of a pack: the lane's, else one unit, or a hundredth of a usual review's demand where goods are no pieces.
    cost
        Money a unit: the lane's, and holding it on the way as where it came from.
    """

    lane: Int[np.ndarray, " way"]
    giver: Int[np.ndarray, " way"]
    receiver: Int[np.ndarray, " way"]
    arrival: Int[np.ndarray, " way"]
    step: Float[np.ndarray, " way"]
    cost: Float[np.ndarray, " way"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    def __len__(self) -> int:
        """Give the number of ways."""
        return len(self.lane)

    def take(self, rows: np.ndarray) -> "Ways":
        """Give some of them."""
        return Ways(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


def spare(situation: Situation, movable: Bool[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
    """Give the units that each series may give up: what is on hand, less what is owed and its ``min_stock``."""
    state, terms = situation.state, situation.terms
    found = np.maximum(state.on_hand - state.backorders - terms.min_stock, 0.0)
    return np.array([tidy(units) for units in np.where(movable, found, 0.0).tolist()])


def lies_for_others(situation: Situation) -> Bool[np.ndarray, " series"]:
    """Tell whose stock is a warehouse's that has sold none of it: worth what the places that it feeds make of it."""
    here = np.isin(situation.terms.series.location, list(situation.shared.warehouses))
    return np.asarray(here & ~(situation.past.sales > 0).any(axis=1) & ~feeds(situation))


def feeds(situation: Situation) -> Bool[np.ndarray, " series"]:
    """Tell which series are a warehouse's that feeds others of its sku."""
    feeder = situation.terms.feeder
    return np.isin(np.arange(len(feeder)), feeder[feeder >= 0])


def ways(
    situation: Situation, movable: Bool[np.ndarray, " series"], spare: Float[np.ndarray, " series"], size: np.ndarray
) -> Ways:
    """Give the ways on which a pack could go: both ends planned and movable, sent now and there within the horizon.

    Parameters
    ----------
    size
        Demand of a usual review of each series, for the step of goods that are no pieces.
    """
    axis, lanes = situation.terms.series, situation.shared.lanes
    _, sku = np.unique(axis.sku, return_inverse=True)
    places, place = np.unique(axis.location, return_inverse=True)
    row_of = np.full((int(sku.max(initial=-1)) + 1, len(places) + 1), -1, dtype=np.int64)
    row_of[sku, place] = np.arange(len(axis))
    ends = [_positions(places, names) for names in (lanes.from_location, lanes.to_location)]
    giver, receiver = (row_of[:, at] for at in ends)
    sends = (lanes.lead_time < situation.demand.horizon) & lanes.open_now
    some, lane = np.nonzero((giver >= 0) & (receiver >= 0) & sends[None, :])
    giver, receiver = giver[some, lane], receiver[some, lane]
    whole = _whole(situation)
    piece = np.where(whole[giver] & whole[receiver], 1.0, _hundredth(size[receiver]))
    step = np.where(lanes.pack_size[lane] > 0, lanes.pack_size[lane], piece)
    # a place that is fed pays for the way of every unit that it sells, tonight's or a later one: it decides nothing
    feeds_it = situation.terms.feeder[receiver] == giver
    on_the_way = situation.terms.holding_cost[giver] * lanes.lead_time[lane]  # else lorries would be free rooms
    cost = np.where(feeds_it, 0.0, lanes.unit_cost[lane] + on_the_way)
    found = Ways(lane, giver, receiver, lanes.lead_time[lane], step, cost)
    back = feeds(situation)[receiver]  # nothing is brought back to a warehouse, which would only wait there
    idle = feeds_it & (situation.terms.objective[receiver] == 0) & (situation.terms.shortage_cost[receiver] == 0)
    open_now = movable[giver] & movable[receiver] & (spare[giver] >= step) & ~back & ~idle
    return found.take(np.flatnonzero(open_now))


def _positions(places: np.ndarray, names: np.ndarray) -> np.ndarray:
    at = np.minimum(np.searchsorted(places, names), max(len(places) - 1, 0))
    return np.where(places[at] == names, at, len(places)) if len(places) else np.zeros(len(names), dtype=np.int64)


def _whole(situation: Situation) -> np.ndarray:
    sales, stock = situation.past.sales, situation.state.on_hand
    return np.asarray((sales == np.floor(sales)).all(axis=1) & (stock == np.floor(stock)))


def _hundredth(size: np.ndarray) -> np.ndarray:
    return np.asarray(10.0 ** (np.floor(np.log10(np.maximum(size, 1e-3))) - 1.0))


@final
@dataclass(frozen=True, slots=True)
class Sent:
    """A solution of one sku: ways that carry something, their packs, and the cost against moving nothing (≤ 0)."""

    way: tuple[int, ...] = ()
    packs: tuple[int, ...] = ()
    cost: float = 0.0


@final
@dataclass(slots=True)
class Network:
    """All nodes and arcs, a place in one role, and the value curves known so far: the mutable thing of this package.

    Parameters
    ----------
    free
        Where stock lies for other places: what is given up costs nothing there.
    curves
        By role: units and their cost against none, valued so far.
    most
        By role: the units at which its curve ends.
    of_sku
        The ways of each sku.
    caps
        By role: the units that there is room for at most, where that binds.
    until
        The deadline (``time.monotonic``): curves are refined no further after it.
    settled, latest
        Solutions by sku and closed lanes, and the last one of each sku, to go on from.
    """

    situation: Situation
    ways: Ways
    anchor: Anchor
    base: Float[np.ndarray, " series"]
    spare: Float[np.ndarray, " series"]
    free: Bool[np.ndarray, " series"]
    workers: int = 1
    until: float = math.inf
    curves: dict[Key, dict[float, float]] = field(default_factory=dict)
    most: dict[Key, float] = field(default_factory=dict)
    of_sku: dict[str, list[int]] = field(default_factory=dict)
    caps: dict[Key, float] = field(default_factory=dict)
    settled: dict[tuple[str, frozenset[int]], Sent] = field(default_factory=dict)
    latest: dict[str, Sent] = field(default_factory=dict)

    @property
    def late(self) -> bool:
        """Tell whether the deadline has struck."""
        return time.monotonic() > self.until

    def begin(self) -> None:
        """Value the first points of every curve: a pack, two, four … and what would be purchased."""
        ways, sku = self.ways, self.situation.terms.series.sku
        steps: dict[Key, set[float]] = {}
        for at in range(len(ways)):
            self.of_sku.setdefault(str(sku[ways.giver[at]]), []).append(at)
            giver, receiver = self.roles(at)
            step = float(ways.step[at])
            for key in (giver, receiver):
                steps.setdefault(key, set()).add(step)
            self.most[giver] = float(self.spare[giver[0]])
            self.most[receiver] = self.most.get(receiver, 0.0) + float(self.spare[giver[0]])
        ask: dict[Key, set[float]] = {}
        for key, some in steps.items():
            self.curves[key] = {0.0: 0.0}
            ask[key] = {self.most[key]}
            for step in some:
                count = 2 ** np.arange(int(np.log2(max(self.most[key] / step, 1.0))) + 1)
                ask[key] |= {tidy(step * many) for many in count.tolist()}
                if key[1] != GIVES:
                    ask[key] |= {tidy(step * np.ceil(float(self.anchor.wanted[key[0]]) / step))}
        self.value(ask)

    def roles(self, way: int) -> tuple[Key, Key]:
        """Give the two roles that a way joins."""
        return (int(self.ways.giver[way]), GIVES), (int(self.ways.receiver[way]), int(self.ways.arrival[way]))

    def value(self, wanted: dict[Key, set[float]]) -> bool:
        """Value some points of some curves, where they are not known yet; tell whether there were any."""
        of_row: dict[int, list[tuple[Key, float]]] = {}
        for key in sorted(wanted):
            for many in sorted(wanted[key]):
                if not 0.0 < many <= self.most[key] * (1 + ROUNDING) or many in self.curves[key]:
                    continue
                if key[1] == GIVES and self.free[key[0]]:
                    self.curves[key][many] = 0.0
                else:
                    of_row.setdefault(key[0], []).append((key, many))
        if not of_row:
            return False
        rows = np.array(sorted(of_row), dtype=np.int64)
        shape = (len(rows), max(len(asked) for asked in of_row.values()))
        units, arrival = np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
        for at, row in enumerate(rows.tolist()):
            for j, (key, many) in enumerate(of_row[row]):
                units[at, j] = -many if key[1] == GIVES else many
                arrival[at, j] = max(key[1], 0)
        found = worth(self.situation, rows, Changes(units, arrival), self.anchor, workers=self.workers)
        for at, row in enumerate(rows.tolist()):
            for j, (key, many) in enumerate(of_row[row]):
                self.curves[key][many] = float(found[at, j] - self.base[row])
        return True

    def cap(self, caps: dict[Key, float]) -> None:
        """Hold some roles to fewer units: the solutions of their skus are to be found anew."""
        self.caps.update(caps)
        self.value({key: {units} for key, units in caps.items()})
        gone = {str(self.situation.terms.series.sku[row]) for row, _ in caps}
        self.settled = {key: sent for key, sent in self.settled.items() if key[0] not in gone}
        self.latest = {sku: sent for sku, sent in self.latest.items() if sku not in gone}

    def settle(self, skus: Iterable[str], closed: frozenset[int]) -> dict[str, Sent]:
        """Solve some skus without some lanes, their curves refined until the neighbours of the solution are known.

        With one pack size on a sku's lanes, that is the certificate of a flow of least convex cost: no cycle of single
        packs gains anything (Ahuja, Magnanti and Orlin 1993, ch. 14).
        """
        mine = {sku: closed & {int(self.ways.lane[at]) for at in self.of_sku[sku]} for sku in skus}
        open_now = [sku for sku in mine if (sku, mine[sku]) not in self.settled]
        best = {sku: Sent() for sku in open_now}
        for _ in range(REFINEMENTS):
            found = {sku: self._solve(sku, mine[sku]) for sku in open_now}
            ask: dict[Key, set[float]] = {}
            asked = {sku: self._neighbours(way, packs, ask) for sku, (way, packs) in found.items()}
            known = {key: len(self.curves[key]) for key in ask}
            self.value(ask)
            again = []
            for sku, (way, packs) in found.items():
                sent = self.latest[sku] = Sent(way, packs, self.cost(way, packs))
                if sent.cost < best[sku].cost:
                    best[sku] = sent
                if any(len(self.curves[key]) > known[key] for key in asked[sku]):
                    again.append(sku)
            open_now = again
            if not open_now or self.late:
                break
        for sku, sent in best.items():
            self.settled[sku, mine[sku]] = sent
        return {sku: self.settled[sku, lanes] for sku, lanes in mine.items()}

    def _solve(self, sku: str, closed: frozenset[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        some = [at for at in self.of_sku[sku] if int(self.ways.lane[at]) not in closed and self._fits(at)]
        keys = sorted({key for at in some for key in self.roles(at)})
        index = {key: at for at, key in enumerate(keys)}
        nodes = []
        for key in keys:
            most = self.caps.get(key, math.inf)
            points = sorted(units for units in self.curves[key] if units <= most)
            nodes.append(Node(np.array(points), np.array([self.curves[key][units] for units in points])))
        arcs = []
        for at in some:
            giver, receiver = self.roles(at)
            arcs.append(Arc(index[giver], index[receiver], float(self.ways.step[at]), float(self.ways.cost[at])))
        last = self.latest.get(sku, Sent())
        begin = dict(zip(last.way, last.packs, strict=True))
        packs = flow(nodes, arcs, np.array([begin.get(at, 0) for at in some], dtype=np.int64))
        used = [(at, many) for at, many in zip(some, packs.tolist(), strict=True) if many > 0]
        return tuple(at for at, _ in used), tuple(many for _, many in used)

    def _fits(self, way: int) -> bool:
        """Tell whether a pack of a way is within the cap of where it goes."""
        return float(self.ways.step[way]) <= self.caps.get(self.roles(way)[1], math.inf) * (1 + ROUNDING)

    def loss(self, sent: Sent, lane: int) -> float:
        """Give at most what a solution loses without a lane: that of leaving its goods where they are.

        Between the points that are known a curve is read off its chord.
        """
        left = [(at, many) for at, many in zip(sent.way, sent.packs, strict=True) if int(self.ways.lane[at]) != lane]
        way, packs = tuple(at for at, _ in left), tuple(many for _, many in left)
        cost = sum((many * float(self.ways.step[at] * self.ways.cost[at]) for at, many in left), 0.0)
        for key, units in self.units(way, packs).items():
            points = sorted(self.curves[key])
            cost += float(np.interp(units, points, [self.curves[key][point] for point in points]))
        return cost - sent.cost

    def _neighbours(self, way: tuple[int, ...], packs: tuple[int, ...], ask: dict[Key, set[float]]) -> set[Key]:
        """Ask for the points of a solution and one pack beside them."""
        touched = self.units(way, packs)
        for key, many in touched.items():
            steps = {float(self.ways.step[at]) for at in way if key in self.roles(at)}
            near = {many, *(tidy(many + step) for step in steps), *(tidy(many - step) for step in steps)}
            ask.setdefault(key, set()).update(near)
        return set(touched)

    def units(self, way: tuple[int, ...], packs: tuple[int, ...]) -> dict[Key, float]:
        """Give the units of each role that a solution touches."""
        out: dict[Key, float] = {}
        for at, many in zip(way, packs, strict=True):
            for key in self.roles(at):
                out[key] = tidy(out.get(key, 0.0) + many * float(self.ways.step[at]))
        return out

    def shares(self, sent: Sent) -> list[tuple[float, float]]:
        """Give the units and the saving of each way of a solution; what a place gains or loses is shared by units."""
        found = []
        units = self.units(sent.way, sent.packs)
        for at, packs in zip(sent.way, sent.packs, strict=True):
            quantity = tidy(packs * float(self.ways.step[at]))
            goods = sum(self.curves[key][units[key]] * quantity / units[key] for key in self.roles(at))
            found.append((quantity, -goods - quantity * float(self.ways.cost[at])))
        return found

    def cost(self, way: tuple[int, ...], packs: tuple[int, ...]) -> float:
        """Give the cost of a solution whose points are known, against moving nothing; lanes' shipments apart."""
        goods = sum((self.curves[key][many] for key, many in self.units(way, packs).items()), 0.0)
        pairs = zip(way, packs, strict=True)
        return goods + sum(many * float(self.ways.step[at] * self.ways.cost[at]) for at, many in pairs)


def tidy(units: float) -> float:
    """Take rounding off a multiple of a decimal step."""
    return float(f"{units:.12g}")
