"""Why this quantity: the policy's own steps from the need to the order, which add up to it exactly.

Each line is told in units of a decimal grid of its own, as fine as its published numbers, so that sums of the written
decimals have no rounding error.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis
from stockcast.core.errors import InvariantError
from stockcast.inventory import InventoryState, Situation, SupplyTerms
from stockcast.policies.decision import Decision
from stockcast.policies.lines import Lines
from stockcast.policies.moved import moved_by_limits

LINE = ("pack", "moq", "max_order")  # what a line's own terms do
WHOLE_ORDER = ("supplier_minimum", "truck", "price_break")
SHARED = ("budget", "storage")
STEPS = (
    "need", "safety", "cycle", "on_hand", "on_order", "backorders", "at_places", "excess", "not_due", "no_review",
    "not_orderable",
    *LINE, "later", *WHOLE_ORDER, *SHARED,
)  # fmt: skip
DIGITS = 6  # significant digits of published numbers
FINEST = 9  # decimals of a grid
LARGEST = 2.0**62  # units of a grid that a number may have


@final
@dataclass(frozen=True, slots=True)
class Waterfall:
    """The steps of every line, in the order of ``STEPS``, in whole units of a grid of 10 to the power of −decimals.

    ``need`` is the mean demand over the protection interval, ``safety`` what its risk adds, and ``cycle`` what an order
    cost or ``min_stock`` add to that, less what would stay unsold: together the order-up-to level S. Less what is on
    hand and on order, plus what is owed, that is S − inventory position; a warehouse's S is for all that it feeds, and
    ``at_places`` takes off what lies there and is on its way to them. ``excess`` takes back what stands above S,
    ``not_due`` an order that does not pay yet, ``no_review`` and ``not_orderable`` one that cannot be placed: what is
    left is the unconstrained quantity. ``pack`` and ``moq`` lead to what would be best for the line without a maximum,
    ``max_order`` to its own best up to the next review, ``later`` to its best over the reviews that are looked at; the
    terms of the supplier's whole order, then budget and storage, to what is ordered.
    """

    series: SeriesAxis
    units: Int[np.ndarray, "series step"]
    decimals: Int[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, units=self.units, decimals=self.decimals)

    @classmethod
    def of(
        cls, situation: Situation, lines: Lines, made: Decision, near: Float[np.ndarray, " series"] | None = None
    ) -> "Waterfall":
        """Take the steps from what was decided; ``near`` is each line's best up to the next review, where that differs.

        Raises
        ------
        InvariantError
            If a step has no name: a bug.
        """
        terms, state = situation.terms, situation.state
        alone, joined, ordered = lines.at(made.alone), lines.at(made.joined), lines.at(made.final)
        joined, final_by = moved_by_limits(
            situation, lines, made.shared, joined, ordered, made.joined_by, made.final_by
        )
        near = alone if near is None else near
        decimals = _decimals(state, lines, ordered)

        def whole(values: np.ndarray) -> np.ndarray:
            scaled = np.floor(values * 10.0**decimals + 0.5)
            return np.asarray(np.clip(scaled, -LARGEST, LARGEST).astype(np.int64))

        found = {name: np.zeros(len(ordered), dtype=np.int64) for name in STEPS}
        need, level, free = whole(lines.demand_mean), whole(lines.level), whole(_published(lines.free))
        found["on_hand"], found["on_order"] = -whole(_published(state.on_hand)), -whole(_published(state.on_order))
        found["backorders"] = whole(_published(state.backorders))
        found["at_places"] = -whole(_published(lines.elsewhere))
        held = found["on_hand"] + found["on_order"] + found["backorders"] + found["at_places"]
        tiny = 1e-9 * np.maximum(1.0, lines.level)
        fills_up = np.abs(lines.free - lines.level + state.inventory_position + lines.elsewhere) <= tiny
        level = np.where((lines.free > 0) & fills_up, free - held, level)  # S itself in the digits of what it leads to
        base = np.where(np.abs(lines.base - lines.level) <= tiny, level, whole(lines.base))
        found["need"], found["safety"], found["cycle"], gap = need, base - need, level - base, level + held
        found["excess"] = np.maximum(-gap, 0)
        why = np.where(~terms.orderable, "not_orderable", np.where(~terms.at_review, "no_review", "not_due"))
        for name in ("not_due", "no_review", "not_orderable"):
            found[name] = np.where(why == name, free - np.maximum(gap, 0), 0)
        best, limitless = whole(_published(near)), whole(_published(np.maximum(lines.unlimited, near)))
        found["moq"], found["max_order"] = whole(_minimum(terms, lines)), best - limitless
        ends = [whole(_published(values)) for values in (alone, joined, ordered)]
        found["later"] = ends[0] - best
        found["pack"] = best - free - found["moq"] - found["max_order"]
        for moves, by, names in (
            (ends[1] - ends[0], made.joined_by, WHOLE_ORDER),
            (ends[2] - ends[1], final_by, SHARED),
        ):
            found |= {name: np.where(by == name, moves, 0) for name in names}
        units = np.stack([found[name] for name in STEPS], axis=1)
        astray = np.flatnonzero(units.sum(axis=1) != ends[2])
        if len(astray):
            raise InvariantError(
                f"the steps of {len(astray)} lines do not add up to their quantity, first: "
                f"{terms.series.sku[astray[0]]} at {terms.series.location[astray[0]]}",
                code="SC-P004", help="this is a fault of stockcast; nothing is published",
            )  # fmt: skip
        return cls(terms.series, units, decimals)

    @property
    def steps(self) -> Float[np.ndarray, "series step"]:
        """Give the steps in units of the goods, each the number nearest to its decimal."""
        return np.asarray(self.units / 10.0 ** self.decimals[:, None])

    @property
    def quantity(self) -> Float[np.ndarray, " series"]:
        """Give what the steps of each line add up to: its order quantity."""
        return np.asarray(self.units.sum(axis=1) / 10.0**self.decimals)

    def line(self, row: int) -> tuple[tuple[str, Fraction], ...]:
        """Give the names and exact units of one line's steps; those that are 0 are left out."""
        scale = 10 ** int(self.decimals[row])
        found = zip(STEPS, self.units[row].tolist(), strict=True)
        return tuple((name, Fraction(units, scale)) for name, units in found if units)


def _minimum(terms: SupplyTerms, lines: Lines) -> Float[np.ndarray, " series"]:
    """Give what the minimum does to each line before its maximum; what is left up to that best, the pack does."""
    free, step = lines.free, np.where(lines.step > 0, lines.step, 1.0)
    up = np.where(lines.step > 0, np.ceil(free / step - 1e-9) * step, free)
    short, best = terms.moq - terms.ordered_now, lines.unlimited
    tiny = 1e-9 * np.maximum(1.0, free)
    below = (short > 0) & (up < short) & (free > tiny) & ((best == 0) | (best <= lines.least + tiny))
    return np.where(below, best - up, 0.0)


def _decimals(state: InventoryState, lines: Lines, ordered: np.ndarray) -> Int[np.ndarray, " series"]:
    """Give each line's grid: its largest number in six digits, and every published unit of stock and order in full."""
    given = np.stack([state.on_hand, state.on_order, state.backorders, np.abs(lines.elsewhere), ordered])
    largest = np.maximum(given.max(axis=0), np.maximum(np.abs(lines.level), lines.demand_mean))
    most = np.clip(_shift(largest), 0, FINEST)
    apart = np.where(given != np.rint(given), _shift(given), 0).max(axis=0)
    found: np.ndarray = np.maximum(most, np.clip(apart, 0, np.minimum(FINEST, most + DIGITS)))
    return found


def _shift(values: np.ndarray) -> Int[np.ndarray, "..."]:
    """Give the decimals that six significant digits have."""
    size = np.where(values > 0, values, 1.0)
    return np.asarray(DIGITS - 1 - np.floor(np.log10(size)).astype(np.int64))


def _published(values: np.ndarray) -> Float[np.ndarray, " series"]:
    """Give numbers as they are published: whole ones in full, others in six significant digits."""
    shift = np.clip(_shift(values), 0, 22)
    rounded = np.rint(values * 10.0**shift) / 10.0**shift
    return np.where(values == np.rint(values), values, rounded)
