"""The models that every other one has to beat: the last season again, and the mean of the latest periods."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.axes import SeriesAxis, Step
from stockcast.core.parallel import each_slice
from stockcast.demand import SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.history import POOL, ceiling, latest, mean_of, pool_of, season_length, spell_of
from stockcast.models.states import ROWS, gathered, sampled, used_periods
from stockcast.models.uncensor import Evidence, evidence
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
    errors, judged = np.empty((n, time)), np.empty((n, time), dtype=bool)
    errors[:, :season], judged[:, :season] = 0.0, False
    coming, told = np.zeros((n, season)), np.zeros((n, season), dtype=bool)
    if time > season:
        np.subtract(values[:, season:], values[:, :-season], out=errors[:, season:])
        np.logical_and(used[:, season:], used[:, :-season], out=judged[:, season:])
    near = min(season, time)
    coming[:, season - near :], told[:, season - near :] = values[:, time - near :], used[:, time - near :]
    if used.all() and near == season:
        return coming, errors, judged
    first = np.where(used.any(axis=1), used.argmax(axis=1), time)
    row, period = np.divmod(np.flatnonzero(used & ~judged), max(time, 1))  # looked for further back
    value, found = _earlier(values, used, first, row, period - 2 * season, season)
    judged[row[found], period[found]] = True
    errors[row[found], period[found]] = values[row[found], period[found]] - value[found]
    errors[~judged] = 0.0
    row, place = np.divmod(np.flatnonzero(~told), season)
    value, found = _earlier(values, used, first, row, time + place - 2 * season, season)
    if not found.all():
        last = latest(values, used, 1)[0][:, 0]
        value = np.where(found, value, last[row])
    coming[row, place] = value
    return coming, errors, judged


def _earlier(
    values: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    first: Int[np.ndarray, " series"],
    row: Int[np.ndarray, " sought"],
    period: Int[np.ndarray, " sought"],
    season: int,
) -> tuple[Float[np.ndarray, " sought"], Bool[np.ndarray, " sought"]]:
    """Go back from some periods, a season at a time, to the first used one; and say where there is any."""
    value, found = np.zeros(len(row)), np.zeros(len(row), dtype=bool)
    left = np.flatnonzero(period >= first[row])
    row, period = row[left], period[left]
    while len(left):
        hit = used[row, period]
        value[left[hit]] = values[row[hit], period[hit]]
        found[left[hit]] = True
        period = period - season
        on = ~hit & (period >= first[row])
        left, row, period = left[on], row[on], period[on]
    return value, found


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
        return used_periods(panel) >= (7 if panel.time.step == "day" else 1)


@final
@dataclass(frozen=True, slots=True)
class FittedSeasonalNaive(FittedForecaster):
    """Repeats the last season, with the errors that this made before."""

    series: SeriesAxis

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Forecast by the last season."""
        self.series.require(panel.series, "fitted model and panel")
        length = season_length(panel.time.step, panel.time.n, YEARS)
        begin = 1 if length == 52 else length  # no error is known before

        def read(told: Evidence, some: slice) -> dict[str, np.ndarray]:
            season, errors, judged = _by_length(told, panel.observed[some], length)
            pool, count = pool_of(errors[:, begin:], judged[:, begin:])
            return {"season": season, "errors": pool, "n_errors": count, "cap": ceiling(told.values, told.used)}

        source = gathered(panel, read, pool=max(1, min(POOL, panel.time.n - begin)))
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)


def _by_length(told: Evidence, observed: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Repeat the year only where a series has two of them; the last value elsewhere."""
    found = repeated(told.values, told.used, season)
    if season != 52:
        return found
    short = np.flatnonzero(~observed[:, : observed.shape[1] - 52 * YEARS + 1].any(axis=1))
    for whole, part in zip(found, repeated(told.values[short], told.used[short], 1), strict=True):
        whole[short] = part
    return found


@final
@dataclass(frozen=True, slots=True)
class MovingAverage(Forecaster):
    """The mean of the latest periods; how many is chosen for each series by its one-step errors of the last year."""

    name: ClassVar[str] = "moving_average"

    def fit(self, panel: Panel, *, seed: int) -> "FittedMovingAverage":
        """Choose the window of each series, the first of ``WINDOWS`` where the errors are equal."""
        windows = WINDOWS[panel.time.step]
        chosen = np.zeros(len(panel.series), dtype=np.int64)

        def choose(some: slice) -> None:
            told = evidence(panel, some)
            recent, count = latest(told.values, told.used, 364 if panel.time.step == "day" else 104)
            loss = np.stack([_squared_error(recent, count, window, max(windows)) for window in windows])
            chosen[some] = np.array(windows)[loss.argmin(axis=0)]

        each_slice(choose, len(chosen), ROWS)
        return FittedMovingAverage(panel.series, chosen)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for one period of evidence."""
        return used_periods(panel) >= 1


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
        widest = max(WINDOWS[panel.time.step])

        def read(told: Evidence, some: slice) -> dict[str, np.ndarray]:
            recent, count = latest(told.values, told.used, widest)
            window = self.window[some]
            inside = np.arange(recent.shape[1]) >= (count - window)[:, None]
            level = mean_of(np.where(inside, recent, 0.0), np.minimum(count, window))
            pool, size = pool_of(told.values, told.used)
            cap = ceiling(told.values, told.used)
            return {"level": level, "errors": pool, "n_errors": size, "block": spell_of(size), "cap": cap}

        source = gathered(panel, read, pool=max(1, min(POOL, panel.time.n)))
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)
