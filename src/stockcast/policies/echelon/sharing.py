"""A pool of stock shared out by marginal value: each unit goes where it saves most, and stays where it saves nothing.

Places have convex cost curves c_i(u); what stays at the warehouse costs ``keep`` a unit. The inf-convolution::

    G(z) = min { Σ_i c_i(u_i) + keep · (z − Σ_i u_i) : Σ_i u_i ≤ z }

has the slopes of all curves in ascending order: merging them gives u_i(z) of every z, straight between the breaks
(Rockafellar 1970, th. 16.4; Federgruen and Zipkin 1984 share out so under the balance assumption).
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze


@final
@dataclass(frozen=True, slots=True)
class Sharing:
    """The merged slopes of one group.

    Parameters
    ----------
    breaks
        z at which the next unit goes elsewhere, ascending.
    share
        u_i at each break, by member.
    goes
        Who gets the units between a break and the next; the first entry is who lacks what the pool lacks below the
        first break, the last who gets all beyond the last one. The number of members stands for: stays.
    """

    breaks: Float[np.ndarray, " break"]
    share: Float[np.ndarray, "member break"]
    goes: Int[np.ndarray, " pieces"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, breaks=self.breaks, share=self.share, goes=self.goes)

    @classmethod
    def of(
        cls,
        units: Float[np.ndarray, "member point"],
        cost: Float[np.ndarray, "member point"],
        before: Float[np.ndarray, " member"],
        beyond: Float[np.ndarray, " member"],
        keep: float,
    ) -> "Sharing":
        """Merge curves that are convex and straight between points.

        Parameters
        ----------
        units, cost
            Points of each curve, ascending; equal ones count once.
        before, beyond
            The slopes below the first and above the last point.

        Examples
        --------
        >>> units = np.array([[0.0, 2.0], [0.0, 3.0]])
        >>> found = Sharing.of(units, -units * [[3.0], [5.0]], np.full(2, -9.0), np.ones(2), 0.0)
        >>> found.at(np.array([1.0, 4.0, 9.0])).tolist()
        [[0.0, 1.0, 2.0], [1.0, 3.0, 3.0]]
        """
        n = len(units)
        length = np.diff(units, axis=1)
        slope = np.where(length > 0, np.diff(cost, axis=1) / np.where(length > 0, length, 1.0), -np.inf)
        last = int(np.argmin(np.append(beyond, keep)))
        end = min(float(beyond.min()), keep)
        member = np.repeat(np.arange(n), length.shape[1])
        some = np.flatnonzero((length.ravel() > 0) & (slope.ravel() < end))
        # a place's own pieces stay in their order: rounding may not turn them around
        rising = np.maximum.accumulate(slope, axis=1).ravel()[some]
        order = some[np.argsort(rising, kind="stable")]
        step = np.zeros((n, len(order) + 1))
        step[:, 0] = units[:, 0]
        step[member[order], np.arange(1, len(order) + 1)] = length.ravel()[order]
        share = np.cumsum(step, axis=1)
        goes = np.concatenate([[int(np.argmax(before))], member[order], [last]]).astype(np.int64)
        return cls(share.sum(axis=0), share, goes)

    def at(self, pool: Float[np.ndarray, "..."]) -> Float[np.ndarray, "member ..."]:
        """Give u_i(z) of some pools; what they do not add up to stays."""
        piece = np.searchsorted(self.breaks, pool, side="right")
        begin = np.maximum(piece - 1, 0)
        found = self.share[:, begin]
        rest, who = pool - self.breaks[begin], self.goes[piece]
        for member in range(len(found)):
            found[member] += np.where(who == member, rest, 0.0)
        return np.asarray(found)
