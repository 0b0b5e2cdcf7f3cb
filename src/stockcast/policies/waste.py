"""What expires: units of an order that are not sold within their shelf life, on every path.

An order of u units arrives at the start of period a and can be sold in periods a … e, e = a + life − 1. What lies there
already, x, is older and is sold first; what comes later is younger. With D the demand of periods a … e, on each path::

    w(u) = min(u, (x + u − D)⁺)          units of this order that are waste at the end of e

Where a series is sold up to a known end, e is not after it. Each unit costs its unit cost. Where e lies before the next
arrival, w is missing from then on: with A_k the demand of periods e + 1 … k that older stock leaves, min(w, A_k)
goes unmet further and h is saved on (w − A_k)⁺ in every period k up to the next arrival. Demand beyond the horizon goes
on at its mean rate.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.arrays import freeze
from stockcast.inventory import SupplyTerms
from stockcast.policies.projection import Projection


@final
@dataclass(frozen=True, slots=True)
class Waste:
    """The expiry of one batch of series' orders; ``applies`` tells which have a shelf life, or a known end, at all.

    Parameters
    ----------
    room
        D − x⁺: units of this order that are sold in time.
    after, counts
        A_k, one column a period from the arrival, and which of them lie after e and before the next arrival.
    """

    applies: Bool[np.ndarray, " series"]
    room: Float[np.ndarray, "series path"]
    after: Float[np.ndarray, "series path period"]
    counts: Bool[np.ndarray, "series path period"]
    unit_cost: Float[np.ndarray, " series"]
    holding_cost: Float[np.ndarray, " series"]
    shortage_cost: Float[np.ndarray, " series"]
    backorder: bool

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        arrays = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "backorder"}
        freeze(self, **arrays)

    @classmethod
    def of(
        cls, projection: Projection, terms: SupplyTerms, shortage_cost: Float[np.ndarray, " series"], *, backorder: bool
    ) -> "Waste":
        """Read off the projected paths what can expire."""
        applies = np.isfinite(projection.life).all(axis=1)
        n, paths, width = projection.need.shape
        if not applies.any():
            nothing = np.zeros((n, paths))
            return cls(
                applies, nothing, np.zeros((n, paths, 0)), np.zeros((n, paths, 0), dtype=bool), np.zeros(n),
                terms.holding_cost, shortage_cost, backorder,
            )  # fmt: skip
        demand = projection.window
        at = np.arange(width)[None, None, :]
        expired = projection.inside & (at >= projection.life[:, :, None])
        older = np.maximum(projection.stock, 0.0) - projection.in_time
        later = np.cumsum(np.where(expired, demand, 0.0), axis=2)
        after = np.maximum(later - np.maximum(older, 0.0)[:, :, None], 0.0)
        cost = np.where(np.isfinite(terms.unit_cost), terms.unit_cost, 0.0)
        room = np.where(applies[:, None], projection.in_time - projection.stock, np.inf)
        return cls(applies, room, after, expired, cost, terms.holding_cost, shortage_cost, backorder)

    def units(self, units: Float[np.ndarray, " series"]) -> Float[np.ndarray, "series path"]:
        """Give w(u) on each path; 0 for an order of 0 or less."""
        ordered = np.maximum(units, 0.0)[:, None]
        return np.minimum(ordered, np.maximum(ordered - self.room, 0.0))

    def expected(self, units: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """Give the units that are expected to expire."""
        if not self.applies.any():
            return np.zeros(len(units))
        return np.asarray(self.units(units).mean(axis=1))

    def rises(
        self, units: Float[np.ndarray, " series"]
    ) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
        """Give what a further unit adds to what is wasted, to the periods it is held no more, and to what is missed.

        With backorders the last is counted at the end of each period.
        """
        nothing = np.zeros(len(units))
        if not self.applies.any():
            return nothing, nothing, nothing
        lost = self.units(units)
        wasted = (units[:, None] >= self.room) & (units[:, None] >= 0)
        serves = self.counts & (lost[:, :, None] < self.after) & wasted[:, :, None]
        kept = (self.counts & ~serves & wasted[:, :, None]).sum(axis=2).mean(axis=1)
        missed = serves.sum(axis=2) if self.backorder else serves.any(axis=2)
        return wasted.mean(axis=1), kept, missed.mean(axis=1)

    def cost(self, units: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """Give what expiry adds to the expected cost of u units."""
        if not self.applies.any():
            return np.zeros(len(units))
        lost = self.units(units)
        cost = self.unit_cost * lost.mean(axis=1)
        short = np.minimum(lost[:, :, None], self.after)
        kept = np.where(self.counts, lost[:, :, None] - short, 0.0).sum(axis=2).mean(axis=1)
        if self.backorder:
            unmet = np.where(self.counts, short, 0.0).sum(axis=2).mean(axis=1)
        else:
            unmet = np.where(self.counts, short, 0.0).max(axis=2, initial=0.0).mean(axis=1)
        return np.asarray(np.where(self.applies, cost + self.shortage_cost * unmet - self.holding_cost * kept, 0.0))
