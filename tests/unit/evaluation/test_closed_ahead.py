"""Closed periods in the evaluation: 0 to the end of it, told, and no reason to leave a sum unjudged."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from made_calendar import closing, every_seventh
from made_panels import panel, retail

from stockcast import evaluation
from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.random import Stream
from stockcast.demand import RecordedPaths, SampledForecast
from stockcast.demand.arrays import pack, unpack
from stockcast.evaluation.backtest import backtest
from stockcast.evaluation.folds import Folds
from stockcast.evaluation.metrics import Scales
from stockcast.evaluation.scores import judge
from stockcast.panel import Attributes, Calendar, KnownFuture, Panel

N, H = 24, 14


def forecast(past, **more):
    given = {"horizon": H, "periods": np.full(N, 8), "folds": 2, "effort": "normal", "levels": (0.1, 0.5, 0.9)}
    return evaluation.forecast(["ets", "moving_average"], past, **(given | {"n_paths": 40, "seed": 7} | more))


@pytest.mark.parametrize("reconcile", ["none", "top_down", "mint_diagonal", "mint_shrunk"])
def test_the_published_forecast_of_a_closed_period_is_exactly_nothing_and_counted(reconcile):
    past = retail(N, 180)
    past = closing(past, every_seventh(past))
    told = forecast(past, reconcile=reconcile)
    paths = told.demand.paths()
    shut = (np.arange(180, 180 + H) % 7) == 6
    assert (paths[:, :, shut] == 0).all()
    assert (paths[:, :, ~shut].mean(axis=1) > 0).any()
    assert f"{2 * N} forecasts of single periods, of {N} series, are 0: the calendar closes their places" in told.notes
    total = told.demand.lead_time_demand(np.full(N, 8)).samples
    np.testing.assert_allclose(total, paths[:, :, :8].sum(axis=2))
    assert unpack(pack(told.demand)).paths().tobytes() == paths.tobytes()


def of_two_places(shut_ahead):
    """Ten items at two places alike, of which one closes for some days ahead."""
    draw = np.random.default_rng(2)
    time, names = TimeAxis(np.datetime64("2026-01-05"), 180, "day"), np.repeat([f"s{at}" for at in range(10)], 2)
    axis = SeriesAxis(names, np.tile(["a", "b"], 10))
    longer, nothing = TimeAxis(time.start, 180 + H, "day"), np.full((20, 180), np.nan)
    open_ = np.ones((2, 180 + H), dtype=bool)
    open_[0, [180 + at for at in shut_ahead]] = False
    calendar = Calendar(longer, ("a", "b"), (), np.zeros((2, 0, 180 + H), dtype=bool), open_)
    known = KnownFuture(time, nothing, nothing, 180, calendar=calendar)
    shape, category = (20, 180), Attributes(axis, {"category": np.full(20, "c")})
    sales = draw.poisson(12.0, shape).astype(float)
    return Panel(axis, time, sales, np.ones(shape, dtype=bool), np.ones(shape), known, category)


@pytest.mark.parametrize("reconcile", ["top_down", "mint_diagonal", "mint_shrunk"])
def test_what_a_closed_place_does_not_sell_is_not_shared_out_to_the_others(reconcile):
    more = {"periods": np.full(20, 8), "reconcile": reconcile, "hierarchy": ("category", "location"), "n_paths": 200}
    mean = [forecast(of_two_places(shut), **more).demand.mean() for shut in ((), (3, 4))]
    assert (mean[1][::2, 3:5] == 0).all()
    np.testing.assert_allclose(mean[1][1::2, 3:5].mean(), mean[0][1::2, 3:5].mean(), rtol=0.03)
    np.testing.assert_allclose(np.delete(mean[1], [3, 4], axis=1), np.delete(mean[0], [3, 4], axis=1), rtol=0.05)


def test_a_sum_over_closed_periods_is_judged_and_one_over_a_stockout_is_not():
    past = panel(np.ones((2, 60)))
    demand = SampledForecast(
        past.series, past.time.after(3), RecordedPaths(np.array([[[2.0, 0.0, 2.0]] * 4] * 2)), Stream(7, "paths"), 4
    )
    actual, used = np.array([[3.0, 0.0, 2.0]] * 2), np.array([[True, False, True]] * 2)
    settled = np.array([[True, True, True], [True, False, True]])
    told = judge(demand, actual, used, Scales(np.ones(2), np.ones(2), np.ones(2)), np.full(2, 3), (0.5,), settled)
    assert told.total_actual[0] == 5.0
    assert told.total_error[0] == -1.0
    assert np.isnan(told.total_error[1])
    assert told.single[0] == told.single[1]  # the closed period is no single one that is judged


def test_a_backtest_of_a_place_that_closes_every_week_judges_its_sums():
    past = retail(N, 180)
    past = replace(past, in_stock=np.ones_like(past.in_stock))
    past = closing(past, every_seventh(past))
    more = {"periods": np.full(N, 8), "levels": (0.5, 0.9), "n_paths": 20, "seed": 7}
    outcome = backtest(["moving_average"], past, Folds((150,), H), **more).outcomes[0][0]
    began = past.observed[:, :150].any(axis=1)
    assert np.isfinite(outcome.total[began]).all()
    unknown = replace(past, known=replace(past.known, calendar=None))
    assert np.isnan(backtest(["moving_average"], unknown, Folds((150,), H), **more).outcomes[0][0].total).all()
