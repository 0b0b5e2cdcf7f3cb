"""Transfers line by line: joined over rounds, within the room of a location, and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from stockcast.core.axes import SeriesAxis
from stockcast.core.findings import Alert
from stockcast.inventory import Situation, Transfers
from stockcast.policies.echelon import next_shipment
from stockcast.policies.explain import units_text


@final
@dataclass(frozen=True, slots=True)
class Line:
    """One sku on one lane; ``before`` and ``after`` hold what a unit is worth to giver and receiver.

    ``saving`` is net of the lane's cost a unit, not of its cost of a shipment.
    """

    lane: int
    giver: int
    receiver: int
    quantity: float
    saving: float
    before: tuple[float, float]
    after: tuple[float, float]


def _merged(lines: Sequence[Line]) -> list[Line]:
    """Give one line a sku and lane, sorted; what stands before is of the first, what stands after of the last."""
    found: dict[tuple[int, int], Line] = {}
    for line in lines:
        key = (line.giver, line.receiver)
        first = found.get(key)
        if first is None:
            found[key] = line
            continue
        quantity = float(f"{first.quantity + line.quantity:.12g}")
        saving = first.saving + line.saving
        found[key] = Line(line.lane, *key, quantity, saving, first.before, line.after)
    return [found[key] for key in sorted(found)]


def joined(axis: SeriesAxis, lines: Sequence[Line]) -> Transfers:
    """Give lines as columns, without words and shares."""
    rows = _merged(lines)
    return Transfers(
        axis,
        lane=np.array([row.lane for row in rows], dtype=np.int64),
        giver=np.array([row.giver for row in rows], dtype=np.int64),
        receiver=np.array([row.receiver for row in rows], dtype=np.int64),
        quantity=np.array([row.quantity for row in rows], dtype=float),
        order_cost_share=np.zeros(len(rows)),
        saving=np.array([row.saving for row in rows], dtype=float),
        giver_before=np.array([row.before[0] for row in rows], dtype=float),
        giver_after=np.array([row.after[0] for row in rows], dtype=float),
        receiver_before=np.array([row.before[1] for row in rows], dtype=float),
        receiver_after=np.array([row.after[1] for row in rows], dtype=float),
        reason=np.full(len(rows), "", dtype=np.str_),
    )


def written(situation: Situation, lines: Sequence[Line]) -> Transfers:
    """Give the transfers: shares of the shipments' costs by units, and the reasons."""
    axis, lanes = situation.terms.series, situation.shared.lanes
    found = joined(axis, lines)
    carried = np.bincount(found.lane, weights=found.quantity, minlength=len(lanes)).astype(float)
    share = lanes.order_cost[found.lane] * found.quantity / carried[found.lane]
    columns = {name: getattr(found, name) for name in found.__dataclass_fields__ if name != "series"}
    columns |= {"order_cost_share": share, "saving": found.saving - share}
    made = Transfers(axis, **columns)
    columns["reason"] = np.array([_reason(situation, made, at) for at in range(len(made))], dtype=np.str_)
    return Transfers(axis, **columns)


def _reason(situation: Situation, made: Transfers, at: int) -> str:
    lanes, terms, time = situation.shared.lanes, situation.terms, situation.demand.time
    lane, giver, receiver = int(made.lane[at]), int(made.giver[at]), int(made.receiver[at])
    quantity, pack = float(made.quantity[at]), float(lanes.pack_size[lane])
    many = units_text(quantity)
    if pack > 0 and pack != 1:
        many += f" ({units_text(quantity / pack)} × {units_text(pack)})"
    there = int(lanes.lead_time[lane])
    bought = int(terms.first_review[receiver] + terms.lead_time[receiver])
    days = abs(bought - there) * time.days
    if terms.feeder[receiver] >= 0:
        following = int((terms.lead_time + next_shipment(terms))[receiver])
        whose = "" if terms.feeder[receiver] == giver else f" from {terms.fed_by[receiver]}"
        when = f"the next shipment{whose} is there on {time.date(following)}"
    elif not bool(terms.orderable[receiver]):
        when = "where nothing can be ordered"
    elif bought > there:
        when = f"{days} days before an order can arrive"
    else:
        when = "when an order could be there as well"
    worth = f"a unit is worth {made.receiver_before[at]:.2f} there and {made.giver_before[at]:.2f} where it lies"
    cost = quantity * float(lanes.unit_cost[lane]) + float(made.order_cost_share[at])
    paid = f"moving it costs {cost:.2f}" if cost > 0 else "moving it costs nothing"
    left = units_text(float(situation.state.on_hand[giver] - made.sent[giver]))
    return (
        f"send {many} from {lanes.from_location[lane]} to {lanes.to_location[lane]} for receipt on "
        f"{time.date(there)}, {when}; {worth}, {paid}, {made.saving[at]:.2f} is saved; {left} stay on hand"
    )


def with_room(situation: Situation, lines: Sequence[Line]) -> tuple[list[Line], list[Alert]]:
    """Take off what does not fit at a location whose room is limited, the least worth its volume first.

    All that is on hand and on order there counts, and what is sent off tonight makes room. A shipment that no longer
    pays its lane's cost once something was taken off it stays too.
    """
    order_cost, alerts = situation.shared.lanes.order_cost, []
    kept = list(_merged(lines))
    for location in sorted(situation.shared.storage) * (len(kept) + 1):
        gone = _without_room(situation, kept, location)
        if not gone:
            continue
        rest = [line for line in kept if line not in gone]
        for lane in {line.lane for line in gone}:
            mine = [line for line in rest if line.lane == lane]
            if mine and sum(line.saving for line in mine) < order_cost[lane]:
                gone += mine
        kept = [line for line in kept if line not in gone]
        saved = sum(line.saving for line in gone)
        alerts.append(
            Alert(
                "warning", "SC-P031",
                f"{len(gone)} transfers would save {saved:,.2f}, and do not fit into the room at {location}",
                "find more room, or move other stock off", location=location, value=saved,
            )
        )  # fmt: skip
    return kept, alerts


def _without_room(situation: Situation, lines: Sequence[Line], location: str) -> list[Line]:
    """Give the transfers to a location that do not fit there."""
    terms, state = situation.terms, situation.state
    room, here = situation.shared.storage[location], terms.series.location == location
    over = float(((state.on_hand + state.on_order) * terms.volume)[here].sum()) - room
    over -= sum(line.quantity * float(terms.volume[line.giver]) for line in lines if here[line.giver])
    volume = {line: line.quantity * float(terms.volume[line.receiver]) for line in lines if here[line.receiver]}
    over += sum(volume.values())
    gone = []
    for line in sorted((line for line in volume if volume[line] > 0), key=lambda one: one.saving / volume[one]):
        if over <= 1e-9 * room:
            break
        over -= volume[line]
        gone.append(line)
    return gone
