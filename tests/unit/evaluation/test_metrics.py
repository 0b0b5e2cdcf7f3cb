import numpy as np
import pytest

from stockcast.evaluation import metrics

FORECAST = np.array([[2.0, 4.0, 6.0], [1.0, 1.0, 1.0]])
ACTUAL = np.array([[1.0, 4.0, 9.0], [0.0, 1.0, 5.0]])
USED = np.array([[True, True, True], [True, True, False]])


def test_by_hand():
    assert metrics.wape(FORECAST, ACTUAL, USED) == pytest.approx((1 + 0 + 3 + 1 + 0) / (1 + 4 + 9 + 0 + 1))
    assert metrics.bias(FORECAST, ACTUAL, USED) == pytest.approx((1 + 0 - 3 + 1 + 0) / 15)
    scale = np.array([2.0, 0.5])
    np.testing.assert_allclose(metrics.rmsse(FORECAST, ACTUAL, USED, scale), [np.sqrt(10 / 3) / 2, np.sqrt(0.5) / 0.5])
    np.testing.assert_allclose(metrics.mase(FORECAST, ACTUAL, USED, scale), [4 / 3 / 2, 0.5 / 0.5])
    np.testing.assert_allclose(metrics.coverage(FORECAST, ACTUAL, USED), [2 / 3, 1.0])


def test_scaled_quantile_loss_by_hand():
    quantiles = np.array([[[1.0, 3.0], [2.0, 8.0]]])
    actual = np.array([[2.0, 9.0]])
    # 2·0.5·1, 2·0.1·1 | 2·0.5·7, 2·0.9·1
    told = metrics.scaled_quantile_loss(quantiles, actual, actual >= 0, (0.5, 0.9), np.array([2.0]))
    np.testing.assert_allclose(told, [np.mean([1.0, 0.2, 7.0, 1.8]) / 2.0])


def test_the_true_quantile_has_the_smallest_loss():
    draws = np.random.default_rng(1).exponential(5.0, (1, 20_000))
    guesses = np.linspace(5.0, 25.0, 81)
    losses = [metrics.quantile_loss(np.full((1, 20_000, 1), g), draws, (0.9,)).mean() for g in guesses]
    assert guesses[int(np.argmin(losses))] == pytest.approx(5.0 * np.log(10.0), abs=0.5)


def test_nothing_to_judge_is_not_a_number():
    none = np.zeros_like(USED)
    assert np.isnan(metrics.wape(FORECAST, ACTUAL, none))
    assert np.isnan(metrics.rmsse(FORECAST, ACTUAL, none, np.ones(2))).all()


def test_scales_by_hand():
    values = np.array([[1.0, 3.0, 0.0, 7.0], [5.0, 5.0, 5.0, 5.0], [0.0, 0.0, 0.0, 0.0]])
    used = np.array([[True, True, False, True], [True] * 4, [True] * 4])
    root, absolute, _ = metrics.naive_scales(values, used, 2)
    np.testing.assert_allclose(root, [2.0, 5.0, 1.0])  # steps 1→3 only; a constant: its mean; nothing: 1
    np.testing.assert_allclose(absolute, [4.0, 5.0, 1.0])  # 3→7


def test_a_history_shorter_than_a_season_has_a_scale():
    root, absolute, level = metrics.naive_scales(np.array([[2.0, 4.0]]), np.ones((1, 2), dtype=bool), 7)
    assert level.tolist() == [3.0]
    assert (root[0], absolute[0]) == (2.0, 3.0)
