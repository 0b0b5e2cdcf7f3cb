"""Paths of counts against scipy's distributions, and against the theory of a level that follows them."""

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from stockcast.core.random import Stream
from stockcast.demand import Counts
from stockcast.demand.counts import Tables

N = 200_000
SHARE = ((np.arange(N) + 0.5) / N)[None]
BETWEEN = np.random.default_rng(0).random((1, N))


def law(mean, delta):
    return nbinom(mean / delta, 1.0 / (1.0 + delta)) if delta else poisson(mean)


def furthest(drawn, expected):
    """The largest difference between the two distribution functions."""
    at = np.unique(np.concatenate([np.arange(50.0), np.quantile(drawn, np.linspace(0.001, 0.999, 200)).round()]))
    return np.abs(np.searchsorted(np.sort(drawn), at, side="right") / len(drawn) - expected.cdf(at)).max()


MEANS = [(0.01, 0.0), (0.25, 1.0), (0.81, 3.0), (4.84, 0.5), (4.84, 20.0), (49.0, 0.0), (49.0, 3.0), (98.01, 25.0)]


@pytest.mark.parametrize(("mean", "delta"), MEANS)
def test_at_a_node_inversion_is_exact(mean, delta):
    drawn = Tables().draw(np.array([delta]), np.full((1, N), mean), SHARE, BETWEEN)[0]
    # a node is missed by the last digit of its root only; then a neighbour is drawn with next to no probability
    assert (drawn != law(mean, delta).ppf(SHARE[0])).mean() < 1e-4


@pytest.mark.parametrize(
    ("mean", "delta"), [(0.003, 0.0), (0.7, 0.0), (0.705, 3.0), (5.3, 0.5), (50.3, 0.0), (50.3, 2.0)]
)
def test_between_nodes_the_mean_is_exact_and_the_variance_within_a_hundredth(mean, delta):
    drawn = Tables().draw(np.array([delta]), np.full((1, N), mean), SHARE, BETWEEN)[0]
    assert furthest(drawn, law(mean, delta)) < 0.003
    assert drawn.mean() == pytest.approx(mean, rel=0.02 if mean < 0.1 else 0.002)
    assert drawn.var() == pytest.approx(mean * (1.0 + delta), rel=0.04 if mean < 0.1 else 0.015)


LARGE = [(101.0, 0.0), (101.0, 0.5), (101.0, 25.0), (300.0, 29.0), (1e3, 0.0), (1e3, 50.0), (5e3, 800.0), (1e5, 100.0)]


@pytest.mark.parametrize(("mean", "delta"), LARGE)
def test_large_means_are_close_to_the_distribution(mean, delta):
    drawn = Tables().draw(np.array([delta]), np.full((1, N), mean), SHARE, BETWEEN)[0]
    assert furthest(drawn, law(mean, delta)) < 0.005
    assert drawn.mean() == pytest.approx(mean, rel=1e-3)
    assert drawn.var() == pytest.approx(mean * (1.0 + delta), rel=5e-3)


@pytest.mark.parametrize(("mean", "delta"), [(3.0, 40.0), (3.0, 300.0), (30.0, 100.0)])
def test_wide_dispersions_of_small_means_are_close(mean, delta):
    drawn = Tables().draw(np.array([delta]), np.full((1, N), mean), SHARE, BETWEEN)[0]
    assert furthest(drawn, law(mean, delta)) < 0.01
    assert drawn.mean() == pytest.approx(mean, rel=0.01)


def counts(n=1, **given):
    nothing = {
        "alpha": 0.0,
        "dispersion": 0.0,
        "inflation": 0.0,
        "floor": 0.0,
        "unit": 1.0,
        "cap": 1e6,
        "persistence": 1.0,
    }
    fields = {name: np.full(n, value) for name, value in (nothing | given).items() if name != "season"}
    fields.setdefault("mean", fields["level"])
    return Counts(season=np.asarray(given.get("season", np.ones((n, 1)))), **fields)


def paths(source, n_paths=40_000, horizon=14):
    n = len(source.level)
    return source.draw(np.arange(n), np.arange(n, dtype=np.uint64), Stream(7, "paths"), n_paths, horizon)


@pytest.mark.parametrize(
    ("level", "delta", "pi"), [(0.4, 0.0, 0.0), (3.0, 2.0, 0.0), (3.0, 2.0, 0.25), (40.0, 4.0, 0.1)]
)
def test_mean_variance_and_share_of_zeros_are_those_of_theory(level, delta, pi):
    drawn = paths(counts(level=level, dispersion=delta, inflation=pi))
    m = level / (1.0 - pi)
    # of a mixture: (1 − π) (variance + mean²) − mean² of all
    variance = (1.0 - pi) * (m * (1.0 + delta) + m * m) - level**2
    assert drawn.mean() == pytest.approx(level, rel=0.01)
    assert drawn.var() == pytest.approx(variance, rel=0.03)
    assert (drawn == 0).mean() == pytest.approx(pi + (1.0 - pi) * law(m, delta).pmf(0), abs=0.004)


@pytest.mark.parametrize("kappa", [1.0, 0.9])
def test_a_level_that_follows_its_draws_keeps_the_mean_and_widens_the_sum(kappa):
    alpha, level, horizon = 0.15, 4.0, 14
    drawn = paths(counts(level=level, dispersion=1.0, alpha=alpha, persistence=kappa), horizon=horizon)
    np.testing.assert_allclose(drawn.mean(axis=(0, 1)), level, rtol=0.02)
    sums = drawn[0].sum(axis=1)
    # the sum is Σ of uncorrelated shocks, each of variance μ (1 + δ), times what it does to the periods after it
    after = np.array([1.0 + alpha * sum(kappa**j for j in range(horizon - 1 - t)) for t in range(horizon)])
    expected = level * 2.0 * (after**2).sum()
    assert sums.var() == pytest.approx(expected, rel=0.05)
    alone = paths(counts(level=level, dispersion=1.0), horizon=horizon)[0].sum(axis=1)
    assert alone.var() == pytest.approx(level * 2.0 * horizon, rel=0.05)
    assert sums.var() > 1.5 * alone.var()


def test_a_damped_level_goes_back_to_its_mean():
    drawn = paths(counts(level=8.0, mean=2.0, persistence=0.8, alpha=0.1, dispersion=0.5))
    np.testing.assert_allclose(drawn.mean(axis=(0, 1)), 2.0 + 6.0 * 0.8 ** np.arange(14), rtol=0.03)


def test_factors_units_floors_and_caps():
    season = np.array([[0.5, 1.0, 1.5]])
    drawn = paths(counts(level=4.0, season=season, unit=6.0, floor=1.0, cap=48.0))
    assert set(np.unique(drawn % 6.0)) == {0.0}
    assert drawn.min() == 6.0
    assert drawn.max() == 48.0
    for period in range(3):
        expected = 6.0 + 6.0 * np.minimum(poisson(4.0 * season[0, period]).rvs(N, random_state=1), 7).mean()
        assert drawn[:, :, period].mean() == pytest.approx(expected, rel=0.01)


def test_nothing_comes_of_nothing():
    assert paths(counts(level=0.0, dispersion=2.0, alpha=0.3), n_paths=500).max() == 0


def test_a_series_draws_the_same_bytes_in_any_company():
    draw = np.random.default_rng(1)
    n = 40
    source = Counts(
        level=np.geomspace(0.01, 400.0, n), mean=np.geomspace(0.01, 400.0, n), persistence=draw.choice([1.0, 0.9], n),
        alpha=draw.uniform(0, 0.4, n), season=draw.uniform(0.5, 1.5, (n, 7)), dispersion=draw.choice([0, 0.3, 2, 60.0], n),
        inflation=draw.choice([0, 0.3], n), floor=draw.choice([0.0, 2.0], n), unit=np.ones(n), cap=np.full(n, 3000.0),
    )  # fmt: skip
    keys, stream = np.arange(n, dtype=np.uint64), Stream(7, "paths")
    whole = source.draw(np.arange(n), keys, stream, 50, 14)
    assert (whole == np.rint(whole)).all()
    for rows in (np.array([7]), np.arange(5, 31), np.array([39, 0, 12])):
        assert source.draw(rows, keys[rows], stream, 50, 14).tobytes() == whole[rows].copy().tobytes()
        assert (
            source.take(rows).draw(np.arange(len(rows)), keys[rows], stream, 50, 14).tobytes()
            == whole[rows].copy().tobytes()
        )


def test_series_that_may_reach_their_cap_are_told():
    assert counts(level=1.0, cap=40.0).may_reach_cap().tolist() == [False]
    assert counts(level=1.0, cap=10.0).may_reach_cap().tolist() == [True]
    assert counts(level=1.0, cap=40.0, dispersion=5.0).may_reach_cap().tolist() == [True]
    assert counts(level=0.0, cap=10.0).may_reach_cap().tolist() == [False]


def test_what_else_was_tabulated_changes_no_count(monkeypatch):
    draw = np.random.default_rng(5)
    delta = np.array([0.0, 0.5, 2.0, 7.3])
    mean, share, between = draw.gamma(2.0, 4.0, (4, 300)), draw.random((4, 300)), draw.random((4, 300))
    whole = Tables().draw(delta, mean, share, between)
    monkeypatch.setattr("stockcast.demand.counts.MOST", 3)  # tables are forgotten on the way
    used = Tables()
    for order in ([3, 1], [0, 2], [2, 3], [1, 0]):
        at = np.array(order)
        assert used.draw(delta[at], mean[at], share[at], between[at]).tobytes() == whole[at].tobytes()
    assert len(used.known) <= 3


def test_a_mean_of_nothing_gives_nothing_however_wide():
    mean = np.array([[0.0, 1e-12, 0.5, 0.0]])
    drawn = Tables().draw(np.array([400.0]), mean, np.array([[0.5, 0.5, 0.999, 0.0]]), np.zeros((1, 4)))
    assert drawn[0, [0, 1, 3]].tolist() == [0.0, 0.0, 0.0]
    assert drawn[0, 2] > 0
