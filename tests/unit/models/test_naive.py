import numpy as np
import pytest
from made_panels import panel

from stockcast.models.history import ceiling, latest, season_length
from stockcast.models.naive import MovingAverage, SeasonalNaive, repeated


def predicted(forecaster, past, horizon=14, n_paths=50):
    return forecaster.fit(past, seed=7).predict(past, horizon, seed=7, n_paths=n_paths)


def test_the_last_week_comes_again():
    week = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    past = panel(np.tile(week, 5)[None, :33])  # ends on the fifth day
    assert predicted(SeasonalNaive(), past).paths()[0, 0, :7].tolist() == [6, 7, 1, 2, 3, 4, 5]


def test_a_stockout_is_passed_over_for_the_week_before():
    sales = np.tile(np.arange(1.0, 8.0), 4)[None]
    in_stock = np.ones_like(sales)
    in_stock[0, -1], sales[0, -1] = 0.3, 0.0
    assert predicted(SeasonalNaive(), panel(sales, in_stock=in_stock)).source.season[0].tolist() == [
        1,
        2,
        3,
        4,
        5,
        6,
        7,
    ]


def test_a_year_of_weeks_comes_again_only_where_there_are_two():
    assert [season_length("week", n, 2) for n in (103, 104)] == [1, 52]
    weeks = np.arange(110.0)[None]
    assert predicted(SeasonalNaive(), panel(weeks, step="week")).source.season[0, :3].tolist() == [58, 59, 60]
    observed = np.arange(110)[None] >= 20  # this series itself is younger
    young = predicted(SeasonalNaive(), panel(weeks, step="week", observed=observed)).source
    assert (young.season == 109).all()


def test_errors_are_against_the_last_used_value_of_the_place():
    values = np.array([[1.0, 2.0, 5.0, 0.0, 9.0, 4.0]])
    used = np.array([[True, True, True, False, True, True]])
    season, errors, judged = repeated(values, used, 2)
    assert season.tolist() == [[9, 4]]
    assert judged.tolist() == [[False, False, True, False, True, True]]
    assert errors.tolist() == [[0, 0, 4, 0, 4, 2]]


def test_a_place_never_seen_takes_the_last_value():
    season, _, _ = repeated(np.array([[3.0, 8.0]]), np.ones((1, 2), dtype=bool), 3)
    assert season.tolist() == [[8, 3, 8]]


def test_the_mean_is_of_the_chosen_window():
    past = panel(np.concatenate([np.zeros((1, 100)), np.full((1, 14), 7.0)], axis=1))
    fitted = MovingAverage().fit(past, seed=7)
    level = fitted.predict(past, 5, seed=7, n_paths=10).source.level[0]
    assert level == pytest.approx(7.0 * 14 / fitted.window[0])


def test_a_jump_in_level_asks_for_a_short_window_and_noise_for_a_long_one():
    draw = np.random.default_rng(3)
    jumps = np.repeat(draw.integers(0, 100, 26), 14)[None]
    noise = draw.normal(100.0, 10.0, (40, 364))
    assert MovingAverage().fit(panel(jumps), seed=7).window.tolist() == [14]
    assert (MovingAverage().fit(panel(noise), seed=7).window == 56).mean() > 0.5


def test_masked_periods_do_not_enter_the_mean():
    in_stock = np.ones((1, 60))
    in_stock[0, ::2] = 0.0
    sales = np.where(in_stock > 0, 6.0, 0.0)
    assert predicted(MovingAverage(), panel(sales, in_stock=in_stock)).paths().mean() == pytest.approx(6.0)


def test_one_mistyped_entry_does_not_lift_the_ceiling():
    sales = np.full((1, 50), 4.0)
    sales[0, 20] = 1e6
    assert ceiling(sales, sales >= 0).tolist() == [40.0]


def test_a_promotion_passes_the_ceiling():
    sales = np.full((1, 50), 4.0)
    sales[0, 20:24] = 60.0
    assert ceiling(sales, sales >= 0).tolist() == [600.0]


def test_latest_keeps_the_order():
    values, count = latest(np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[True, False, True, True]]), 2)
    assert values.tolist() == [[3, 4]]
    assert count.tolist() == [2]
