"""The count model against scipy on a plain loop, against what made the data, and against theory."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_panels import panel

from stockcast.models.catalogue import make
from stockcast.models.likelihood import recursion
from stockcast.models.tally import Tally, weekdays


def log_probability(n, mean, delta, pi):
    mean = mean / (1.0 - pi)
    law = nbinom(mean / delta, 1.0 / (1.0 + delta)) if delta else poisson(mean)
    p = (1.0 - pi) * law.pmf(n) + pi * (n == 0)
    return np.log(p)


def plain(counts, used, level, long_run, season, parameters, decay):
    alpha, kappa, seasonal, delta, pi = parameters
    total = 0.0
    for t, (n, counts_) in enumerate(zip(counts, used, strict=True)):
        mu = level * (season[t % len(season)] if seasonal else 1.0)
        error = (n - mu) if counts_ else 0.0
        total = decay * total + (log_probability(n, mu, delta, pi) if counts_ else 0.0)
        level = (1.0 - kappa) * long_run + kappa * level + alpha * error
    return level, total


def case():
    draw = np.random.default_rng(3)
    counts = draw.negative_binomial(1.0, 0.3, (5, 90)) * draw.integers(1, 9, (5, 1)).astype(float)
    return draw, counts, draw.random((5, 90)) < 0.9


@pytest.mark.parametrize("seasonal", [0.0, 1.0])
def test_the_batch_agrees_with_the_loop_over_scipys_distributions(seasonal):
    draw, counts, used = case()
    parameters = np.stack([
        draw.uniform(0.01, 0.4, (5, 6)), draw.choice([1.0, 0.97, 0.8], (5, 6)), np.full((5, 6), seasonal),
        draw.choice([0.0, 0.05, 1.0, 20.0], (5, 6)), draw.choice([0.0, 0.02, 0.4], (5, 6)),
    ])  # fmt: skip
    level, long_run = draw.uniform(1, 5, 5), draw.uniform(1, 5, 5)
    season = draw.uniform(0.5, 1.5, (5, 7))
    told = recursion(counts, used, level, long_run, season, parameters, decay=0.98)
    for s in range(5):
        for c in range(6):
            expected = plain(counts[s], used[s], level[s], long_run[s], season[s], parameters[:, s, c], 0.98)
            np.testing.assert_allclose((told.level[s, c], told.likelihood[s, c]), expected, rtol=1e-9)


def test_a_series_is_judged_alike_in_inflated_company():
    _, counts, used = case()
    plain_ones = np.array([0.1, 1.0, 0.0, 0.5, 0.0])[:, None, None] * np.ones((5, 5, 1))
    mixed = plain_ones.copy()
    mixed[4, 1:] = 0.2
    run = [np.full(5, 900.0), np.full(5, 2.0), np.ones((5, 1))]  # from so high that no chance of a zero is left
    alone, company = (recursion(counts, used, *run, each).likelihood for each in (plain_ones, mixed))
    assert np.isfinite(alone).all()
    assert alone[0, 0] == company[0, 0]
    assert (alone[1:] != company[1:]).all()


def test_the_quasi_likelihood_is_poissons_over_one_plus_dispersion():
    _, counts, used = case()
    parameters = np.array([0.1, 1.0, 0.0, 0.0, 0.0])[:, None, None] * np.ones((5, 5, 1))
    wide = parameters.copy()
    wide[3] = 3.0
    run = [np.full(5, 2.0), np.full(5, 2.0), np.ones((5, 1))]
    exact = [recursion(each, used, *run, parameters).likelihood for each in (counts, counts + 0.0)][0]
    quasi = recursion(counts, used, *run, wide, judged="quasi").likelihood
    factorials = np.array([(poisson(1).logpmf(n[u]) + 1.0).sum() for n, u in zip(counts, used, strict=True)])
    np.testing.assert_allclose(quasi[:, 0] * 4.0, exact[:, 0] - factorials, rtol=1e-9)


def made(mean, delta, pi, n=40, time=540, seed=8):
    draw = np.random.default_rng(seed)
    inside = draw.random((n, time)) >= pi
    m = np.broadcast_to(mean / (1.0 - pi), (n, time))
    counts = draw.negative_binomial(m / delta, 1.0 / (1.0 + delta)) if delta else draw.poisson(m)
    return (counts * inside).astype(float)


def fitted(sales, **more):
    past = panel(sales, **more)
    found = make("negative_binomial").fit(past, seed=7)
    return found, found.predict(past, 28, seed=7, n_paths=400)


@pytest.mark.parametrize(("mean", "delta"), [(0.3, 1.0), (3.0, 1.5), (20.0, 5.0)])
def test_what_made_the_data_is_found_again(mean, delta):
    found, demand = fitted(made(mean, delta, 0.0))
    assert np.median(found.dispersion / (1.0 - found.inflation)) == pytest.approx(delta, rel=0.3)
    assert (found.inflation > 0).mean() < 0.25
    assert (found.season != 1).any(axis=1).mean() < 0.25
    assert demand.paths().mean() == pytest.approx(mean, rel=0.05)
    assert np.median(found.alpha) < 0.03


def test_poissons_distribution_is_found_again():
    found, _ = fitted(made(2.0, 0.0, 0.0))
    assert (found.dispersion == 0).mean() > 0.6
    assert np.median(found.dispersion) == 0
    assert found.dispersion.max() < 0.5


def test_zero_inflation_is_found_again():
    found, demand = fitted(made(4.0, 0.0, 0.3))
    assert np.median(found.inflation) == pytest.approx(0.3, abs=0.05)
    assert (demand.paths() == 0).mean() == pytest.approx(0.3 + 0.7 * np.exp(-4.0 / 0.7), abs=0.03)


def test_a_weekday_pattern_is_found_again_and_goes_on_over_gaps():
    factor = np.array([0.5, 0.5, 0.8, 1.0, 1.0, 1.6, 1.6])
    sales = made(3.0 * factor[np.arange(540) % 7], 0.5, 0.0, n=20)
    in_stock = np.ones_like(sales)
    in_stock[:, 300:345] = 0.0
    found, demand = fitted(np.where(in_stock > 0, sales, 0.0), in_stock=in_stock)
    expected = 3.0 * factor[(540 + np.arange(28)) % 7]
    np.testing.assert_allclose(demand.mean().mean(axis=0), expected, rtol=0.12)
    # a panel that ends three days earlier goes on with its own weekday
    axis = panel(sales)
    earlier = found.predict(axis.until(537), 7, seed=7, n_paths=400)
    np.testing.assert_allclose(earlier.mean().mean(axis=0), 3.0 * factor[(537 + np.arange(7)) % 7], rtol=0.15)


def test_the_level_follows_a_jump():
    sales = np.concatenate([made(2.0, 0.3, 0.0, n=20, time=500), made(8.0, 0.3, 0.0, n=20, time=120, seed=9)], axis=1)
    assert fitted(sales)[1].mean().mean() == pytest.approx(8.0, rel=0.1)


def test_weekday_factors_of_noise_are_shrunk_and_of_a_pattern_are_not():
    def factors(mean):
        counts = made(mean, 0.0, 0.0, n=40, time=364)
        told = Tally(counts, counts >= 0, counts[:, 0], counts.mean(axis=1), np.full(40, 364.0))
        return weekdays(told, 1.0)

    season, free = factors(np.full(364, 2.0))
    raw = made(2.0, 0.0, 0.0, n=40, time=364).reshape(40, 52, 7).mean(axis=1) / 2.0
    assert season.std() < 0.5 * raw.std()
    assert free.mean() < 2.5
    truth = np.array([0.4, 0.8, 1.0, 1.0, 1.0, 1.2, 1.6])
    season, free = factors(2.0 * truth[np.arange(364) % 7])
    np.testing.assert_allclose(season.mean(axis=0), truth, atol=0.06)
    np.testing.assert_allclose(season.mean(axis=1), 1.0, rtol=1e-12)
    assert free.mean() > 5.0
