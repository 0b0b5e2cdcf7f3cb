import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.random import Stream
from stockcast.demand import Coursed, RecordedPaths, SampledForecast
from stockcast.demand.arrays import pack, unpack
from stockcast.models.states import caps, clipped

N, PATHS, HORIZON = 5, 400, 6


def made(doubt=0.5, cap=np.inf):
    paths = np.random.default_rng(1).gamma(2.0, 3.0, (N, PATHS, HORIZON))
    course = np.linspace(0.0, 1.5, N * HORIZON).reshape(N, HORIZON)
    source = Coursed(RecordedPaths(paths), course, np.full(N, doubt), np.full(N, cap))
    axis = SeriesAxis(np.array([f"s{at}" for at in range(N)]), np.full(N, "x"))
    time = TimeAxis(np.datetime64("2026-01-01"), HORIZON, "day")
    return SampledForecast(axis, time, source, Stream(7, "paths"), PATHS), paths, course


def test_without_doubt_a_path_is_multiplied_by_its_course():
    demand, paths, course = made(doubt=0.0)
    np.testing.assert_allclose(demand.paths(), paths * course[:, None])


def test_one_factor_of_mean_one_goes_with_a_whole_path():
    demand, paths, course = made()
    factor = demand.paths()[:, :, 1:] / (paths * course[:, None])[:, :, 1:]
    np.testing.assert_allclose(factor, np.repeat(factor[:, :, :1], HORIZON - 1, axis=2))
    np.testing.assert_allclose(factor[:, :, 0].mean(axis=1), 1.0)
    np.testing.assert_allclose(factor[:, :, 0].std(axis=1), 0.5, rtol=0.05)
    assert abs(np.corrcoef(factor[:2, :, 0])[0, 1]) < 0.2  # each series has doubts of its own


def test_the_factor_is_not_that_of_a_calibration():
    from stockcast.demand.adjusted import factors

    demand, paths, course = made()
    mine = (demand.paths() / (paths * course[:, None] + 1e-300))[1, :, 2]
    other = factors(np.array([0.5]), demand.series.keys[1:2], demand.stream, PATHS)[0]
    assert abs(np.corrcoef(mine, other)[0, 1]) < 0.2


def test_a_value_is_cut_to_its_cap_and_none_exceeds_its_reach():
    demand = made(cap=9.0)[0]
    assert demand.paths().max() == 9.0
    assert clipped(demand) == (demand.paths() == 9.0).sum()
    assert caps(demand.source, N).tolist() == [9.0] * N
    free, paths, _ = made()
    assert (free.paths().max(axis=(1, 2)) <= free.source.reach(paths.max(axis=(1, 2)))).all()


def test_what_never_sells_reaches_nothing_whatever_its_source_does():
    source = Coursed(made()[0].source.inner, np.zeros((N, HORIZON)), np.zeros(N), np.full(N, np.inf))
    assert source.reach(np.full(N, np.inf)).tolist() == [0.0] * N


def test_chunks_and_files_give_the_same_bytes():
    demand = made()[0]
    rows = np.array([1, 4])
    assert demand.take(rows).paths().tobytes() == demand.paths(rows).tobytes() == demand.paths()[rows].tobytes()
    assert unpack(pack(demand)).paths().tobytes() == demand.paths().tobytes()


@pytest.mark.parametrize("horizon", [1, 3])
def test_a_shorter_horizon_is_the_beginning_of_a_longer_one(horizon):
    demand = made()[0]
    shorter = demand.source.draw(np.arange(N), demand.series.keys, demand.stream, PATHS, horizon)
    np.testing.assert_array_equal(shorter, demand.paths()[:, :, :horizon])
