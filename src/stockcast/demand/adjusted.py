"""What calibration and whole units do to the paths of a model: the last step before they are used."""

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from stockcast.core.arrays import freeze, read_only
from stockcast.core.random import Stream
from stockcast.demand.innovations import Paths
from stockcast.demand.sources import PathSource

BLOCK = 32  # series whose paths stay in the cache
STEPS = 1024  # quantiles that w is drawn from


@final
@dataclass(frozen=True, slots=True)
class Adjusted:
    """Paths made wider by two kinds of doubt, then counted in whole units where sales are.

    With g one lognormal factor of mean 1 for a whole path (the level may be another than was thought: it widens the
    sum as much as the single periods) and w one of its own for each period (it widens these and hardly the sum)::

        y' = min(y g w, cap)          in whole units: n₁ + … + n_h = ⌊y'₁ + … + y'_h + v⌋ − ⌊v⌋, v uniform on [0, 1)

    so that sums of whole units stay within one of the sum of the path, and means stay as they are.

    Parameters
    ----------
    inner
        The model's paths.
    shared, single
        Coefficients of variation of g and w; 0 leaves the paths as they are.
    whole
        Series that are sold in whole units.
    cap
        The largest value of a single period.
    """

    inner: PathSource
    shared: Float[np.ndarray, " series"]
    single: Float[np.ndarray, " series"]
    whole: Bool[np.ndarray, " series"]
    cap: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, shared=self.shared, single=self.single, whole=self.whole, cap=self.cap)

    @property
    def most(self) -> Float[np.ndarray, " series"]:
        """Give a factor that bounds g w: their scores are below 4.5 (of 10⁵ paths) and 3.5 (of ``STEPS``)."""
        return most_of(self.shared) * most_of(self.single, 3.5)

    def draw(
        self,
        rows: Int[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        n_paths: int,
        horizon: int,
    ) -> Paths:
        """Draw the model's paths, and adjust them."""
        out = np.empty((len(rows), horizon, n_paths)).transpose(
            0, 2, 1
        )  # as sources draw: the paths of a period together
        for begin in range(0, len(rows), BLOCK):
            some = slice(begin, begin + BLOCK)
            paths = out[some]
            paths[:] = self.inner.draw(rows[some], keys[some], stream, n_paths, horizon)
            widened(paths, self.shared[rows[some]], self.single[rows[some]], self.cap[rows[some]], keys[some], stream)
            in_whole_units(paths, self.whole[rows[some]], keys[some], stream)
        return out

    def take(self, rows: np.ndarray) -> "Adjusted":
        """Give the source of some rows."""
        return Adjusted(
            self.inner.take(rows), self.shared[rows], self.single[rows], self.whole[rows], self.cap[rows]
        )  # fmt: skip


def most_of(variation: Float[np.ndarray, " series"], score: float = 4.5) -> Float[np.ndarray, " series"]:
    """Give a bound of lognormal factors of mean 1, from one of their normal scores."""
    return np.asarray(np.exp(score * np.sqrt(np.log1p(np.square(variation)))))


def widened(
    paths: Paths,
    shared: Float[np.ndarray, " series"],
    single: Float[np.ndarray, " series"],
    cap: Float[np.ndarray, " series"],
    keys: UInt64[np.ndarray, " series"],
    stream: Stream,
) -> None:
    """Multiply paths by their factors, in place, period by period."""
    rows = np.flatnonzero((shared > 0) | (single > 0))
    if not len(rows):
        return
    some = paths if len(rows) == len(paths) else paths[rows]
    g = factors(shared[rows], keys[rows], stream, paths.shape[1])
    doubts = _Doubts(single[rows], keys[rows], stream, paths.shape[1:])
    for t in range(paths.shape[2]):
        period = some[:, :, t]
        period *= g
        doubts.multiply(period, t)
        np.minimum(period, cap[rows, None], out=period)
    if some is not paths:
        paths[rows] = some


@final
class _Doubts:
    """w of every period: drawn from ``STEPS`` evenly spaced quantiles of each series' lognormal, whose mean is 1."""

    def __init__(
        self,
        width: Float[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        shape: tuple[int, int],
    ) -> None:
        self.rows = np.flatnonzero(width > 0)
        self.all = len(self.rows) == len(width)
        self.shares = stream.child("single").uniform(keys[self.rows], (shape[1], shape[0]), single=True)
        table = _lognormal(_even(STEPS)[None, :], width[self.rows, None])
        self.flat = (table / table.mean(axis=1, keepdims=True)).ravel()
        self.begin = (np.arange(len(self.rows)) * STEPS)[:, None]

    def multiply(self, period: Float[np.ndarray, "series path"], t: int) -> None:
        """Multiply the paths of a period, in place."""
        if not len(self.rows):
            return
        w = self.flat.take((self.shares[:, t] * STEPS).astype(np.int64) + self.begin)
        if self.all:
            period *= w
        else:
            period[self.rows] *= w


def factors(
    shared: Float[np.ndarray, " series"], keys: UInt64[np.ndarray, " series"], stream: Stream, n_paths: int
) -> Float[np.ndarray, "series path"]:
    """Give g of every path: the same evenly spaced quantiles for each series, in an order of its own; their mean is 1.

    Examples
    --------
    >>> g = factors(np.array([0.3]), np.array([5], dtype=np.uint64), Stream(7, "paths"), 500)[0]
    >>> bool(abs(g.mean() - 1) < 1e-12), round(float(g.std()), 2)
    (True, 0.3)
    """
    order = np.argsort(stream.child("shared").uniform(keys, (n_paths,)), axis=1, kind="stable")
    quantiles = _lognormal(_even(n_paths)[None, :], shared[:, None])
    quantiles /= quantiles.mean(axis=1, keepdims=True)
    return np.asarray(np.take_along_axis(quantiles, order, axis=1))


@cache
def _even(n: int) -> Float[np.ndarray, " n"]:
    """Give n evenly spaced quantiles of the standard normal distribution (by the standard library: scipy stays out)."""
    normal = NormalDist()
    return read_only(np.array([normal.inv_cdf((at + 0.5) / n) for at in range(n)]))


def _lognormal(score: np.ndarray, variation: np.ndarray | float) -> np.ndarray:
    """Give a lognormal variable of mean 1 and a coefficient of variation."""
    square = np.log1p(np.square(variation))
    return np.asarray(np.exp(np.sqrt(square) * score - square / 2.0))


def in_whole_units(
    paths: Paths, whole: Bool[np.ndarray, " series"], keys: UInt64[np.ndarray, " series"], stream: Stream
) -> None:
    """Round paths in place so that every sum from the first period on stays within one unit (systematic rounding)."""
    rows = np.flatnonzero(whole)
    if not len(rows):
        return
    some = paths if len(rows) == len(paths) else paths[rows]
    running = stream.child("whole").uniform(keys[rows], (paths.shape[1],))
    before = np.zeros_like(running)
    for t in range(paths.shape[2]):
        running += some[:, :, t]
        now = np.floor(running)
        np.subtract(now, before, out=some[:, :, t])
        before = now
    if some is not paths:
        paths[rows] = some
