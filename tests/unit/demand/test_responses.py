"""Responses against Innovations, which it must equal where both can say the same."""

import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.random import Stream
from stockcast.demand import RecordedPaths, Responses, SampledForecast
from stockcast.models.states import assemble, clipped, innovations

KEYS = np.array([11, 12, 13], dtype=np.uint64)
STREAM = Stream(7, "paths")
H = 21


def smoothing_and_responses(level):
    """Three series with trend and season, as a state and as its means and responses."""
    draw = np.random.default_rng(4)
    alpha, beta, gamma, phi = np.array([0.2, 0.0, 0.5]), np.array([0.03, 0.0, 0.0]), np.array([0.1, 0.3, 0.0]), 0.9
    errors = draw.normal(0.0, 2.0, (3, 50))
    errors -= errors.mean(axis=1, keepdims=True)
    season = draw.normal(0.0, 1.0, (3, 7))
    trend = np.array([0.3, 0.0, 0.0])
    state = innovations(
        3, level=np.full(3, level), trend=trend, damping=np.full(3, phi), season=season, alpha=alpha, beta=beta,
        gamma=gamma, errors=errors, n_errors=np.array([50, 50, 20]),
    )  # fmt: skip
    steps = np.arange(H)
    damped = np.cumsum(phi ** (steps + 1))
    mean = level + trend[:, None] * damped + season[:, steps % 7]
    reached = np.concatenate([[0.0], damped])[:H]
    response = alpha[:, None] + beta[:, None] * reached + gamma[:, None] * (steps % 7 == 0)
    response[:, 0] = 1.0
    return state, Responses(mean, response, errors, state.n_errors, np.full(3, np.inf))


def test_far_from_zero_both_draw_the_same_paths():
    state, source = smoothing_and_responses(1000.0)
    rows = np.arange(3)
    np.testing.assert_allclose(source.draw(rows, KEYS, STREAM, 40, H), state.draw(rows, KEYS, STREAM, 40, H), rtol=1e-9)


def test_near_zero_both_carry_what_is_negative():
    state, source = smoothing_and_responses(1.0)
    rows = np.arange(1, 3)  # without a trend, whose mean before the first period differs
    a, b = source.draw(rows, KEYS[1:], STREAM, 40, H), state.draw(rows, KEYS[1:], STREAM, 40, H)
    assert (a == 0).any()
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("mean", [0.5, 2.0])
def test_the_sum_keeps_its_mean(mean):
    errors = np.random.default_rng(1).exponential(2.0, (1, 400)) - 1.9
    errors -= errors.mean()
    response = np.eye(1, 14)
    source = Responses(np.full((1, 14), mean), response, errors, np.array([400]), np.full(1, np.inf))
    paths = source.draw(np.arange(1), KEYS[:1], STREAM, 20_000, 14)
    assert (paths >= 0).all()
    assert paths.sum(axis=2).mean() == pytest.approx(14 * mean, rel=0.03)


def test_the_variance_of_a_period_is_that_of_its_responses():
    source = smoothing_and_responses(1000.0)[1]
    paths = source.draw(np.arange(3), KEYS, STREAM, 20_000, H)
    for row, size in enumerate((50, 50, 20)):
        pool = source.errors[row, :size]
        np.testing.assert_allclose(paths[row].var(axis=0), pool.var() * np.cumsum(source.response[row] ** 2), rtol=0.06)


def test_rows_and_shorter_horizons_are_the_same_bytes():
    source = smoothing_and_responses(1.0)[1]
    whole = source.draw(np.arange(3), KEYS, STREAM, 9, H)
    rows = np.array([0, 2])
    assert source.draw(rows, KEYS[rows], STREAM, 9, H).tobytes() == whole[rows].tobytes()
    assert source.take(rows).draw(np.arange(2), KEYS[rows], STREAM, 9, H).tobytes() == whole[rows].tobytes()
    for row in range(3):
        one = np.array([row])
        assert source.draw(one, KEYS[one], STREAM, 9, H).tobytes() == whole[one].tobytes()


def test_no_mean_gives_no_path_and_touches_no_other():
    source = smoothing_and_responses(1.0)[1]
    mean = source.mean.copy()
    mean[1] = np.nan
    sick = Responses(mean, source.response, source.errors, source.n_errors, source.cap)
    a, b = sick.draw(np.arange(3), KEYS, STREAM, 9, H), source.draw(np.arange(3), KEYS, STREAM, 9, H)
    assert np.isnan(a[1]).all()
    assert a[[0, 2]].tobytes() == b[[0, 2]].tobytes()


def test_values_above_the_cap_are_cut_and_counted():
    source = smoothing_and_responses(10.0)[1]
    low = Responses(source.mean, source.response, source.errors, source.n_errors, np.array([np.inf, 12.0, np.inf]))
    axis = SeriesAxis(np.array(["a", "b", "c"]), np.array(["x"] * 3))
    demand = SampledForecast(axis, TimeAxis(np.datetime64("2026-01-01"), H, "day"), low, STREAM, 30)
    paths = demand.paths()
    assert paths[1].max() == 12.0
    assert clipped(demand) == (paths[1] == 12.0).sum() > 0


def test_a_stack_holds_responses_beside_states():
    state, source = smoothing_and_responses(5.0)
    recorded = RecordedPaths(np.ones((1, 2, H)))
    rows = [np.array([0, 3, 4]), np.array([1, 2, 6]), np.array([5])]
    stack = assemble(7, [(rows[0], source), (rows[1], state), (rows[2], recorded)])
    keys = np.arange(7, dtype=np.uint64)
    paths = stack.draw(np.arange(7), keys, STREAM, 6, H)
    assert paths[rows[0]].tobytes() == source.draw(np.arange(3), keys[rows[0]], STREAM, 6, H).tobytes()
    assert paths[rows[1]].tobytes() == state.draw(np.arange(3), keys[rows[1]], STREAM, 6, H).tobytes()
