"""Rare demand added up until it is no longer rare, smoothed, and shared out again, for all series × constants at once.

With buckets of k periods that end at the origin, and Y their demand, simple exponential smoothing gives::

    ADIDA (Nikolopoulos et al. 2011)            L ← L + α (Y − L)        rate L / k, k the mean interval of demand
    IMAPA (Petropoulos & Kourentzes 2015)       the same for every k from 1 to the mean interval; the mean of the rates

A bucket holds k periods *with evidence*: the others are left out before buckets are made, as Croston's method skips
them, so that a stockout neither empties a bucket nor shortens it. The oldest bucket is dropped where it is not full.
"""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis, Step
from stockcast.demand import SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.history import ceiling, latest, mean_of, pool_of, spell_of
from stockcast.models.states import innovations, sampled
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

CHUNK = 256
ALPHAS = (0.1, 0.02, 0.05, 0.2, 0.3, 0.5)  # the first one where errors are equal
HALF_LIFE: dict[Step, int] = {"day": 180, "week": 52}  # of the weight of a squared error, in periods
MEMORY = 6
LONGEST: dict[Step, int] = {"day": 56, "week": 13}  # periods of a bucket, however rare the demand
FEWEST = 4  # buckets that a history should fill
FIRST = 3  # buckets whose mean the smoothing begins with


def buckets(
    recent: Float[np.ndarray, "series latest"], count: Int[np.ndarray, " series"], length: Int[np.ndarray, " series"]
) -> tuple[Float[np.ndarray, "series bucket"], Bool[np.ndarray, "series bucket"]]:
    """Add the demand of ``length`` periods each up, back from the last of the ``count`` first columns.

    The buckets stand on the right, the oldest first; the columns before a series' oldest full one are masked.

    Examples
    --------
    >>> buckets(np.array([[9.0, 1.0, 0.0, 2.0, 3.0, 0.0]]), np.array([5]), np.array([2]))
    (array([[1., 5.]]), array([[ True,  True]]))
    """
    full = count // length
    back = np.arange(int(full.max(initial=1)), 0, -1)
    begin = count[:, None] - back * length[:, None]
    there = begin >= 0
    total = np.concatenate([np.zeros((len(recent), 1)), np.cumsum(recent, axis=1)], axis=1)
    ends = np.take_along_axis(total, np.where(there, begin + length[:, None], 0), axis=1)
    return np.where(there, ends - np.take_along_axis(total, np.where(there, begin, 0), axis=1), 0.0), there


def smoothed(
    demand: Float[np.ndarray, "series bucket"],
    there: Bool[np.ndarray, "series bucket"],
    alpha: Float[np.ndarray, "candidate series"],
    decay: Float[np.ndarray, " series"],
) -> tuple[Float[np.ndarray, "candidate series"], Float[np.ndarray, "candidate series"]]:
    """Smooth every series with every constant; the level that is left, and the weighted squared one-step errors.

    The level begins with the mean of the first three buckets.
    """
    seen = np.cumsum(there, axis=1)
    early = there & (seen <= FIRST)
    level = np.repeat(mean_of(np.where(early, demand, 0.0), early.sum(axis=1))[None, :], len(alpha), axis=0)
    loss, error = np.zeros_like(level), np.empty_like(level)
    for y, w in zip(np.ascontiguousarray(demand.T), np.ascontiguousarray(there.T).astype(float), strict=True):
        np.subtract(y, level, out=error)
        error *= w
        loss *= decay
        loss += error * error
        error *= alpha
        level += error
    return level, loss


def interval(
    count: Int[np.ndarray, " series"], demands: Int[np.ndarray, " series"], step: Step
) -> Int[np.ndarray, " series"]:
    """Give the mean interval between demands in whole periods: at most 56 days or 13 weeks, and four to the history.

    Examples
    --------
    >>> interval(np.array([300, 300, 12, 90]), np.array([300, 120, 2, 0]), "day").tolist()
    [1, 2, 3, 22]
    """
    mean = np.rint(count / np.maximum(demands, 1)).astype(np.int64)
    return np.clip(np.minimum(mean, count // FEWEST), 1, LONGEST[step])


@final
@dataclass(frozen=True, slots=True)
class _Recent:
    """The evidence that is remembered, divided by a power of two near its mean (which changes no digit)."""

    values: Float[np.ndarray, "series latest"]
    count: Int[np.ndarray, " series"]
    demands: Int[np.ndarray, " series"]
    scale: Float[np.ndarray, " series"]


def _recent(values: np.ndarray, used: np.ndarray, step: Step) -> _Recent:
    recent, count = latest(values, used, MEMORY * HALF_LIFE[step])
    mean = mean_of(recent, count)
    scale = np.ldexp(1.0, np.frexp(np.where(mean > 0, mean, 1.0))[1])
    return _Recent(recent / scale[:, None], count, (recent > 0).sum(axis=1), scale)


def _fit(panel: Panel, several: bool) -> "FittedAggregated":
    """Choose for every bucket length of every series the constant with the smallest weighted squared error."""
    told, step = evidence(panel), panel.time.step
    longest = np.ones(len(panel.series), dtype=np.int64)
    alpha = np.zeros((LONGEST[step], len(panel.series)))
    for rows in panel.chunks(CHUNK):
        recent = _recent(told.values[rows], told.used[rows], step)
        longest[rows] = interval(recent.count, recent.demands, step)
        for at, some, length in _lengths(longest[rows], several):
            candidates = np.repeat(np.array(ALPHAS)[:, None], len(some), axis=1)
            decay = 0.5 ** (length / HALF_LIFE[step])
            _, loss = smoothed(*buckets(recent.values[some], recent.count[some], length), candidates, decay)
            alpha[at, rows[some]] = np.array(ALPHAS)[loss.argmin(axis=0)]
    return FittedAggregated(several, panel.series, longest, alpha)


def _lengths(longest: np.ndarray, several: bool) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Give what is to be smoothed: the place of the constant, the rows, and their bucket lengths."""
    if not several:
        return [(0, np.arange(len(longest)), longest)]
    each = range(1, int(longest.max(initial=1)) + 1)
    rows = [np.flatnonzero(longest >= length) for length in each]
    return [(length - 1, some, np.full(len(some), length)) for length, some in zip(each, rows, strict=True)]


def _two_demands(panel: Panel) -> Bool[np.ndarray, " series"]:
    told = evidence(panel)
    return np.asarray((told.used & (told.values > 0)).sum(axis=1) >= 2)


@final
@dataclass(frozen=True, slots=True)
class ADIDA(Forecaster):
    """Demand in buckets of its mean interval, smoothed; the constant is chosen for each series."""

    name: ClassVar[str] = "adida"

    def fit(self, panel: Panel, *, seed: int) -> "FittedAggregated":
        """Choose the bucket and α."""
        return _fit(panel, several=False)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for two demands."""
        return _two_demands(panel)


@final
@dataclass(frozen=True, slots=True)
class IMAPA(Forecaster):
    """Demand in buckets of every length up to its mean interval, each smoothed; the mean of their rates."""

    name: ClassVar[str] = "imapa"

    def fit(self, panel: Panel, *, seed: int) -> "FittedAggregated":
        """Choose the longest bucket, and α for each length."""
        return _fit(panel, several=True)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for two demands."""
        return _two_demands(panel)


@final
@dataclass(frozen=True, slots=True)
class FittedAggregated(FittedForecaster):
    """Holds the longest bucket of each series, and α of each length (of the one length: in the first row)."""

    several: bool
    series: SeriesAxis
    longest: Int[np.ndarray, " series"]
    alpha: Float[np.ndarray, "length series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, longest=self.longest, alpha=self.alpha)

    def rate(self, panel: Panel) -> Float[np.ndarray, " series"]:
        """Give the demand of a period: the level of a bucket shared out evenly, the mean over the bucket lengths."""
        told, step = evidence(panel), panel.time.step
        rate = np.zeros(len(panel.series))
        for rows in panel.chunks(CHUNK):
            recent = _recent(told.values[rows], told.used[rows], step)
            total = np.zeros(len(rows))
            for at, some, length in _lengths(self.longest[rows], self.several):
                level, _ = smoothed(
                    *buckets(recent.values[some], recent.count[some], length),
                    self.alpha[at : at + 1, rows[some]], np.ones(len(some)),
                )  # fmt: skip
                total[some] += level[0] / length
            rate[rows] = total * recent.scale / (self.longest[rows] if self.several else 1)
        return rate

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Run the smoothing over the panel; sizes are drawn from recent demands, as often as gives the rate.

        With z the mean of the recent demands, a period has demand with probability rate / z; where the rate is above
        z, every period has, and the sizes are moved up to it.
        """
        self.series.require(panel.series, "fitted model and panel")
        told, rate = evidence(panel), self.rate(panel)
        some = told.used & (told.values > 0)
        sizes, count = pool_of(told.values, some, centred=False)
        size = mean_of(sizes, count)
        occurrence = np.minimum(np.divide(rate, size, out=np.zeros_like(rate), where=size > 0), 1.0)
        errors, _ = pool_of(told.values, some)
        source = innovations(
            len(rate), level=np.maximum(rate, size), occurrence=occurrence, errors=errors, n_errors=count,
            block=spell_of(count), cap=ceiling(told.values, told.used),
        )  # fmt: skip
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)
