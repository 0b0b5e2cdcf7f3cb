"""Additive exponential smoothing as statsmodels fits it, one series at a time: the reference for the batched one.

The equations are those of :mod:`stockcast.models.smoothing` (Hyndman et al. 2008, ch. 2), but the parameters come from
L-BFGS-B on the likelihood of statsmodels' ``ETSModel``, with all periods weighing alike and its own initial state. The
weekly season is taken where it makes the criterion of a plain regression smaller; weeks have none here. That
model knows no missing periods: each is filled in with its one-step forecast, so that its error is 0 as it is there.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import SeriesAxis
from stockcast.demand import SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.classical.answers import level_of, pooled
from stockcast.models.classical.regressors import choose
from stockcast.models.classical.window import (
    BURN,
    SEASON,
    NotConverged,
    Window,
    anchored,
    criterion,
    fittable,
    gaussian,
    one_by_one,
    window,
)  # fmt: skip
from stockcast.models.history import ceiling
from stockcast.models.states import innovations, sampled
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

ROUNDS = 2  # of filling in and fitting again, where periods are missing
FACTOR = 1e9  # times the machine's precision: a search ends where the likelihood gains less, relatively


@final
@dataclass(frozen=True, slots=True)
class Form:
    """Parameters of one series and the state before its first period; γ = 0 says no season, φ = 0 no trend.

    The state is in units of ``scale`` and stands before period ``begin``: where the smoothing runs over a history that
    has grown since the fit, it begins there again.
    """

    alpha: float
    beta: float
    gamma: float
    phi: float
    level: float
    trend: float
    season: Float[np.ndarray, " season"]
    begin: int = 0
    scale: float = 1.0


@final
@dataclass(frozen=True, slots=True)
class ReferenceSmoothing(Forecaster):
    """Additive exponential smoothing by statsmodels; trend and season are chosen for each series."""

    name: ClassVar[str] = "ets_statsmodels"

    def fit(self, panel: Panel, *, seed: int) -> "FittedReferenceSmoothing":
        """Fit every form, series by series; a series that fails is marked with the reason."""
        history, able, step = evidence(panel), self.can_fit(panel), panel.time.step

        def work(row: int) -> Form:
            if not able[row]:
                raise ValueError("too short a history")
            one = window(history, row, step)
            if one.flat:
                return Form(0.0, 0.0, 0.0, 0.0, level_of(one), 0.0, np.zeros(1), one.begin, one.scale)
            seasonal = choose(panel, row, one, np.zeros(2, dtype=bool)).season
            return replace(_fit(one, SEASON[step] if seasonal else 1), begin=one.begin, scale=one.scale)

        forms, reason = one_by_one(len(able), work)
        return FittedReferenceSmoothing(panel.series, tuple(forms), reason)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for four weeks of days or half a year of weeks, with four demands or none that differs."""
        return fittable(evidence(panel), panel.time.step)


def _fit(one: Window, season: int) -> Form:
    """Choose between no trend and a damped one; a season of 1 is none. Only the better is fitted again with holes."""
    used = one.used
    best: tuple[float, bool, Form] | None = None
    for trended in (False, True):
        try:
            form = estimate(np.where(used, one.values, _usual(one, season)), season, trended=trended)
        except NotConverged:
            continue
        errors = run(one, form)[3][BURN:][used[BURN:]]
        value = criterion(gaussian(errors), 3 + 2 * trended + (1 + season) * (season > 1), len(errors))
        if best is None or value < best[0]:
            best = value, trended, form
    if best is None:
        raise NotConverged("neither form")
    _, trended, form = best
    for _ in range(0 if used.all() else ROUNDS):
        form = estimate(run(one, form)[4], season, trended=trended)
    return form


def _usual(one: Window, season: int) -> Float[np.ndarray, " time"]:
    """Give the mean of each place of the season, that of all where a place was never seen."""
    used = one.used
    out = np.full(len(one.values), float(one.values[used].mean()))
    for place in range(season):
        here = used[place::season]
        if here.any():
            out[place::season] = one.values[place::season][here].mean()
    return out


def estimate(values: Float[np.ndarray, " time"], season: int, *, trended: bool) -> Form:
    """Fit one form to values without holes; a season of 1 is none.

    Raises
    ------
    NotConverged
        If statsmodels says that its search did not end.
    """
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    seasonal = season > 1
    model: Any = ETSModel(
        values, error="add", trend="add" if trended else None, damped_trend=trended,
        seasonal="add" if seasonal else None, seasonal_periods=season if seasonal else None,
        initialization_method="heuristic",
    )  # fmt: skip
    found = model.fit(disp=False, factr=FACTOR)
    if not found.mle_retvals["converged"] or not np.isfinite(found.llf):
        raise NotConverged("ETSModel")
    told = dict(zip(model.param_names, np.asarray(found.params).tolist(), strict=True))
    return Form(
        told["smoothing_level"], told.get("smoothing_trend", 0.0), told.get("smoothing_seasonal", 0.0),
        told.get("damping_trend", 0.0), float(model.initial_level), float(model.initial_trend) if trended else 0.0,
        np.asarray(model.initial_seasonal, dtype=float) if seasonal else np.zeros(1),
    )  # fmt: skip


def run(
    one: Window, form: Form
) -> tuple[
    float, float, Float[np.ndarray, " season"], Float[np.ndarray, " time"], Float[np.ndarray, " time"]
]:  # fmt: skip
    """Run the smoothing over a window, with an error of 0 where a period tells nothing.

    Returns
    -------
    level, trend, season, errors, filled
        The state after the last period, the season with the next period's place first; the one-step errors; and the
        values, with the one-step forecast where a period tells nothing.
    """
    level, trend, season = form.level, form.trend, form.season.tolist()
    errors, filled, m = np.zeros(len(one.values)), one.values.copy(), len(season)
    for t, (value, counts) in enumerate(zip(one.values.tolist(), one.used.tolist(), strict=True)):
        trend *= form.phi
        level += trend
        if counts:
            error = value - level - season[t % m]
            level += form.alpha * error
            trend += form.beta * error
            season[t % m] += form.gamma * error
            errors[t] = error
        else:
            filled[t] = level + season[t % m]
    return level, trend, np.roll(np.array(season), -(len(errors) % m)), errors, filled


@final
@dataclass(frozen=True, slots=True)
class FittedReferenceSmoothing(FittedForecaster):
    """Holds the form of each series, None where there is none; ``reason`` says why, '' where it could be fitted."""

    series: SeriesAxis
    forms: tuple[Form | None, ...]
    reason: np.ndarray

    def trouble(self) -> np.ndarray:
        """Give the reason of each series."""
        return self.reason

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Run the smoothing over each history, and hand its last state and its recent errors over."""
        self.series.require(panel.series, "fitted model and panel")
        history, n, step = evidence(panel), len(panel.series), panel.time.step
        windows = [
            window(history, row, step) if form is None else anchored(history, row, form.begin, form.scale)
            for row, form in enumerate(self.forms)
        ]
        state = {name: np.zeros(n) for name in ("level", "trend", "damping", "alpha", "beta", "gamma")}
        season = np.zeros((n, SEASON[step]))
        errors: list[np.ndarray | None] = []
        for row, (one, form) in enumerate(zip(windows, self.forms, strict=True)):
            if form is None:
                state["level"][row] = np.nan
                errors.append(None)
                continue
            level, trend, places, mine, _ = run(one, form)
            errors.append(None if one.flat else mine)
            state["level"][row], state["trend"][row] = level * one.scale, trend * one.scale
            season[row] = places * one.scale  # one place stands for all
            for name, value in (
                ("damping", form.phi),
                ("alpha", form.alpha),
                ("beta", form.beta),
                ("gamma", form.gamma),
            ):
                state[name][row] = value
        pool, count = pooled(panel, windows, errors)
        source = innovations(
            n, **state, season=season, errors=pool, n_errors=count, cap=ceiling(history.values, history.used)
        )  # fmt: skip
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)
