"""Launches made along a known curve, at levels that are known: what is learnt of them, and what is forecast."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_launches import BRANDS, PLACES, WEEKDAYS, curve, hidden, renamed, shop

from stockcast.models.launches import WEEKS, launches, learn_curves
from stockcast.models.profile import profile
from stockcast.models.states import sampled

every_step = pytest.mark.parametrize("step", ["day", "week"])


def mean_of(past, rows, horizon, n_paths=2000):
    part = past.take(rows)
    return sampled(part, profile(past).analogues.source(part, horizon), horizon, seed=7, n_paths=n_paths).mean()


def plain_curve(past, launched, week):
    """The ratio of sums over all launches that have settled, by a loop over series and days."""
    sold, expected, many = np.zeros(WEEKS), np.zeros(WEEKS), np.zeros(WEEKS)
    for i, begin in enumerate(launched.tolist()):
        later = past.sales[i, begin + WEEKS * week : begin + 2 * WEEKS * week]
        if begin < 4 * week or len(later) < 4 * week:
            continue
        m = later.mean()
        for a in range(WEEKS):
            days = past.sales[i, begin + a * week : begin + (a + 1) * week]
            sold[a] += days.sum() / (1 + m)
            expected[a] += week * m / (1 + m)
            many[a] += m / (1 + m)
    ratio = (many * sold / expected + 10.0) / (many + 10.0)
    return np.array([(ratio[max(a - 1, 0)] + 2 * ratio[a] + np.append(ratio, 1.0)[a + 1]) / 4 for a in range(WEEKS)])


@every_step
def test_the_curve_is_the_one_that_a_plain_loop_finds(step):
    past = shop(80, 420 if step == "day" else 120, step=step)
    week = 7 if step == "day" else 1
    mine = learn_curves(past, launches(past)).curve[0]
    np.testing.assert_allclose(mine, plain_curve(past, launches(past), week), rtol=1e-12)


@every_step
def test_the_curve_that_launches_were_made_with_is_found(step):
    week = 7 if step == "day" else 1
    past = shop(400, 500 if step == "day" else 120, step=step, launched=0.9)
    curves = learn_curves(past, launches(past))
    ages = np.arange(0, WEEKS * week + 20)[None]
    found = curves.at(np.array(["all"]), ages, week)[0]
    assert np.abs(found - curve(ages[0], week)).max() < 0.07
    assert found[0] < 0.62


@pytest.mark.parametrize("dated", [True, False])
def test_new_items_are_forecast_at_the_level_of_their_brand_along_the_curve(dated):
    past = shop(240, 500, launched=0.6, dated=dated)
    brand = past.attributes.column("brand")
    new = np.sort(np.concatenate([np.flatnonzero(brand == name)[:6] for name in BRANDS]))
    past = hidden(past, new)
    if dated:  # launched in the period after the origin
        dates = past.attributes.column("launch_date").astype("<U10")
        dates[new] = str(past.time.date(500))
        past = renamed(past, launch_date=dates)
    horizon = 56
    mean = mean_of(past, new, horizon)
    expected = curve(np.arange(horizon)) * WEEKDAYS[(500 + np.arange(horizon)) % 7]
    for name, level in BRANDS.items():
        mine = mean[brand[new] == name].mean(axis=0)
        assert mine.sum() == pytest.approx((level * expected).sum(), rel=0.1)
        np.testing.assert_allclose(mine, level * expected, rtol=0.25)


def test_the_same_item_at_another_place_is_scaled_by_what_is_sold_there():
    past = shop(60, 300, places=("bergen", "oslo"), launched=0.0, noise=1.0)
    new = np.flatnonzero(past.series.location == "bergen")[::6]
    actual = past.sales[new, -56:].mean(axis=1)
    past = hidden(past, new)
    made = profile(past).analogues
    assert made.names(past.series.take(new))[0] == f"{past.series.sku[new[0]]} at oslo"
    np.testing.assert_allclose(made.level, actual, rtol=0.5)
    assert made.level.sum() == pytest.approx(actual.sum(), rel=0.1)
    assert made.donors.effect[0] - made.donors.effect[1] == pytest.approx(np.log(PLACES["bergen"]), abs=0.1)


def test_the_level_in_the_paths_is_as_uncertain_as_levels_are():
    past = shop(300, 300, launched=0.0, noise=0.6)
    new = np.arange(0, 300, 3)
    levels = past.sales[new, -56:].mean(axis=1)
    past = hidden(past, new)
    part = past.take(new)
    sums = sampled(part, profile(past).analogues.source(part, 56), 56, seed=7, n_paths=500).paths().sum(axis=2)
    share = (sums <= 56 * levels[:, None]).mean(axis=1)
    assert 0.7 < np.mean((share > 0.1) & (share < 0.9)) < 0.9
    assert 0.4 < np.mean(share < 0.5) < 0.6


def test_own_history_takes_over_from_the_analogues():
    past = shop(120, 300, launched=0.0, noise=0.1)
    row = int(np.flatnonzero(past.attributes.column("brand") == "birch")[0])
    levels = []
    for periods in (0, 2, 7, 13):
        sales, observed = past.sales.copy(), past.observed.copy()
        observed[row], sales[row] = False, 0.0
        observed[row, 300 - periods :], sales[row, 300 - periods :] = True, 40.0
        short = replace(renamed(past, launch_date=None), sales=sales, observed=observed)
        levels.append(profile(short).analogues.level[0])
    assert levels[0] == pytest.approx(8.0, rel=0.15)
    assert (np.diff(levels) > 0).all()
    assert 20.0 < levels[-1] < 42.0
