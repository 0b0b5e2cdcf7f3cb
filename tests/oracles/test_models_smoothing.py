"""The batched recursion against a plain loop, against statsmodels, and against what made the data."""

import warnings

import numpy as np
import pytest

from stockcast.models.smoothing import recursion

M = 7


def plain(values, used, level, season, alpha, beta, gamma, phi, decay):
    trend, season, loss, errors = 0.0, list(season), 0.0, []
    for t, (y, counts) in enumerate(zip(values, used, strict=True)):
        base = level + phi * trend
        e = (y - base - season[t % len(season)]) if counts else 0.0
        level = base + alpha * e
        trend = phi * trend + beta * e
        season[t % len(season)] += gamma * e
        loss = decay * loss + e * e
        errors.append(e)
    return level, trend, season, loss, errors


def case(n=5, time=90, seed=3):
    draw = np.random.default_rng(seed)
    values = draw.poisson(3.0, (n, time)) + 2.0 * (np.arange(time) % M == 5)
    return draw, values, draw.random((n, time)) < 0.9


@pytest.mark.parametrize("trended", [False, True])
@pytest.mark.parametrize("seasonal", [False, True])
def test_the_batch_agrees_with_the_loop(trended, seasonal):
    draw, values, used = case()
    parameters = draw.random((4, 3, 5)) * np.array([0.5, 0.1 * trended, 0.2 * seasonal, 0.9 * trended])[:, None, None]
    level, season = draw.random(5), draw.random((5, M)) if seasonal else np.zeros((5, 1))
    told = recursion(values, used, level, season, parameters, trended=trended, seasonal=seasonal, decay=0.98)
    for c in range(3):
        for s in range(5):
            expected = plain(values[s], used[s], level[s], season[s], *parameters[:, c, s], 0.98)
            got = (told.level[c, s], told.trend[c, s], told.loss[c, s])
            for mine, other in zip(got, (*expected[:2], expected[3]), strict=True):
                np.testing.assert_allclose(mine, other, rtol=1e-10)
            if seasonal:
                np.testing.assert_allclose(told.season[:, c, s], expected[2], rtol=1e-10)


def test_the_errors_are_those_of_the_loop():
    draw, values, used = case()
    parameters = draw.random((4, 1, 5)) * 0.3
    told = recursion(
        values, used, np.ones(5), np.zeros((5, M)), parameters, trended=True, seasonal=True, keep_errors=True
    )
    for s in range(5):
        expected = plain(values[s], used[s], 1.0, np.zeros(M), *parameters[:, 0, s], 1.0)[4]
        np.testing.assert_allclose(told.errors[s], expected, rtol=1e-9, atol=1e-12)


def test_the_place_in_the_batch_changes_no_bit():
    draw, values, used = case(n=21)
    parameters = draw.random((4, 5, 21)) * 0.3
    level, season = draw.random(21), draw.random((21, M))
    whole = recursion(values, used, level, season, parameters, trended=True, seasonal=True, decay=0.99)
    for rows in (np.array([0]), np.array([20]), np.arange(3, 16)):
        part = recursion(
            values[rows], used[rows], level[rows], season[rows], parameters[:, :, rows],
            trended=True, seasonal=True, decay=0.99,
        )  # fmt: skip
        assert part.loss.tobytes() == whole.loss[:, rows].tobytes()
        assert part.season.tobytes() == whole.season[:, :, rows].tobytes()


@pytest.mark.parametrize(("trended", "seasonal"), [(False, False), (True, False), (False, True), (True, True)])
def test_statsmodels_has_the_same_states_and_errors(trended, seasonal):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    _, values, _ = case()
    y = values[0]
    alpha, beta, gamma, phi = 0.2, 0.05 * trended, 0.1 * seasonal, 0.9 * trended
    season = np.array([0.5, -0.5, 0.2, -0.2, 0.4, 0.8, -1.2]) if seasonal else np.zeros(1)
    model = ETSModel(
        y, error="add", trend="add" if trended else None, damped_trend=trended,
        seasonal="add" if seasonal else None, seasonal_periods=M if seasonal else None,
        initialization_method="known", initial_level=3.0, initial_trend=0.0 if trended else None,
        initial_seasonal=season if seasonal else None,
    )  # fmt: skip
    named = {"smoothing_level": alpha, "smoothing_trend": beta, "smoothing_seasonal": gamma, "damping_trend": phi}
    named |= {"initial_level": 3.0, "initial_trend": 0.0}
    named |= {f"initial_seasonal.{at}": season[at % len(season)] for at in range(M)}
    fit = model.smooth([named[name] for name in model.param_names])
    parameters = np.array([alpha, beta, gamma, phi])[:, None, None]
    told = recursion(
        y[None], np.ones((1, len(y)), dtype=bool), np.array([3.0]), season[None], parameters,
        trended=trended, seasonal=seasonal, keep_errors=True,
    )  # fmt: skip
    np.testing.assert_allclose(told.loss[0, 0], fit.sse, rtol=1e-3)
    np.testing.assert_allclose(told.level[0, 0], fit.level[-1], rtol=1e-3)
    np.testing.assert_allclose(told.errors[0], fit.resid, rtol=1e-3, atol=1e-6)
