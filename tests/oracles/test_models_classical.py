"""Means and impulse responses of the classical models against what statsmodels itself says of them."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_panels import panel

from stockcast.models.classical import components, sarimax
from stockcast.models.classical.window import Window, window
from stockcast.models.uncensor import evidence

H = 20


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def history(n=300, seed=2, *, gaps=True):
    """A level that wanders, weekdays, and periods that tell nothing."""
    draw = np.random.default_rng(seed)
    level = 30.0 + np.cumsum(draw.normal(0.0, 0.5, n))
    sales = np.maximum(level + 4.0 * (np.arange(n) % 7 == 5) + draw.normal(0.0, 2.0, n), 0.0)
    observed = np.ones((1, n), dtype=bool)
    observed[0, 40:46] = observed[0, 200] = not gaps
    return panel(sales[None], observed=observed)


ARIMA = [((0, 1, 1), (-0.6,)), ((1, 0, 1), (0.8, -0.4)), ((2, 0, 0), (0.5, 0.3)), ((1, 1, 1), (0.5, -0.8))]


@pytest.mark.parametrize(("order", "parameters"), ARIMA)
def test_responses_of_arima_are_those_of_statsmodels(order, parameters):
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    p, d, _ = order
    mine = sarimax.psi(np.array(parameters[:p]), d, np.array(parameters[p:]), H)
    model = SARIMAX(np.arange(50.0) % 7, order=order)
    theirs = model.impulse_responses([*parameters, 1.0], steps=H - 1)
    np.testing.assert_allclose(mine, np.ravel(theirs), rtol=1e-9)


@pytest.mark.parametrize(("order", "parameters"), ARIMA)
def test_the_variance_of_arima_is_that_of_its_responses(order, parameters):
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    p, d, _ = order
    response = sarimax.psi(np.array(parameters[:p]), d, np.array(parameters[p:]), H)
    told = SARIMAX(np.random.default_rng(1).normal(size=400), order=order).filter([*parameters, 2.0], cov_type="none")
    np.testing.assert_allclose(told.get_forecast(H).var_pred_mean, 2.0 * np.cumsum(response**2), rtol=1e-3)


@pytest.mark.parametrize("at", [2, 3])
def test_the_mean_of_sarimax_is_that_of_generalised_least_squares(at):
    past = history()
    one = window(evidence(past), 0, "day")
    order, start = sarimax.ORDERS[at]
    parameters = np.array([start])
    none = np.zeros((1, 2), dtype=bool)
    fitted = sarimax.FittedSarimax(
        past.series, np.array([at]), parameters, np.array([True]), none, none, np.array([""])
    )
    mean = fitted.predict(past, H, seed=7, n_paths=5).source.mean[0]
    # the textbook's way: the covariance of all periods, past and to come, from ψ
    x = sarimax.Terms(True, (False, False)).columns(past, 0, one, H, constant=True)
    psi = sarimax.psi(np.array(start[: order[0]]), 0, np.array(start[order[0] :]), 600)
    size, seen = len(x), np.flatnonzero(one.used)
    lagged = np.array([psi[: 600 - lag] @ psi[lag:] for lag in range(size)])
    cov = lagged[np.abs(np.subtract.outer(np.arange(size), np.arange(size)))]
    inverse, y, past_x = np.linalg.inv(cov[np.ix_(seen, seen)]), one.values[seen], x[seen]
    beta = np.linalg.solve(past_x.T @ inverse @ past_x, past_x.T @ inverse @ y)
    later = np.arange(size - H, size)
    expected = x[later] @ beta + cov[np.ix_(later, seen)] @ inverse @ (y - past_x @ beta)
    np.testing.assert_allclose(mean, expected * one.scale, rtol=1e-5)


def test_sarimax_without_regressors_forecasts_what_statsmodels_does():
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    past = history()
    one = window(evidence(past), 0, "day")
    order, start = sarimax.ORDERS[1]
    none = np.zeros((1, 2), dtype=bool)
    fitted = sarimax.FittedSarimax(
        past.series, np.array([1]), np.array([[*start, np.nan]]), np.array([False]), none, none, np.array([""])
    )
    theirs = SARIMAX(one.values, order=order).filter([*start, 1.0], cov_type="none").forecast(H)
    mean = fitted.predict(past, H, seed=7, n_paths=5).source.mean[0]
    np.testing.assert_allclose(mean, np.asarray(theirs) * one.scale, rtol=1e-6)


def test_the_search_finds_what_statsmodels_finds():
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    one = window(evidence(history()), 0, "day")
    order, start = sarimax.ORDERS[1]
    mine, _ = sarimax._search(one.values, one.values[sarimax.BURN :][one.used[sarimax.BURN :]], order, np.array(start))
    theirs = SARIMAX(one.values, order=order, concentrate_scale=True, loglikelihood_burn=sarimax.BURN)
    found = theirs.fit(disp=False, cov_type="none")
    assert mine[0] == pytest.approx(found.params[0], abs=5e-3)


@pytest.mark.parametrize("season", [False, True])
@pytest.mark.parametrize("trended", [False, True])
def test_means_and_variances_of_components_are_those_of_statsmodels(season, trended):
    past = history(600)
    one = window(evidence(past), 0, "day")
    variances = np.array([0.1, 0.002 * trended, 0.03 * season])
    mine = components.forecast(one, "day", season, variances, H)
    # statsmodels with all variances as parameters, at the σ² of the concentrated likelihood
    scaled = components._model(one, "day", trended=trended, season=season)
    given = np.concatenate([[1.0], variances[[True, trended, season]]])
    told = scaled.filter(given, cov_type="none")
    other = components._model(one, "day", trended=trended, season=season)
    other.ssm.filter_concentrated = False
    theirs = other.filter(given * told.scale, cov_type="none").get_forecast(H)
    np.testing.assert_allclose(mine.mean, theirs.predicted_mean, rtol=1e-6)
    _, variance = components.responses_of(scaled, told.filter_results.predicted_state_cov[:, :, -1] / told.scale, H)
    np.testing.assert_allclose(told.scale * variance * np.cumsum(mine.response**2), theirs.var_pred_mean, rtol=1e-3)
    # the recent errors have about that variance, and none is larger after a gap for being after it
    seen = one.settled
    assert mine.errors[seen].var() == pytest.approx(told.scale * variance, rel=0.1)
    assert (mine.errors[~one.used] == 0).all()


def test_a_level_that_wanders_is_smoothing():
    # the steady gain of a local level with q = σ²η / σ²ε (Harvey 1989, 4.1.2)
    q = 0.25
    one = Window(np.random.default_rng(3).normal(5.0, 1.0, 300), 0, 1.0, False)
    response = components.forecast(one, "day", False, np.array([q, 0.0, 0.0]), H).response
    alpha = (-q + np.sqrt(q * q + 4.0 * q)) / 2.0
    np.testing.assert_allclose(response[1:], alpha, rtol=1e-6)


def test_a_sum_of_paths_spreads_as_statsmodels_simulates_it():
    past = history(600, gaps=False)
    one = window(evidence(past), 0, "day")
    order, start = sarimax.ORDERS[2]
    model = sarimax._model(one.values - one.values.mean(), None, order)
    told = model.filter(np.array(start), cov_type="none")
    response = sarimax.psi(np.array(start[:1]), 0, np.array(start[1:]), 10)
    # Var Σ y = σ² Σ_i (Σ_{j ≤ h−i} ψ[j])²
    expected = np.sqrt(told.scale * (np.cumsum(response) ** 2).sum())
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    plain = SARIMAX(one.values, order=order).filter([*start, told.scale], cov_type="none")
    paths = plain.simulate(10, anchor="end", repetitions=800, rng=5)
    assert np.asarray(paths).reshape(10, 800).sum(axis=0).std() == pytest.approx(expected, rel=0.08)
