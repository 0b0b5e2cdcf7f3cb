"""Boosted trees: which rows are learnt from, the scale, the windows of the past, and what is gained."""

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
from stockcast.models.boosting import model
from stockcast.models.boosting.forest import EACH, Forest, centred, weighed
from stockcast.models.boosting.model import Boosting, foretold
from stockcast.models.boosting.pair import Pair, absolute, ratio, relative, weight
from stockcast.models.boosting.rows import Features, Halves, take
from stockcast.models.boosting.trees import POWER, Trees, parameters
from stockcast.models.boosting.windows import Windows, look_back, places
from stockcast.models.ladder import Ladder, failed
from stockcast.models.naive import MovingAverage
from stockcast.models.pooled import told
from stockcast.models.ranks import filled


def test_a_row_has_the_target_of_its_period_over_the_scale_at_its_origin():
    past = retail(5, 150)
    rows = take(past, Features.of(past), 14, 10**6, seed=7)
    units = rows.y * rows.scale
    values, used = told(past)
    wanted = {round(v, 6) for v in values[used].tolist()}
    assert {round(v, 6) for v in units.tolist()} <= wanted
    assert rows.x.shape == (len(rows.y), len(Features.of(past).chunk(past, 1).block.columns) + 2)
    assert set(rows.x[:, -1].astype(int).tolist()) == set(range(1, 15))
    np.testing.assert_allclose(rows.x[:, -2], rows.scale, rtol=1e-6)
    assert (rows.scale > 0).all()


def test_the_scale_is_what_was_known_at_the_origin():
    past = retail(4, 150)
    features = Features.of(past)
    early = past.until(100)
    part = Features.of(early).chunk(early, 1).scale
    np.testing.assert_array_equal(features.chunk(past, 1).scale[:, :100], part)


@pytest.mark.parametrize(("step", "periods"), [("day", 150), ("week", 40)])
def test_a_long_time_out_of_stock_does_not_shrink_the_scale_or_the_forecast(step, periods):
    draw = np.random.default_rng(1)
    sales = draw.poisson(20.0, (12, 400 if step == "day" else 160)).astype(float)
    in_stock = np.ones_like(sales)
    sales[:2, -periods:], in_stock[:2, -periods:] = 0.0, 0.0
    past = panel(sales, in_stock=in_stock, step=step)
    scale = Features.of(past).chunk(past, 1).scale[:, -1]
    np.testing.assert_allclose(scale, 20.0, rtol=0.2)
    mean = Boosting().fit(past, seed=7).predict(past, 8, seed=7, n_paths=50).paths().mean(axis=(1, 2))
    np.testing.assert_allclose(mean[:2], 20.0, rtol=0.25)


def test_a_fit_that_is_kept_forecasts_the_season_from_any_weekday():
    rate = np.where(np.arange(460) % 7 < 2, 20.0, 2.0)
    past = panel(np.random.default_rng(5).poisson(rate, (20, 460)).astype(float))
    fitted = Boosting(14).fit(past.until(400), seed=7)
    for known in (400, 401, 403, 406):
        mean = fitted.predict(past.until(known), 14, seed=7, n_paths=100).paths().mean(axis=(0, 1))
        np.testing.assert_allclose(mean, rate[known : known + 14], rtol=0.15)


def test_no_more_rows_are_taken_than_there_is_room_for():
    past = retail(8, 200)
    every = take(past, Features.of(past), 14, 10**6, seed=7)
    few = take(past, Features.of(past), 14, len(every.y) // 4, seed=7)
    assert 0.15 * len(every.y) < len(few.y) < 0.35 * len(every.y)


def test_what_there_is_no_room_for_is_said_before_and_after(monkeypatch):
    past = retail(8, 200)
    assert not foretold(past)
    assert not Boosting().fit(past, seed=7).notes()
    monkeypatch.setattr(model, "_room", lambda: 2000)
    count = int(told(past)[1].sum())
    said = foretold(past)
    assert said.startswith(f"lightgbm will learn from about 2,000 of {count * 4:,} rows, 0.0 GiB: ")
    (note,) = Boosting().fit(past, seed=7).notes()
    taken = int(note.split()[3].replace(",", ""))
    assert 1500 < taken < 2500
    assert f"of {count * 4:,} rows" in note


def forest_of(learnt: int = 8, windows: int = 400) -> Forest:
    """Grow a forest whose features say how much comes."""
    draw = np.random.default_rng(0)
    level = draw.random((windows, 1))
    x = (level + draw.normal(0, 0.02, (windows, 3))).astype(np.float32)
    courses = draw.poisson(1 + 20 * level, (windows, learnt)).astype(np.float32)
    return Forest.grow(Windows(x, courses, ()), seed=7)


def test_the_mean_over_the_leaves_is_that_of_the_weights_written_out():
    forest = forest_of()
    asked = np.random.default_rng(1).random((3, 3)).astype(np.float32)
    _, mean = forest.near(asked, np.arange(3, dtype=np.uint64), 7)
    leaves = np.concatenate([trees.leaves(asked) for trees in forest.trees], axis=1)
    for series in range(3):
        weights = np.zeros(len(forest.courses))
        for tree in range(leaves.shape[1]):
            same = forest.leaves[:, tree] == leaves[series, tree]
            weights += same / same.sum() / leaves.shape[1]
        assert weights.sum() == pytest.approx(1.0)
        assert mean[series] == pytest.approx(float(weights @ forest.courses.sum(axis=1)))


def test_windows_are_drawn_from_the_leaf_of_each_tree():
    forest = forest_of()
    asked = np.random.default_rng(1).random((5, 3)).astype(np.float32)
    near, _ = forest.near(asked, np.arange(5, dtype=np.uint64), 7)
    leaves = np.concatenate([trees.leaves(asked) for trees in forest.trees], axis=1)
    for tree in range(leaves.shape[1]):
        drawn = near[:, tree * EACH : (tree + 1) * EACH]
        assert (forest.leaves[drawn, tree] == leaves[:, tree : tree + 1]).all()


def test_what_is_drawn_follows_what_tells_of_it():
    forest = forest_of()
    asked = np.repeat([[0.1], [0.9]], 3, axis=1).astype(np.float32)
    near, mean = forest.near(asked, np.arange(2, dtype=np.uint64), 7)
    drawn = forest.courses[near].sum(axis=2).mean(axis=1)
    np.testing.assert_allclose(mean / 8, [3.0, 19.0], rtol=0.2)
    np.testing.assert_allclose(drawn, mean, rtol=0.05)


def test_draws_are_weighed_until_their_mean_is_the_wanted_one_and_stay_among_them():
    draw = np.random.default_rng(2)
    total, near = draw.gamma(2.0, 3.0, 500), draw.integers(0, 500, (3, 200)).astype(np.int32)
    was = total[near].mean(axis=1)
    wanted = was * np.array([1.0, 1.3, 0.7])
    kept = weighed(near, total, wanted)
    np.testing.assert_allclose(total[kept].mean(axis=1), wanted, rtol=0.02)
    assert all(set(kept[at].tolist()) <= set(near[at].tolist()) for at in range(3))
    # no weighing makes of what was drawn more than its largest
    assert total[weighed(near, total, 100 * was)].mean() < total[near].max()


def test_of_draws_that_are_all_the_same_nothing_changes():
    kept = weighed(np.zeros((1, 5), dtype=np.int32), np.array([2.0]), np.array([9.0]))
    assert (kept == 0).all()


def test_a_course_is_read_in_its_place_of_the_season():
    for learnt, shift, season in ((28, 0, 7), (28, 3, 7), (10, 5, 7), (8, 0, 1), (3, 2, 7)):
        at = places(40, learnt, shift, season)
        assert ((at >= 0) & (at < learnt)).all()
        if learnt >= season:
            assert ((at - np.arange(40) - shift) % season == 0).all()
    assert places(28, 28, 0, 7).tolist() == list(range(28))


def test_windows_lie_in_the_past_and_begin_in_the_same_place_of_the_week_as_tonight():
    past = retail(6, 200)
    features = Features.of(past)
    rows = take(past, features, 14, 10**6, seed=7)
    every = np.arange(len(rows.y))
    means = Pair(relative(rows, every, 7), absolute(rows, every, 7)).load()
    halves = Halves.cut(200, 14)
    windows = look_back(past, features, 14, halves, means, seed=7)
    assert windows.courses.shape[1] == 14
    assert windows.x.shape[1] == rows.x.shape[1] + 1
    chunk = features.chunk(past, 0)
    possible = {
        tuple(np.round(chunk.demand[s, o + 1 : o + 15] / chunk.scale[s, o], 4).tolist())
        for s in range(6)
        for o in range(199 % 7, 186, 7)
        if np.isfinite(chunk.scale[s, o]) and chunk.used[s, o + 1 : o + 15].all()
    }
    full = [tuple(np.round(course, 4).tolist()) for course in windows.courses.astype(float)]
    found = sum(any(np.allclose(course, one, atol=2e-3) for one in possible) for course in full)
    assert found >= 0.9 * len(possible) > 0  # those with holes are filled, and are not among them
    # nothing of what comes later is read: the windows of an earlier origin of the same weekday are the same
    early = past.until(200 - 28)
    again = look_back(early, features.seen_from(early), 14, halves, means, seed=7)
    assert {tuple(course) for course in again.courses.tolist()} <= {
        tuple(course) for course in windows.courses.tolist()
    }


def test_each_half_of_the_past_is_forecast_by_the_model_that_has_not_seen_it(monkeypatch):
    learnt_from = []
    for name in ("relative", "absolute"):

        def spy(rows, some, seed, real={"relative": relative, "absolute": absolute}[name]):
            learnt_from.append(rows.target[some])
            return real(rows, some, seed)

        monkeypatch.setattr(f"stockcast.models.boosting.model.{name}", spy)
    past = retail(8, 260)
    Boosting(14).fit(past, seed=7)
    halves = Halves.cut(260, 14)
    # means[k] forecasts the windows of half k
    assert set(halves.of(learnt_from[0]).tolist()) == {1}
    assert set(halves.of(learnt_from[1]).tolist()) == {0}
    assert set(halves.of(learnt_from[2]).tolist()) == {0, 1} == set(halves.of(learnt_from[3]).tolist())


def test_without_a_window_that_tells_enough_there_is_no_forecast_without_a_distribution():
    past = retail(8, 300)
    in_stock = np.where(np.arange(300) % 3 == 0, 1.0, 0.0) * np.ones((8, 1))
    past = panel(np.where(in_stock > 0, past.sales, 0.0), in_stock=in_stock)
    assert Boosting().can_fit(past).all()
    with pytest.raises(RuntimeError, match="no 28 periods in a row at least half of which tell of demand"):
        Boosting().fit(past, seed=7)
    demand, fallback = Ladder(Boosting()).fit(past, seed=7).climb(past, 10, seed=7, n_paths=20)
    assert failed(fallback).all()
    assert np.isfinite(demand.paths()).all()


def test_both_models_make_the_same_deviance_small():
    def deviance(y, mean, p=POWER):
        return 2 * (y ** (2 - p) / ((1 - p) * (2 - p)) - y * mean ** (1 - p) / (1 - p) + mean ** (2 - p) / (2 - p))

    draw = np.random.default_rng(3)
    y, mean, scale = draw.gamma(1.0, 2.0, 50), draw.gamma(3.0, 1.0, 50), draw.gamma(2.0, 5.0, 50)
    np.testing.assert_allclose(weight(scale) * deviance(y / scale, mean / scale), deviance(y, mean))


def test_a_model_of_units_is_read_as_one_of_sales_over_their_level():
    past = retail(5, 150)
    rows = take(past, Features.of(past), 14, 10**6, seed=7)
    trees = absolute(rows, np.arange(len(rows.y)), 7)
    np.testing.assert_allclose(ratio(trees, units=True)(rows.x) * rows.scale, trees.load()(rows.x), rtol=1e-5)


def test_ratios_keep_the_mean_and_hang_together_as_errors_did():
    pool = np.array([[0.5, 0.5, 0.5], [1.5, 1.5, 1.5]])
    near = np.array([[0, 1]])
    mean = np.array([[2.0, 4.0, 6.0]]) / centred(pool, near)  # all of them as often
    source = Ratios(mean, pool, near, np.array([1e9]))
    paths = source.draw(np.array([0]), np.array([9], dtype=np.uint64), Stream(7, "paths"), 100, 3)
    np.testing.assert_allclose(paths.mean(axis=1), [[2.0, 4.0, 6.0]])
    assert np.corrcoef(paths[0, :, 0], paths[0, :, 2])[0, 1] == pytest.approx(1.0)
    assert paths.max() <= source.reach().max()
    assert source.take(np.array([0])).draw(
        np.array([0]), np.array([9], dtype=np.uint64), Stream(7, "paths"), 100, 3
    ).tobytes() == paths.tobytes()  # fmt: skip


def test_sorted_courses_are_drawn_evenly():
    pool = np.arange(30.0)[:, None]
    source = Ratios(np.array([[1.0]]), pool, np.arange(30)[None, :], np.array([1e9]))
    for n_paths in (15, 30, 50):
        paths = source.draw(np.array([0]), np.array([9], dtype=np.uint64), Stream(7, "paths"), n_paths, 1)
        assert paths.mean() == pytest.approx(14.5, abs=0.6)


def test_holes_of_a_course_are_filled_from_it():
    there = np.array([[False, True, False, True], [False] * 4])
    told_of = filled(np.array([[9.0, 2.0, 9.0, 4.0]] * 2), there)
    assert told_of.tolist() == [[2.0, 2.0, 4.0, 4.0], [0.5] * 4]


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
