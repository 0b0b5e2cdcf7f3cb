import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from made_panels import panel, retail

from stockcast import evaluation
from stockcast.core.random import Stream
from stockcast.demand import RecordedPaths, SampledForecast
from stockcast.evaluation import backtest, fitting
from stockcast.evaluation.metrics import Scales
from stockcast.evaluation.scores import judge
from stockcast.models.catalogue import Setting, candidates, make
from stockcast.panel import KnownFuture

NAMES = candidates("auto", "fast")
MORE = {"horizon": 10, "folds": 2, "effort": "fast", "levels": (0.1, 0.5, 0.9), "n_paths": 40, "seed": 7}


def forecast(past, names=NAMES, **more):
    return evaluation.forecast(names, past, **(MORE | {"periods": np.full(len(past.series), 5)} | more))


def test_every_series_gets_a_model_a_segment_and_finite_paths():
    past = retail(30, 150)
    told = forecast(past)
    assert told.demand.paths().shape == (30, 40, 10)
    assert np.isfinite(told.demand.paths()).all()
    assert set(told.model.tolist()) <= set(NAMES)
    assert sum(timing.series for timing in told.timings.values()) == 30
    assert sum(timing.share for timing in told.timings.values()) == pytest.approx(1.0)
    assert {score.origin for score in told.scores} == {"2024-05-09", "2024-05-19"}
    assert {"all"} < {score.segment for score in told.scores}
    assert {score.model for score in told.scores} == {*NAMES, "calibration"}
    assert all(np.isfinite(score.value) for score in told.scores)


def test_an_earlier_fit_serves_the_forecast_alone_and_no_origin_that_judges(monkeypatch, tmp_path):
    seen = []
    for module in (backtest, fitting):
        spy = lambda name, given, where=module: seen.append((where, given)) or make(name, given)  # noqa: E731
        monkeypatch.setattr(module, "make", spy)
    forecast(retail(6, 150), ["seasonal_naive", "moving_average"], effort="normal", setting=Setting("fast", tmp_path))
    told = [(where is fitting, given.warm_start) for where, given in seen]
    assert {given.effort for _, given in seen} == {"fast"}
    assert {path for judging, path in told if not judging} == {None}
    of_fits = [path for of_fit, path in told if of_fit]
    begin = next(at for at, path in enumerate(of_fits) if path is None)  # from here on earlier origins are replayed
    assert set(of_fits[:begin]) == {tmp_path}
    assert set(of_fits[begin:]) == {None}


def test_the_same_bytes_from_one_process_and_from_two(monkeypatch):
    past = retail(14, 90)
    monkeypatch.setattr(backtest, "CHUNK", 5)
    monkeypatch.setattr("stockcast.evaluation.stand_ins.CHUNK", 5)
    monkeypatch.setattr(backtest, "LARGE", 0)
    names = ["moving_average", "tsb"]
    one, two = forecast(past, names, workers=1), forecast(past, names, workers=2)
    assert one.demand.paths().tobytes() == two.demand.paths().tobytes()
    assert one.model.tolist() == two.model.tolist()
    assert one.scores == two.scores


def test_the_size_of_the_pieces_changes_no_byte(monkeypatch):
    past = retail(14, 90)
    whole = forecast(past)
    monkeypatch.setattr(backtest, "CHUNK", 4)
    monkeypatch.setattr("stockcast.evaluation.stand_ins.CHUNK", 3)
    pieces = forecast(past)
    assert whole.demand.paths().tobytes() == pieces.demand.paths().tobytes()
    assert [(s.segment, s.model, s.metric) for s in whole.scores] == [
        (s.segment, s.model, s.metric) for s in pieces.scores
    ]
    np.testing.assert_allclose([s.value for s in whole.scores], [s.value for s in pieces.scores], rtol=1e-12)


def test_a_model_named_alone_is_used_without_a_backtest():
    told = forecast(retail(6, 90), ["tsb"])
    assert told.model.tolist() == ["tsb"] * 6
    assert {score.model for score in told.scores} == {"calibration"}


def test_a_history_too_short_for_folds_is_told():
    told = forecast(retail(6, 20))
    assert set(told.model.tolist()) == {"ets"}
    assert any("no backtest" in note for note in told.notes)
    assert np.isfinite(told.demand.paths()).all()


def test_a_backtest_without_a_stocked_period_is_told_and_does_not_choose():
    past = retail(10, 120)
    in_stock = np.where(np.arange(120) >= 60, 0.0, np.ones((10, 1)))
    told = forecast(panel(past.sales, in_stock=in_stock))
    assert set(told.model.tolist()) == {"ets"}
    assert any("backtest told nothing" in note for note in told.notes)


def test_a_backtest_of_fewer_periods_than_the_horizon_is_told():
    assert any("backtest of 30 of 40 periods ahead" in note for note in forecast(retail(6, 120), horizon=40).notes)
    assert not any("periods ahead" in note for note in forecast(retail(6, 120)).notes)


def test_a_panel_without_series_is_forecast():
    told = forecast(retail(2, 90).take(np.arange(0)))
    assert told.demand.paths().shape == (0, 40, 10)
    assert told.scores == ()


def test_fewer_folds_than_asked_for_are_told():
    assert any("2 of 4 backtest folds" in note for note in forecast(retail(6, 60), folds=4, horizon=14).notes)


def test_series_without_evidence_and_censored_ones_are_told():
    past = retail(6, 90)
    in_stock, observed = past.in_stock.copy(), past.observed.copy()
    in_stock[4], observed[5] = 0.6, False
    told = forecast(panel(past.sales, observed=observed, in_stock=in_stock))
    assert told.censored.tolist() == [False] * 4 + [True, False]
    assert any("1 series have too few fully stocked periods" in note for note in told.notes)
    assert told.fallback[5].endswith("→category_profile: no history")
    assert told.segment[5] == "idle" or told.segment[5] == "new"


def test_values_at_the_cap_are_counted():
    sales = np.zeros((1, 200))
    sales[0, ::10], sales[0, 100] = 1.0, 5_000.0
    past = panel(sales)
    promotion = np.where(sales > 1.0, 1.0, 0.0)  # else it were an outlier, and read as 1
    known = KnownFuture(past.time, past.known.price, promotion, past.time.n)
    told = forecast(replace(past, known=known), ["tsb"], n_paths=500)
    assert told.clipped == int((told.demand.paths() >= 10.0).sum()) > 0
    assert any("were cut" in note for note in told.notes)


def test_progress_counts_every_piece():
    seen = []
    forecast(retail(6, 90), ["moving_average", "tsb"], done=seen.append)
    assert seen == sorted(seen)
    assert len(seen) >= 5


def test_only_evidence_is_judged():
    past = retail(2, 60)
    demand = SampledForecast(
        past.series, past.time.after(3), RecordedPaths(np.full((2, 4, 3), 2.0)), Stream(7, "paths"), 4
    )
    actual = np.array([[2.0, 0.0, 2.0], [5.0, 5.0, 5.0]])
    used = np.array([[True, False, True], [False, False, False]])
    told = judge(demand, actual, used, Scales(np.ones(2), np.ones(2), np.ones(2)), np.array([1, 3]), (0.5,))
    assert told.single[0] == 0.0
    assert told.total[0] == 0.0  # one period, in stock
    assert np.isnan(told.single[1])
    assert np.isnan(told.total[1])
    longer = judge(demand, actual, used, Scales(np.ones(2), np.ones(2), np.ones(2)), np.array([3, 3]), (0.5,))
    assert np.isnan(longer.total[0])


@pytest.mark.needs_data
def test_on_real_sales_the_marks_are_met(real_data):
    import pyarrow.parquet as pq

    from stockcast.core.axes import SeriesAxis

    table = pq.read_table(
        os.path.join(real_data, "m5_280_series.parquet"), columns=["item_id", "store_id", "date", "value", "sell_price"]
    )
    axis, row = SeriesAxis.of(*(np.array(table[name].to_pylist()) for name in ("item_id", "store_id")))
    day = table["date"].to_numpy().astype("datetime64[D]")
    at = (day - day.min()).astype(int)
    sales = np.zeros((len(axis), at.max() + 1))
    sales[row, at] = table["value"].to_numpy()
    offered = np.zeros(sales.shape, dtype=bool)
    offered[row, at] = ~table["sell_price"].is_null().to_numpy(zero_copy_only=False)
    offered = np.maximum.accumulate(offered | (sales > 0), axis=1)
    names = np.array([f"{s}@{place}" for s, place in zip(axis.sku, axis.location, strict=True)])
    past = panel(sales, observed=offered, names=names)
    told = forecast(
        past, ["seasonal_naive", "ets"], horizon=28, folds=4, periods=np.full(len(names), 14), n_paths=200,
        levels=(0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975),
    )  # fmt: skip
    pooled = {}
    for score in told.scores:
        if score.segment == "all":
            pooled.setdefault((score.model, score.metric), []).append(score.value)
    mean = {key: float(np.mean(values)) for key, values in pooled.items()}
    assert mean["ets", "rmsse"] < 0.76
    assert mean["ets", "scaled_quantile_loss"] < 0.57
    assert mean["ets", "scaled_quantile_loss_sum"] < 0.34
    assert mean["ets", "scaled_quantile_loss"] < mean["seasonal_naive", "scaled_quantile_loss"]
    assert abs(mean["ets", "bias_sum"]) < 0.06
    assert (told.fallback == "").all()
