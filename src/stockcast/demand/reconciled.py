"""Paths brought in line with those of the groups that the series belong to: another source, moved path by path."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int, UInt64

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream
from stockcast.demand.innovations import Paths
from stockcast.demand.sources import PathSource


@final
@dataclass(frozen=True, slots=True)
class Reconciled:
    """Paths that are moved by what their groups lack: minimum-trace reconciliation in its constraint form.

    For series i, path p and future period h::

        y'[i, p, h] = y[i, p, h] + scale[i, h] Σ_k weight[i, k] λ[member[i, k], p, h]

    With base forecasts ŷ, error covariance W, and C ŷ what the groups' forecasts exceed the sums of their members by,
    the reconciled forecasts are ŷ − W C' (C W C')⁻¹ C ŷ (Wickramasuriya, Athanasopoulos & Hyndman 2019; the constraint
    form is that of Di Fonzo & Girolimetto 2023); λ = (C W C')⁻¹ C ŷ has an entry for each node. Where W is diagonal
    only the nodes above a series move it, so ``weight`` has a column a level; where it is not, a column a node.

    A negative y' is carried into the following periods rather than cut off, round the end of the horizon, so that the
    sum over the horizon keeps its value.

    Parameters
    ----------
    inner
        Where the paths come from before.
    member
        The node whose λ each column brings, −1 for none.
    weight, scale
        How far λ moves the series.
    shift
        λ in units, of the paths that the groups were compared on. They are taken in turn: a forecast drawn with that
        number of paths is coherent path by path, with any other number in the mean.
    cap
        The largest value of a single period; what is above is cut to it.
    """

    inner: PathSource
    member: Int[np.ndarray, "series column"]
    weight: Float[np.ndarray, "series column"]
    scale: Float[np.ndarray, "series horizon"]
    shift: Float[np.ndarray, "node path horizon"]
    cap: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, member=self.member, weight=self.weight, scale=self.scale, shift=self.shift, cap=self.cap)

    def draw(
        self,
        rows: Int[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        n_paths: int,
        horizon: int,
    ) -> Paths:
        """Draw the inner paths, move each, and settle what falls below zero."""
        paths = self.inner.draw(rows, keys, stream, n_paths, horizon)
        return not_negative(paths + self.moved(rows, n_paths, horizon), self.cap[rows])

    def moved(self, rows: Int[np.ndarray, " series"], n_paths: int, horizon: int) -> Paths:
        """Give by how much each path is moved, before anything is cut."""
        out = np.zeros((len(rows), n_paths, horizon))
        step = np.empty((n_paths, horizon))
        which = np.arange(n_paths) % max(1, self.shift.shape[1])
        whole = n_paths == self.shift.shape[1]
        # row by row: what is added to stays in the cache, and no bit depends on the other rows
        for at, row in enumerate(rows.tolist()):
            for column in np.flatnonzero((self.member[row] >= 0) & (self.weight[row] != 0)).tolist():
                shift = self.shift[self.member[row, column], :, :horizon]
                np.multiply(shift if whole else shift[which], self.weight[row, column], out=step)
                out[at] += step
        out *= self.scale[rows, None, :horizon]
        return out

    def reach(self, inner: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """Give a value that no period of a path can exceed, from what those of ``inner`` can't."""
        high = np.append(np.abs(self.shift).max(axis=(1, 2), initial=0.0), 0.0)
        by = (np.abs(self.weight) * high[self.member]).sum(axis=1) * np.abs(self.scale).max(axis=1, initial=0.0)
        return np.minimum(inner + by, self.cap)

    def take(self, rows: np.ndarray) -> "Reconciled":
        """Give the source of some rows; they keep the nodes that they belong to, and no others."""
        member, shift = _used(self.member[rows], self.shift)
        return Reconciled(self.inner.take(rows), member, self.weight[rows], self.scale[rows], shift, self.cap[rows])


@final
@dataclass(frozen=True, slots=True)
class Scaled:
    """Paths that are multiplied by what their group asks for: top-down by forecast proportions.

    For series i, path p and future period h ``y'[i, p, h] = y[i, p, h] · factor[member[i], p, h]``, the factor being
    what the group is to sell over the sum of its members' paths (Athanasopoulos, Ahmed & Hyndman 2009).

    Parameters
    ----------
    member
        The node whose factor each series takes, −1 for none.
    factor
        Of the paths that the groups were compared on, taken in turn as in :class:`Reconciled`.
    cap
        The largest value of a single period; what is above is cut to it.
    """

    inner: PathSource
    member: Int[np.ndarray, " series"]
    factor: Float[np.ndarray, "node path horizon"]
    cap: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, member=self.member, factor=self.factor, cap=self.cap)

    def draw(
        self,
        rows: Int[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        n_paths: int,
        horizon: int,
    ) -> Paths:
        """Draw the inner paths and multiply each."""
        paths = self.inner.draw(rows, keys, stream, n_paths, horizon)
        which = np.arange(n_paths) % max(1, self.factor.shape[1])
        mine = np.flatnonzero(self.member[rows] >= 0)
        if len(mine):
            paths[mine] *= self.factor[self.member[rows[mine]]][:, which, :horizon]
        return np.minimum(paths, self.cap[rows, None, None])

    def reach(self, inner: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """Give a value that no period of a path can exceed, from what those of ``inner`` can't."""
        high = np.append(self.factor.max(axis=(1, 2), initial=0.0), 1.0)
        return np.minimum(inner * high[self.member], self.cap)

    def take(self, rows: np.ndarray) -> "Scaled":
        """Give the source of some rows; they keep the nodes that they belong to, and no others."""
        member, factor = _used(self.member[rows], self.factor)
        return Scaled(self.inner.take(rows), member, factor, self.cap[rows])


def _used(member: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    nodes = np.unique(member[member >= 0])
    return np.where(member >= 0, np.searchsorted(nodes, member), -1), of[nodes]


def not_negative(
    values: Float[np.ndarray, "series path horizon"], cap: Float[np.ndarray, " series"]
) -> Float[np.ndarray, "series path horizon"]:
    """Make paths non-negative: what falls below zero is owed by the periods after it, round the end of the horizon.

    The remainder that is left at the end is what the path begins with. So the sum over the horizon stays what it was
    (or is 0, where it was negative), and that over its first periods keeps its mean, as long as the path is stationary.

    Examples
    --------
    >>> not_negative(np.array([[[3.0, -1.0, 2.0, -1.0]]]), np.array([9.0])).tolist()
    [[[2.0, 0.0, 1.0, 0.0]]]
    """
    below = np.flatnonzero((values < 0).any(axis=(1, 2)))
    if len(below):
        some = values[below]
        owed = np.zeros(some.shape[:2])
        for t in range(some.shape[2]):
            owed = np.minimum(owed + some[:, :, t], 0.0)
        for t in range(some.shape[2]):
            value = some[:, :, t] + owed
            np.minimum(value, 0.0, out=owed)
            np.maximum(value, 0.0, out=some[:, :, t])
        values = values.copy()
        values[below] = some
    return np.minimum(values, cap[:, None, None])
