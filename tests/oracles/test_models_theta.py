"""Theta against a plain loop with a fresh least-squares line in every period, and against its closed form."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_panels import panel

from stockcast.models.smoothing import Theta
from stockcast.models.smoothing.search import Work
from stockcast.models.smoothing.theta import lines, theta_recursion, weekday_effects

LEAST = 14


def made(n=3, time=120, seed=4):
    draw = np.random.default_rng(seed)
    values = 5.0 + 0.05 * np.arange(time) + draw.normal(0, 1.0, (n, time))
    used = draw.random((n, time)) < 0.9
    used[1, :20] = False
    return values, used


def plain(values, used, level, alpha, theta):
    """Fiorucci et al. 2016, eq. 8-12, with t = 1 for the first used period."""
    begin = int(used.argmax())
    errors, t = [], 0
    for at, y in enumerate(values):
        t = max(at - begin, 0) + 1
        known = [(k - begin + 1, values[k]) for k in range(at) if used[k]]
        a = b = 0.0
        if len(known) >= LEAST:
            b, a = np.polyfit(*np.array(known).T, 1)
        g = (1 - 1 / theta) * ((1 - alpha) ** (t - 1) * a + (1 - (1 - alpha) ** t) / alpha * b)
        e = (y - level - g) if used[at] else 0.0
        level += alpha * (g + e)
        errors.append(e)
    return level, np.array(errors)


@pytest.mark.parametrize(("alpha", "theta"), [(0.1, 2.0), (0.3, 1.0), (0.05, 5.0)])
def test_the_batch_agrees_with_the_loop(alpha, theta):
    values, used = made()
    line, level = lines(values, used, LEAST), np.array([4.0, 5.0, 6.0])
    told = theta_recursion(values, used, level, line, np.full((1, 1), alpha), np.full((1, 1), theta), decay=1.0)
    for series in range(3):
        expected, errors = plain(values[series], used[series], level[series], alpha, theta)
        np.testing.assert_allclose(told.errors[series], errors, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(told.level[0, series], expected, rtol=1e-8)
        np.testing.assert_allclose(told.loss[0, series], (errors**2).sum(), rtol=1e-8)


def test_the_forecast_grows_by_a_share_of_the_slope():
    draw = np.random.default_rng(2)
    sales = 30.0 + 0.1 * np.arange(400) + draw.normal(0, 2.0, (6, 400))
    past = panel(sales)
    fitted = Theta().fit(past, seed=7)
    source = fitted.predict(past, 28, seed=7, n_paths=10).source
    slope = np.array([np.polyfit(np.arange(400), row, 1)[0] for row in sales])
    np.testing.assert_allclose(source.trend, (1 - 1 / fitted.theta) * slope, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(source.level, sales[:, -30:].mean(axis=1), atol=4.0)


def test_simple_smoothing_is_theta_one():
    values, used = made()
    alpha, level = 0.2, values[:, 0]
    told = theta_recursion(
        values, used, level, lines(values, used, LEAST), np.full((1, 1), alpha), np.ones((1, 1)), decay=1.0
    )
    for series in range(3):
        l = level[series]  # noqa: E741
        for y, counts in zip(values[series], used[series], strict=True):
            l += alpha * (y - l) * counts  # noqa: E741
        assert told.level[0, series] == pytest.approx(l, rel=1e-10)


def test_weekday_effects_are_found_at_their_place():
    effect = np.array([0.0, -1.0, 0.5, 0.0, 1.5, 0.0, -1.0])
    for time in (140, 143):
        values = 5.0 + effect[np.arange(time) % 7][None]
        part = Work(
            values,
            np.ones((1, time), dtype=bool),
            np.ones(1),
            np.full(1, 5.0),
            np.zeros((1, 7)),
            np.ones((1, 7)),
            0,
            1.0,
        )
        np.testing.assert_allclose(weekday_effects(part)[0], effect * (20 / 21), atol=0.03)
    past = panel(np.maximum(values + np.random.default_rng(3).normal(0, 0.3, (4, 143)), 0.0))
    fitted = Theta().fit(past, seed=7)
    assert fitted.seasonal.all()
    mean = fitted.predict(past, 14, seed=7, n_paths=400).mean()
    np.testing.assert_allclose(mean, np.tile(5.0 + effect[(143 + np.arange(14)) % 7], (4, 1)), atol=0.4)
