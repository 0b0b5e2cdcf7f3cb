"""The room at the locations that goods are sent to: what does not fit is cut to the packs that do.

All that is on hand and on order at a location counts, whenever it comes, and what is sent off tonight makes room: so a
transfer takes the same room while it is proposed as once it is an open order. Where a room is exceeded, the series
whose units there are worth least for their volume are held to what fits (a cap on what they receive), and their skus
are solved anew: what is cut here may go elsewhere.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from stockcast.core.findings import Alert
from stockcast.policies.figures import units_text
from stockcast.policies.transfers.flow import ROUNDING
from stockcast.policies.transfers.lines import Line
from stockcast.policies.transfers.network import Key, Network, Sent, tidy

FULL = 1e-9  # of a room: what exceeds it by less fits


@final
@dataclass(frozen=True, slots=True)
class Short:
    """What would be sent to a location and does not fit there: the lines, with the units and savings missing.

    ``price`` is what one more unit of its room would save, at a pack more of the line that is worth it most.
    """

    location: str
    lines: tuple[Line, ...]
    price: float = 0.0

    def alert(self) -> Alert:
        """Tell of it."""
        count, saved = len(self.lines), max(sum(line.saving for line in self.lines), 0.0)
        units = sum(line.quantity for line in self.lines)
        one = count == 1
        worth = f"; one more unit of it would save {self.price:.4g}" if self.price > 0 else ""
        return Alert(
            "warning", "SC-P031",
            f"{count} transfer{'' if one else 's'} of {units_text(units)} units would save {saved:,.2f}, and "
            f"{'does' if one else 'do'} not fit into the room at {self.location}{worth}",
            "find more room, or move other stock off", location=self.location, value=saved,
        )  # fmt: skip


def caps(network: Network, chosen: dict[str, Sent]) -> dict[Key, float]:
    """Give the roles to be held to fewer units, so that what is received fits; none where it does."""
    storage = network.situation.shared.storage
    if not storage:
        return {}
    location = network.situation.terms.series.location
    units: dict[Key, float] = {}
    worth: dict[Key, float] = {}
    steps: dict[Key, float] = {}
    for sku in sorted(chosen):
        sent = chosen[sku]
        for at, (_, saving) in zip(sent.way, network.shares(sent), strict=True):
            key, step = network.roles(at)[1], float(network.ways.step[at])
            worth[key] = worth.get(key, 0.0) + saving
            steps[key] = min(steps.get(key, step), step)
        units |= network.units(sent.way, sent.packs)
    found: dict[Key, float] = {}
    for place, room in sorted(storage.items()):
        here = [key for key in worth if location[key[0]] == place]
        over = _over(network, units, place, room)
        volume = {key: float(network.situation.terms.volume[key[0]]) for key in here}
        takes = [key for key in here if volume[key] > 0]
        for key in sorted(takes, key=lambda one: (worth[one] / (units[one] * volume[one]), one)):
            if over <= FULL * room:
                break
            packs = np.floor((units[key] - over / volume[key]) / steps[key] * (1 + ROUNDING))
            fits = min(packs * steps[key], units[key] - steps[key])
            found[key] = tidy(max(float(fits), 0.0))
            over -= (units[key] - found[key]) * volume[key]
    return found


def _over(network: Network, units: dict[Key, float], place: str, room: float) -> float:
    """Give the volume by which a room is exceeded; negative where some is left."""
    terms, state = network.situation.terms, network.situation.state
    here = terms.series.location == place
    lies = float(((state.on_hand + state.on_order) * terms.volume)[here].sum())
    moved = sum(
        (-many if key[1] < 0 else many) * float(terms.volume[key[0]]) for key, many in units.items() if here[key[0]]
    )
    return lies + moved - room


def room_prices(network: Network, chosen: dict[str, Sent], closed: frozenset[int]) -> dict[str, float]:
    """Give what one more unit of each room that binds would save, found by solving with a pack more of each cap.

    Parameters
    ----------
    chosen
        What is sent within the rooms.
    closed
        Lanes that stay closed.
    """
    terms, found = network.situation.terms, dict[str, float]()
    into: dict[Key, float] = {}
    for at in range(len(network.ways)):
        key = network.roles(at)[1]
        into[key] = min(into.get(key, math.inf), float(network.ways.step[at]))
    for key, held in sorted(network.caps.items()):
        place, sku = str(terms.series.location[key[0]]), str(terms.series.sku[key[0]])
        network.cap({key: tidy(held + into[key])})
        more = network.settle([sku], closed)[sku]
        network.cap({key: held})
        saves = max(chosen[sku].cost - more.cost, 0.0)
        found[place] = max(found.get(place, 0.0), saves / (into[key] * float(terms.volume[key[0]])))
    return found


def left_out(
    network: Network, wanted: Sequence[Line], made: Sequence[Line], price: Mapping[str, float]
) -> tuple[Short, ...]:
    """Give what would be sent without rooms and is not, by the location that it would go to."""
    location = network.situation.terms.series.location
    sent = {(line.giver, line.receiver): line for line in made}
    found: dict[str, list[Line]] = {str(location[row]): [] for row, _ in sorted(network.caps)}
    for line in wanted:
        place, held = str(location[line.receiver]), sent.get((line.giver, line.receiver))
        units = line.quantity - (held.quantity if held else 0.0)
        if place in found and units > ROUNDING * line.quantity:
            saving = line.saving - (held.saving if held else 0.0)
            quantity = tidy(units)
            found[place].append(Line(line.lane, line.giver, line.receiver, quantity, saving, line.before, line.after))
    return tuple(Short(place, tuple(lines), price.get(place, 0.0)) for place, lines in sorted(found.items()) if lines)


def together(some: Sequence[Short]) -> tuple[Short, ...]:
    """Give one entry a location."""
    of: dict[str, list[Short]] = {}
    for one in some:
        of.setdefault(one.location, []).append(one)
    return tuple(
        Short(name, tuple(line for one in mine for line in one.lines), max(one.price for one in mine))
        for name, mine in sorted(of.items())
    )
