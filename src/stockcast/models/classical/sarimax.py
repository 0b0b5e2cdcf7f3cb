"""Regression on calendar, price and promotion with ARIMA errors, one series at a time.

With the regressors x, the order (p, d, q) and the lag operator L (Box & Jenkins 1970; Hyndman & Athanasopoulos 2021,
ch. 10)::

    y[t] = β'x[t] + η[t]        φ(L) (1 − L)^d η[t] = θ(L) e[t]

The order is the one of ``ORDERS`` with the smallest corrected Akaike criterion, on the same periods for all. The season
is in x, as weekdays or waves of a year, so that the state stays small. The order's parameters are found on the
residuals of a least-squares regression; then β is found by generalised least squares, as part of the state of the
Kalman filter (Harvey 1989, 3.4). On twelve fits of daily sales the log-likelihood of that was within 0.15 of the joint
maximum.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.axes import SeriesAxis
from stockcast.demand import SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.classical.answers import Linear, flat, responses
from stockcast.models.classical.regressors import COVARIATES, Terms, ahead, choose, regress, told
from stockcast.models.classical.window import (
    BURN,
    NotConverged,
    Window,
    criterion,
    fittable,
    gaussian,
    likeliest,
    one_by_one,
    window,
)  # fmt: skip
from stockcast.models.states import sampled
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

# (p, d, q) and the parameters that the search begins with, autoregressive ones first
ORDERS: tuple[tuple[tuple[int, int, int], tuple[float, ...]], ...] = (
    ((0, 0, 0), ()),
    ((0, 1, 1), (-0.8,)),
    ((1, 0, 1), (0.7, -0.5)),
    ((2, 0, 0), (0.2, 0.1)),
)
MOST = 2  # parameters of an order


@final
@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is learnt of one series: an index of ``ORDERS``, its parameters, the regressors, and those not planned."""

    order: int
    parameters: Float[np.ndarray, " parameter"]
    terms: Terms
    dropped: Bool[np.ndarray, "2"]


@final
@dataclass(frozen=True, slots=True)
class Sarimax(Forecaster):
    """Regression with ARIMA errors; order and regressors are chosen for each series."""

    name: ClassVar[str] = "sarimax"

    def fit(self, panel: Panel, *, seed: int) -> "FittedSarimax":
        """Choose regressors and order, series by series; a series that fails is marked with the reason."""
        history, able = evidence(panel), self.can_fit(panel)

        def work(row: int) -> _Chosen:
            return _fit(panel, row, window(history, row, panel.time.step), bool(able[row]))

        answers, reason = one_by_one(len(able), work)
        order, parameters = np.full(len(able), -1), np.full((len(able), MOST), np.nan)
        season = np.zeros(len(able), dtype=bool)
        covariates, dropped = np.zeros((len(able), 2), dtype=bool), np.zeros((len(able), 2), dtype=bool)
        for row, one in enumerate(answers):
            if one is not None:
                order[row], parameters[row, : len(one.parameters)] = one.order, one.parameters
                season[row], covariates[row], dropped[row] = one.terms.season, one.terms.covariates, one.dropped
        return FittedSarimax(panel.series, order, parameters, season, covariates, dropped, reason)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for four weeks of days or half a year of weeks, with four demands or none that differs."""
        return fittable(evidence(panel), panel.time.step)


def _fit(panel: Panel, row: int, one: Window, able: bool) -> _Chosen:
    if not able:
        raise ValueError("too short a history")
    nothing = _Chosen(0, np.zeros(0), Terms(False, (False, False)), np.zeros(2, dtype=bool))
    if one.flat:
        return nothing
    teaches, usable = told(panel, row, one)
    terms = choose(panel, row, one, usable)
    columns = terms.columns(panel, row, one, 0, constant=True)
    found = regress(one.values, columns)
    if found is None:
        raise ValueError("dependent regressors")
    order, parameters = _order(found[0], columns.shape[1])
    return _Chosen(order, parameters, terms, teaches & ~usable)


def _order(residuals: Float[np.ndarray, " time"], k: int) -> tuple[int, Float[np.ndarray, " parameter"]]:
    """Choose the order for the residuals of ``k`` regressors; one whose search does not end is passed over."""
    judged = residuals[BURN:][~np.isnan(residuals[BURN:])]
    best: tuple[float, int, np.ndarray] | None = None
    for at, (order, start) in enumerate(ORDERS):
        try:
            parameters, loglike = _search(residuals, judged, order, np.array(start))
        except NotConverged:
            continue
        # a difference takes the constant away
        value = criterion(loglike, len(start) + 1 + k - order[1], len(judged))
        if best is None or value < best[0]:
            best = value, at, parameters
    if best is None:
        raise NotConverged("no order")
    return best[1], best[2]


def _search(
    residuals: Float[np.ndarray, " time"], judged: Float[np.ndarray, " used"], order: tuple[int, int, int],
    start: Float[np.ndarray, " parameter"],
) -> tuple[Float[np.ndarray, " parameter"], float]:  # fmt: skip
    """Find the parameters of an order, and their likelihood after the first ``BURN`` periods."""
    if not len(start):
        return start, gaussian(judged)
    model = _model(residuals, None, order)
    # the stationary start would solve an equation at every step of the search; BURN leaves out what the start weighs
    model.ssm.initialize_approximate_diffuse(1e6)

    def loglike(at: np.ndarray) -> float:
        model.update(model.transform_params(at))
        return float(model.ssm.loglike())

    # the transformed parameters are stationary and invertible for any real number
    at, value = likeliest(loglike, model.untransform_params(start), (-20.0, 20.0), len(judged))
    return np.asarray(model.transform_params(at)), value


def _model(values: Float[np.ndarray, " time"], columns: np.ndarray | None, order: tuple[int, int, int]) -> Any:
    """Make the state-space model; ``columns`` are part of the state."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    model = SARIMAX(
        values, exog=columns, order=order, mle_regression=columns is None, concentrate_scale=True,
        loglikelihood_burn=BURN,
    )  # fmt: skip
    return model


@final
@dataclass(frozen=True, slots=True)
class FittedSarimax(FittedForecaster):
    """Holds the order and its parameters, φ before θ; the regressors' β follows from the panel.

    Parameters
    ----------
    order
        Index of ``ORDERS``; −1 where the fit failed.
    season, covariates
        Whether the series' model has the season, the price and the promotion.
    dropped
        Covariates that the history could teach, but that are not known beyond the origin.
    reason
        Why a series could not be fitted, in words; '' where it could.
    """

    series: SeriesAxis
    order: Int[np.ndarray, " series"]
    parameters: Float[np.ndarray, "series parameter"]
    season: Bool[np.ndarray, " series"]
    covariates: Bool[np.ndarray, "series covariate"]
    dropped: Bool[np.ndarray, "series covariate"]
    reason: np.ndarray

    def trouble(self) -> np.ndarray:
        """Give the reason of each series."""
        return self.reason

    def left_out(self, panel: Panel, horizon: int) -> dict[str, int]:
        """Count, for each covariate, the series whose forecast goes without it for want of values over the horizon."""
        history = evidence(panel)
        known = [
            ahead(panel, row, window(history, row, panel.time.step), horizon) for row in range(len(panel.series))
        ]  # fmt: skip
        missing = self.dropped | (self.covariates & ~np.array(known, dtype=bool).reshape(-1, len(COVARIATES)))
        return dict(zip(COVARIATES, missing.sum(axis=0).tolist(), strict=True))

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Filter each history once: mean, responses and errors; NaN for a series without a model."""
        self.series.require(panel.series, "fitted model and panel")
        history = evidence(panel)
        windows = [window(history, row, panel.time.step) for row in range(len(panel.series))]
        answers, _ = one_by_one(len(windows), lambda row: self._forecast(panel, row, windows[row], horizon))
        return sampled(
            panel, responses(panel, history, windows, answers, horizon), horizon, seed=seed, n_paths=n_paths
        )  # fmt: skip

    def _forecast(self, panel: Panel, row: int, one: Window, horizon: int) -> Linear | None:
        if self.reason[row]:
            return None
        if one.flat:
            return flat(one, horizon)
        price, promotion = (self.covariates[row] & ahead(panel, row, one, horizon)).tolist()
        (p, d, q), start = ORDERS[self.order[row]]
        terms = Terms(bool(self.season[row]), (price, promotion))
        columns = terms.columns(panel, row, one, horizon, constant=d == 0)
        n = len(one.values)
        # a period in which a covariate is not known tells nothing
        dark = np.isnan(columns[:n]).any(axis=1)
        values, columns = np.where(dark, np.nan, one.values), np.where(np.isnan(columns), 0.0, columns)
        parameters = self.parameters[row, : len(start)]
        if not len(start):
            return _regression(values, columns, horizon)
        told = _model(values, columns[:n] if columns.shape[1] else None, (p, d, q)).filter(parameters, cov_type="none")
        more = {"exog": columns[n:]} if columns.shape[1] else {}
        errors = told.filter_results.standardized_forecasts_error[0] * np.sqrt(told.scale)
        return Linear(
            np.asarray(told.forecast(horizon, **more)),
            psi(parameters[:p], d, parameters[p:], horizon),
            np.where(np.isnan(values), 0.0, errors),
        )


def _regression(values: Float[np.ndarray, " time"], columns: Float[np.ndarray, "n column"], horizon: int) -> Linear:
    """Forecast by the regression alone: order (0, 0, 0)."""
    there = ~np.isnan(values)
    past = columns[: len(values)]
    weights = np.linalg.lstsq(past[there], values[there], rcond=1e-8)[0]
    response = np.zeros(horizon)
    response[:1] = 1.0
    return Linear(
        columns[len(values) :] @ weights, response, np.where(there, np.nan_to_num(values) - past @ weights, 0.0)
    )


def psi(
    phi: Float[np.ndarray, " p"], d: int, theta: Float[np.ndarray, " q"], horizon: int
) -> Float[np.ndarray, " horizon"]:
    """Give the impulse responses ψ of an ARIMA model: θ(L) / (φ(L) (1 − L)^d) = Σ ψ[j] L^j.

    Examples
    --------
    >>> psi(np.array([0.5]), 0, np.array([]), 4).tolist()
    [1.0, 0.5, 0.25, 0.125]
    >>> psi(np.array([]), 1, np.array([-0.75]), 4).tolist()
    [1.0, 0.25, 0.25, 0.25]
    """
    below = np.concatenate([[1.0], -phi])
    for _ in range(d):
        below = np.convolve(below, [1.0, -1.0])
    above = np.concatenate([[1.0], theta])
    out = np.zeros(horizon)
    for j in range(horizon):
        out[j] = above[j] if j < len(above) else 0.0
        for lag in range(1, min(j, len(below) - 1) + 1):
            out[j] -= below[lag] * out[j - lag]
    return out
