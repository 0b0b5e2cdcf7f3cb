"""Where sample paths come from: small arrays from which the joint paths are drawn again, chunk by chunk."""

from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

import numpy as np
from jaxtyping import Float, Int, UInt64

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream

Paths = Float[np.ndarray, "series path horizon"]
SETTLING = 28  # periods before the first over which the remainder carried forward settles


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
class _Pool:
    """The recorded errors of some series, drawn with equal probability by uniform numbers."""

    def __init__(self, errors: Float[np.ndarray, "series pool"], count: Int[np.ndarray, " series"]) -> None:
        self.flat = np.ascontiguousarray(errors, dtype=float).ravel()
        self.begin = (np.arange(len(errors)) * errors.shape[1])[:, None]
        self.count = count[:, None].astype(float)

    def at(
        self, share: Float[np.ndarray, "series path"], later: Int[np.ndarray, "series 1"] | None = None
    ) -> Float[np.ndarray, "series path"]:
        """Give the error ``later`` places after the one at each share of the way through its series' pool."""
        which = (share * self.count).astype(np.int64)
        np.minimum(which, self.count.astype(np.int64) - 1, out=which)
        if later is not None:
            which += later
            which %= self.count.astype(np.int64)
        which += self.begin
        drawn: np.ndarray = self.flat.take(which)
        return drawn


def _blocks(
    shares: Float[np.ndarray, "series time path"], block: Int[np.ndarray, " series"], t: int
) -> tuple[Float[np.ndarray, "series path"], Int[np.ndarray, "series 1"] | None]:
    """Give the share at which the block of period t begins, and how far into it the period lies."""
    later = t % block
    if not later.any():
        return shares[:, t], None
    return shares[np.arange(len(shares)), t - later], later[:, None]


@final
@dataclass(frozen=True, slots=True)
class Innovations:
    """A state-space model run forward with drawn errors: smoothing, naive and intermittent models alike.

    With level l, trend b, season s, occurrence probability p, and drawn error e, for each future period::

        o ~ Bernoulli(p)            μ = l + φ b + s[t mod m]         y = o (μ + e)
        l ← l + φ b + o α e         b ← φ b + o β e                  s[t mod m] ← s[t mod m] + o γ e
        p ← p + δ (o − p)

    (Hyndman et al. 2008, ch. 2, with the additive-error form; Teunter, Syntetos & Babai 2011 for p.) A negative y is
    carried into the following periods rather than cut off, and the paths begin with such a remainder themselves, so
    that the *sum* over any number of periods keeps its mean.

    Parameters
    ----------
    level, trend, damping
        State after the last known period: l, b, φ (0 without trend).
    season
        One column a season, the next period's first; a single zero column without season.
    alpha, beta, gamma, delta
        Smoothing parameters; β acts on the trend.
    occurrence
        p; 1 for a model that is not intermittent.
    errors
        A pool of recorded errors e, drawn with equal probability from each series' first ``n_errors`` columns, which
        are in the order of time.
    block
        How many errors are taken one after the other from each place drawn, round the end of the pool (the circular
        block bootstrap, Politis & Romano 1992): single periods stay as they are, and a sum is as wide as spells of
        high and low demand make it. 1 for errors that follow no other.
    cap
        The largest value of a single period; what is above is cut to it.
    """

    level: Float[np.ndarray, " series"]
    trend: Float[np.ndarray, " series"]
    damping: Float[np.ndarray, " series"]
    season: Float[np.ndarray, "series season"]
    alpha: Float[np.ndarray, " series"]
    beta: Float[np.ndarray, " series"]
    gamma: Float[np.ndarray, " series"]
    delta: Float[np.ndarray, " series"]
    occurrence: Float[np.ndarray, " series"]
    errors: Float[np.ndarray, "series pool"]
    n_errors: Int[np.ndarray, " series"]
    block: Int[np.ndarray, " series"]
    cap: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    def draw(
        self,
        rows: Int[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        n_paths: int,
        horizon: int,
    ) -> Paths:
        """Run the recursion forward on every path."""
        n, m = len(rows), self.season.shape[1]
        level, trend, occurrence = (
            np.repeat(state[rows, None], n_paths, axis=1) for state in (self.level, self.trend, self.occurrence)
        )
        season = np.repeat(self.season[rows, :, None], n_paths, axis=2)
        alpha, beta = self.alpha[rows, None], self.beta[rows, None]
        gamma, delta, damping = self.gamma[rows, None], self.delta[rows, None], self.damping[rows, None]
        cap, block = self.cap[rows, None], self.block[rows]
        intermittent = bool((self.occurrence[rows] < 1.0).any() or (self.delta[rows] > 0).any())
        draws = stream.uniform(keys, (1 + intermittent, horizon, n_paths))
        pool = _Pool(self.errors[rows], self.n_errors[rows])
        owed = self._owed(rows, keys, stream, n_paths)
        out = np.empty((n, horizon, n_paths))
        for t in range(horizon):
            error = pool.at(*_blocks(draws[:, 0], block, t))
            np.multiply(trend, damping, out=trend)
            np.add(level, trend, out=level)
            value = level + season[:, t % m]
            value += error
            if intermittent:
                happens = (draws[:, 1, t] < occurrence).astype(float)
                value *= happens
                error *= happens
                occurrence += delta * (happens - occurrence)
            value += owed
            np.minimum(value, 0.0, out=owed)
            np.maximum(value, 0.0, out=value)
            np.minimum(value, cap, out=out[:, t])
            level += alpha * error
            trend += beta * error
            season[:, t % m] += gamma * error
        return out.transpose(0, 2, 1)

    def _owed(
        self, rows: Int[np.ndarray, " series"], keys: UInt64[np.ndarray, " series"], stream: Stream, n_paths: int
    ) -> Float[np.ndarray, "series path"]:
        """Give the negative remainder with which each path begins.

        What is carried out of the last period of a sum is missing from it: if every path began with nothing, the sum
        would be too large by the mean of that. So the paths begin with a remainder that has settled already, from
        ``SETTLING`` periods drawn before the first with the state held fixed; then as much comes in as goes out.
        """
        owed = np.zeros((len(rows), n_paths))
        base = (self.level + self.damping * self.trend)[rows, None] + self.season[rows]
        inside = np.arange(self.errors.shape[1]) < self.n_errors[rows, None]
        lowest = np.where(inside, self.errors[rows], np.inf).min(axis=1)
        short = np.flatnonzero(base.min(axis=1) + lowest < 0)
        if not len(short):
            return owed
        draws = stream.child("before").uniform(keys[short], (2, SETTLING, n_paths))
        pool = _Pool(self.errors[rows[short]], self.n_errors[rows[short]])
        occurrence = self.occurrence[rows[short], None]
        mine, m = np.zeros((len(short), n_paths)), base.shape[1]
        for t in range(SETTLING):
            value = pool.at(*_blocks(draws[:, 0], self.block[rows[short]], t))
            value += base[short, (t - SETTLING) % m][:, None]
            value *= draws[:, 1, t] < occurrence
            mine += value
            np.minimum(mine, 0.0, out=mine)
        owed[short] = mine
        return owed

    def take(self, rows: np.ndarray) -> "Innovations":
        """Give the source of some rows."""
        return Innovations(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


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
        scores = ndtri(np.minimum(stream.uniform(keys, (horizon + 1, n_paths)) + 2.0**-54, 1.0 - 2.0**-53))
        rho = self.correlation[rows, None, None]
        share = ndtr(np.sqrt(rho) * scores[:, :1] + np.sqrt(1.0 - rho) * scores[:, 1:])
        at = np.clip(np.searchsorted(self.levels, share) - 1, 0, len(self.levels) - 2)
        weight = np.clip((share - self.levels[at]) / (self.levels[at + 1] - self.levels[at]), 0.0, 1.0)
        values = self.values[rows][:, :horizon]
        low = np.take_along_axis(values, at.transpose(0, 1, 2), axis=2)
        high = np.take_along_axis(values, at + 1, axis=2)
        return np.asarray((low + weight * (high - low)).transpose(0, 2, 1).copy())

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
