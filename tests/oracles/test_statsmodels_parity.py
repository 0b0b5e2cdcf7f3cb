"""At the same parameters, the batched smoothing and statsmodels have the same states, errors and likelihood."""

import warnings

import numpy as np
import pytest

from stockcast.models.smoothing import recursion

M = 7


def made():
    """Histories by name: what a retailer has, and what breaks a recursion."""
    draw = np.random.default_rng(11)
    at = np.arange(144)
    waves = 1.0 + 0.3 * np.sin(2 * np.pi * at / M) + 0.2 * np.cos(4 * np.pi * at / M)
    return {
        "grows in waves": (112.0 + 2.6 * at) * waves * np.exp(draw.normal(0.0, 0.04, 144)),
        "intermittent": draw.poisson(2.0, 144) * (draw.random(144) < 0.15),
        "constant": np.full(60, 4.0),
        "all zero": np.zeros(60),
        "one period": np.array([3.0]),
        "explodes": 1.15 ** np.arange(120),
        "single spike": 50.0 * (np.arange(90) == 40),
        "begins with zeros": np.where(at < 70, 0.0, draw.poisson(6.0, 144)),
    }


SERIES = {name: np.asarray(values, dtype=float) for name, values in made().items()}
FORMS = {
    "level": (0.3, 0.0, 0.0, 0.0),
    "damped trend": (0.3, 0.08, 0.0, 0.9),
    "season": (0.2, 0.0, 0.15, 0.0),
    "both": (0.2, 0.05, 0.1, 0.95),
    "hardly moves": (0.001, 0.0005, 0.001, 0.98),
    "moves at once": (0.97, 0.5, 0.02, 0.8),
}


def theirs(y, level, season, alpha, beta, gamma, phi):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.tsa.exponential_smoothing.ets import ETSModel

        trended, seasonal = phi > 0, gamma > 0
        model = ETSModel(
            y, error="add", trend="add" if trended else None, damped_trend=trended,
            seasonal="add" if seasonal else None, seasonal_periods=M if seasonal else None,
            initialization_method="known", initial_level=level, initial_trend=0.0 if trended else None,
            initial_seasonal=season if seasonal else None,
        )  # fmt: skip
        named = {"smoothing_level": alpha, "smoothing_trend": beta, "smoothing_seasonal": gamma, "damping_trend": phi}
        named |= {"initial_level": level, "initial_trend": 0.0}
        named |= {f"initial_seasonal.{at}": season[at] for at in range(M)}
        return model.smooth([named[name] for name in model.param_names])


def ours(y, level, season, *parameters):
    seasonal = parameters[2] > 0
    return recursion(
        y[None], np.ones((1, len(y)), dtype=bool), np.array([level]), season[None] if seasonal else np.zeros((1, 1)),
        np.array(parameters)[:, None, None], trended=parameters[3] > 0, seasonal=seasonal, keep_errors=True,
    )  # fmt: skip


def beginning(y):
    """A level near the first values, and a season that adds to 0."""
    season = np.array([0.5, -0.5, 0.2, -0.2, 0.4, 0.8, -1.2]) * max(float(y[:28].std()), 0.1)
    return float(y[:28].mean()), season


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SERIES)
def test_the_same_parameters_give_the_same_states_and_likelihood(name, form):
    y, parameters = SERIES[name], FORMS[form]
    level, season = beginning(y)
    with np.errstate(divide="ignore"):
        other = theirs(y, level, season, *parameters)
        mine = ours(y, level, season, *parameters)
        n, sse = len(y), mine.loss[0, 0]
        loglike = -0.5 * n * (np.log(2.0 * np.pi * sse / n) + 1.0)
        their_loglike = other.llf
    scale = max(float(np.abs(y).max()), 1.0)
    np.testing.assert_allclose(mine.errors[0], other.resid, rtol=1e-3, atol=1e-9 * scale)
    np.testing.assert_allclose(mine.level[0, 0], other.level[-1], rtol=1e-3, atol=1e-9 * scale)
    np.testing.assert_allclose(sse, other.sse, rtol=1e-3, atol=1e-18 * scale**2)
    # a likelihood may be 0 by chance: relative to the number of values, then
    if sse > 0:
        np.testing.assert_allclose(loglike, their_loglike, rtol=1e-3, atol=1e-3 * n)
    if parameters[3] > 0:
        # where there is one period only, statsmodels writes its new level over the one that its slope is taken from
        slope = other.slope[-1] if n > 1 else parameters[1] * other.resid[0]
        np.testing.assert_allclose(mine.trend[0, 0], slope, rtol=1e-3, atol=1e-9 * scale)
    if parameters[2] > 0:
        np.testing.assert_allclose(mine.season[(n - 1) % M, 0, 0], other.season[-1], rtol=1e-3, atol=1e-9 * scale)


def test_other_parameters_would_be_seen():
    y = SERIES["grows in waves"]
    level, season = beginning(y)
    mine = ours(y, level, season, 0.21, 0.05, 0.1, 0.95)
    assert abs(mine.loss[0, 0] / theirs(y, level, season, *FORMS["both"]).sse - 1.0) > 1e-3
