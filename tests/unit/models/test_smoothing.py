import numpy as np
import pytest
from made_panels import panel

from stockcast.models.smoothing import Smoothing


def made(sales, **more):
    past = panel(sales, **more)
    fitted = Smoothing().fit(past, seed=7)
    return fitted, fitted.predict(past, 14, seed=7, n_paths=200)


def test_a_season_is_found_and_goes_on():
    draw = np.random.default_rng(5)
    season = np.array([0.0, 0.0, 0.0, 0.0, 5.0, 10.0, 5.0])
    fitted, demand = made(10.0 + season[np.arange(402) % 7] + draw.normal(0, 1, (4, 402)))
    assert (fitted.parameters[2] > 0).all()
    expected = 10.0 + season[(402 + np.arange(14)) % 7]
    np.testing.assert_allclose(demand.mean(), np.tile(expected, (4, 1)), atol=0.8)


def test_no_season_is_made_up_for_noise():
    fitted, demand = made(np.random.default_rng(5).normal(20, 3, (20, 400)))
    assert (fitted.parameters[2] > 0).mean() <= 0.15
    np.testing.assert_allclose(demand.mean().mean(axis=1), 20.0, atol=1.5)


def test_the_level_follows_a_jump():
    draw = np.random.default_rng(6)
    sales = np.concatenate([draw.normal(10, 1, (1, 200)), draw.normal(30, 1, (1, 60))], axis=1)
    assert made(sales)[1].mean().mean() == pytest.approx(30.0, abs=1.0)


def test_growth_is_damped_not_carried_on_for_ever():
    _, demand = made(np.arange(200.0)[None] + np.random.default_rng(1).normal(0, 1, (1, 200)))
    mean = demand.mean()[0]
    assert 190.0 < mean[0] < 210.0
    assert mean[-1] < 214.0 + 10.0


def test_the_season_advances_over_masked_periods():
    sales = np.tile(np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 8.0]), 40)[None]
    in_stock = np.ones_like(sales)
    in_stock[0, 100:105] = 0.0
    shortened = np.where(in_stock > 0, sales, 0.0)
    _, demand = made(shortened, in_stock=in_stock)
    np.testing.assert_allclose(demand.mean()[0, :7], sales[0, :7], atol=0.5)


def test_weeks_take_a_yearly_season_from_three_years_on():
    draw = np.random.default_rng(9)
    season = 100.0 + 20.0 * draw.normal(0, 1, 52)
    sales = np.tile(season, 4) + draw.normal(0, 1, (3, 208))
    fitted, demand = made(sales, step="week")
    assert (fitted.parameters[2] > 0).all()
    assert np.abs(demand.mean() - season[:14]).mean() < 4.0
    assert (made(sales[:, :150], step="week")[0].parameters[2] == 0).all()


def test_units_do_not_matter():
    sales = np.random.default_rng(2).poisson(5.0, (2, 150)).astype(float)
    one, other = made(sales)[1], made(sales * 1024.0)[1]
    np.testing.assert_array_equal(one.source.level * 1024.0, other.source.level)


def test_the_number_of_threads_changes_no_byte():
    import torch

    sales = np.random.default_rng(2).poisson(5.0, (30, 150))
    before = torch.get_num_threads()
    one = made(sales)[1].paths().tobytes()
    assert torch.get_num_threads() == before
    torch.set_num_threads(2)
    two = made(sales)[1].paths().tobytes()
    torch.set_num_threads(before)
    assert one == two
