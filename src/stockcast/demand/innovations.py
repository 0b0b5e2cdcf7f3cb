"""A state-space model run forward with drawn errors: the paths of smoothing, naive and intermittent models alike."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream

Paths = Float[np.ndarray, "series path horizon"]
SETTLING = 28  # periods before the first over which the remainder carried forward settles
BLOCK = 32  # series whose states stay in the cache: 32 × 500 doubles are 128 KB
WEEK = 7
FLOOR = 0.01  # of its first value: below this a level does not divide an error


@final
class Pool:
    """The recorded errors of some series, drawn with equal probability by uniform numbers."""

    def __init__(self, errors: Float[np.ndarray, "series pool"], count: Int[np.ndarray, " series"]) -> None:
        self.flat = np.ascontiguousarray(errors, dtype=float).ravel()
        self.begin = (np.arange(len(errors)) * errors.shape[1])[:, None]
        self.count = count[:, None].astype(np.int64)
        # a share below 1 stays below the count
        self.scale = np.nextafter(count[:, None].astype(np.float32), np.float32(0.0))

    def at(
        self, share: Float[np.ndarray, "series path"], later: Int[np.ndarray, "series 1"] | None = None
    ) -> Float[np.ndarray, "series path"]:
        """Give the error ``later`` places after the one at each share of the way through its series' pool."""
        which = (share * self.scale).astype(np.int64)
        if later is not None:
            which += later
            which %= self.count
        which += self.begin
        drawn: np.ndarray = self.flat.take(which)
        return drawn


def blocks(
    shares: Float[np.ndarray, "series time path"], block: Int[np.ndarray, " series"], t: int
) -> tuple[Float[np.ndarray, "series path"], Int[np.ndarray, "series 1"] | None]:
    """Give the share at which the block of period t begins, and how far into it the period lies."""
    later = t % block
    if not later.any():
        return shares[:, t], None
    return shares[np.arange(len(shares)), t - later], later[:, None]


def settled_remainder(
    base: Float[np.ndarray, "series season"],
    errors: Float[np.ndarray, "series pool"],
    n_errors: Int[np.ndarray, " series"],
    block: Int[np.ndarray, " series"],
    occurrence: Float[np.ndarray, " series"],
    keys: UInt64[np.ndarray, " series"],
    stream: Stream,
    n_paths: int,
) -> Float[np.ndarray, "series path"]:
    """Give the negative remainder with which each path begins.

    What is carried out of the last period of a sum is missing from it: if every path began with nothing, the sum
    would be too large by the mean of that. So the paths begin with a remainder that has settled already, from
    ``SETTLING`` periods drawn before the first with ``base``, the expected values of the coming season, held fixed;
    then as much comes in as goes out.
    """
    owed = np.zeros((len(keys), n_paths))
    inside = np.arange(errors.shape[1]) < n_errors[:, None]
    lowest = np.where(inside, errors, np.inf).min(axis=1)
    short = np.flatnonzero(base.min(axis=1) + lowest < 0)
    if not len(short):
        return owed
    intermittent = bool((occurrence[short] != 1.0).any())
    draws = stream.child("before").uniform(keys[short], (1 + intermittent, SETTLING, n_paths), single=True)
    pool = Pool(errors[short], n_errors[short])
    mine, m = np.zeros((len(short), n_paths)), base.shape[1]
    for t in range(SETTLING):
        value = pool.at(*blocks(draws[:, 0], block[short], t))
        value += base[short, (t - SETTLING) % m][:, None]
        if intermittent:
            value *= draws[:, 1, t] < occurrence[short, None]
        mine += value
        np.minimum(mine, 0.0, out=mine)
    owed[short] = mine
    return owed


@final
@dataclass(frozen=True, slots=True)
class Innovations:
    """A state-space model run forward with drawn errors: smoothing, naive and intermittent models alike.

    With level l, trend b, season s, slow season u, occurrence probability p, and drawn error e, for each future
    period::

        o ~ Bernoulli(p)            μ = l + φ b + s[t mod m] + u[week]         y = o (μ + e)
        l ← l + φ b + o α e         b ← φ b + o β e
        s[t mod m] ← s[t mod m] + o γ e                                        u[week] ← u[week] + o ω e
        p ← p + δ (o − p)

    (Hyndman et al. 2008, ch. 2; Teunter, Syntetos & Babai 2011 for p.) With ``relative`` errors e is μ times the one
    drawn; with ``ratio`` the season multiplies, μ = (l + φ b) s, and e is divided by s where it moves l and b, and by
    the level where it moves s. A negative y is carried into the following periods rather than cut off, and the paths
    begin with such a remainder themselves, so that the *sum* over any number of periods keeps its mean.

    Parameters
    ----------
    level, trend, damping
        State after the last known period: l, b, φ (0 without trend).
    season
        One column a place of the season, the next period's first; a single zero column without season.
    slow, slow_day
        One column a week of the slow season, the next period's first, and how many of its days have gone by; a single
        zero column without one.
    alpha, beta, gamma, omega, delta
        Smoothing parameters; β acts on the trend.
    ratio, relative
        Whether the season multiplies; whether the recorded errors are shares of μ.
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
    slow: Float[np.ndarray, "series slow"]
    slow_day: Int[np.ndarray, " series"]
    alpha: Float[np.ndarray, " series"]
    beta: Float[np.ndarray, " series"]
    gamma: Float[np.ndarray, " series"]
    omega: Float[np.ndarray, " series"]
    delta: Float[np.ndarray, " series"]
    ratio: Bool[np.ndarray, " series"]
    relative: Bool[np.ndarray, " series"]
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
        out = np.empty((len(rows), horizon, n_paths))
        for begin in range(0, len(rows), BLOCK):
            some = slice(begin, begin + BLOCK)
            # a block computes the terms of all its forms for all its series: what overflows where it is not asked for
            # is thrown away, and where it is, the ladder finds a path that is not finite
            with np.errstate(over="ignore", invalid="ignore"):
                self.take(rows[some])._run(keys[some], stream, out[some])
        return out.transpose(0, 2, 1)

    def _run(
        self, keys: UInt64[np.ndarray, " series"], stream: Stream, out: Float[np.ndarray, "series horizon path"]
    ) -> None:
        """Fill the paths of all series of this source."""
        n, horizon, n_paths = out.shape
        level, trend, occurrence = (
            np.repeat(state[:, None], n_paths, axis=1) for state in (self.level, self.trend, self.occurrence)
        )
        # a term is left out where it changes nothing for any series; what is not finite always changes something
        m, moving = self.season.shape[1], bool((self.gamma != 0).any())
        season = np.repeat(self.season.T[:, :, None], n_paths if moving else 1, axis=2)
        weeks = (
            np.repeat(self.slow.T[:, :, None], n_paths, axis=2)
            if (self.slow != 0).any() or (self.omega != 0).any()
            else None
        )
        alpha, beta, gamma, damping = (x[:, None] for x in (self.alpha, self.beta, self.gamma, self.damping))
        delta, cap = self.delta[:, None], self.cap[:, None]
        trended = bool(((self.trend != 0) | (self.beta != 0) | ~np.isfinite(self.damping)).any())
        intermittent = bool(((self.occurrence != 1.0) | (self.delta != 0)).any())
        shaped = bool(self.ratio.any() or self.relative.any())
        floor = np.where(self.ratio, FLOOR * np.abs(self.level), 1.0)[:, None]
        draws = stream.uniform(keys, (1 + intermittent, horizon, n_paths), single=True)
        pool = Pool(self.errors, self.n_errors)
        owed = self._owed(keys, stream, n_paths)
        step = np.empty_like(level)
        for t in range(horizon):
            error = pool.at(*blocks(draws[:, 0], self.block, t))
            if trended:
                np.multiply(trend, damping, out=trend)
                level += trend
            place = season[t % m]
            value = np.where(self.ratio[:, None], level * place, level + place) if shaped else level + place
            if weeks is not None:
                week = (self.slow_day + t) // WEEK % len(weeks)
                value += weeks[week, np.arange(n)]
            if shaped:
                error = np.where(self.relative[:, None], error * np.maximum(value, 0.0), error)
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
            moved = np.where(self.ratio[:, None], error / np.maximum(place, FLOOR), error) if shaped else error
            if moving:
                by = np.where(self.ratio[:, None], error / np.maximum(level, floor), error) if shaped else error
                place += np.multiply(by, gamma, out=step)
            level += np.multiply(moved, alpha, out=step)
            if trended:
                trend += np.multiply(moved, beta, out=step)
            if weeks is not None:
                weeks[week, np.arange(n)] += np.multiply(error, self.omega[:, None], out=step)

    def _owed(
        self, keys: UInt64[np.ndarray, " series"], stream: Stream, n_paths: int
    ) -> Float[np.ndarray, "series path"]:
        """Give the negative remainder with which each path begins, from the state held fixed.

        Relative errors keep a positive μ positive, and begin with nothing.
        """
        base = (self.level + self.damping * self.trend + self.slow[:, 0])[:, None] + self.season
        base = np.where(self.relative[:, None], np.inf, base)
        return settled_remainder(
            base, self.errors, self.n_errors, self.block, self.occurrence, keys, stream, n_paths
        )  # fmt: skip

    def take(self, rows: np.ndarray) -> "Innovations":
        """Give the source of some rows."""
        return Innovations(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    def bound(self, horizon: int) -> Float[np.ndarray, " series"]:
        """Give a value that no period of a path can exceed, from the state and the largest error."""
        error = np.abs(self.errors).max(axis=1)
        # an error goes on through the trend for all of the horizon, or until it is damped away
        lasts = np.minimum(horizon, 1.0 / np.maximum(1.0 - np.abs(self.damping), 1e-9))
        lasts = np.where(np.abs(self.damping) < 1.0, lasts, horizon)
        gain = np.abs(self.alpha) + np.abs(self.gamma) + self.omega + lasts * np.abs(self.beta)
        steps = 1.0 + horizon * gain
        level = np.abs(self.level) + horizon * np.abs(self.trend)
        base = level + np.abs(self.season).max(axis=1) + np.abs(self.slow).max(axis=1)
        with np.errstate(over="ignore"):
            grown = base * (1.0 + error) * (1.0 + error * gain) ** horizon
        return np.where(self.ratio, np.inf, np.where(self.relative, grown, base + error * steps))
