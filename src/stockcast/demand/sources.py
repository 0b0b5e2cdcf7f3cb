"""Where sample paths come from: small arrays from which the joint paths are drawn again, chunk by chunk."""

from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

import numpy as np
from jaxtyping import Float, Int, UInt64

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream
from stockcast.demand.innovations import Paths


@runtime_checkable
class PathSource(Protocol):
    """Draws joint paths of given series; its fields are plain arrays, so that it can be written to a file."""

    def draw(self, rows: np.ndarray, keys: np.ndarray, stream: Stream, n_paths: int, horizon: int) -> np.ndarray:
        """Draw paths (series, path, horizon) of some rows; ``keys`` are those rows' keys."""
        ...

    def take(self, rows: np.ndarray) -> "PathSource":
        """Give the source of some rows."""
        ...


@final
@dataclass(frozen=True, slots=True)
class Marginals:
    """Quantiles of each period joined by a stated dependence: a Gaussian copula with one shared factor.

    ``z[h] = √ρ · shared + √(1−ρ) · own[h]``, mapped to the quantiles by linear interpolation between the levels; the
    tails beyond the outermost levels are flat at them.

    Parameters
    ----------
    levels
        Ascending probabilities of the quantiles.
    values
        Quantiles, not decreasing along the levels.
    correlation
        ρ of each series, the correlation of the normal scores of any two periods.
    """

    levels: Float[np.ndarray, " level"]
    values: Float[np.ndarray, "series horizon level"]
    correlation: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, levels=self.levels, values=self.values, correlation=self.correlation)

    def draw(
        self,
        rows: Int[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        n_paths: int,
        horizon: int,
    ) -> Paths:
        """Draw normal scores and read the quantiles off at their probabilities."""
        from scipy.special import ndtr, ndtri

        # half a step above each uniform number: neither 0 nor 1, whose scores are infinite
        scores = stream.uniform(keys, (horizon + 1, n_paths))
        scores += 2.0**-54
        np.minimum(scores, 1.0 - 2.0**-53, out=scores)
        ndtri(scores, out=scores)
        rho = self.correlation[rows, None, None]
        share = scores[:, 1:]
        share *= np.sqrt(1.0 - rho)
        share += np.sqrt(rho) * scores[:, :1]
        ndtr(share, out=share)
        for some, values in zip(share, self.values[rows], strict=True):
            for one, known in zip(some, values, strict=False):
                one[:] = np.interp(one, self.levels, known)
        return np.asarray(share.transpose(0, 2, 1).copy())

    def take(self, rows: np.ndarray) -> "Marginals":
        """Give the source of some rows."""
        return Marginals(self.levels, self.values[rows], self.correlation[rows])


@final
@dataclass(frozen=True, slots=True)
class RecordedPaths:
    """Joint paths that were given as they are (a user's own forecast); as many are drawn as asked for, in turn."""

    values: Paths

    def __post_init__(self) -> None:
        """Freeze the array."""
        freeze(self, values=self.values)

    def draw(
        self,
        rows: Int[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        n_paths: int,
        horizon: int,
    ) -> Paths:
        """Give the recorded paths in their order, from the first again when they run out."""
        return np.asarray(self.values[rows][:, np.arange(n_paths) % self.values.shape[1], :horizon].copy())

    def take(self, rows: np.ndarray) -> "RecordedPaths":
        """Give the source of some rows."""
        return RecordedPaths(self.values[rows])


@final
@dataclass(frozen=True, slots=True)
class Stacked:
    """Several sources, each the owner of some rows: what a choice of model per segment gives.

    Parameters
    ----------
    members
        The sources; each has rows for the series it owns only, in ascending order of the stack's rows.
    owner
        Which member owns each row.
    """

    members: tuple[PathSource, ...]
    owner: Int[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the array."""
        freeze(self, owner=self.owner)

    def _place(self) -> np.ndarray:
        place = np.zeros(len(self.owner), dtype=np.int64)
        for member in range(len(self.members)):
            mine = self.owner == member
            place[mine] = np.arange(int(mine.sum()))
        return place

    def draw(
        self,
        rows: Int[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        n_paths: int,
        horizon: int,
    ) -> Paths:
        """Draw each row from its owner."""
        out = np.empty((len(rows), n_paths, horizon))
        place = self._place()
        for member, source in enumerate(self.members):
            mine = np.flatnonzero(self.owner[rows] == member)
            if len(mine):
                out[mine] = source.draw(place[rows[mine]], keys[mine], stream, n_paths, horizon)
        return out

    def take(self, rows: np.ndarray) -> "Stacked":
        """Give the source of some rows."""
        place = self._place()
        owner = self.owner[rows]
        members = tuple(source.take(place[rows[owner == member]]) for member, source in enumerate(self.members))
        return Stacked(members, owner)
