"""Scaling, filling, one-hot, selection: learnt on training rows only, and right."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from made_features import full_panel, told, whole_block

from stockcast.core.errors import AlignmentError, DataError
from stockcast.features import gather
from stockcast.features.imputation import fit_imputation
from stockcast.features.onehot import fit_onehot
from stockcast.features.rank import rank
from stockcast.features.scaling import fit_scaling
from stockcast.features.selection import correlation, fit_components, l1, mutual_information, select

NAMES = ("level", "noise", "copy", "curve", "code", "flat")
N_TRAIN = 200


def matrix(seed=0, n=300):
    """Rows of which the first 200 train: y follows ``level``, its ``copy``, and a ``curve`` with no correlation."""
    draw = np.random.default_rng(seed)
    level, noise, curve = draw.normal(5, 2, n), draw.normal(0, 1, n), draw.uniform(-3, 3, n)
    code = draw.integers(0, 4, n).astype(float)
    x = np.stack([level, noise, level + draw.normal(0, 0.01, n), curve, code, np.full(n, 7.0)], axis=1)
    return x, 2 * level + 2 * curve**2 + draw.normal(0, 0.5, n)


def holed(x, seed=1):
    return np.where(np.random.default_rng(seed).random(x.shape) < 0.15, np.nan, x)


STEPS = {
    "minmax": (lambda x, y: fit_scaling(x, NAMES, "minmax"), holed),
    "standard": (lambda x, y: fit_scaling(x, NAMES, "standard"), holed),
    "mean": (lambda x, y: fit_imputation(x, NAMES, "mean"), holed),
    "median": (lambda x, y: fit_imputation(x, NAMES, "median"), holed),
    "model": (lambda x, y: fit_imputation(x, NAMES, "model"), holed),
    "onehot": (lambda x, y: fit_onehot(x, NAMES, ("code",)), holed),
    "correlation": (lambda x, y: select(x, y, NAMES, "correlation", 3), lambda x: x),
    "mutual information": (lambda x, y: select(x, y, NAMES, "mutual_information", 3), lambda x: x),
    "l1": (lambda x, y: select(x, y, NAMES, "l1", 3), lambda x: x),
    "components": (lambda x, y: fit_components(x, NAMES, 3), lambda x: x),
}


def applied(step, x):
    out = step.apply(x)
    return out[0] if isinstance(out, tuple) else out


@pytest.mark.parametrize("name", STEPS)
def test_validation_rows_change_nothing_of_what_was_learnt_nor_of_each_other(name):
    fit, make = STEPS[name]
    x, y = matrix()
    x = make(x)
    other = x.copy()
    other[N_TRAIN:] = 1e3 * np.random.default_rng(9).normal(size=other[N_TRAIN:].shape)
    learnt, again = fit(x[:N_TRAIN], y[:N_TRAIN]), fit(other[:N_TRAIN], y[:N_TRAIN])
    on_all = applied(learnt, x)
    np.testing.assert_array_equal(on_all[:N_TRAIN], applied(again, other)[:N_TRAIN])
    np.testing.assert_array_equal(on_all[N_TRAIN:], applied(learnt, x[N_TRAIN:]))
    # and what was learnt does depend on the training rows
    moved = fit(make(matrix(seed=3)[0])[:N_TRAIN] * 1.5, matrix(seed=3)[1][:N_TRAIN])
    if name not in ("onehot", "correlation", "mutual information", "l1"):
        assert not np.array_equal(applied(moved, x), on_all, equal_nan=True)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_refuses_other_columns(name):
    fit, _ = STEPS[name]
    x, y = matrix()
    with pytest.raises(AlignmentError, match="6 columns"):
        fit(x, y).apply(x[:, :5])


def test_scaling_brings_training_rows_to_their_range_and_back():
    x = holed(matrix()[0])
    low = fit_scaling(x, NAMES, "minmax").apply(x)
    np.testing.assert_allclose(np.nanmin(low, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanmax(low, axis=0), [1, 1, 1, 1, 1, 0], atol=1e-12)
    standard = fit_scaling(x, NAMES)
    z = standard.apply(x)
    np.testing.assert_allclose(np.nanmean(z, axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.nanstd(z, axis=0), [1, 1, 1, 1, 1, 0], atol=1e-9)
    np.testing.assert_allclose(standard.undo(z), x)
    nothing = fit_scaling(np.full((3, 1), np.nan), ("a",))
    assert nothing.apply(np.array([[2.0]])).tolist() == [[2.0]]


@pytest.mark.parametrize("kind", ["mean", "median", "model"])
def test_only_what_is_missing_is_filled_and_counted(kind):
    x = holed(matrix()[0])
    x[:, 3] = np.where(np.isnan(x[:, 3]), np.nan, 0.0)  # zero sales are no hole
    filled, count = fit_imputation(x, NAMES, kind).apply(x)
    known = ~np.isnan(x)
    np.testing.assert_array_equal(filled[known], x[known])
    assert count.tolist() == (~known).sum(axis=0).tolist()
    assert not np.isnan(filled).any()
    assert (filled[:, 3] == 0).all()


def test_fills_are_the_mean_the_median_or_what_the_others_say():
    whole = matrix()[0]
    x = holed(whole)
    for kind, find in (("mean", np.nanmean), ("median", np.nanmedian)):
        filled, _ = fit_imputation(x, NAMES, kind).apply(x)
        holes = np.isnan(x[:, 0])
        np.testing.assert_allclose(filled[holes, 0], find(x[:, 0]))
    filled, _ = fit_imputation(x, NAMES, "model").apply(x)
    holes = np.isnan(x[:, 0]) & ~np.isnan(x[:, 2])  # where its copy is known
    assert np.abs(filled[holes, 0] - whole[holes, 0]).mean() < 0.25 * whole[:, 0].std()
    assert filled[:, 0].min() >= np.nanmin(x[:, 0])
    few = np.full((20, 2), np.nan)
    few[:5, 0], few[:, 1] = 3.0, np.arange(20)
    learnt = fit_imputation(few, ("few", "other"), "model")
    assert not learnt.modelled.any()
    assert learnt.apply(few)[0][10, 0] == 3.0


def test_onehot_gives_the_common_codes_a_column_and_others_none():
    x = np.array([[0.0], [1.0], [1.0], [2.0], [2.0], [2.0], [np.nan]])
    learnt = fit_onehot(x, ("code",), ("code",), most=2)
    assert learnt.made == ("code=1", "code=2")
    assert learnt.apply(np.array([[2.0], [0.0], [9.0], [np.nan]])).tolist() == [[0, 1], [0, 0], [0, 0], [0, 0]]


def test_each_measure_finds_what_it_can_find():
    x, y = matrix(n=600)
    linear, mutual, sparse = correlation(x, y), mutual_information(x, y), l1(x, y)
    np.testing.assert_allclose(linear[0], abs(np.corrcoef(x[:, 0], y)[0, 1]))
    assert linear[5] == sparse[5] == 0
    assert mutual[3] > 10 * max(mutual[1], 0.01)  # the curve
    assert linear[3] < 0.2
    assert max(sparse[0], sparse[2]) > 10 * sparse[1]
    assert select(x, y, NAMES, "correlation", 2).made[0] in ("level", "copy")
    assert not {"level", "copy"} <= set(select(x, y, NAMES, "correlation", 5).made)  # one of the two is enough
    assert "curve" in select(x, y, NAMES, "mutual_information", 2).made
    assert "flat" not in select(x, y, NAMES, "l1", 6).made
    np.testing.assert_array_equal(
        select(x, y, NAMES, "l1", 1).apply(x)[:, 0], x[:, select(x, y, NAMES, "l1", 1).kept[0]]
    )


def test_components_are_uncorrelated_and_explain_most_first():
    x, _ = matrix()
    made = fit_components(x, NAMES, 4)
    z = made.apply(x)
    cov = np.cov(z.T)
    np.testing.assert_allclose(cov, np.diag(np.diag(cov)), atol=1e-8)
    assert (np.diff(made.share) <= 1e-12).all()
    assert made.made == ("component_1", "component_2", "component_3", "component_4")


def test_selection_names_the_columns_with_holes():
    x, y = matrix()
    x[3, 1] = np.nan
    with pytest.raises(DataError, match="1 columns have missing values, e.g. noise"):
        select(x, y, NAMES, "l1", 2)
    with pytest.raises(DataError, match="noise"):
        fit_components(x, NAMES, 2)
    y[0] = np.nan
    with pytest.raises(DataError, match="the target"):
        select(matrix()[0], y, NAMES, "correlation", 2)


def test_rank_says_what_matters_where_it_comes_from_and_how_far_ahead_it_is_known():
    panel = full_panel(time=200)
    block = whole_block(panel)
    demand, used = told(panel)
    draw = np.random.default_rng(0)
    s, t, h = draw.integers(0, 15, 2000), draw.integers(60, 200, 2000), draw.integers(1, 15, 2000)
    keep = used[s, t]
    rows = s[keep], (t - h)[keep], h[keep]
    ranked = rank(gather(block, *rows), demand[s, t][keep], block)
    ahead = dict(zip(ranked.names, ranked.known_ahead, strict=True))
    assert ahead["lag_0"] == "to the origin"
    assert ahead["season_last"] == "to the origin"
    assert ahead["weekday"] == "always"
    assert ahead["price"] == "16 periods"
    best = ranked.by("correlation")
    assert (np.diff(best.measures["correlation"]) <= 0).all()
    assert set(best.family[:10]) <= {"windows", "season", "lags", "groups"}  # the level of a series tells most of it
    again = ranked.with_measure("gain", np.arange(len(block.columns), dtype=float)).by("gain")
    assert again.names == block.names[::-1]
    with pytest.raises(AlignmentError, match="gain"):
        ranked.with_measure("gain", np.zeros(2))
