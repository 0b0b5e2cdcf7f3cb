"""Transfers line by line: joined over rounds, and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.axes import SeriesAxis
from stockcast.inventory import Situation, Transfers
from stockcast.policies.echelon import next_shipment
from stockcast.policies.figures import exact_text, packed_text, units_text


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


def written(situation: Situation, lines: Sequence[Line], short: Sequence[Line] = ()) -> Transfers:
    """Give the transfers: shares of the shipments' costs by what the lines save before them, and the reasons.

    A shipment that pays so leaves a saving to each of its lines: by units, many cheap ones would bear what others save.

    Parameters
    ----------
    short
        What more would be sent, and does not fit into the room where it goes.
    """
    axis, lanes = situation.terms.series, situation.shared.lanes
    found = joined(axis, lines)
    share = lanes.order_cost[found.lane] * _parts(found.lane, found.saving, found.quantity, len(lanes))
    columns = {name: getattr(found, name) for name in found.__dataclass_fields__ if name != "series"}
    columns |= {"order_cost_share": share, "saving": found.saving - share}
    made = Transfers(axis, **columns)
    more = {(line.giver, line.receiver): line.quantity for line in short}
    ends = zip(made.giver.tolist(), made.receiver.tolist(), strict=True)
    reasons = [_reason(situation, made, at) + _held_back(more.get(pair, 0.0)) for at, pair in enumerate(ends)]
    columns["reason"] = np.array(reasons, dtype=np.str_)
    return Transfers(axis, **columns)


def _parts(
    lane: Int[np.ndarray, " line"], saving: Float[np.ndarray, " line"], quantity: Float[np.ndarray, " line"], lanes: int
) -> Float[np.ndarray, " line"]:
    """Give each line's part of its shipment by what it saves; by units where no line of the shipment saves anything."""
    saves = np.maximum(saving, 0.0)
    whole = np.bincount(lane, weights=saves, minlength=lanes)[lane]
    carried = np.bincount(lane, weights=quantity, minlength=lanes)[lane]
    return np.where(whole > 0, saves / np.where(whole > 0, whole, 1.0), quantity / carried)


def _held_back(units: float) -> str:
    return f"; {exact_text(units)} more do not fit into the room there" if units > 0 else ""


def _reason(situation: Situation, made: Transfers, at: int) -> str:
    lanes, terms, time = situation.shared.lanes, situation.terms, situation.demand.time
    lane, giver, receiver = int(made.lane[at]), int(made.giver[at]), int(made.receiver[at])
    quantity, pack = float(made.quantity[at]), float(lanes.pack_size[lane])
    many = packed_text(quantity, quantity / pack, pack) if pack > 0 else exact_text(quantity)
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
