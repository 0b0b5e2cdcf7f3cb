"""From real numbers to what can be ordered: whole packs, the minimum or nothing, never above the maximum."""

from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.inventory import Situation, SupplyTerms
from stockcast.policies.base import Policy
from stockcast.policies.costs import NEAR
from stockcast.policies.newsvendor import Aim, aim
from stockcast.policies.packs import counts, multiples
from stockcast.policies.projection import Part, batches, require_horizon

STEPS_OF_LEVEL = 26  # halvings of the reorder point's bracket


@final
@dataclass(frozen=True, slots=True)
class Admissible:
    """The quantities that a line may order now: 0, or whole steps between the least and the most.

    Units ordered in this period already count towards the minimum and the maximum. A minimum that is no whole number
    of packs is rounded up to one. Where ``least`` exceeds ``most`` nothing can be ordered.
    """

    step: Float[np.ndarray, " series"]
    least: Float[np.ndarray, " series"]
    most: Float[np.ndarray, " series"]

    @classmethod
    def of(cls, terms: SupplyTerms, step: Float[np.ndarray, " series"], ordered: np.ndarray) -> "Admissible":
        """Resolve MOQ, pack and maximum, given what is ordered already."""
        short = np.maximum(terms.moq - ordered, 0.0)
        room = np.maximum(terms.max_order - ordered, 0.0)
        least = np.where(step > 0, multiples(np.maximum(np.ceil(counts(short, step) - NEAR), 1.0), step), short)
        most = np.where(step > 0, multiples(np.floor(counts(room, step) + NEAR), step), room)
        return cls(step, least, most)

    @property
    def possible(self) -> Bool[np.ndarray, " series"]:
        """Tell where anything but 0 is admissible."""
        return (self.least <= self.most) & (self.most > 0)

    def down(self, quantity: Float[np.ndarray, "series *some"]) -> Float[np.ndarray, "series *some"]:
        """Give the largest whole steps that are not above some quantities, below the least and above the most, too."""
        column = self.step.reshape((-1,) + (1,) * (quantity.ndim - 1))
        whole = multiples(np.floor(counts(quantity, self.step) + NEAR), self.step)
        return np.where(column > 0, whole, quantity)

    def around(self, wanted: Float[np.ndarray, " series"]) -> Float[np.ndarray, "series candidate"]:
        """Give the admissible quantities nearest to a wanted one: four steps, or the number itself without steps."""
        base = np.floor(counts(wanted, self.step))
        steps = multiples(base[:, None] + np.arange(-1.0, 3.0)[None, :], self.step)
        near = np.where(self.step[:, None] > 0, steps, wanted[:, None])
        return np.clip(near, self.least[:, None], np.maximum(self.most, self.least)[:, None])

    def up(self, wanted: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """Give the smallest admissible quantity that is not below a wanted one, or the most there may be."""
        packs = counts(wanted, self.step)
        whole = multiples(np.ceil(packs - NEAR * np.maximum(1.0, packs)), self.step)
        steps = np.where(self.step > 0, whole, wanted)
        return np.clip(steps, self.least, np.maximum(self.most, self.least))


@final
@dataclass(frozen=True, slots=True)
class Choice:
    """The best order of a line by itself: ``quantity``, ``positive`` the best that is not 0, ``none`` its alternative.

    Costs are expected costs up to one constant a series: ``cost_none`` of ordering nothing, ``shift`` what to add to
    ``Aim.size_cost`` of anything else.
    """

    quantity: Float[np.ndarray, " series"]
    positive: Float[np.ndarray, " series"]
    cost_none: Float[np.ndarray, " series"]
    cost_positive: Float[np.ndarray, " series"]
    shift: Float[np.ndarray, " series"]
    admissible: Admissible


def choose(
    aim: Aim,
    *,
    start: np.ndarray | None = None,
    ordered: np.ndarray | None = None,
    packs: bool = True,
    valued: bool = False,
) -> Choice:
    """Choose each line's order by expected cost; for a service target, round up to the first that reaches it.

    Parameters
    ----------
    start
        Units at arrival before this choice; the units of this order that are placed already when left out.
    ordered
        Units ordered in this period already, for MOQ, maximum and order cost; from the terms when left out.
    packs
        Whether packs, MOQ and maximum bind.
    valued
        Whether the costs are to be compared between states of stock: an order that is placed already is then valued
        over the cycle that it starts, as the same order was before.
    """
    terms = aim.part.terms
    start = aim.projection.mine if start is None else start
    ordered = terms.ordered_now if ordered is None else ordered
    bare = terms.replace(moq=np.zeros_like(start), max_order=np.full_like(start, np.inf))
    step = aim.part.step if packs else np.zeros_like(start)
    admissible = Admissible.of(terms if packs else bare, step, ordered)
    need = aim.units - start
    near = admissible.around(np.maximum(need, 0.0))
    costs = aim.size_cost(start[:, None] + near)
    slack = NEAR * np.maximum(np.abs(costs).max(axis=1, keepdims=True), 1e-300)
    first = np.argmax(costs <= costs.min(axis=1, keepdims=True) + slack, axis=1)
    sized = np.take_along_axis(near, first[:, None], axis=1)[:, 0]
    upward = admissible.up(np.maximum(need, 0.0))
    floored = admissible.up(np.maximum(aim.floor - start, 0.0))
    positive = np.where(aim.served, upward, np.maximum(sized, np.where(aim.floor > start, floored, 0.0)))
    # one whole unit is no lot: the smallest order counts only where packs or a minimum are stated
    least = Admissible.of(terms, step, np.zeros_like(start)).least if valued else admissible.least
    lot = np.where((least > 1.0) | ~aim.part.whole, least, 0.0)
    lot = np.where((terms.moq > 0) | (terms.pack_size > 0), lot, 0.0) if packs else np.zeros_like(start)
    idle, shift, size = aim.order_cost_shift(start, start + positive, lot)
    paid = ordered > 0
    if valued:
        shift = np.where(paid, shift - terms.order_cost, shift)
    elif paid.any():
        idle = np.where(paid, aim.size_cost(start[:, None])[:, 0], idle)
        shift = np.where(paid, 0.0, shift)
    busy = size + shift
    # a target or a floor is a wish to be kept: missing it costs more than keeping it
    wish = np.where(aim.served, aim.units, aim.floor) - start
    wished = wish > NEAR * np.maximum(1.0, np.abs(aim.units))
    idle = np.where(wished & ~aim.served, np.maximum(idle, busy) + floor_penalty(aim, start), idle)
    if aim.served.any():
        missed = aim.unmet(np.stack([start, start + positive], axis=1))
        behind = aim.shortage_cost * np.maximum(missed[:, 0] - missed[:, 1], 0.0) + floor_penalty(aim, start)
        idle = np.where(aim.served, np.where(wished, busy + behind, np.minimum(idle, busy)), idle)
    pays = np.where(aim.served | wished, wished, idle - busy > NEAR * np.maximum(np.abs(idle), np.abs(busy)))
    some = positive > NEAR * np.maximum(1.0, np.abs(aim.units))
    takes = aim.may_order & admissible.possible & pays & some
    return Choice(np.where(takes, positive, 0.0), positive, idle, busy, shift, admissible)


def floor_penalty(aim: Aim, units: Float[np.ndarray, "series *unit"]) -> Float[np.ndarray, "series *unit"]:
    """Give the cost of staying below ``min_stock``: p for each unit that is missing from it."""
    column = (-1,) + (1,) * (units.ndim - 1)
    price, floor = np.maximum(aim.shortage_cost, 1e-6).reshape(column), aim.floor.reshape(column)
    found: np.ndarray = price * np.maximum(floor - units, 0.0)
    return found


def reorder_point(aim: Aim) -> Float[np.ndarray, " series"]:
    """Give s: a series at review orders if its inventory position is at or below it, never above its level.

    Measured by moving the stock at this order's arrival, all else equal. Without packs, minimums and order costs it is
    one step below the order-up-to level. 0 also where no stock, however low, would be replenished.
    """
    terms = aim.part.terms
    always = terms.replace(at_review=np.ones_like(terms.at_review), orderable=np.ones_like(terms.orderable))
    probe = replace(aim, part=replace(aim.part, terms=always))
    low, high = np.minimum(-aim.position, aim.units), aim.units.copy()
    nothing = np.zeros_like(low)
    for _ in range(STEPS_OF_LEVEL):
        middle = 0.5 * (low + high)
        orders = choose(probe, start=middle, ordered=nothing).quantity > 0
        low, high = np.where(orders, middle, low), np.where(orders, high, middle)
        if (aim.part.whole & (high - low < 0.5)).all():
            break  # the last whole unit is settled below: nearer brackets say nothing more
    point = aim.position + low
    unit = np.floor(point)  # in whole units: this one, or the next if an order is placed there too
    orders = choose(probe, start=unit + 1.0 - aim.position, ordered=nothing).quantity > 0
    point = np.where(aim.part.whole, unit + orders, point)
    found: np.ndarray = np.clip(point, 0.0, aim.order_up_to_level)
    return found


@final
@dataclass(frozen=True, slots=True)
class Orderable(Policy):
    """Another policy's wish in whole packs, at the minimum or nothing, never above the maximum.

    A wish of the newsvendor is resolved by expected cost (:func:`choose`); any other policy's is rounded up.
    """

    policy: Policy
    name: ClassVar[str] = "orderable"

    def order(self, situation: Situation) -> Float[np.ndarray, " series"]:
        """Give admissible quantities."""
        require_horizon(situation)
        out = np.zeros(len(situation.past.series))
        by_cost = self.policy.name == "newsvendor"
        if not by_cost:
            part = Part.of(situation)
            wanted = self.policy.order(situation)
            admissible = Admissible.of(part.terms, part.step, part.terms.ordered_now)
            open_now = part.terms.at_review & part.terms.orderable & admissible.possible & (wanted > 0)
            return np.where(open_now, admissible.up(wanted), 0.0)
        for rows in situation.demand.chunks():
            part = Part.of(situation, rows)
            for batch in batches(part):
                out[rows[batch]] = choose(aim(part.take(batch))).quantity
        return out
