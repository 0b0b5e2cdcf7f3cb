"""Sample paths of whole numbers: a negative binomial with a moving mean that its own draws move on."""

from dataclasses import dataclass
from threading import Lock
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream
from stockcast.demand.innovations import Paths

FINE = 10.0  # nodes for each unit of √mean: two neighbours lie a fifth of a Poisson standard deviation apart
LARGEST = 100.0  # mean up to which the distribution function is tabulated
WIDEST = 30.0  # dispersion up to which it is
MOST = 4_096  # dispersions whose tables are kept
_BITS = 40  # of a probability: an integer, so that no place in the table rounds it differently
_TAIL = 2.0**-30  # probability beyond the table, which goes to its last count
_ROUND = 10.0  # shape from which the cube root of a gamma is as good as normal
_RARE = 1e-9


@final
class Tables:
    """Draws negative binomial counts of any mean by inversion; what was tabulated once is kept for the process.

    With mean m and dispersion δ the variance is m (1 + δ), and p(k + 1) / p(k) = (m + δ k) / ((k + 1) (1 + δ)); δ = 0
    is Poisson's distribution. The distribution function is tabulated at the means (j / 10)² that are asked for, up to
    100, and δ up to 30. A mean in between takes one of its two neighbours, with the probability that keeps the mean;
    that adds at most 1 % of m to the variance. Beyond the table a gamma distribution that is shifted to the same mean,
    variance and skewness stands in, rounded to whole numbers; its error is below 0.005 in probability from a mean of
    100 on (`tests/oracles/test_demand_counts.py`).
    """

    def __init__(self) -> None:
        self.nodes = int(FINE * np.sqrt(LARGEST)) + 2
        self.known: dict[float, int] = {}  # the place of each dispersion
        self.place = np.zeros(0, dtype=np.int64)  # of each dispersion and node, −1 before it is built
        self.start = np.zeros(0, dtype=np.int64)
        self.keys = np.zeros(0, dtype=np.int64)
        self.lock = Lock()

    def _of(self, dispersion: Float[np.ndarray, " series"]) -> Int[np.ndarray, " series"]:
        """Give the place of each dispersion; all are forgotten when there are too many."""
        values, at = np.unique(dispersion, return_inverse=True)
        if len(self.known) + len(values) > MOST:
            self.known, self.place = {}, self.place[:0]
            self.start, self.keys = self.start[:0], self.keys[:0]
        for value in values.tolist():
            self.known.setdefault(value, len(self.known))
        missing = len(self.known) * self.nodes - len(self.place)
        self.place = np.concatenate([self.place, np.full(missing, -1, dtype=np.int64)])
        return np.array([self.known[value] for value in values.tolist()], dtype=np.int64)[at]

    def draw(
        self,
        dispersion: Float[np.ndarray, " series"],
        mean: Float[np.ndarray, "series path"],
        share: Float[np.ndarray, "series path"],
        between: Float[np.ndarray, "series path"],
    ) -> Float[np.ndarray, "series path"]:
        """Give the count at each share of the probability; ``between`` chooses between neighbouring means."""
        large = (mean > LARGEST) | ((dispersion > WIDEST)[:, None] & (mean > 0.0))
        some = bool(large.any())
        node, inside = np.modf(np.sqrt(np.where(large, 0.0, mean) if some else mean) * FINE)[::-1]
        # (√m − j) (√m + j) / (2 j + 1) in tenths: how far m lies on the way to the next node's mean
        weight = inside * (2.0 * node + inside) / (2.0 * node + 1.0)
        node += between < weight
        at = node.astype(np.int64)
        with self.lock:
            at += (self._of(dispersion) * self.nodes)[:, None]
            self._build(at)
            place, start, keys = self.place, self.start, self.keys
        at = place.take(at)
        key = (share * 2.0**_BITS).astype(np.int64)
        key += at << _BITS
        found = np.searchsorted(keys, key.ravel(), side="right").reshape(key.shape)
        found -= start.take(at)
        count = found.astype(float)
        if some:
            row, path = np.nonzero(large)
            count[row, path] = shifted_gamma(mean[row, path], dispersion[row], share[row, path])
        return count

    def _build(self, asked: Int[np.ndarray, "series path"]) -> None:
        """Tabulate the distribution functions that are not there yet, after those that are."""
        missing = np.zeros(len(self.place), dtype=bool)
        missing[asked] = True
        missing &= self.place < 0
        new = np.flatnonzero(missing)
        if not len(new):
            return
        values = np.array(list(self.known), dtype=float)
        mean, dispersion = (new % self.nodes / FINE) ** 2, values[new // self.nodes]
        tilt = np.log1p(dispersion) / np.where(dispersion > 0, dispersion, 1.0)
        p = np.exp(-mean * np.where(dispersion > 0, tilt, 1.0))
        total, shrink, alive, k = p.copy(), 1.0 / (1.0 + dispersion), np.arange(len(new)), 0
        columns: list[tuple[np.ndarray, np.ndarray]] = []
        while len(alive):
            last = total >= 1.0 - _TAIL
            columns.append((alive, np.where(last, 1 << _BITS, (total * 2.0**_BITS).astype(np.int64))))
            if last.any():
                alive = alive[~last]
                mean, dispersion, shrink, p, total = (of[~last] for of in (mean, dispersion, shrink, p, total))
            p = p * (mean + dispersion * k) / (k + 1.0) * shrink
            total = total + p
            k += 1
        size = np.bincount(np.concatenate([alive for alive, _ in columns]), minlength=len(new))
        start = np.cumsum(size) - size
        keys = np.empty(int(size.sum()), dtype=np.int64)
        for at, (alive, value) in enumerate(columns):
            keys[start[alive] + at] = value + ((alive + len(self.start)) << _BITS)
        self.place = self.place.copy()  # another thread may be reading it
        self.place[new] = len(self.start) + np.arange(len(new))
        self.start = np.concatenate([self.start, start + len(self.keys)])
        self.keys = np.concatenate([self.keys, keys])


def shifted_gamma(
    mean: Float[np.ndarray, " draw"], dispersion: Float[np.ndarray, " draw"], share: Float[np.ndarray, " draw"]
) -> Float[np.ndarray, " draw"]:
    """Give whole numbers near the quantile of a gamma with a negative binomial's mean, variance and skewness.

    Its shape is a = 4 m (1 + δ) / (1 + 2 δ)², from 10 on by the cube root (Wilson & Hilferty 1931).
    """
    from scipy.special import gammaincinv, ndtri

    shape = 4.0 * mean * (1.0 + dispersion) / (1.0 + 2.0 * dispersion) ** 2
    gamma = np.empty_like(shape)
    nearly = shape >= _ROUND
    some = shape[nearly]
    gamma[nearly] = some * np.maximum(1.0 - 1.0 / (9.0 * some) + ndtri(share[nearly]) / (3.0 * np.sqrt(some)), 0.0) ** 3
    gamma[~nearly] = gammaincinv(shape[~nearly], share[~nearly])
    value = mean + np.sqrt(mean * (1.0 + dispersion)) * (gamma - shape) / np.sqrt(shape)
    return np.asarray(np.floor(np.maximum(value, 0.0) + 0.5))


_TABLES = Tables()  # no draw depends on what else was tabulated, or in which order


@final
@dataclass(frozen=True, slots=True)
class Counts:
    """A count model run forward, each drawn count moving the level that the next one is drawn from.

    With level l, its long-run mean l̄, season factor w, and drawn count n, for each future period::

        μ = l w[t mod m]            n ~ π · 0 + (1 − π) · NB(mean μ / (1 − π), variance / mean 1 + δ)
        y = unit · (floor + n)      l ← (1 − κ) l̄ + κ l + α (n − μ)

    (Snyder, Ord & Beaumont 2012, eq. for the damped level with φ = κ − α; κ = 1 is the undamped one.) The mean count
    is μ with and without zero inflation, so that the sum over any number of periods keeps its mean.

    Parameters
    ----------
    level, mean
        l after the last known period and l̄, in counts.
    persistence, alpha
        κ and α, 0 to 1.
    season
        Factors, the next period's first; a single column of ones without season.
    dispersion, inflation
        δ ≥ 0, 0 being Poisson's distribution; and π, 0 to below 1.
    floor
        Counts that always come: a demand that varies less than Poisson's.
    unit
        Sales of one count.
    cap
        The largest value of a single period, whole units; what is above is cut to it.
    """

    level: Float[np.ndarray, " series"]
    mean: Float[np.ndarray, " series"]
    persistence: Float[np.ndarray, " series"]
    alpha: Float[np.ndarray, " series"]
    season: Float[np.ndarray, "series season"]
    dispersion: Float[np.ndarray, " series"]
    inflation: Float[np.ndarray, " series"]
    floor: Float[np.ndarray, " series"]
    unit: Float[np.ndarray, " series"]
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
        """Run the level forward on every path."""
        m = self.season.shape[1]
        level = np.repeat(self.level[rows, None], n_paths, axis=1)
        kappa, alpha = self.persistence[rows, None], self.alpha[rows, None]
        back = (1.0 - kappa) * self.mean[rows, None]
        empty, unit, floor, cap = (array[rows, None] for array in (self.inflation, self.unit, self.floor, self.cap))
        inflated = bool((empty > 0).any())
        room = np.maximum(np.floor(cap / unit + 1e-9) - floor, 0.0)  # whole, though the unit be a hundredth
        draws = stream.uniform(keys, (2, horizon, n_paths))
        dispersion = self.dispersion[rows]
        out = np.empty((len(rows), horizon, n_paths))
        for t in range(horizon):
            mean = level * self.season[rows, t % m][:, None]
            share, some = draws[:, 0, t], mean
            if inflated:
                share, some = np.maximum(share - empty, 0.0) / (1.0 - empty), mean / (1.0 - empty)
            count = _TABLES.draw(dispersion, some, share, draws[:, 1, t])
            if inflated:
                count *= draws[:, 0, t] >= empty
            np.minimum(count, room, out=count)
            np.add(count, floor, out=out[:, t])
            out[:, t] *= unit
            np.minimum(out[:, t], cap, out=out[:, t])
            count -= mean
            count *= alpha
            level *= kappa
            level += back
            level += count
            np.maximum(level, 0.0, out=level)
        return out.transpose(0, 2, 1)

    def may_reach_cap(self) -> Bool[np.ndarray, " series"]:
        """Tell which series reach their cap in a period with more than a negligible probability.

        That is 1e-9, at three times the level or long-run mean and the highest factor.
        """
        from scipy.special import betainc, gammainc

        mean = 3.0 * np.maximum(self.level, self.mean) * self.season.max(axis=1) / (1.0 - self.inflation)
        count = np.maximum(np.ceil(self.cap / self.unit - self.floor), 0.0)
        wide = self.dispersion > 0
        delta = np.where(wide, self.dispersion, 1.0)
        size = np.maximum(mean, 1e-300)
        some = np.where(
            wide, betainc(np.maximum(count, 1.0), size / delta, delta / (1.0 + delta)),
            gammainc(np.maximum(count, 1.0), size),
        )  # fmt: skip
        return np.asarray((count < 1.0) | (some > _RARE))

    def take(self, rows: np.ndarray) -> "Counts":
        """Give the source of some rows."""
        return Counts(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})
