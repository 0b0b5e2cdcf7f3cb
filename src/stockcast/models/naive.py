"""The models that every other one has to beat: the last season again, and the mean of the latest periods."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.axes import SeriesAxis, Step
from stockcast.demand import SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.history import ceiling, latest, mean_of, pool_of, season_length, spell_of
from stockcast.models.states import innovations, sampled
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

WINDOWS: dict[Step, tuple[int, ...]] = {"day": (28, 56, 14), "week": (8, 13, 4)}
YEARS = 2  # of weeks, before last year's week is taken for this year's


def repeated(
    values: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], season: int
) -> tuple[Float[np.ndarray, "series season"], Float[np.ndarray, "series time"], Bool[np.ndarray, "series time"]]:
    """Forecast every period by the last used value at its place in the season.

    Returns
    -------
    next, errors, judged
        The forecast of the coming season, its next period first; the one-step errors; and where there is one.
    """
    n, time = values.shape
    rounds = -(-time // season)
    front = rounds * season - time  # pad on the left, so that the last period closes a season
    value = np.pad(np.where(used, values, 0.0), ((0, 0), (front, 0))).reshape(n, rounds, season)
    known = np.pad(used, ((0, 0), (front, 0))).reshape(n, rounds, season)
    at = np.maximum.accumulate(np.where(known, np.arange(rounds)[None, :, None], -1), axis=1)
    carried = np.take_along_axis(value, np.maximum(at, 0), axis=1)
    before = np.concatenate([np.zeros((n, 1, season)), carried[:, :-1]], axis=1)
    had = np.concatenate([np.zeros((n, 1, season), dtype=bool), at[:, :-1] >= 0], axis=1)
    judged = (known & had).reshape(n, -1)[:, front:]
    errors = np.where(judged, (value - before).reshape(n, -1)[:, front:], 0.0)
    seen = at[:, -1] >= 0
    last, _ = latest(values, used, 1)
    return np.where(seen, carried[:, -1], last), errors, judged


@final
@dataclass(frozen=True, slots=True)
class SeasonalNaive(Forecaster):
    """The last value at the same place of the season: 7 days, 52 weeks from two years on, else the last value."""

    name: ClassVar[str] = "seasonal_naive"

    def fit(self, panel: Panel, *, seed: int) -> "FittedSeasonalNaive":
        """Learn nothing: the forecast is read off the panel."""
        return FittedSeasonalNaive(panel.series)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for a whole season of evidence: a week of days, or one week."""
        enough: np.ndarray = evidence(panel).used.sum(axis=1) >= (7 if panel.time.step == "day" else 1)
        return enough


@final
@dataclass(frozen=True, slots=True)
class FittedSeasonalNaive(FittedForecaster):
    """Repeats the last season, with the errors that this made before."""

    series: SeriesAxis

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Forecast by the last season."""
        self.series.require(panel.series, "fitted model and panel")
        told = evidence(panel)
        n = len(panel.series)
        length = season_length(panel.time.step, panel.time.n, YEARS)
        season, errors, judged = _by_length(told.values, told.used, panel, length)
        pool, count = pool_of(errors, judged)
        source = innovations(n, season=season, errors=pool, n_errors=count, cap=ceiling(told.values, told.used))
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)


def _by_length(
    values: np.ndarray, used: np.ndarray, panel: Panel, season: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Repeat the year only where a series has two of them; the last value elsewhere."""
    told = repeated(values, used, season)
    if season != 52:
        return told
    short = panel.time.n - panel.first < 52 * YEARS
    plain = repeated(values, used, 1)
    return (
        np.where(short[:, None], plain[0], told[0]),
        np.where(short[:, None], plain[1], told[1]),
        np.where(short[:, None], plain[2], told[2]),
    )


@final
@dataclass(frozen=True, slots=True)
class MovingAverage(Forecaster):
    """The mean of the latest periods; how many is chosen for each series by its one-step errors of the last year."""

    name: ClassVar[str] = "moving_average"

    def fit(self, panel: Panel, *, seed: int) -> "FittedMovingAverage":
        """Choose the window of each series, the first of ``WINDOWS`` where the errors are equal."""
        told = evidence(panel)
        recent, count = latest(told.values, told.used, 364 if panel.time.step == "day" else 104)
        windows = WINDOWS[panel.time.step]
        loss = np.stack([_squared_error(recent, count, window, max(windows)) for window in windows])
        return FittedMovingAverage(panel.series, np.array(windows)[loss.argmin(axis=0)])

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for one period of evidence."""
        return np.asarray(evidence(panel).used.any(axis=1))


def _squared_error(
    recent: Float[np.ndarray, "series latest"], count: Int[np.ndarray, " series"], window: int, skip: int
) -> Float[np.ndarray, " series"]:
    """Add the squared one-step errors up, over the periods before which every window was full."""
    if recent.shape[1] <= skip:
        return np.zeros(len(recent))
    total = np.concatenate([np.zeros((len(recent), 1)), np.cumsum(recent, axis=1)], axis=1)
    at = np.arange(skip, recent.shape[1])
    error = recent[:, at] - (total[:, at] - total[:, at - window]) / window
    scale = np.maximum(recent.max(axis=1, keepdims=True), 1.0)
    return np.cumsum(np.where(at < count[:, None], (error / scale) ** 2, 0.0), axis=1)[:, -1]


@final
@dataclass(frozen=True, slots=True)
class FittedMovingAverage(FittedForecaster):
    """Holds the window of each series."""

    series: SeriesAxis
    window: Int[np.ndarray, " series"]

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Forecast by the mean of the latest used periods, with the deviations of recent ones from their mean."""
        self.series.require(panel.series, "fitted model and panel")
        told = evidence(panel)
        widest = max(WINDOWS[panel.time.step])
        recent, count = latest(told.values, told.used, widest)
        inside = np.arange(recent.shape[1]) >= (count - self.window)[:, None]
        level = mean_of(np.where(inside, recent, 0.0), np.minimum(count, self.window))
        pool, size = pool_of(told.values, told.used)
        source = innovations(
            len(level), level=level, errors=pool, n_errors=size, block=spell_of(size),
            cap=ceiling(told.values, told.used),
        )  # fmt: skip
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)
