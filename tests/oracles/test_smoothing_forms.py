"""Every form of the batched recursion against a plain loop that follows the book's equations, one series at a time."""

import warnings

import numpy as np
import pytest
import torch

from stockcast.models.smoothing import recursion
from stockcast.models.smoothing.forms import ADDITIVE, RATIO, RELATIVE, around, first

M, WEEKS = 7, 52


def made(n=3, time=420, seed=4):
    draw = np.random.default_rng(seed)
    values = 20.0 + draw.poisson(6.0, (n, time)) + 5.0 * (np.arange(time) % M == 5)
    return values / 32.0, draw.random((n, time)) < 0.93


def plain(values, used, level, season, parameters, *, ratio, relative, day):
    """Hyndman et al. 2008, tables 2.2 and 2.3, with a second season of 52 weeks."""
    alpha, beta, gamma, phi, omega = parameters
    l, b, s, u = level, 0.0, list(season), [0.0] * WEEKS  # noqa: E741
    told = []
    for t, (y, counts) in enumerate(zip(values, used, strict=True)):
        base, week = l + phi * b, (t + day) // 7 % WEEKS
        mu = base * s[t % M] if ratio else base + s[t % M] + u[week]
        e = y - mu if counts else 0.0
        old = s[t % M]
        l = base + alpha * (e / old if ratio else e)  # noqa: E741
        b = phi * b + beta * (e / old if ratio else e)
        s[t % M] = old + gamma * (e / base if ratio else e)
        u[week] += omega * e
        told.append((e / mu if relative else e, mu if counts else 1.0))
    return l, b, s, u, told


@pytest.mark.parametrize("family", [ADDITIVE, RELATIVE, RATIO], ids=["additive", "relative", "ratio"])
def test_a_family_in_one_batch_agrees_with_the_loop(family):
    values, used = made()
    season = np.random.default_rng(1).normal(0, 0.05, (3, M))
    season = 1.0 + season if family.ratio else season
    parameters = np.repeat(first(family)[:, :, None], 3, axis=2)
    told = recursion(
        values, used, values[:, :28].mean(axis=1), season, parameters,
        trended=family.having("trend"), seasonal=family.having("season"), yearly=family.having("yearly"),
        ratio=family.ratio, relative=family.relative, day=100, decay=0.995,
    )  # fmt: skip
    weight = 0.995 ** np.arange(values.shape[1] - 1, -1, -1)
    for form, begin in zip(family.forms, family.begins[:-1], strict=True):
        neutral = np.ones(M) if family.ratio else np.zeros(M)
        for series in range(3):
            start = season[series] if form.season != "N" else neutral
            level, b, s, u, steps = plain(
                values[series], used[series], values[series, :28].mean(), start, parameters[:, begin, series],
                ratio=family.ratio, relative=family.relative, day=100,
            )  # fmt: skip
            np.testing.assert_allclose(told.level[begin, series], level, rtol=1e-9, err_msg=form.name)
            np.testing.assert_allclose(told.trend[begin, series], b, rtol=1e-7, atol=1e-12, err_msg=form.name)
            errors, means = np.array(steps).T
            np.testing.assert_allclose(told.loss[begin, series], (weight * errors**2).sum(), rtol=1e-9)
            if family.relative:
                np.testing.assert_allclose(
                    told.scale[begin, series], (weight * np.log(means)).sum(), rtol=1e-9, atol=1e-9
                )
            if form.season != "N":
                at = begin - family.having("season").start
                np.testing.assert_allclose(told.season[:, at, series], s, rtol=1e-8, atol=1e-12)
            if form.yearly:
                at = begin - family.having("yearly").start
                np.testing.assert_allclose(told.slow[:, at, series], u, rtol=1e-8, atol=1e-12)


def test_the_reverting_trend_is_a_level_with_a_fading_transient():
    values, used = made(n=1)
    lasting, fading, phi = 0.02, 0.3, 0.9
    parameters = np.array([lasting + fading, -fading * (1 - phi) / phi, 0.0, phi, 0.0])[:, None, None]
    told = recursion(
        values, used, values[:, 0], np.zeros((1, 1)), parameters, trended=True, seasonal=False, keep_errors=True
    )
    level, transient = values[0, 0], 0.0
    for t, (y, counts) in enumerate(zip(values[0], used[0], strict=True)):
        e = (y - level - phi * transient) if counts else 0.0
        level, transient = level + lasting * e, phi * transient + fading * e
        assert told.errors[0, t] == pytest.approx(e, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seasonal", ["add", "mul"])
def test_statsmodels_has_the_same_likelihood_of_multiplicative_errors(seasonal):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    values, _ = made(n=1, time=140)
    y, ratio = values[0], seasonal == "mul"
    season = np.array([0.02, -0.02, 0.01, -0.01, 0.1, 0.05, -0.15]) + ratio
    alpha, beta, gamma, phi = 0.2, 0.05, 0.1, 0.9
    model = ETSModel(
        y, error="mul", trend="add", damped_trend=True, seasonal=seasonal, seasonal_periods=M,
        initialization_method="known", initial_level=0.8, initial_trend=0.0, initial_seasonal=season,
    )  # fmt: skip
    named = {"smoothing_level": alpha, "smoothing_trend": beta, "smoothing_seasonal": gamma, "damping_trend": phi}
    named |= {"initial_level": 0.8, "initial_trend": 0.0} | {f"initial_seasonal.{at}": season[at] for at in range(M)}
    fit = model.smooth([named[name] for name in model.param_names])
    told = recursion(
        y[None], np.ones((1, len(y)), dtype=bool), np.array([0.8]), season[None],
        np.array([alpha, beta, gamma, phi])[:, None, None], trended=True, seasonal=True, ratio=ratio, relative=True,
        keep_errors=True,
    )  # fmt: skip
    # statsmodels moves a multiplying season by γ/(1 − α) (y / l − s), l being the new level: the innovations form to
    # first order in the error only
    np.testing.assert_allclose(told.errors[0], fit.resid, rtol=1e-3, atol=5e-3 if ratio else 1e-6)
    n, sse, scale = len(y), told.loss[0, 0], told.scale[0, 0]
    log_likelihood = -0.5 * n * (np.log(2 * np.pi * sse / n) + 1.0) - scale
    assert log_likelihood == pytest.approx(fit.llf, rel=1e-3)


@pytest.mark.parametrize("family", [ADDITIVE, RELATIVE, RATIO], ids=["additive", "relative", "ratio"])
def test_candidates_and_their_refinements_are_admissible(family):
    start = np.repeat(first(family)[:, :, None], 4, axis=2)
    best = start[:, family.begins[:-1]]
    for candidates in (
        start,
        around(best, family, 0),
        around(around(best, family, 0)[:, family.begins[:-1]], family, 1),
    ):
        alpha, beta, gamma, phi, omega = candidates
        assert (alpha > 0).all()
        assert (alpha < 1).all()
        assert ((gamma >= 0) & (gamma <= 1 - alpha)).all()
        assert ((phi >= 0) & (phi <= 1)).all()
        assert ((omega >= 0) & (omega < 1)).all()
        for form, begin, end in zip(family.forms, family.begins, family.begins[1:], strict=False):
            mine = slice(begin, end)
            assert ((beta[mine] < 0) == (form.trend == "R")).all()
            assert ((phi[mine] > 0) == (form.trend != "N")).all()
            assert ((gamma[mine] > 0) == (form.season != "N")).all()
            assert ((omega[mine] > 0) == form.yearly).all()
            # invertible: the roots of the error's own recursion lie inside the unit circle
            for a, b, p in zip(alpha[mine].ravel(), beta[mine].ravel(), phi[mine].ravel(), strict=True):
                turn = np.array([[1 - a, p * (1 - a)], [-b, p * (1 - b)]]) if p else np.array([[1 - a]])
                assert np.abs(np.linalg.eigvals(turn)).max() < 1 + 1e-9


def test_single_precision_finds_nearly_the_same_loss():
    values, used = made()
    parameters = np.repeat(first(ADDITIVE)[:, :, None], 3, axis=2)
    of = {"trended": ADDITIVE.having("trend"), "seasonal": ADDITIVE.having("season")}
    of |= {"yearly": ADDITIVE.having("yearly"), "decay": 0.995}
    level, season = values[:, 0], np.zeros((3, M))
    double = recursion(values, used, level, season, parameters, **of)
    single = recursion(values, used, level, season, parameters, dtype=torch.float32, **of)
    np.testing.assert_allclose(single.loss, double.loss, rtol=1e-3)
