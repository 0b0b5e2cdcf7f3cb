import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import AlignmentError, DataError
from stockcast.core.random import Stream
from stockcast.demand import Blend, Coursed, RecordedPaths, SampledForecast
from stockcast.demand.arrays import pack, unpack
from stockcast.models.states import caps, clipped

N, PATHS, HORIZON = 70, 60, 6  # more series than a block holds
WEIGHTS = np.array([[1.0, 0.0, 0.0], [0.7, 0.3, 0.0], [0.2, 0.25, 0.55], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]])


def weights():
    return WEIGHTS[np.arange(N) % len(WEIGHTS)]


class Counting:
    """Counts the rows that are drawn of it."""

    def __init__(self, inner):
        self.inner, self.drawn = inner, []

    def draw(self, rows, *more):
        self.drawn += rows.tolist()
        return self.inner.draw(rows, *more)

    def take(self, rows):
        return Counting(self.inner.take(rows))


def values():
    draw = np.random.default_rng(1)
    rare = draw.poisson(0.3, (N, PATHS, HORIZON)).astype(float)  # mostly equal values
    return [draw.gamma(2.0, 3.0, (N, PATHS, HORIZON)), rare, draw.gamma(1.0, 2.0, (N, PATHS, HORIZON))]


def members(w=None):
    w = weights() if w is None else w
    return tuple(RecordedPaths(of[w[:, at] > 0]) for at, of in enumerate(values()))


def made(source=None):
    axis = SeriesAxis(np.array([f"s{at:03d}" for at in range(N)]), np.full(N, "x"))
    time = TimeAxis(np.datetime64("2026-01-01"), HORIZON, "day")
    return SampledForecast(axis, time, source or Blend(members(), weights()), Stream(7, "paths"), PATHS)


def by_loop(own, w):
    heavy, *others = sorted(range(len(w)), key=lambda at: -w[at])
    out = np.zeros((PATHS, HORIZON))
    for t in range(HORIZON):
        of = [sorted(paths[:, t].tolist()) for paths in own]
        order = sorted(range(PATHS), key=lambda p: (own[heavy][p, t], own[others[0]][p, t]))
        for rank, path in enumerate(order):
            out[path, t] = sum(share * ranked[rank] for share, ranked in zip(w, of, strict=True))
    return out


def test_it_is_what_a_loop_over_paths_and_periods_gives():
    paths, of = made().paths(), values()
    for row in range(N):
        np.testing.assert_allclose(paths[row], by_loop([one[row] for one in of], weights()[row]), rtol=1e-12)


def test_all_weight_on_one_gives_its_bytes_and_draws_no_other():
    of = values()
    counted = tuple(Counting(member) for member in members())
    paths = made(Blend(counted, weights())).paths()
    for at, only in ((0, 0), (4, 2)):
        mine = np.arange(N) % len(WEIGHTS) == at
        assert paths[mine].tobytes() == of[only][mine].tobytes()
    for at, member in enumerate(counted):
        assert member.drawn == list(range(int((weights()[:, at] > 0).sum())))


def test_periods_hang_together_as_those_of_the_heaviest():
    draw = np.random.default_rng(3)
    level = draw.gamma(2.0, 3.0, (N, PATHS, 1))
    whole = level + 0.01 * draw.random((N, PATHS, HORIZON))  # one level for a whole path
    apart = draw.gamma(2.0, 3.0, (N, PATHS, HORIZON))

    def together(share):
        w = np.tile([share, 1.0 - share], (N, 1))
        paths = made(Blend((RecordedPaths(whole), RecordedPaths(apart)), w)).paths()
        return np.mean([np.corrcoef(one.T)[0, 1] for one in paths])

    assert together(0.6) > 0.95
    assert abs(together(0.4)) < 0.1


def test_equal_values_of_the_heaviest_do_not_tie_the_periods():
    draw = np.random.default_rng(4)
    often = draw.gamma(2.0, 3.0, (N, PATHS, HORIZON)) * (draw.random((N, PATHS, HORIZON)) < 0.5)
    w = np.tile([0.6, 0.4], (N, 1))
    paths = made(Blend((RecordedPaths(np.zeros((N, PATHS, HORIZON))), RecordedPaths(often)), w)).paths()
    assert abs(np.mean([np.corrcoef(one.T)[0, 1] for one in paths])) < 0.05  # in the order of the paths it is near 1


def test_chunks_and_files_give_the_same_bytes():
    demand = made()
    rows = np.array([1, 2, 5, 7, 8, 40, 69])
    assert demand.take(rows).paths().tobytes() == demand.paths(rows).tobytes() == demand.paths()[rows].tobytes()
    assert demand.take(rows).take(np.array([2, 5])).paths().tobytes() == demand.paths(rows[[2, 5]]).tobytes()
    assert unpack(pack(demand)).paths().tobytes() == demand.paths().tobytes()


def test_caps_are_averaged_and_values_at_them_counted():
    w = np.tile([0.75, 0.25], (N, 1))
    of = values()
    low, high = (
        Coursed(RecordedPaths(of[at]), np.ones((N, HORIZON)), np.zeros(N), np.full(N, cap))
        for at, cap in ((0, 4.0), (2, 2.0))
    )
    demand = made(Blend((low, high), w))
    assert caps(demand.source, N).tolist() == [3.5] * N
    assert demand.paths().max() == 3.5
    assert clipped(demand) == (demand.paths() == 3.5).sum() > 0
    assert np.isinf(caps(made().source, N)).all()


def test_weights_that_are_none_are_refused():
    with pytest.raises(AlignmentError):
        Blend(members(), np.ones((N, 2)) / 2)
    for bad in ([0.5, 0.4, 0.0], [1.5, -0.5, 0.0], [np.nan, 0.5, 0.5]):
        with pytest.raises(DataError, match="sum of 1"):
            Blend(members(), np.tile(bad, (N, 1)))
