"""The paths of several models made one: their quantiles averaged, in the order over time of the heaviest."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int, UInt64

from stockcast.core.arrays import freeze
from stockcast.core.errors import AlignmentError, DataError
from stockcast.core.random import Stream
from stockcast.demand.innovations import Paths
from stockcast.demand.sources import PathSource

BLOCK = 32  # series whose paths stay in the cache


@final
@dataclass(frozen=True, slots=True)
class Blend:
    """Several sources averaged by quantiles (Vincent 1912; Lichtendahl, Grushka-Cockayne & Winkler 2013).

    With ``y_m(r)`` the r-th smallest of the values that member m draws for a period, the blend draws the values
    ``Σ_m weight[m] · y_m(r)``: unlike a mixture, it is no wider than its members are on average. Each is put where the
    value of the same rank stands among the paths of the heaviest member (a Schaake shuffle: Clark et al. 2004), so that
    periods hang together as they do there. Equal values of that member, zeros mostly, stand in the order of the second
    heaviest's: in the order of the paths the same ones would be the larger in every period.

    A series with all weight on one member has exactly its paths, and no other member is drawn for it.

    Parameters
    ----------
    members
        The sources; each has rows for the series that have weight on it only, in ascending order of the blend's rows.
    weights
        ≥ 0, 1 in sum for each series.

    Raises
    ------
    AlignmentError
        If there is not a column of weights for each member.
    DataError
        If weights are negative, or don't sum to 1.
    """

    members: tuple[PathSource, ...]
    weights: Float[np.ndarray, "series member"]

    def __post_init__(self) -> None:
        """Check the weights and freeze them."""
        if self.weights.shape[1] != len(self.members):
            raise AlignmentError(f"{len(self.members)} members have weights of shape {self.weights.shape}")
        fine = (self.weights >= 0).all() and (np.abs(self.weights.sum(axis=1) - 1.0) < 1e-9).all()
        if not fine:
            raise DataError("the weights of a blend must be ≥ 0, with a sum of 1 for each series")
        freeze(self, weights=self.weights)

    def _place(self) -> Int[np.ndarray, "series member"]:
        return np.asarray(np.cumsum(self.weights > 0, axis=0) - 1)

    def draw(
        self,
        rows: Int[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        n_paths: int,
        horizon: int,
    ) -> Paths:
        """Draw the members' paths, average them rank by rank, and put them in order."""
        out = np.empty((len(rows), horizon, n_paths)).transpose(0, 2, 1)  # as sources draw: a period's paths together
        place = self._place()
        for begin in range(0, len(rows), BLOCK):
            some = slice(begin, begin + BLOCK)
            self._fill(out[some], rows[some], place[rows[some]], keys[some], stream)
        return out

    def _fill(self, out: Paths, rows: np.ndarray, place: np.ndarray, keys: np.ndarray, stream: Stream) -> None:
        """Draw a few rows, in place."""
        weights = self.weights[rows]
        order = np.argsort(-weights, axis=1, kind="stable")  # of equal ones the first is the heaviest
        several = (weights > 0).sum(axis=1) > 1
        mean, first, second = np.zeros_like(out), np.empty_like(out), np.empty_like(out)
        for at, member in enumerate(self.members):
            mine = np.flatnonzero(weights[:, at] > 0)
            if not len(mine):
                continue
            paths = member.draw(place[mine, at], keys[mine], stream, *out.shape[1:])
            alone = ~several[mine]
            out[mine[alone]] = paths[alone]
            mine, paths = mine[~alone], paths[~alone]
            heaviest, next_to = order[mine, 0] == at, order[mine, 1:2] == at
            first[mine[heaviest]] = paths[heaviest]
            second[mine[next_to.any(axis=1)]] = paths[next_to.any(axis=1)]
            mean[mine] += weights[mine, at, None, None] * np.sort(paths, axis=1)
        mixed = np.flatnonzero(several)
        if len(mixed):
            rank = np.lexsort((second[mixed], first[mixed]), axis=1)
            into = np.empty((len(mixed), *out.shape[1:]))
            np.put_along_axis(into, rank, mean[mixed], axis=1)
            out[mixed] = into

    def take(self, rows: np.ndarray) -> "Blend":
        """Give the source of some rows."""
        place, weights = self._place(), self.weights[rows]
        members = tuple(
            member.take(place[rows[weights[:, at] > 0], at]) for at, member in enumerate(self.members)
        )  # fmt: skip
        return Blend(members, weights)
