"""An independent check of transfers as they go out, in exact arithmetic: it shares no code with what made them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Shaped

from stockcast.core.arrays import freeze
from stockcast.inventory import InventoryState, Situation
from stockcast.policies.check import Violation

ROUNDING = Fraction(1, 10**9)  # relative: what a product, a sum or a multiple of a decimal step may be off


@final
@dataclass(frozen=True, slots=True)
class TransferLines:
    """The lines of transfers.csv that say what to do, as columns."""

    sku: Shaped[np.ndarray, " line"]
    from_location: Shaped[np.ndarray, " line"]
    to_location: Shaped[np.ndarray, " line"]
    quantity: Float[np.ndarray, " line"]
    packs: Float[np.ndarray, " line"]
    ship_date: Shaped[np.ndarray, " line"]
    receipt_date: Shaped[np.ndarray, " line"]
    unit_cost: Float[np.ndarray, " line"]
    value: Float[np.ndarray, " line"]
    order_cost_share: Float[np.ndarray, " line"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})


def check_transfers(
    situation: Situation,
    lines: TransferLines,
    after: InventoryState,
    movable: Bool[np.ndarray, " series"],
) -> tuple[Violation, ...]:
    """Hold transfers against every rule, and against the stock that the plan goes on from.

    Every line once, on a lane that there is and that sends in this period, between series whose stock counts; whole
    packs; the dates and costs of the lane; no more leaves a place than lies there, less what it owes and its
    ``min_stock``; no more comes to a place than it has room for; and what leaves one place comes to another, so that
    the stock after it differs by the lines and nothing else.

    Parameters
    ----------
    situation
        The evening before anything is moved.
    after
        The stock that purchases are planned on.
    movable
        Which series may give and receive.

    Returns
    -------
    violations
        Empty for transfers that can be sent.
    """
    axis, lanes = situation.past.series, situation.shared.lanes
    row_of = {pair: at for at, pair in enumerate(zip(axis.sku.tolist(), axis.location.tolist(), strict=True))}
    ends = zip(lanes.from_location.tolist(), lanes.to_location.tolist(), strict=True)
    lane_of = {pair: at for at, pair in enumerate(ends)}
    found: list[Violation] = []
    seen: set[tuple[str, str, str]] = set()
    out: dict[int, Fraction] = {}
    into: dict[tuple[int, int], Fraction] = {}
    shares: dict[int, Fraction] = {}
    keys = zip(lines.sku.tolist(), lines.from_location.tolist(), lines.to_location.tolist(), strict=True)
    for at, (sku, begin, end) in enumerate(keys):
        where = f"{sku} from {begin} to {end}"
        lane, giver, receiver = lane_of.get((begin, end)), row_of.get((sku, begin)), row_of.get((sku, end))
        if lane is None or giver is None or receiver is None:
            rule, text = ("lane", "there is no such lane") if lane is None else ("series", "no series of the plan")
            found.append(Violation(rule, where, text))
            continue
        if (sku, begin, end) in seen:
            found.append(Violation("double", where, "sent on two lines"))
        seen.add((sku, begin, end))
        if not (bool(movable[giver]) and bool(movable[receiver])):
            found.append(Violation("movable", where, "the stock of an end is not known, or held"))
        units = float(lines.quantity[at])
        if not np.isfinite(units) or units <= 0:
            found.append(Violation("number", where, f"{units} is no quantity to send"))
            continue
        amount = Fraction(str(units))
        found.extend(_line(situation, lines, at, lane, amount, where))
        out[giver] = out.get(giver, Fraction(0)) + amount
        key = (receiver, int(lanes.lead_time[lane]))
        into[key] = into.get(key, Fraction(0)) + amount
        shares[lane] = shares.get(lane, Fraction(0)) + Fraction(float(lines.order_cost_share[at]))
    found.extend(_spare(situation, out))
    found.extend(_rooms(situation, after, {row for row, _ in into}))
    for lane, share in sorted(shares.items()):
        if not _near(share, _exact(lanes.order_cost[lane])):
            text = f"shares of {float(share):g}, a shipment costs {lanes.order_cost[lane]:g}"
            found.append(Violation("order_cost", lanes.name(lane), text))
    found.extend(_conserved(situation, after, out, into))
    return tuple(found)


def _exact(value: object) -> Fraction:
    return Fraction(str(float(value)))  # type: ignore[arg-type]


def _near(told: Fraction, exact: Fraction) -> bool:
    return abs(told - exact) <= ROUNDING * max(abs(exact), Fraction(1))


def _line(
    situation: Situation, lines: TransferLines, at: int, lane: int, amount: Fraction, where: str
) -> Iterator[Violation]:
    lanes, time = situation.shared.lanes, situation.demand.time
    pack = _exact(lanes.pack_size[lane])
    if lanes.first_shipment[lane] != 0:
        yield Violation("calendar", where, f"{lanes.from_location[lane]} does not ship in this period")
    # as near as a number of units can come: a third of a case has no last decimal
    if pack > 0 and not _near(amount, round(amount / pack) * pack):
        yield Violation("pack", where, f"{float(amount):g} units in packs of {float(pack):g}")
    if not _near(Fraction(float(lines.packs[at])), amount / (pack or Fraction(1))):
        yield Violation("packs", where, f"{lines.packs[at]:g} packs of {float(pack):g}, {float(amount):g} units")
    start = time.start.astype("datetime64[D]")
    if lines.ship_date[at] != start:
        yield Violation("date", where, f"sent on {lines.ship_date[at]}, the period begins {start}")
    arrives = start + int(lanes.lead_time[lane]) * np.timedelta64(time.days, "D")
    if lines.receipt_date[at] != arrives:
        yield Violation("receipt", where, f"expected on {lines.receipt_date[at]}, it arrives {arrives}")
    cost = _exact(lanes.unit_cost[lane])
    if not _near(Fraction(float(lines.unit_cost[at])), cost):
        yield Violation("unit_cost", where, f"{lines.unit_cost[at]:g} a unit, the lane takes {float(cost):g}")
    if not _near(Fraction(float(lines.value[at])), amount * cost):
        yield Violation("value", where, f"costs {lines.value[at]:g}, not {float(amount * cost):g}")


def _spare(situation: Situation, out: dict[int, Fraction]) -> Iterator[Violation]:
    state, terms, axis = situation.state, situation.terms, situation.past.series
    for row, amount in sorted(out.items()):
        left = _exact(state.on_hand[row]) - _exact(state.backorders[row]) - _exact(terms.min_stock[row])
        if amount > max(left, Fraction(0)) and not _near(amount, left):  # reserved was taken off in floating numbers
            text = f"{float(amount):g} units leave, {max(float(left), 0.0):g} can be spared"
            yield Violation("spare", f"{axis.sku[row]} at {axis.location[row]}", text)


def _rooms(situation: Situation, after: InventoryState, receivers: set[int]) -> Iterator[Violation]:
    """Hold what lies and is on its way at a location that receives something against its room."""
    location, volume = situation.past.series.location.tolist(), situation.terms.volume
    for place, room in sorted(situation.shared.storage.items()):
        if not any(location[row] == place and volume[row] > 0 for row in receivers):
            continue
        here = [row for row, name in enumerate(location) if name == place]
        lies = math.fsum(float((after.on_hand[row] + after.pipeline[row].sum()) * volume[row]) for row in here)
        if lies > room * (1 + 2 * float(ROUNDING)):
            yield Violation("room", place, f"a volume of {lies:g} is there or on its way, it holds {room:g}")


def _conserved(
    situation: Situation, after: InventoryState, out: dict[int, Fraction], into: dict[tuple[int, int], Fraction]
) -> Iterator[Violation]:
    before, axis = situation.state, situation.past.series
    last = before.pipeline.shape[1] - 1
    comes: dict[tuple[int, int], Fraction] = {}
    for (row, arrival), amount in into.items():
        key = (row, min(arrival, last))
        comes[key] = comes.get(key, Fraction(0)) + amount
    if after.pipeline.shape != before.pipeline.shape or len(after.on_hand) != len(before.on_hand):
        yield Violation("conserved", "plan", "the stock after the transfers is of another shape")
        return
    rows = set(np.flatnonzero(before.on_hand != after.on_hand).tolist()) | set(out)
    for row in sorted(rows):
        if not _near(_exact(after.on_hand[row]), _exact(before.on_hand[row]) - out.get(row, Fraction(0))):
            where = f"{axis.sku[row]} at {axis.location[row]}"
            yield Violation("conserved", where, f"{before.on_hand[row]:g} on hand became {after.on_hand[row]:g}")
    cells = {(int(row), int(k)) for row, k in np.argwhere(before.pipeline != after.pipeline)} | set(comes)
    for row, k in sorted(cells):
        if not _near(
            _exact(after.pipeline[row, k]), _exact(before.pipeline[row, k]) + comes.get((row, k), Fraction(0))
        ):
            where = f"{axis.sku[row]} at {axis.location[row]}"
            text = f"{before.pipeline[row, k]:g} on order for period {k} became {after.pipeline[row, k]:g}"
            yield Violation("conserved", where, text)
    if not np.array_equal(before.backorders, after.backorders):
        yield Violation("conserved", "plan", "backorders changed")
