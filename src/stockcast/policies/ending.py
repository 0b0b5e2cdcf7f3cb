"""What is left where the sale of goods ends: all of the stock there, on hand and coming, on every path.

With e periods left in which a series is sold, x its stock and A what open orders bring, walked by the dynamics of the
shop (``policies.projection``) to the end of period e − 1::

    left = x_e⁺ = (x + Σ_{t<e} A_t − D)⁺ where nothing is lost before      after = Σ_{t≥e} A_t

Both are lost, whatever an order of tonight adds to it (``policies.waste``). Demand beyond the horizon goes on at a rate.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from stockcast.core.arrays import freeze
from stockcast.policies.projection import Part


@final
@dataclass(frozen=True, slots=True)
class Ending:
    """What some series with a known end have left: units at the end on each path, and what arrives after it.

    Parameters
    ----------
    last
        e: periods in which the series is still sold.
    left
        x_e⁺.
    unmet
        Demand that goes unserved until then; with backorders what is owed at the end.
    late
        What open orders bring, one column a period; 0 before the end.
    """

    last: Float[np.ndarray, " series"]
    left: Float[np.ndarray, "series path"]
    unmet: Float[np.ndarray, "series path"]
    late: Float[np.ndarray, "series arrival"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, last=self.last, left=self.left, unmet=self.unmet, late=self.late)

    @classmethod
    def of(cls, part: Part, rate: Float[np.ndarray, " series"]) -> "Ending":
        """Walk series to the end of their sale.

        Parameters
        ----------
        part
            Series whose ``sold_for`` is finite.
        rate
            Demand a period beyond the horizon.
        """
        state, horizon, last = part.state, part.demand.horizon, part.terms.sold_for
        paths = part.demand.paths()
        column = np.arange(state.pipeline.shape[1])[None, :]
        comes = np.where(column < last[:, None], state.pipeline, 0.0)
        stock = np.broadcast_to((state.on_hand - state.backorders)[:, None], paths.shape[:2]).copy()
        unmet = np.zeros(stock.shape)
        near = min(horizon, comes.shape[1])
        for k in range(int(min(horizon, last.max(initial=0.0)))):
            before = stock + (comes[:, k, None] if k < near else 0.0)
            rest = before - paths[:, :, k]
            missed = np.zeros_like(rest)
            if not part.backorder:
                kept = np.maximum(rest, np.minimum(before, 0.0))
                rest, missed = kept, kept - rest
            sold = (k < last)[:, None]
            stock, unmet = np.where(sold, rest, stock), np.where(sold, unmet + missed, unmet)
        further = comes[:, near:].sum(axis=1) - rate * np.maximum(last - horizon, 0.0)
        stock = stock + further[:, None]
        return cls(last, np.maximum(stock, 0.0), unmet + np.maximum(-stock, 0.0), state.pipeline - comes)

    @property
    def after(self) -> Float[np.ndarray, " series"]:
        """Give the units that arrive when nothing is sold any more."""
        return np.asarray(self.late.sum(axis=1))

    @property
    def lost(self) -> Float[np.ndarray, " series"]:
        """Give the units that are expected never to be sold."""
        return np.asarray(self.left.mean(axis=1) + self.after)

    def held(self, until: Float[np.ndarray, "series path"]) -> Float[np.ndarray, " series"]:
        """Give the periods that what is lost would lie there between the end and some period, summed over its units."""
        column = np.arange(self.late.shape[1])[None, None, :]
        lies = np.maximum(until - self.last[:, None], 0.0) * self.left
        comes = (np.maximum(until[:, :, None] - column, 0.0) * self.late[:, None, :]).sum(axis=2)
        return np.asarray((lies + comes).mean(axis=1))
