"""What is left where the sale of goods ends: all of the stock there, on hand and coming, on every path.

With e periods left in which a series is sold, x its stock and A what open orders bring, walked by the dynamics of the
shop (``policies.projection``) to the end of period e − 1::

    lost = (x_e + Σ_{t≥e} A_t)⁺      with x_e = x + Σ_{t<e} A_t − D where nothing goes unmet before

What is owed at the end is served by what comes after it. What an order of tonight adds to it is ``policies.waste``.
Demand beyond the horizon goes on at a rate.
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
    stock
        x_e, negative where demand waits.
    unmet
        Demand that is lost until then.
    late
        What open orders bring, one column a period; 0 before the end.
    """

    last: Float[np.ndarray, " series"]
    stock: Float[np.ndarray, "series path"]
    unmet: Float[np.ndarray, "series path"]
    late: Float[np.ndarray, "series arrival"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, last=self.last, stock=self.stock, unmet=self.unmet, late=self.late)

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
        rest = stock + further[:, None]
        if not part.backorder:
            kept = np.maximum(rest, np.minimum(stock, 0.0))
            rest, unmet = kept, unmet + kept - rest
        return cls(last, rest, unmet, state.pipeline - comes)

    @property
    def after(self) -> Float[np.ndarray, " series"]:
        """Give the units that arrive when nothing is sold any more."""
        return np.asarray(self.late.sum(axis=1))

    @property
    def lost(self) -> Float[np.ndarray, " series"]:
        """Give the units that are expected never to be sold."""
        return np.asarray(np.maximum(self.stock + self.after[:, None], 0.0).mean(axis=1))

    def held(self, until: Float[np.ndarray, "series path"]) -> Float[np.ndarray, " series"]:
        """Give the units that would lie there at the ends of the periods between the end and ``until``, in all."""
        found = np.zeros(len(self.last))
        come = np.cumsum(self.late, axis=1)
        for k in range(int(self.last.min(initial=np.inf)), int(until.max(initial=0.0))):
            lies = np.maximum(self.stock + come[:, min(k, come.shape[1] - 1), None], 0.0)
            found += np.where((k >= self.last[:, None]) & (k < until), lies, 0.0).mean(axis=1)
        return found
