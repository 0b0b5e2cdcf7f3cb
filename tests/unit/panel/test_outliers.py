"""Outliers: what models read in their place, what excuses them, and that they move no other series."""

import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.evaluation import forecast
from stockcast.models.catalogue import make
from stockcast.models.uncensor import evidence
from stockcast.panel import Attributes, Calendar, KnownFuture, Panel, calmed

N, DAYS, WRONG = 20, 300, (3, 100)


def made(value=None, promotion=None, calendar=None):
    axis = SeriesAxis(np.char.mod("s%02d", np.arange(N)), np.full(N, "x"))
    time = TimeAxis(np.datetime64("2026-01-01"), DAYS, "day")
    sales = np.random.default_rng(5).poisson(4.0, (N, DAYS)).astype(float)
    if value is not None:
        sales[WRONG] = value
    none = np.full((N, DAYS), np.nan)
    known = KnownFuture(time, none, none if promotion is None else promotion, DAYS, calendar=calendar)
    every = np.ones((N, DAYS))
    return Panel(axis, time, sales, every > 0, every, known, Attributes(axis, {}))


def largest_other():
    rest = made().sales[WRONG[0]].copy()
    rest[WRONG[1]] = 0.0
    return rest.max()


@pytest.mark.parametrize("value", [2000.0, 40_000.0, 1e9])
def test_an_outlier_is_read_as_the_largest_other_value(value):
    panel, wanted = made(value), made(largest_other())
    assert np.array_equal(calmed(panel), wanted.sales)
    assert np.array_equal(evidence(panel).values, wanted.sales)
    assert panel.sales[WRONG] == value  # the record stays


def test_some_series_are_read_as_all_are():
    panel = made(40_000.0)
    for begin in range(0, N, 7):
        some = slice(begin, begin + 7)
        assert np.array_equal(calmed(panel, some), calmed(panel)[some])
        assert np.array_equal(calmed(panel.take(np.arange(N)[some])), calmed(panel)[some])


def test_a_large_sale_within_reason_is_kept():
    panel = made(190.0)  # below 50 times the median, 4
    assert np.array_equal(calmed(panel), panel.sales)


def test_a_promotion_or_an_event_excuses_it():
    promotion = np.zeros((N, DAYS))
    promotion[WRONG] = 1.0
    assert calmed(made(40_000.0, promotion))[WRONG] == 40_000.0
    days = TimeAxis(np.datetime64("2026-01-01"), DAYS, "day")
    occurs = np.zeros((1, 1, DAYS), dtype=bool)
    occurs[0, 0, WRONG[1]] = True
    calendar = Calendar(days, ("x",), ("fair",), occurs, np.ones((1, DAYS), dtype=bool))
    assert calmed(made(40_000.0, calendar=calendar))[WRONG] == 40_000.0


@pytest.mark.parametrize("name", ["moving_average", "ets", "tsb", "lightgbm"])
def test_no_model_forecasts_anything_else_for_an_outlier(name):
    wrong, right = made(40_000.0), made(largest_other())
    one, other = (
        make(name).fit(panel, seed=7).predict(panel, 7, seed=7, n_paths=50).paths() for panel in (wrong, right)
    )
    assert np.array_equal(one, other)


def test_a_forecast_tells_how_many_there_are():
    options = {
        "horizon": 7, "periods": np.full(N, 7), "folds": 0, "effort": "fast", "levels": (0.5,), "n_paths": 20, "seed": 1,
    }  # fmt: skip
    said = [forecast(["moving_average"], panel, **options).notes for panel in (made(40_000.0), made())]
    assert [any("1 sales of single periods are outliers" in note for note in notes) for notes in said] == [True, False]
