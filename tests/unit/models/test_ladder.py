from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from made_panels import panel, retail

from stockcast.core.errors import AlignmentError
from stockcast.models import ladder, states
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.catalogue import make
from stockcast.models.ladder import Ladder, failed
from stockcast.models.naive import MovingAverage
from stockcast.models.profile import profile


@dataclass(frozen=True)
class Sick(Forecaster):
    """A moving average that fails, in a way of your choice, on one series."""

    name: ClassVar[str] = "sick"
    way: str = "nan"
    on: str = "s0003"

    def fit(self, panel, *, seed):
        if self.way == "raises in fit" and self.on in panel.series.sku:
            raise ValueError("singular")
        if self.way == "bug":
            raise TypeError("a bug")
        return FittedSick(self, MovingAverage().fit(panel, seed=seed))

    def can_fit(self, panel):
        return np.ones(len(panel.series), dtype=bool)


@dataclass(frozen=True)
class FittedSick(FittedForecaster):
    sick: Sick
    well: FittedForecaster

    def predict(self, panel, horizon, *, seed, n_paths):
        if self.sick.way == "raises in predict" and self.sick.on in panel.series.sku:
            raise RuntimeError("no convergence")
        demand = self.well.predict(panel, horizon, seed=seed, n_paths=n_paths)
        change = {"nan": np.nan, "infinite": np.inf, "explodes": 1e7}.get(self.sick.way)
        if change is None:
            return demand
        hit = panel.series.sku == self.sick.on
        level = np.where(hit, change, demand.source.level)
        return replace(demand, source=replace(demand.source, level=level, cap=np.where(hit, np.inf, demand.source.cap)))


WAYS = {
    "nan": "model failed, no finite forecast",
    "infinite": "model failed, no finite forecast",
    "explodes": "model failed, forecast explodes",
    "raises in fit": "model failed",
    "raises in predict": "model failed",
}


@pytest.mark.parametrize("way", WAYS)
def test_one_failing_series_goes_down_alone(way):
    past = retail(8, 90)
    demand, fallback = Ladder(Sick(way)).fit(past, seed=7).climb(past, 10, seed=7, n_paths=20)
    well, none = Ladder(Sick("well")).fit(past, seed=7).climb(past, 10, seed=7, n_paths=20)
    assert fallback[3] == f"sick→seasonal_naive: {WAYS[way]}"
    others = np.array([0, 1, 2, 4, 5, 6, 7])
    assert (fallback[others] == "").all()
    assert (none == "").all()
    assert np.isfinite(demand.paths()).all()
    assert demand.paths(others).tobytes() == well.paths(others).tobytes()
    assert failed(fallback).tolist() == [False] * 3 + [True] + [False] * 4


def test_a_bug_is_not_hidden():
    with pytest.raises(TypeError, match="a bug"):
        Ladder(Sick("bug")).fit(retail(3, 60), seed=7)


def test_each_rung_is_taken_by_the_history_that_it_needs():
    sales = np.random.default_rng(1).poisson(3.0, (4, 60)).astype(float)
    observed = np.ones((4, 60), dtype=bool)
    observed[1, :-10], observed[2, :-3], observed[3] = False, False, False
    past = panel(sales, observed=observed, category=["a", "a", "b", "b"])
    demand, fallback = Ladder(make("ets")).fit(past, seed=7).climb(past, 10, seed=7, n_paths=200)
    assert fallback.tolist() == [
        "",
        "ets→seasonal_naive: 10 periods of history",
        "ets→moving_average: 3 periods of history",
        "ets→category_profile: no history",
    ]
    assert demand.mean()[3].mean() == pytest.approx(past.sales[2].sum() / 3, rel=0.1)  # the other series of b


def test_nothing_at_all_is_forecast_as_zero():
    past = panel(np.zeros((2, 20)), observed=np.zeros((2, 20), dtype=bool))
    demand, fallback = Ladder(make("tsb")).fit(past, seed=7).climb(past, 5, seed=7, n_paths=5)
    assert demand.paths().max() == 0
    assert fallback.tolist() == ["tsb→zero: no history"] * 2


def test_rare_demand_says_how_rare():
    past = panel(np.eye(1, 60, 30) * 4.0)
    assert Ladder(make("sba")).fit(past, seed=7).climb(past, 5, seed=7, n_paths=5)[1].tolist() == [
        "sba→seasonal_naive: 1 demand in 60 periods of history"
    ]


def test_a_category_that_nobody_knows_takes_all_series_together():
    past = panel(np.array([[2.0] * 30, [4.0] * 30]), category=["a", "b"])
    new = panel(np.zeros((1, 30)), observed=np.zeros((1, 30), dtype=bool), category=["c"])
    assert profile(past).source(new).level.tolist() == [3.0]


def test_the_fitted_ladder_wants_its_own_series():
    past = retail(4, 60)
    with pytest.raises(AlignmentError):
        Ladder(make("tsb")).fit(past, seed=7).predict(past.take(np.array([1])), 5, seed=7, n_paths=5)


def test_sales_that_cannot_be_counted_say_so():
    weights = np.random.default_rng(1).gamma(2.0, 1.0, (1, 60))
    past = panel(np.concatenate([weights, np.round(weights), weights.round(2)]))
    fallback = Ladder(make("negative_binomial")).fit(past, seed=7).climb(past, 5, seed=7, n_paths=5)[1]
    assert fallback.tolist() == ["negative_binomial→seasonal_naive: sales are not in whole units", "", ""]


def poisoned(source, seed):
    """Change some states of some series: not finite, out of range, huge, or none of it."""
    draw = np.random.default_rng(seed)
    n = len(source.level)
    changed = {}
    for name in ("level", "trend", "damping", "alpha", "beta", "gamma", "delta", "occurrence", "cap"):
        odd = draw.choice([np.nan, np.inf, -np.inf, 1e300, -3.0, 2.0, 0.5, 0.1, 0.0], n)
        changed[name] = np.where(draw.random(n) < 0.15, odd, getattr(source, name))
    for name in ("season", "errors"):
        values = getattr(source, name).copy()
        values[np.arange(n), draw.integers(0, values.shape[1], n)] *= draw.choice([1.0, 1.0, 9.0, np.nan], n)
        changed[name] = values
    return replace(source, **changed)


@pytest.mark.parametrize("name", ["seasonal_naive", "moving_average", "tsb", "ets"])
def test_what_is_judged_without_its_paths_is_judged_as_by_them(name, monkeypatch):
    past = retail(60, 120)
    rows = np.arange(60)
    source = make(name).fit(past, seed=1).predict(past, 14, seed=1, n_paths=5).source
    spared = 0
    for seed in range(6):
        for one in (source, poisoned(source, seed)):
            told = ladder._faults(past, rows, one, 14, 1)
            spared += int(states.surely_within(one, 14, np.full(60, np.inf)).sum())
            with monkeypatch.context() as patch:
                patch.setattr(ladder, "surely_within", lambda source, horizon, limit: np.zeros(60, dtype=bool))
                assert ladder._faults(past, rows, one, 14, 1).tolist() == told.tolist()
    assert 0 < spared < 12 * 60


def test_no_path_leaves_its_bound():
    past = retail(60, 120)
    source = make("ets").fit(past, seed=1).predict(past, 14, seed=1, n_paths=5).source
    paths = states.sampled(past, replace(source, cap=np.full(60, np.inf)), 14, seed=1, n_paths=200).paths()
    assert (paths.max(axis=(1, 2)) <= source.bound(14)).all()
