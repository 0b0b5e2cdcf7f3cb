"""A fitted model forecasts from later origins too: from the newer panel, and from nothing after it."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_deep import small
from made_panels import panel, retail, scrambled

from stockcast.evaluation import backtest as module
from stockcast.evaluation.backtest import backtest
from stockcast.evaluation.folds import Folds
from stockcast.models.catalogue import MODELS
from stockcast.models.classical.reference import ReferenceSmoothing
from stockcast.models.ladder import FittedLadder, Ladder

NAMES = [info.name for info in MODELS if info.available and not info.extra]
SLOW = {info.name for info in MODELS if info.available and not info.auto}  # fitted series by series: fewer of them
every_model = pytest.mark.parametrize("name", NAMES)
every_step = pytest.mark.parametrize("step", ["day", "week"])


def grown(name, step="day", seed=2):
    """Series of a wandering level whose demand triples after the fit, and how many periods the fit knows."""
    draw = np.random.default_rng(seed)
    n, known = (2 if name in SLOW else 6), (200 if step == "day" else 110)
    level = 10.0 * np.exp(np.cumsum(draw.normal(0.0, 0.1, (n, known + 56)), axis=1))
    level[:, known:] = 3.0 * level[:, known - 1 : known]
    sales = draw.poisson(level).astype(float)
    return panel(sales, step=step), known


@every_step
@every_model
def test_a_kept_fit_forecasts_the_periods_after_the_newer_panel_and_has_seen_it(name, step):
    whole, known = grown(name, step)
    ladder = Ladder(small(name)).fit(whole.until(known), seed=7)
    before = ladder.predict(whole.until(known), 14, seed=7, n_paths=60)
    after, fallback = ladder.climb(whole, 14, seed=7, n_paths=60)
    assert after.time.start == whole.time.after(1).start
    paths = after.paths()
    assert np.isfinite(paths).all()
    assert (paths >= 0).all()
    assert (fallback == "").all()
    assert paths.mean() > 1.3 * before.paths().mean()  # it has seen the rise
    assert paths.mean() < 1.3 * whole.sales[:, known:].mean()


@every_model
def test_a_fit_is_not_changed_by_forecasting_from_elsewhere(name):
    whole, known = grown(name)
    ladder = Ladder(small(name)).fit(whole.until(known), seed=7)
    first = ladder.predict(whole.until(known), 7, seed=7, n_paths=20).paths().tobytes()
    ladder.predict(whole, 7, seed=7, n_paths=20)
    assert ladder.predict(whole.until(known), 7, seed=7, n_paths=20).paths().tobytes() == first


@every_model
def test_a_kept_fit_reads_nothing_after_the_origin_that_it_forecasts_from(name):
    n = 3 if name in SLOW else 8
    whole = retail(n, 220)
    ladder = Ladder(small(name)).fit(whole.until(170), seed=7)
    a, b = (
        ladder.predict(each.until(190), 10, seed=7, n_paths=10).paths() for each in (whole, scrambled(whole, 190))
    )  # fmt: skip
    assert a.tobytes() == b.tobytes()


def events(monkeypatch):
    """Note every fit and every forecast of a backtest, with the periods that were known."""
    seen = []
    fit, climb = Ladder.fit, FittedLadder.climb
    monkeypatch.setattr(
        Ladder, "fit", lambda self, p, *, seed: seen.append(("fit", p.time.n)) or fit(self, p, seed=seed)
    )
    monkeypatch.setattr(
        FittedLadder, "climb", lambda self, p, *a, **k: seen.append(("forecast", p.time.n)) or climb(self, p, *a, **k)
    )
    return seen


@pytest.mark.parametrize(
    ("every", "wanted"),
    [
        (1, [("fit", 60), ("forecast", 60), ("fit", 75), ("forecast", 75), ("fit", 90), ("forecast", 90)]),
        (2, [("fit", 60), ("forecast", 60), ("forecast", 75), ("fit", 90), ("forecast", 90)]),
        (9, [("fit", 60), ("forecast", 60), ("forecast", 75), ("forecast", 90)]),
    ],
)
def test_a_fit_is_never_used_at_an_earlier_origin(every, wanted, monkeypatch):
    whole, folds = retail(6, 105), Folds((60, 75, 90), 15)
    given = {"periods": np.full(6, 5), "levels": (0.5, 0.9), "n_paths": 20, "seed": 7}
    seen = events(monkeypatch)
    found = backtest(["tsb"], whole, folds, refit_every=every, **given)
    assert seen == wanted
    assert len(found.outcomes[0]) == 3


@pytest.mark.parametrize("name", ["ets", "negative_binomial", "lightgbm"])
def test_scrambling_what_comes_after_a_fit_or_an_origin_changes_no_forecast_made_before(name, monkeypatch):
    whole, folds = retail(8, 260), Folds((204, 232), 28)
    given = {"periods": np.full(8, 5), "levels": (0.5, 0.9), "n_paths": 20, "seed": 7, "refit_every": 2}
    drawn = []
    judge = module.judged
    monkeypatch.setattr(
        module, "judged", lambda demand, *more: drawn.append(demand.paths().tobytes()) or judge(demand, *more)
    )
    for each in (whole, scrambled(whole, 232), scrambled(whole, 204)):
        backtest([name], each, folds, **given)
    clean, late, early = drawn[:2], drawn[2:4], drawn[4:]
    assert clean == late
    assert clean[0] == early[0]
    assert clean[1] != early[1]  # it has seen what came in between


def test_fits_that_are_kept_give_the_same_bytes_for_any_chunk_and_any_number_of_workers(monkeypatch):
    whole, folds = retail(9, 120), Folds((60, 75, 90, 105), 15)
    keep = np.array([0, 4, 8])
    given = {"periods": np.full(9, 5), "levels": (0.5, 0.9), "n_paths": 20, "seed": 7, "keep": keep, "refit_every": 3}
    names = ["moving_average", "tsb"]
    one = backtest(names, whole, folds, **given)
    monkeypatch.setattr(module, "CHUNK", 4)
    monkeypatch.setattr(module, "LARGE", 0)
    other = backtest(names, whole, folds, workers=2, **given)
    for mine, theirs in zip(one.outcomes, other.outcomes, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            for measure in a.__dataclass_fields__:
                np.testing.assert_array_equal(getattr(a, measure), getattr(b, measure))
    for mine, theirs in zip(one.quantiles, other.quantiles, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(a.single, b.single)
            np.testing.assert_array_equal(a.total, b.total)


def test_fitting_at_every_origin_is_what_it_was():
    whole, folds = retail(6, 105), Folds((60, 75, 90), 15)
    given = {"periods": np.full(6, 5), "levels": (0.5, 0.9), "n_paths": 20, "seed": 7}
    often = backtest(["moving_average"], whole, folds, **given).outcomes[0]
    single = [backtest(["moving_average"], whole, Folds((n,), 15), **given).outcomes[0][0] for n in folds.known]
    for a, b in zip(often, single, strict=True):
        for measure in a.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(a, measure), getattr(b, measure))


def test_the_reference_smoothing_goes_on_where_it_began_in_the_units_it_began_in():
    # its window slides and its unit doubles between fit and forecast; the state before its first period must not
    draw = np.random.default_rng(5)
    season = np.tile([1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0], 160)[:1104]
    sales = 11.0 * season + draw.normal(0, 0.5, 1104)
    sales[1100:] += 500.0  # a spike that moves the mean over a power of two, and is no outlier yet
    whole = panel(sales[None, :])
    known = 1100
    fitted = ReferenceSmoothing().fit(whole.until(known), seed=7)
    (form,) = fitted.forms
    assert form.begin > 0
    assert len(form.season) == 7
    level, trend, places = form.level * form.scale, form.trend * form.scale, (form.season * form.scale).tolist()
    for at, value in enumerate(sales[form.begin :].tolist()):
        trend *= form.phi
        level += trend
        error = value - level - places[at % 7]
        level, trend = level + form.alpha * error, trend + form.beta * error
        places[at % 7] += form.gamma * error
    source = fitted.predict(whole, 7, seed=7, n_paths=5).source
    assert source.level[0] == pytest.approx(level)
    assert source.trend[0] == pytest.approx(trend)
    wanted = np.roll(places, -((1104 - form.begin) % 7))
    np.testing.assert_allclose(source.season[0], wanted)
