"""Whole-number demand with a moving mean: the negative binomial model, for all series × candidates at once.

Snyder, Ord & Beaumont (2012): the count n of a period is negative binomial with mean μ and variance μ (1 + δ), and::

    μ = l w[weekday]            l ← (1 − κ) l̄ + κ l + α (n − μ)

which for w = 1 is their damped μ ← (1 − φ − α) μ̄ + φ μ + α n with φ = κ − α; κ = 1 is the undamped case. Where a
period tells nothing of demand, n − μ is 0. Poisson's distribution is the limit δ = 0; with zero inflation π a period
is empty with that probability before anything is drawn, and the rest has the mean μ / (1 − π).

The parameters make the likelihood greatest, each period weighted with a half-life of 180 days or 52 weeks. Whether
the level is damped, has a weekday pattern, and whether δ and π are there, is the choice with the smallest corrected
Akaike criterion on the same weights (Hurvich & Tsai 1989).
"""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis, Step
from stockcast.demand import Counts, SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.count_search import Search
from stockcast.models.history import ceiling
from stockcast.models.likelihood import recursion
from stockcast.models.states import sampled
from stockcast.models.tally import floor_of, tally, unit_of, weekdays, whole
from stockcast.models.uncensor import ENOUGH, evidence
from stockcast.panel import Panel

CHUNK = 512  # series whose likelihoods are computed at once; fixed, though no byte depends on it
HALF_LIFE: dict[Step, int] = {"day": 180, "week": 52}  # of the weight of a period's likelihood
MEMORY = 4  # half-lives that are read: what lies before weighs 6 %
FIRST: dict[Step, int] = {"day": 28, "week": 8}  # periods from which the first level is read


@final
@dataclass(frozen=True, slots=True)
class NegativeBinomial(Forecaster):
    """Counts of a negative binomial around a level that follows them; the form is chosen for each series."""

    name: ClassVar[str] = "negative_binomial"
    counts_only: ClassVar[bool] = True

    def fit(self, panel: Panel, *, seed: int) -> "FittedCounts":
        """Search the parameters of every form, chunk by chunk."""
        told, step, n = evidence(panel), panel.time.step, len(panel.series)
        decay, begin = 0.5 ** (1.0 / HALF_LIFE[step]), max(0, panel.time.n - MEMORY * HALF_LIFE[step])
        fitted = {name: np.zeros(n) for name in ("unit", "floor", "mean", "alpha", "kappa", "dispersion", "inflation")}
        factors = np.ones((n, 7 if step == "day" else 1))
        for rows in panel.chunks(CHUNK):
            values, used = told.values[rows, begin:], told.used[rows, begin:]
            unit = unit_of(panel.sales[rows, begin:], used, told.censored[rows])
            floor = floor_of(np.where(used, np.rint(values / unit[:, None]), 0.0), used)
            history = tally(values, used, unit, floor, decay, FIRST[step])
            season, free = np.ones((len(rows), 1)), np.zeros(len(rows))
            if step == "day":
                season, free = weekdays(history, decay)
            alpha, kappa, seasonal, dispersion, inflation = Search(history, season, free, decay).find()
            found = (unit, floor, history.mean, alpha, kappa, dispersion, inflation)
            for name, values in zip(fitted, found, strict=True):
                fitted[name][rows] = values
            pattern = np.where(seasonal[:, None] > 0, season, 1.0)
            factors[rows] = np.roll(pattern, _weekday(panel, begin), axis=1)
        return FittedCounts(panel.series, **fitted, season=factors)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for two demands, two weeks of days or eight weeks of evidence, and for sales in whole units.

        Whole, too, is what is counted in tenths, hundredths or thousandths (``tally.whole``).
        """
        told = evidence(panel)
        enough = told.used.sum(axis=1) >= ENOUGH[panel.time.step]
        some = (told.used & (told.values > 0)).sum(axis=1) >= 2
        return np.asarray(enough & some & whole(panel.sales, told.used))


def _weekday(panel: Panel, period: int) -> int:
    """Give the column of a period's factor, which is 0 for weeks."""
    first = int(panel.time.start.astype("datetime64[D]").astype(np.int64))
    return (first + period) % 7 if panel.time.step == "day" else 0


@final
@dataclass(frozen=True, slots=True)
class FittedCounts(FittedForecaster):
    """Holds the parameters of each series; κ = 1 says undamped, factors of 1 no pattern."""

    series: SeriesAxis
    unit: Float[np.ndarray, " series"]
    floor: Float[np.ndarray, " series"]
    mean: Float[np.ndarray, " series"]
    alpha: Float[np.ndarray, " series"]
    kappa: Float[np.ndarray, " series"]
    dispersion: Float[np.ndarray, " series"]
    inflation: Float[np.ndarray, " series"]
    season: Float[np.ndarray, "series season"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__ if name != "series"})

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Run the level over the panel, and hand it over with the fitted distribution."""
        self.series.require(panel.series, "fitted model and panel")
        told, step = evidence(panel), panel.time.step
        decay, begin = 0.5 ** (1.0 / HALF_LIFE[step]), max(0, panel.time.n - MEMORY * HALF_LIFE[step])
        level = np.zeros(len(panel.series))
        for rows in panel.chunks(CHUNK):
            values, used = told.values[rows, begin:], told.used[rows, begin:]
            history = tally(values, used, self.unit[rows], self.floor[rows], decay, FIRST[step])
            nothing = np.zeros(len(rows))
            parameters = np.stack([self.alpha[rows], self.kappa[rows], nothing + 1.0, nothing, nothing])[:, :, None]
            season = np.roll(self.season[rows], -_weekday(panel, begin), axis=1)
            level[rows] = recursion(
                history.counts, history.used, history.start, self.mean[rows], season, parameters, judged="not"
            ).level[:, 0]
        cap = ceiling(told.values, told.used)
        source = Counts(
            level=level, mean=self.mean, persistence=self.kappa, alpha=self.alpha,
            season=np.roll(self.season, -_weekday(panel, panel.time.n), axis=1),
            dispersion=self.dispersion, inflation=self.inflation, floor=self.floor, unit=self.unit,
            cap=np.floor(cap / self.unit) * self.unit,
        )  # fmt: skip
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)
