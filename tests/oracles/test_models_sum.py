"""The sum over days keeps its mean, though no day is below zero: what an order depends on."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_panels import panel

from stockcast.core.random import Stream
from stockcast.models.catalogue import make
from stockcast.models.states import innovations

KEYS = np.arange(40, dtype=np.uint64)


def low_volume_seasonal(n=40):
    draw = np.random.default_rng(4)
    errors = draw.poisson(0.6, (n, 300)) - 0.6
    season = np.tile(np.array([-0.3, -0.3, -0.2, 0.0, 0.1, 0.4, 0.3]), (n, 1))
    return innovations(
        n, level=np.full(n, 0.6), season=season, errors=errors - errors.mean(axis=1, keepdims=True),
        n_errors=np.full(n, 300), cap=np.full(n, 100.0),
    )  # fmt: skip


@pytest.mark.parametrize("days", [7, 14, 28])
def test_the_mean_of_the_sum_is_that_of_the_signed_days(days):
    source = low_volume_seasonal()
    paths = source.draw(np.arange(40), KEYS, Stream(7, "paths"), 500, 28)
    assert (paths >= 0).all()
    expected = np.tile(0.6 + source.season[0], 4)[:days].sum()
    assert paths[:, :, :days].sum(axis=2).mean() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("days", [1, 3, 14])
def test_without_a_season_every_number_of_days_keeps_its_mean(days):
    source = low_volume_seasonal()
    flat = innovations(
        40, level=np.full(40, 0.4), errors=source.errors, n_errors=source.n_errors, cap=np.full(40, 100.0)
    )  # fmt: skip
    paths = flat.draw(np.arange(40), KEYS, Stream(7, "paths"), 500, 28)
    assert paths[:, :, :days].sum(axis=2).mean() == pytest.approx(0.4 * days, rel=0.02)


def test_cutting_each_day_off_at_zero_would_be_far_off():
    source = low_volume_seasonal()
    draws = np.random.default_rng(1).integers(0, 300, (40, 500, 14))
    signed = source.errors[np.arange(40)[:, None, None], draws] + np.tile(0.6 + source.season[0], 2)
    assert np.maximum(signed, 0.0).sum(axis=2).mean() > 1.05 * 0.6 * 14


def test_a_smoothing_forecast_of_rare_seasonal_demand_is_unbiased():
    draw = np.random.default_rng(8)
    rate = 0.4 * (1.0 + 0.8 * (np.arange(728) % 7 >= 5))
    past = panel(draw.poisson(rate, (60, 728)))
    demand = make("ets").fit(past, seed=7).predict(past, 14, seed=7, n_paths=300)
    assert demand.paths().sum(axis=2).mean() == pytest.approx(2 * rate[:7].sum(), rel=0.05)


@pytest.mark.parametrize("name", ["moving_average", "croston", "tsb", "adida", "imapa"])
def test_level_models_keep_the_mean_of_rare_demand(name):
    past = panel(np.random.default_rng(8).poisson(0.3, (60, 728)))
    demand = make(name).fit(past, seed=7).predict(past, 14, seed=7, n_paths=300)
    assert demand.paths().sum(axis=2).mean() == pytest.approx(14 * 0.3, rel=0.08)


def test_a_pool_of_many_paths_has_the_distribution_of_the_errors():
    pool = np.array([[0.0, 1.0, 5.0, 10.0]])
    source = innovations(1, errors=pool, n_errors=np.array([4]), cap=np.array([100.0]))
    paths = source.draw(np.array([0]), KEYS[:1], Stream(7, "paths"), 40_000, 1)
    values, count = np.unique(paths, return_counts=True)
    assert values.tolist() == [0.0, 1.0, 5.0, 10.0]
    np.testing.assert_allclose(count / 40_000, 0.25, atol=0.01)


@pytest.mark.parametrize("name", ["moving_average", "croston", "sba", "tsb", "adida", "imapa"])
def test_the_sum_is_as_wide_as_sums_were_where_demand_comes_in_waves(name):
    # busy and quiet spells of ten days each: single days drawn one by one would give the sum half its spread
    draw = np.random.default_rng(5)
    rate = np.repeat(draw.gamma(1.0, 6.0, (40, 73)), 10, axis=1)[:, :728]
    past = panel(draw.poisson(rate) + 1.0)
    demand = make(name).fit(past, seed=7).predict(past, 14, seed=7, n_paths=400)
    spread = demand.paths().sum(axis=2).std(axis=1).mean()
    happened = np.lib.stride_tricks.sliding_window_view(past.sales[:, -400:], 14, axis=1).sum(axis=2).std(axis=1).mean()
    assert spread == pytest.approx(happened, rel=0.25)


def test_blocks_of_errors_change_no_single_period():
    errors = np.sort(np.random.default_rng(3).gamma(1.0, 2.0, (1, 200)), axis=1)
    one, many = (
        innovations(1, level=np.full(1, 5.0), errors=errors, n_errors=np.array([200]), cap=np.full(1, 99.0), block=np.array([size]))
        .draw(np.array([0]), KEYS[:1], Stream(7, "paths"), 20_000, 14)[0] for size in (1, 7)
    )  # fmt: skip
    assert one[:, 0].tobytes() == many[:, 0].tobytes()
    for period in range(14):
        np.testing.assert_allclose(
            np.quantile(many[:, period], (0.1, 0.5, 0.9)), np.quantile(5.0 + errors, (0.1, 0.5, 0.9)), rtol=0.03
        )
    # within a block the errors follow each other, from one block to the next they don't
    place = np.searchsorted(5.0 + errors[0] - 1e-9, many)
    assert (np.diff(place[:, :7], axis=1) % 200 == 1).all()
    assert (np.diff(place[:, 6:8], axis=1) % 200 == 1).mean() < 0.05


def test_a_short_pool_is_not_drawn_in_blocks():
    # a block as long as the pool would make the sum of every path the same
    past = panel(np.random.default_rng(1).poisson(3.0, (20, 14)))
    demand = make("moving_average").fit(past, seed=7).predict(past, 14, seed=7, n_paths=300)
    np.testing.assert_allclose(demand.paths().sum(axis=2).std(axis=1), past.sales.std(axis=1) * np.sqrt(14), rtol=0.2)
