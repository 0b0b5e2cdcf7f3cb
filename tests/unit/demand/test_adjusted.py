import numpy as np
import pytest

from stockcast.core.random import Stream
from stockcast.demand import Adjusted, RecordedPaths
from stockcast.demand.adjusted import factors, in_whole_units, widened
from stockcast.models.states import clipped, sampled

N, PATHS, H = 40, 400, 14
KEYS = np.arange(100, 100 + N, dtype=np.uint64)
STREAM = Stream(7, "paths")


def draws(**more):
    paths = np.random.default_rng(2).gamma(2.0, 1.5, (N, PATHS, H))
    given = {"shared": np.zeros(N), "single": np.zeros(N), "whole": np.zeros(N, dtype=bool), "cap": np.full(N, 1e9)}
    source = Adjusted(RecordedPaths(paths), **(given | more))
    return paths, source.draw(np.arange(N), KEYS, STREAM, PATHS, H)


def test_without_widths_paths_stay_as_they_are():
    before, after = draws()
    assert before.tobytes() == after.tobytes()


def test_sums_of_whole_units_stay_within_one_of_the_path():
    before, after = draws(whole=np.ones(N, dtype=bool))
    assert (after == np.floor(after)).all()
    assert (after >= 0).all()
    assert np.abs(np.cumsum(after, axis=2) - np.cumsum(before, axis=2)).max() < 1.0
    assert after.mean() == pytest.approx(before.mean(), rel=2e-3)


def test_whole_numbers_are_not_rounded():
    paths = np.random.default_rng(2).poisson(3.0, (3, 50, H)).astype(float)
    rounded = paths.copy()
    in_whole_units(rounded, np.ones(3, dtype=bool), KEYS[:3], STREAM)
    assert rounded.tobytes() == paths.tobytes()


@pytest.mark.parametrize(("shared", "single"), [(0.4, 0.0), (0.0, 0.6), (0.3, 0.3)])
def test_widths_add_the_variance_that_they_state_and_keep_the_mean(shared, single):
    before, after = draws(shared=np.full(N, shared), single=np.full(N, single))
    m, v = 3.0, 4.5
    assert after.mean() == pytest.approx(before.mean(), rel=0.01)
    both = (1 + shared**2) * (1 + single**2) - 1
    assert after.var(axis=1).mean() == pytest.approx(v + both * (v + m * m), rel=0.06)
    # the sum: g is common to all periods, w is not
    mean, var = H * m, H * (v + single**2 * (v + m * m))
    total = var + shared**2 * (var + mean * mean)
    assert after.sum(axis=2).var(axis=1).mean() == pytest.approx(total, rel=0.08)


def test_factors_have_mean_one_and_the_same_quantiles_for_each_series():
    g = factors(np.full(3, 0.3), KEYS[:3], STREAM, PATHS)
    np.testing.assert_allclose(g.mean(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.sort(g[0]), np.sort(g[1]), rtol=1e-12)
    assert not np.array_equal(g[0], g[1])


def test_nothing_is_lifted_above_the_cap_and_what_reaches_it_is_counted():
    before, after = draws(shared=np.full(N, 0.6), cap=np.full(N, 8.0))
    assert before.max() > 8.0
    assert after.max() == 8.0
    paths = before.copy()
    widened(paths, np.zeros(N), np.zeros(N), np.full(N, 8.0), KEYS, STREAM)
    assert paths.tobytes() == before.tobytes()  # what is not widened was capped by its model


def test_values_cut_after_widening_are_counted():
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
    from made_panels import panel

    from stockcast.models.states import innovations

    past = panel(np.full((2, 40), 5.0))
    inner = innovations(2, level=np.full(2, 5.0), cap=np.full(2, 8.0))
    for width, some in ((0.0, False), (0.6, True)):
        source = Adjusted(inner, np.full(2, width), np.zeros(2), np.zeros(2, dtype=bool), np.full(2, 8.0))
        demand = sampled(past, source, 10, seed=7, n_paths=200)
        assert clipped(demand) == int((demand.paths() >= 8.0).sum())
        assert (clipped(demand) > 0) == some
