"""Boosted trees: which rows are learnt from, the scale, the courses of errors, and what is gained."""

import numpy as np
import pytest
from made_panels import panel, retail

from stockcast.core.errors import DataError
from stockcast.core.random import Stream
from stockcast.demand import Ratios
from stockcast.evaluation.backtest import backtest
from stockcast.evaluation.fitting import fit_chosen
from stockcast.evaluation.folds import Folds
from stockcast.evaluation.replay import replays
from stockcast.models.boosting.errors import Courses, centred, filled, thinned
from stockcast.models.boosting.model import Boosting
from stockcast.models.boosting.rows import Features, take, told
from stockcast.models.boosting.trees import Trees, parameters
from stockcast.models.ladder import Ladder, failed
from stockcast.models.naive import MovingAverage


def test_a_row_has_the_target_of_its_period_over_the_scale_at_its_origin():
    past = retail(5, 150)
    rows = take(past, Features.of(past), 14, 10**6, seed=7)
    units = rows.y * rows.scale
    values, used = told(past)
    wanted = {round(v, 6) for v in values[used].tolist()}
    assert {round(v, 6) for v in units.tolist()} <= wanted
    assert rows.x.shape == (len(rows.y), len(Features.of(past).chunk(past, 1).block.columns) + 1)
    assert set(rows.x[:, -1].astype(int).tolist()) == set(range(1, 15))
    assert (rows.scale > 0).all()


def test_the_scale_is_what_was_known_at_the_origin():
    past = retail(4, 150)
    features = Features.of(past)
    early = past.until(100)
    part = Features.of(early).chunk(early, 1).scale
    np.testing.assert_array_equal(features.chunk(past, 1).scale[:, :100], part)


def test_no_more_rows_are_taken_than_there_is_room_for():
    past = retail(8, 200)
    every = take(past, Features.of(past), 14, 10**6, seed=7)
    few = take(past, Features.of(past), 14, len(every.y) // 4, seed=7)
    assert 0.15 * len(every.y) < len(few.y) < 0.35 * len(every.y)


def test_a_series_draws_from_courses_of_its_own_and_of_its_like():
    draw = np.random.default_rng(0)
    keys = np.arange(40, dtype=np.uint64)
    place = np.stack([np.repeat([0.0, 5.0], 20), draw.normal(0, 0.01, 40)], axis=1)
    courses = Courses(draw.random((40, 7)), place, keys)
    near = courses.near(np.array([[5.0, 0.0], [0.0, 0.0]]), np.array([3, 999], dtype=np.uint64))
    assert (near[0] == 3).sum() >= 5  # its own, though far from where it stands
    assert near.shape[0] == 2
    lonely = Courses(draw.random((400, 7)), np.repeat(place, 10, axis=0), np.repeat(keys, 10))
    low = lonely.near(np.array([[0.0, 0.0]]), np.array([999], dtype=np.uint64))
    assert (lonely.place[low[0], 0] == 0.0).all()


def test_ratios_keep_the_mean_and_hang_together_as_errors_did():
    pool = np.array([[0.5, 0.5, 0.5], [1.5, 1.5, 1.5]])
    near = np.array([[0, 1]])
    mean = np.array([[2.0, 4.0, 6.0]]) / centred(pool, near)
    source = Ratios(mean, pool, near, np.array([1e9]))
    paths = source.draw(np.array([0]), np.array([9], dtype=np.uint64), Stream(7, "paths"), 100, 3)
    np.testing.assert_allclose(paths.mean(axis=1), [[2.0, 4.0, 6.0]])
    assert np.corrcoef(paths[0, :, 0], paths[0, :, 2])[0, 1] == pytest.approx(1.0)
    assert paths.max() <= source.reach().max()
    assert source.take(np.array([0])).draw(
        np.array([0]), np.array([9], dtype=np.uint64), Stream(7, "paths"), 100, 3
    ).tobytes() == paths.tobytes()  # fmt: skip


def test_holes_of_a_course_are_filled_from_it():
    told_of = filled(np.array([[np.nan, 2.0, np.nan], [np.nan, np.nan, np.nan]]))
    assert told_of.tolist() == [[2.0, 2.0, 2.0], [1.0, 1.0, 1.0]]


def test_courses_are_kept_of_the_same_series_in_any_order():
    keys = np.random.default_rng(1).integers(0, 2**60, 50).astype(np.uint64)
    order = np.random.default_rng(2).permutation(50)
    assert set(keys[thinned(keys, 10, 7)].tolist()) == set(keys[order][thinned(keys[order], 10, 7)].tolist())


def test_a_text_that_was_changed_is_refused():
    made = Trees.of("tree")
    with pytest.raises(DataError, match="changed after it was written"):
        Trees("tree, and more", made.digest).load()


def test_more_rows_make_larger_trees():
    few, many = parameters(10_000, 7), parameters(10**6, 7)
    assert few["num_leaves"] < many["num_leaves"]
    assert few["min_data_in_leaf"] < many["min_data_in_leaf"]
    assert few["deterministic"]
    assert few["force_row_wise"]


def test_what_was_sampled_and_where_it_was_computed_is_told(monkeypatch):
    past = retail(8, 200)
    assert Boosting().fit(past, seed=7).notes() == ()
    monkeypatch.setattr("stockcast.models.boosting.rows.MOST", 1500)
    monkeypatch.setenv("STOCKCAST_DEVICE", "cuda")
    sampled, computed = Boosting().fit(past, seed=7).notes()
    assert "rows: a sample is enough" in sampled
    assert computed.startswith("lightgbm computed on the ")


def test_a_failure_of_lightgbm_is_recorded_and_tried_once(monkeypatch):
    tries = []

    def fail(*given):
        import lightgbm

        tries.append(given)
        raise lightgbm.basic.LightGBMError("no bins")

    monkeypatch.setattr("stockcast.models.boosting.trees._train", fail)
    past = retail(6, 260)
    demand, fallback = Ladder(Boosting()).fit(past, seed=7).climb(past, 10, seed=7, n_paths=20)
    assert len(tries) == 2  # when it was fitted, and once more when it was to forecast
    assert np.isfinite(demand.paths()).all()
    assert failed(fallback).all()


def test_a_backtest_keeps_the_paths_that_a_fit_at_that_origin_would_give_and_fits_no_more_than_once(monkeypatch):
    past, folds, rows = retail(9, 260), Folds((204, 232), 28), np.array([0, 3, 8])
    fits = []
    fit = Boosting.fit
    monkeypatch.setattr(Boosting, "fit", lambda self, panel, *, seed: fits.append(1) or fit(self, panel, seed=seed))
    given = {"periods": np.full(9, 5), "levels": (0.5, 0.9), "n_paths": 20, "seed": 7}
    sources = backtest(["lightgbm"], past, folds, keep=rows, **given).sources
    assert len(fits) == 2
    chosen, weights = np.zeros(9, dtype=np.int64), np.ones((9, 1))
    for known in folds.known:
        again = fit_chosen(["lightgbm"], chosen, past.until(known), 28, seed=7).source.take(rows)
        drawn = [
            source.draw(np.arange(3), past.series.keys[rows], Stream(7, "paths"), 20, 28)
            for source in (sources["lightgbm", known], again)
        ]
        assert drawn[0].tobytes() == drawn[1].tobytes()
    before = len(fits)
    replays(["lightgbm"], weights, past, folds, rows=rows, seed=7, n_paths=20, sources=sources)
    assert len(fits) == before


def test_what_all_series_share_is_learnt_from_all_of_them():
    # a season so noisy in each series that it shows in all of them together only
    draw = np.random.default_rng(3)
    season = np.array([0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6])[np.arange(287) % 7]
    sales = draw.poisson(np.linspace(1, 4, 40)[:, None] * season)
    past, window = panel(sales[:, :259]), slice(259, 287)
    truth = np.linspace(1, 4, 40)[:, None] * season[window]
    errors = {
        model.name: float(np.abs(
            model.fit(past, seed=7).predict(past, 28, seed=7, n_paths=200).paths().mean(axis=1) - truth
        ).mean())
        for model in (Boosting(), MovingAverage())
    }  # fmt: skip
    assert errors["lightgbm"] < 0.6 * errors["moving_average"]
