import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from made_panels import panel

from stockcast import evaluation
from stockcast.evaluation.calibration import LEVELS, calibrate, transform
from stockcast.evaluation.published import in_whole, published
from stockcast.evaluation.replay import Replay, sample
from stockcast.models.states import innovations, sampled

N, KNOWN, H = 60, 200, 28


def replayed(pool, level, sales):
    """Replays of one origin, the errors drawn from ``pool`` around ``level``."""
    past = panel(sales[:, :KNOWN])
    source = innovations(N, level=level, errors=pool, n_errors=np.full(N, pool.shape[1]), cap=np.full(N, 1e9))
    return [Replay(KNOWN, past, sampled(past, source, H, seed=7, n_paths=300))], panel(sales)


def told(calibration, what):
    return {name: value for name, measure, value in calibration.told if measure == what}


def calibrated(replays, whole):
    return calibrate(replays, whole, np.array(["A"] * 30 + ["B"] * 30), np.full(N, 14))


def test_forecasts_that_are_wide_enough_stay_as_they_are():
    draw = np.random.default_rng(1)
    sales = 50.0 + draw.normal(0, 8.0, (N, KNOWN + H))
    replays, whole = replayed(sales[:, :KNOWN] - 50.0, np.full(N, 50.0), sales)
    found = calibrated(replays, whole)
    assert found.shared.max() <= 0.1
    assert found.single.max() == 0.0


def test_a_level_that_moves_widens_the_sums():
    draw = np.random.default_rng(1)
    moved = draw.normal(1.0, 0.3, (N, 1))
    sales = np.concatenate([50.0 + draw.normal(0, 8.0, (N, KNOWN)), 50.0 * moved + draw.normal(0, 8.0, (N, H))], axis=1)
    replays, whole = replayed(sales[:, :KNOWN] - 50.0, np.full(N, 50.0), np.maximum(sales, 0.0))
    found = calibrated(replays, whole)
    assert (found.shared >= 0.2).all()
    before, after = told(found, "coverage_error_sum_before"), told(found, "coverage_error_sum")
    assert all(after[name] < 0.5 * before[name] for name in ("A", "B"))


def test_errors_that_were_too_small_widen_the_single_periods():
    draw = np.random.default_rng(1)
    sales = 50.0 + draw.normal(0, 20.0, (N, KNOWN + H))
    replays, whole = replayed(0.4 * (sales[:, :KNOWN] - 50.0), np.full(N, 50.0), np.maximum(sales, 0.0))
    found = calibrated(replays, whole)
    assert (found.single >= 0.2).all()
    before, after = told(found, "coverage_error_single_before"), told(found, "coverage_error_single")
    assert all(after[name] < 0.6 * before[name] for name in ("A", "B"))


def test_the_transform_of_counts_is_uniform_where_the_forecast_is_right():
    draw = np.random.default_rng(4)
    paths, actual = draw.poisson(0.7, (400, 300, 5)).astype(float), draw.poisson(0.7, (400, 5)).astype(float)
    u = transform(paths, actual, draw.random((400, 5)))
    for level in LEVELS:
        assert (u <= level).mean() == pytest.approx(level, abs=0.03)


def test_periods_without_full_stock_are_not_judged():
    draw = np.random.default_rng(1)
    sales = np.maximum(50.0 + draw.normal(0, 8.0, (N, KNOWN + H)), 0.0)
    replays, _ = replayed(sales[:, :KNOWN] - 50.0, np.full(N, 50.0), sales)
    in_stock = np.ones_like(sales)
    in_stock[:, KNOWN + 5] = 0.0
    wild = sales.copy()
    wild[:, KNOWN + 5] = 900.0
    one, other = (calibrated(replays, panel(values, in_stock=in_stock)) for values in (sales, wild))
    assert one.told == other.told
    assert np.isnan(told(one, "coverage_error_sum").get("A", np.nan))  # no sum is whole


def test_sales_in_whole_units_are_forecast_in_whole_units():
    past = panel(np.array([[1.0, 2.0, 3.0] * 20, [0.5, 2.0, 3.0] * 20]))
    assert in_whole(past).tolist() == [True, False]
    source = innovations(2, level=np.full(2, 1.3), cap=np.full(2, 9.0))
    paths = published(sampled(past, source, 10, seed=7, n_paths=50), past).paths()
    assert (paths[0] == np.floor(paths[0])).all()
    assert (paths[1] == 1.3).all()


def test_the_sample_does_not_depend_on_the_order_of_series(monkeypatch):
    monkeypatch.setattr("stockcast.evaluation.replay.SAMPLE", 5)
    past = panel(np.ones((20, 5)))
    chosen = set(past.series.sku[sample(past)].tolist())
    assert len(chosen) == 5
    fewer = past.take(np.array([at for at in range(20) if at % 7 or past.series.sku[at] in chosen]))
    assert set(fewer.series.sku[sample(fewer)].tolist()) == chosen


def test_a_forecast_is_calibrated_on_what_was_known():
    draw = np.random.default_rng(3)
    sales = draw.poisson(4.0 * np.exp(np.cumsum(draw.normal(0, 0.08, (120, 300)), axis=1))).astype(float)
    told_by = [
        evaluation.forecast(
            ["moving_average"], panel(values[:, :300]), horizon=28, periods=np.full(120, 14), folds=3, effort="fast",
            levels=(0.5,), n_paths=100, seed=7,
        )
        for values in (sales, np.concatenate([sales, sales + 99.0], axis=1))
    ]  # fmt: skip
    assert told_by[0].demand.paths().tobytes() == told_by[1].demand.paths().tobytes()
    widths = {s.segment: s.value for s in told_by[0].scores if s.metric == "width_shared"}
    assert max(widths.values()) > 0  # the level wanders: the sums of a moving average are too narrow


def test_a_history_too_short_to_calibrate_is_told():
    found = evaluation.forecast(
        ["moving_average"], panel(np.ones((2, 10))), horizon=5, periods=np.full(2, 3), folds=4, effort="fast",
        levels=(0.5,), n_paths=30, seed=7,
    )  # fmt: skip
    assert any("not calibrated" in note for note in found.notes)


def test_what_chance_gives_changes_nothing():
    draw = np.random.default_rng(6)
    sales = draw.poisson(np.array([[0.3]] * 5 + [[6.0]] * 2), (7, 200)).astype(float)
    sales = np.concatenate([sales, np.full((1, 200), 5.0), np.full((1, 200), 6.0)])
    told = evaluation.forecast(
        ["ets"], panel(sales), horizon=28, periods=np.full(9, 14), folds=4, effort="fast", levels=(0.5,), n_paths=200,
        seed=7,
    )  # fmt: skip
    assert told.demand.source.shared.max() == 0.0
    assert told.demand.source.single.max() == 0.0
    assert (told.demand.paths()[7:] == np.array([5.0, 6.0])[:, None, None]).all()


def test_a_constant_is_never_widened():
    draw = np.random.default_rng(3)
    sales = draw.poisson(4.0 * np.exp(np.cumsum(draw.normal(0, 0.08, (120, 300)), axis=1))).astype(float)
    told = evaluation.forecast(
        ["moving_average"], panel(np.concatenate([sales, np.full((1, 300), 7.0)])), horizon=28,
        periods=np.full(121, 14), folds=3, effort="fast", levels=(0.5,), n_paths=100, seed=7,
    )  # fmt: skip
    assert told.demand.source.shared[:120].max() > 0
    assert told.demand.source.shared[120] == told.demand.source.single[120] == 0.0
    assert (told.demand.paths(np.array([120])) == 7.0).all()


def test_a_poisoned_series_moves_no_width_of_another():
    draw = np.random.default_rng(3)
    sales = draw.poisson(4.0 * np.exp(np.cumsum(draw.normal(0, 0.08, (60, 200)), axis=1))).astype(float)
    bad = np.where(np.arange(200) % 9 == 0, 1e300, 0.0)
    given = {"horizon": 28, "folds": 3, "effort": "fast", "levels": (0.5,), "n_paths": 60, "seed": 7}
    with np.errstate(all="ignore"):
        one, other = (
            evaluation.forecast(["moving_average", "ets"], panel(values), periods=np.full(len(values), 14), **given)
            for values in (sales, np.concatenate([sales, bad[None]]))
        )
        assert one.demand.source.shared.max() > 0
        assert one.model.tolist() == other.model.tolist()[:60]
        assert one.demand.paths().tobytes() == other.demand.paths(np.arange(60)).tobytes()
