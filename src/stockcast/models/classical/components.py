"""Level, damped trend and season as unobserved components that wander, one series at a time.

The structural model of Harvey (1989, 2.3), with independent normal disturbances ε, η, ζ, ω::

    y[t] = μ[t] + s[t] + ε[t]          s[t+1] = −s[t] − … − s[t−5] + ω[t]     (days of a week)
    μ[t+1] = μ[t] + ν[t] + η[t]        ν[t+1] = φ ν[t] + ζ[t]                 (φ = 0.95, or no ν)

Weeks have a season of two waves of a year from three years on, instead of s. What is estimated are the variances of η,
ζ and ω relative to that of ε, which follows from the errors. With and without trend are compared by the corrected
Akaike criterion; the season is taken where it makes that of a plain regression smaller.

In the steady state the gain K of the Kalman filter is fixed, and an error e of one period goes on as
ψ[j] = Z T^(j−1) K into the j-th after it (Durbin & Koopman 2012, 4.3).
"""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import SeriesAxis, Step
from stockcast.demand import SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.classical.answers import Linear, flat, responses
from stockcast.models.classical.regressors import HARMONICS, YEAR, choose
from stockcast.models.classical.window import (
    BURN,
    NotConverged,
    Window,
    criterion,
    fittable,
    likeliest,
    one_by_one,
    window,
)  # fmt: skip
from stockcast.models.states import sampled
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

DAMPING = 0.95  # of the trend; not estimated, for sales hardly tell it apart from the level
START = {"level": 0.02, "trend": 1e-4, "season": 1e-4}  # variances relative to that of ε
BOUNDS = (np.log(1e-8), np.log(10.0))  # of their logarithms
STEADY = 500  # steps after which the gain is taken as it is


@final
@dataclass(frozen=True, slots=True)
class Components(Forecaster):
    """Local level, or damped local trend, with or without a season; chosen for each series."""

    name: ClassVar[str] = "unobserved_components"

    def fit(self, panel: Panel, *, seed: int) -> "FittedComponents":
        """Choose the components, series by series; a series that fails is marked with the reason."""
        history, able = evidence(panel), self.can_fit(panel)

        def work(row: int) -> tuple[bool, Float[np.ndarray, "3"]]:
            if not able[row]:
                raise ValueError("too short a history")
            one = window(history, row, panel.time.step)
            if one.flat:
                return False, np.zeros(3)
            season = choose(panel, row, one, np.zeros(2, dtype=bool)).season
            return season, _fit(one, season, panel.time.step)

        answers, reason = one_by_one(len(able), work)
        season, variances = np.zeros(len(able), dtype=bool), np.full((len(able), 3), np.nan)
        for row, one in enumerate(answers):
            if one is not None:
                season[row], variances[row] = one
        return FittedComponents(panel.series, season, variances, reason)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for four weeks of days or half a year of weeks, with four demands or none that differs."""
        return fittable(evidence(panel), panel.time.step)


def _model(one: Window, step: Step, *, trended: bool, season: bool) -> Any:
    """Make the state-space model, with the variance of ε for unit."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    terms: dict[str, Any] = {}
    if season:
        waves = [{"period": YEAR, "harmonics": HARMONICS}]
        terms = {"seasonal": 7} if step == "day" else {"freq_seasonal": waves}
    kind = "local linear trend" if trended else "local level"
    model = UnobservedComponents(one.values, level=kind, loglikelihood_burn=BURN, **terms)
    model.ssm.filter_concentrated = True
    if trended:
        model["transition", 1, 1] = DAMPING
    return model


def _fit(one: Window, season: bool, step: Step) -> Float[np.ndarray, "3"]:
    """Give the relative variances of level, trend and season; 0 for what the model has not."""
    judged = int(one.used[BURN:].sum())
    waves = 6 if step == "day" else 2 * HARMONICS
    best: tuple[float, np.ndarray] | None = None
    for trended in (False, True):
        model = _model(one, step, trended=trended, season=season)
        has = np.array([True, trended, season])

        def loglike(at: np.ndarray, model: Any = model) -> float:
            model.update(np.concatenate([[1.0], np.exp(at)]))
            return float(model.ssm.loglike())

        try:
            at, value = likeliest(loglike, np.log(np.array(list(START.values())))[has], BOUNDS, judged)
        except NotConverged:
            continue
        # the variances with that of ε, and the initial states
        value = criterion(value, 2 + 2 * trended + (1 + waves) * season + 1, judged)
        if best is None or value < best[0]:
            variances = np.zeros(3)
            variances[has] = np.exp(at)
            best = value, variances
    if best is None:
        raise NotConverged("neither form")
    return best[1]


@final
@dataclass(frozen=True, slots=True)
class FittedComponents(FittedForecaster):
    """Holds whether each series has a season, and its variances of level, trend and season relative to that of ε.

    A variance of 0 for the trend says that there is none; ``reason`` why a series could not be fitted, '' where it
    could.
    """

    series: SeriesAxis
    season: Bool[np.ndarray, " series"]
    variances: Float[np.ndarray, "series 3"]
    reason: np.ndarray

    def trouble(self) -> np.ndarray:
        """Give the reason of each series."""
        return self.reason

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Filter each history once: mean, responses and errors; NaN for a series without a model."""
        self.series.require(panel.series, "fitted model and panel")
        history = evidence(panel)
        windows = [window(history, row, panel.time.step) for row in range(len(panel.series))]

        def work(row: int) -> Linear | None:
            if self.reason[row]:
                return None
            if windows[row].flat:
                return flat(windows[row], horizon)
            return forecast(windows[row], panel.time.step, bool(self.season[row]), self.variances[row], horizon)

        answers, _ = one_by_one(len(windows), work)
        return sampled(
            panel, responses(panel, history, windows, answers, horizon), horizon, seed=seed, n_paths=n_paths
        )  # fmt: skip


def forecast(one: Window, step: Step, season: bool, variances: Float[np.ndarray, "3"], horizon: int) -> Linear:
    """Filter a history, and run its last state forward."""
    trended = bool(variances[1] > 0)
    model = _model(one, step, trended=trended, season=season)
    told = model.filter(np.concatenate([[1.0], variances[[True, trended, season]]]), cov_type="none")
    last = told.filter_results.predicted_state_cov[:, :, -1] / told.scale
    response, variance = responses_of(model, last, horizon)
    errors = told.filter_results.standardized_forecasts_error[0] * np.sqrt(told.scale * variance)
    return Linear(np.asarray(told.forecast(horizon)), response, np.where(one.used, errors, 0.0))


def responses_of(model: Any, last: Float[np.ndarray, "state state"], horizon: int) -> tuple[np.ndarray, float]:
    """Give ψ in the steady state, and the variance of a one-step error there in units of that of ε.

    The filter's covariance is run on as if every period to come were seen, until it stays.
    """
    move, see = model["transition"], model["design"][0]
    noise = model["selection"] @ model["state_cov"] @ model["selection"].T
    cov = last
    for _ in range(STEADY):
        variance = float(see @ cov @ see) + 1.0
        gain = move @ cov @ see / variance
        after = move @ cov @ move.T - np.outer(gain, gain) * variance + noise
        after = (after + after.T) / 2.0
        stays = np.abs(after - cov).max() <= 1e-10 * (1.0 + np.abs(cov).max())
        cov = after
        if stays:
            break
    out = np.ones(horizon)
    state = gain
    for j in range(1, horizon):
        out[j] = see @ state
        state = move @ state
    return out, variance
