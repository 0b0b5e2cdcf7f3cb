import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import DataError, UsageError
from stockcast.core.random import Stream
from stockcast.demand import (
    Adjusted,
    Counts,
    Innovations,
    Marginals,
    QuantileForecast,
    Reconciled,
    RecordedPaths,
    SampledForecast,
    Scaled,
    Stacked,
)
from stockcast.demand.arrays import pack, unpack
from stockcast.demand.convert import to_paths

AXIS = SeriesAxis(np.array(["a", "b", "c"]), np.array(["x", "x", "x"]))
TIME = TimeAxis(np.datetime64("2026-01-01"), 4, "day")
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def quantiles():
    values = np.sort(np.random.default_rng(1).random((3, 4, 5)) * 10, axis=2)
    return QuantileForecast(AXIS, TIME, LEVELS, values, values[:, :, 2])


def test_paths_have_the_quantiles_that_were_given():
    given = quantiles()
    paths = to_paths(given, correlation=0.3, stream=Stream(7, "user"), n_paths=20_000).paths()
    drawn = np.quantile(paths, LEVELS[1:4], axis=1).transpose(1, 2, 0)
    np.testing.assert_allclose(drawn, given.values[:, :, 1:4], atol=0.2)
    assert paths.min() >= given.values.min()
    assert paths.max() <= given.values.max()


def test_the_sum_widens_with_the_stated_correlation():
    sums = [to_paths(quantiles(), correlation=rho, stream=Stream(7, "user"), n_paths=4000).paths().sum(axis=2).std(axis=1)
            for rho in (0.0, 0.5, 1.0)]  # fmt: skip
    assert (sums[0] < sums[1]).all()
    assert (sums[1] < sums[2]).all()


@pytest.mark.parametrize("correlation", [-0.1, 1.1, np.array([0.5, np.nan, 0.5])])
def test_an_impossible_correlation_is_refused(correlation):
    with pytest.raises(UsageError) as refused:
        to_paths(quantiles(), correlation=correlation, stream=Stream(7, "user"), n_paths=10)
    assert refused.value.code == "SC-M005"


def test_one_level_makes_no_paths():
    given = QuantileForecast(AXIS, TIME, (0.5,), np.ones((3, 4, 1)), np.ones((3, 4)))
    with pytest.raises(UsageError):
        to_paths(given, correlation=0.5, stream=Stream(7, "user"), n_paths=10)


def sources():
    draw = np.random.default_rng(2)
    one = {
        name: draw.random(3)
        for name in ("level", "trend", "damping", "alpha", "beta", "gamma", "omega", "delta", "occurrence")
    }
    state = Innovations(
        **one,
        season=draw.random((3, 7)),
        slow=draw.random((3, 52)),
        slow_day=np.array([0, 3, 6]),
        ratio=np.array([False, True, False]),
        relative=np.array([False, True, True]),
        errors=draw.normal(0, 1, (3, 9)),
        n_errors=np.array([9, 4, 1]),
        block=np.array([3, 1, 1]),
        cap=np.full(3, 9.0),
    )
    quantile = Marginals(np.array(LEVELS), quantiles().values, np.full(3, 0.4))
    paths = RecordedPaths(draw.random((3, 5, 4)))
    counts = Counts(
        **{name: draw.random(3) for name in ("mean", "persistence", "alpha", "dispersion", "inflation")},
        level=np.array([0.3, 4.0, 150.0]), season=draw.random((3, 7)) + 0.5, floor=np.array([0.0, 2.0, 0.0]),
        unit=np.array([1.0, 1.0, 6.0]), cap=np.full(3, 3000.0),
    )  # fmt: skip
    first, rest = np.array([0]), np.array([0, 1])
    inner = Stacked((quantile.take(first), counts.take(first)), np.array([1, 0]))
    adjusted = Adjusted(
        state, draw.random(3), np.array([0.0, 0.4, 0.0]), np.array([True, False, True]), np.full(3, 9.0)
    )
    stacked = Stacked((inner, state.take(first)), np.array([0, 1, 0]))
    member, cap = np.array([[0, -1], [1, 2], [-1, 2]]), np.array([9.0, 2.0, 9.0])
    moved = Reconciled(stacked, member, draw.random((3, 2)), draw.random((3, 4)), draw.normal(0, 3, (3, 30, 4)), cap)
    scaled = Scaled(moved, np.array([1, -1, 0]), draw.random((2, 7, 4)), cap)
    within = Stacked((scaled.take(rest), state.take(first)), np.array([0, 1, 0]))
    return {"state": state, "quantiles": quantile, "paths": paths, "stacked": stacked, "rest": state.take(rest),
            "moved": moved, "counts": counts, "adjusted": adjusted, "scaled": scaled, "within": within}  # fmt: skip


KINDS = ["state", "quantiles", "paths", "stacked", "moved", "scaled", "within", "counts", "adjusted"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_unpacked_draws_the_same_bytes(kind):
    demand = SampledForecast(AXIS, TIME, sources()[kind], Stream(7, "paths"), 30)
    packed = pack(demand)
    assert all(isinstance(value, str) or value.dtype != object for value in packed.values())
    again = unpack(packed)
    assert again.paths().tobytes() == demand.paths().tobytes()
    assert (again.series.digest, again.time, again.stream) == (demand.series.digest, demand.time, demand.stream)


def test_a_missing_or_unknown_array_is_told():
    packed = pack(SampledForecast(AXIS, TIME, sources()["state"], Stream(7, "paths"), 30))
    with pytest.raises(DataError, match="source/level"):
        unpack({name: value for name, value in packed.items() if name != "source/level"})
    with pytest.raises(DataError, match="unknown source 'Oracle'"):
        unpack(packed | {"source/kind": "Oracle"})


@pytest.mark.parametrize("kind", KINDS)
def test_chunks_give_the_same_bytes_as_the_whole(kind):
    demand = SampledForecast(AXIS, TIME, sources()[kind], Stream(7, "paths"), 30)
    whole = demand.paths()
    for at in range(3):
        assert demand.paths(np.array([at])).tobytes() == whole[[at]].copy().tobytes()
        assert demand.take(np.array([at])).paths().tobytes() == whole[[at]].copy().tobytes()


@pytest.mark.parametrize("correlation", [0.0, 1.0])
@pytest.mark.parametrize("share", [0.0, 1.0 - 2.0**-53])
def test_the_outermost_uniform_numbers_give_finite_paths(monkeypatch, share, correlation):
    monkeypatch.setattr(Stream, "uniform", lambda self, keys, shape: np.full((len(keys), *shape), share))
    assert np.isfinite(
        to_paths(quantiles(), correlation=correlation, stream=Stream(7, "user"), n_paths=3).paths()
    ).all()
