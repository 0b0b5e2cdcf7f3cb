"""What to move between locations tonight, before anything is bought: every sku's flow, and the lanes that pay."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from jaxtyping import Bool

from stockcast.core.findings import Alert
from stockcast.inventory import InventoryState, Situation, Transfers
from stockcast.inventory.timing import FAR
from stockcast.policies.costs import NEAR
from stockcast.policies.echelon import shipped
from stockcast.policies.projection import require_horizon
from stockcast.policies.transfers.lines import Line, joined, written
from stockcast.policies.transfers.looking import Looked
from stockcast.policies.transfers.network import GIVES, Network, Sent, tidy
from stockcast.policies.transfers.room import Short, caps, left_out, room_prices, together

ROUNDS = 8  # a place may give and receive, or receive twice, only in turn


@final
@dataclass(frozen=True, slots=True)
class Proposed:
    """The transfers, the stock once they are on their way, what a planner should look at, and what was cut short.

    ``prices`` is what one more unit of the room at a location would save, by the limit's name, where it cut transfers.
    """

    transfers: Transfers
    state: InventoryState
    alerts: tuple[Alert, ...] = ()
    cut: bool = False
    prices: Mapping[str, float] = field(default_factory=dict)


def propose(
    situation: Situation,
    *,
    movable: Bool[np.ndarray, " series"] | None = None,
    until: float = math.inf,
    workers: int = 1,
    done: Callable[[int], None] = lambda count: None,
) -> Proposed:
    """Propose transfers along the lanes: the flow of least expected cost of every sku, purchases after it in mind.

    A lane's cost of a shipment is shared by all skus on it: lanes begin open and free of it, and one that saves less
    than it costs, the other lanes taking over what they can, is closed, the worst first, until all pay.

    Parameters
    ----------
    movable
        Where stock is known and counts: nothing else gives or receives. All series when left out.
    until
        The deadline (``time.monotonic``): what is not settled by then is left where it is.
    workers, done
        Processes, and what takes the number of rounds finished; neither changes the result.

    Raises
    ------
    DataError
        If the forecast ends before a protection interval.
    """
    axis = situation.terms.series
    nothing = Proposed(Transfers(axis), situation.state)
    if not len(situation.shared.lanes) or not len(axis):
        return nothing
    require_horizon(situation)
    seen, ships = shipped(situation)
    may = np.ones(len(axis), dtype=bool) if movable is None else movable
    priced = (situation.terms.objective == 0) | (situation.terms.holding_cost > 0)
    silent = _left_alone(situation, may & ~priced)
    may = may & priced
    lines: list[Line] = []
    closed: dict[int, tuple[float, float]] = {}
    short: tuple[Short, ...] = ()
    now, only, cut = seen, may, False
    shared = bool((situation.shared.lanes.order_cost > 0).any()) or bool(situation.shared.storage)
    for count in range(ROUNDS):
        if time.monotonic() > until:
            cut = True
            break
        found = _round(now, only, ships, until, workers)
        closed |= found.closed
        cut |= found.cut
        short = found.short
        lines += found.lines
        done(count + 1)
        if not found.lines or cut:
            break
        moved = joined(axis, found.lines)
        now = replace(now, state=moved.after(now.state, now.shared.lanes))
        # a shipment's cost and a room tie all skus together; else those that stayed have nothing to gain
        only = may if shared else may & np.isin(axis.sku, axis.sku[moved.giver])
    made = written(situation, lines, [line for one in short for line in one.lines])
    sent = {line.lane for line in lines}
    idle = {lane: why for lane, why in closed.items() if lane not in sent}
    alerts = (*silent, *(one.alert() for one in short), *_closed_alerts(situation, idle))
    prices = {f"storage {one.location}": one.price for one in short}
    return Proposed(made, made.after(situation.state, situation.shared.lanes), alerts, cut, prices)


@final
@dataclass(frozen=True, slots=True)
class _Round:
    lines: list[Line]
    closed: dict[int, tuple[float, float]]
    short: tuple[Short, ...] = ()
    cut: bool = False


def _round(situation: Situation, movable: np.ndarray, ships: np.ndarray, until: float, workers: int) -> _Round:
    """Settle every sku once, each place in one role; where nothing moves, those that were left out for it as well."""
    looked = Looked.at(situation, movable, ships, workers)
    closed: dict[int, tuple[float, float]] = {}
    short: list[Short] = []
    tried = np.zeros(len(looked.every), dtype=bool)
    while len(some := looked.one_role(tried)):
        tried[some] = True
        found = _settled(looked.network(situation, some, until, workers))
        closed |= found.closed
        short += found.short
        if found.lines or found.cut:
            return _Round(found.lines, closed, together(short), found.cut)
    return _Round([], closed, together(short))


def _settled(network: Network) -> _Round:
    """Settle every sku of a network: the flow, the lanes that pay, the rooms."""
    network.begin()
    chosen = network.settle(sorted(network.of_sku), frozenset())
    closed, cut = _lanes_that_pay(network, chosen)
    made = wanted = _lines(network, chosen)
    while held := caps(network, chosen):
        network.cap(held)
        chosen = network.settle(sorted(network.of_sku), frozenset())  # a lane that was closed may carry it elsewhere
        closed, struck = _lanes_that_pay(network, chosen)
        cut |= struck
        made = _lines(network, chosen)
    price = {} if cut or network.late else room_prices(network, chosen, frozenset(closed))
    return _Round(made, closed, left_out(network, wanted, made, price), cut or network.late)


def _lanes_that_pay(network: Network, chosen: dict[str, Sent]) -> tuple[dict[int, tuple[float, float]], bool]:
    """Close lanes whose shipment costs more than it saves, and put what is then best into ``chosen``.

    Returns
    -------
    closed, cut
        What each lane saved when it was closed, and its cost; whether the deadline struck, when nothing is sent on
        lanes with a cost.
    """
    cost = network.situation.shared.lanes.order_cost
    gone: dict[int, tuple[float, float]] = {}
    while True:
        used: dict[int, list[str]] = {}
        for sku in sorted(chosen):
            for lane in sorted({int(network.ways.lane[at]) for at in chosen[sku].way}):
                if cost[lane] > 0:
                    used.setdefault(lane, []).append(sku)
        if network.late and used:
            touched = sorted({sku for skus in used.values() for sku in skus})
            chosen.update(dict.fromkeys(touched, Sent()))
            return gone, True
        # leaving the goods where they are is one way to do without a lane: few lanes need the others' answer
        most = {lane: sum(network.loss(chosen[sku], lane) for sku in used[lane]) for lane in sorted(used)}
        worst = _worst(most, cost)
        if worst < 0:
            worst = _worst({lane: _saves(network, chosen, used[lane], frozenset({lane, *gone})) for lane in most}, cost)
        if worst < 0:
            return gone, False
        saved = _saves(network, chosen, used[worst], frozenset({worst, *gone}))
        gone[worst] = (saved, float(cost[worst]))
        chosen.update(network.settle(used[worst], frozenset(gone)))


def _worst(saves: dict[int, float], cost: np.ndarray) -> int:
    """Give the lane that loses most, −1 where all pay."""
    losing = {lane: saved - float(cost[lane]) for lane, saved in saves.items() if saved < cost[lane] * (1 - NEAR)}
    return min(losing, key=lambda lane: (losing[lane], lane), default=-1)


def _saves(network: Network, chosen: dict[str, Sent], skus: list[str], closed: frozenset[int]) -> float:
    """Give what some skus would lose without some lanes, the others taking over what they can."""
    without = network.settle(skus, closed)
    return sum((without[sku].cost - chosen[sku].cost for sku in skus), 0.0)


def _lines(network: Network, chosen: dict[str, Sent]) -> list[Line]:
    """Give the lines of all solutions, what a place gains or loses shared out by units."""
    made = []
    ways = network.ways
    for sku in sorted(chosen):
        sent = chosen[sku]
        units = network.units(sent.way, sent.packs)
        for at, (quantity, saving) in zip(sent.way, network.shares(sent), strict=True):
            giver, receiver = network.roles(at)
            step = float(ways.step[at])
            before, after = zip(*(_marginal(network, key, units[key], step) for key in (giver, receiver)), strict=True)
            made.append(
                Line(
                    lane=int(ways.lane[at]),
                    giver=giver[0],
                    receiver=receiver[0],
                    quantity=quantity,
                    saving=saving,
                    before=before,
                    after=after,
                )
            )
    return made


def _marginal(network: Network, key: tuple[int, int], units: float, step: float) -> tuple[float, float]:
    """Give what a unit is worth before and after, from the next pack; NaN where there is none."""
    curve = network.curves[key]
    sign = 1.0 if key[1] == GIVES else -1.0
    following = tidy(units + step)
    after = sign * (curve[following] - curve[units]) / step if following in curve else math.nan
    return sign * curve[step] / step if step in curve else math.nan, after


def _left_alone(situation: Situation, unpriced: np.ndarray) -> list[Alert]:
    """Tell of stock and of lanes that are not looked at."""
    lanes, found = situation.shared.lanes, []
    ends = np.isin(situation.terms.series.location, np.concatenate([lanes.from_location, lanes.to_location]))
    if (unpriced & ends).any():
        found.append(
            Alert(
                "info", "SC-P033",
                f"the stock of {int((unpriced & ends).sum())} series is not moved: they have a service target and no "
                "holding cost", "give unit_cost and holding_rate, or holding_cost",
            )
        )  # fmt: skip
    for at in np.unique(lanes.from_location[~lanes.open_now], return_index=True)[1].tolist():
        lane = int(np.flatnonzero(~lanes.open_now)[at])
        found.append(
            Alert(
                "info", "SC-P040", f"nothing is sent from {lanes.from_location[lane]}: {_ships_next(situation, lane)}",
                "nothing to do; else correct its order_days or supplier_closures",
                location=str(lanes.from_location[lane]),
            )
        )  # fmt: skip
    for lane in np.flatnonzero(lanes.lead_time >= situation.demand.horizon).tolist():
        found.append(
            Alert(
                "info", "SC-P034",
                f"nothing is sent {lanes.name(lane)}: it would arrive after {int(lanes.lead_time[lane])} periods, the "
                f"forecast ends after {situation.demand.horizon}", "check lead_time_days, or set forecast.horizon",
                location=str(lanes.to_location[lane]),
            )
        )  # fmt: skip
    return found


def _ships_next(situation: Situation, lane: int) -> str:
    first = int(situation.shared.lanes.first_shipment[lane])
    return f"no shipment until {situation.demand.time.date(first)}" if first < FAR else "no shipment is known"


def _closed_alerts(situation: Situation, closed: dict[int, tuple[float, float]]) -> list[Alert]:
    lanes = situation.shared.lanes
    return [
        Alert(
            "info", "SC-P030",
            f"nothing is sent {lanes.name(lane)}: it would save {saved:,.2f} tonight, a shipment costs {cost:,.2f}",
            "wait until more is worth moving, or bring the cost of the lane down",
            location=str(lanes.to_location[lane]), value=saved,
        )
        for lane, (saved, cost) in sorted(closed.items())
    ]  # fmt: skip
