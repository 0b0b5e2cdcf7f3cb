"""The classical models: failures stay where they are, covariates count, gaps tell nothing."""

import subprocess
import sys

import numpy as np
import pytest
from made_panels import panel, retail

from stockcast.core.axes import TimeAxis
from stockcast.models.catalogue import make
from stockcast.models.classical import components, reference, sarimax
from stockcast.models.classical import window as windows
from stockcast.models.classical.regressors import calendar
from stockcast.models.ladder import Ladder, failed
from stockcast.models.uncensor import evidence
from stockcast.panel import KnownFuture, Panel

NAMES = ("sarimax", "unobserved_components", "ets_statsmodels")
# where each model fits one series
FITS = {
    "sarimax": (sarimax, "_order"),
    "unobserved_components": (components, "_fit"),
    "ets_statsmodels": (reference, "_fit"),
}
H = 14


def with_known(past, price=None, promotion=None, *, ahead=0):
    """The panel with covariates that reach ``ahead`` periods past it."""
    time = TimeAxis(past.time.start, past.time.n + ahead, past.time.step)
    nothing = np.full((len(past.series), time.n), np.nan)
    known = KnownFuture(
        time, nothing if price is None else price, nothing if promotion is None else promotion, past.time.n
    )
    return Panel(past.series, past.time, past.sales, past.observed, past.in_stock, known, past.attributes)


def sick(name, monkeypatch, fault, size):
    """Make the fit of the series with ``size`` periods of history raise."""
    module, function = FITS[name]
    well = getattr(module, function)

    def fit(one, *more):
        if len(one if isinstance(one, np.ndarray) else one.values) == size:
            raise fault
        return well(one, *more)

    monkeypatch.setattr(module, function, fit)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("fault", "why"),
    [(windows.NotConverged("stopped"), "no convergence"), (np.linalg.LinAlgError("Singular matrix"), "not solvable (Singular matrix)")],
    ids=["does not converge", "singular"],
)  # fmt: skip
def test_a_series_that_cannot_be_fitted_goes_down_alone(name, fault, why, monkeypatch):
    draw = np.random.default_rng(6)
    sales = draw.poisson(5.0, (3, 80)).astype(float)
    observed = np.ones((3, 80), dtype=bool)
    observed[1, :10] = False
    past = panel(sales, observed=observed)
    well, none = Ladder(make(name)).fit(past, seed=7).climb(past, H, seed=7, n_paths=20)
    sick(name, monkeypatch, fault, 70)
    fitted = make(name).fit(past, seed=7)
    assert fitted.trouble().tolist() == ["", why, ""]
    assert fitted.reason.tolist() == ["", why, ""]
    bare = fitted.predict(past, H, seed=7, n_paths=20).paths()
    assert np.isnan(bare[1]).all()
    demand, fallback = Ladder(make(name)).fit(past, seed=7).climb(past, H, seed=7, n_paths=20)
    assert fallback.tolist() == ["", f"{name}→seasonal_naive: model failed, {why}", ""]
    assert failed(fallback).tolist() == [False, True, False]
    others = np.array([0, 2])
    assert demand.paths(others).tobytes() == well.paths(others).tobytes() == bare[others].tobytes()
    assert np.isfinite(demand.paths()).all()
    assert none.tolist() == ["", "", ""]


def test_a_bug_is_not_taken_for_a_series_that_cannot_be_fitted(monkeypatch):
    sick("sarimax", monkeypatch, TypeError("a bug"), 60)
    with pytest.raises(TypeError, match="a bug"):
        make("sarimax").fit(panel(np.random.default_rng(1).poisson(5.0, (1, 60))), seed=7)


def test_a_search_that_does_not_end_is_told():
    with pytest.raises(windows.NotConverged):
        windows.likeliest(lambda at: float("nan"), np.zeros(1), (-1.0, 1.0), 10)
    at, value = windows.likeliest(lambda at: -float((at[0] - 0.5) ** 2), np.zeros(1), (-1.0, 1.0), 1)
    assert at[0] == pytest.approx(0.5, abs=1e-3)
    assert value == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_periods_that_tell_nothing_change_nothing(name):
    # what was recorded while stock was out must not be read
    past = retail(2, 120)
    sales = past.sales.copy()
    sales[past.in_stock < 1.0] = 500.0
    other = panel(sales, observed=past.observed, in_stock=past.in_stock)
    a, b = (make(name).fit(p, seed=7).predict(p, H, seed=7, n_paths=10).paths() for p in (past, other))
    assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_weekdays_are_found(name):
    draw = np.random.default_rng(8)
    sales = draw.poisson(10.0 + 20.0 * (np.arange(140) % 7 == 5), (1, 140)).astype(float)
    past = panel(sales)
    mean = make(name).fit(past, seed=7).predict(past, H, seed=7, n_paths=400).mean()[0]
    assert mean[5] == pytest.approx(30.0, rel=0.15)
    assert np.delete(mean, [5, 12]).max() < 14.0


def promoted(n=120, ahead=H, *, seed=3):
    """Sales of 10 that a promotion lifts by 15, and a price that stays."""
    draw = np.random.default_rng(seed)
    promotion = (draw.random((1, n + ahead)) < 0.2).astype(float)
    sales = draw.poisson(10.0 + 15.0 * promotion[:, :n]).astype(float)
    return sales, promotion


def test_a_planned_promotion_lifts_the_forecast():
    sales, promotion = promoted()
    past = with_known(panel(sales), np.full(promotion.shape, 2.0), promotion, ahead=H)
    fitted = make("sarimax").fit(past, seed=7)
    assert fitted.covariates.tolist() == [[False, True]]  # a price that is always the same teaches nothing
    assert fitted.left_out(past, H) == {"price": 0, "promotion": 0}
    mean = fitted.predict(past, H, seed=7, n_paths=400).mean()[0]
    np.testing.assert_allclose(mean, 10.0 + 15.0 * promotion[0, -H:], rtol=0.15)


def test_a_price_works_on_the_log_of_its_ratio():
    draw = np.random.default_rng(9)
    price = np.where(draw.random((1, 134)) < 0.3, 1.0, 2.0)
    sales = draw.poisson(np.where(price[:, :120] == 1.0, 30.0, 12.0)).astype(float)
    cheap, dear = (with_known(panel(sales), factor * price, ahead=H) for factor in (1.0, 100.0))
    a, b = (make("sarimax").fit(p, seed=7).predict(p, H, seed=7, n_paths=200).mean()[0] for p in (cheap, dear))
    np.testing.assert_allclose(a, b, rtol=1e-6)
    np.testing.assert_allclose(a, np.where(price[0, -H:] == 1.0, 30.0, 12.0), rtol=0.15)


@pytest.mark.parametrize("ahead", [0, 5])
def test_what_is_not_known_over_the_horizon_is_left_out_and_counted(ahead):
    sales, promotion = promoted(ahead=ahead)
    past = with_known(panel(sales), promotion=promotion, ahead=ahead)
    fitted = make("sarimax").fit(past, seed=7)
    assert fitted.dropped.tolist() == [[False, ahead == 0]]
    assert fitted.left_out(past, H) == {"price": 0, "promotion": 1}
    mean = fitted.predict(past, H, seed=7, n_paths=400).mean()[0]
    assert mean == pytest.approx(np.full(H, sales.mean()), rel=0.25)
    if ahead:
        assert fitted.left_out(past, 5) == {"price": 0, "promotion": 0}
        within = fitted.predict(past, 5, seed=7, n_paths=400).mean()[0]
        np.testing.assert_allclose(within, 10.0 + 15.0 * promotion[0, -5:], rtol=0.15)


def test_a_covariate_that_follows_from_another_is_left_out():
    sales, promotion = promoted()
    past = with_known(panel(sales), 2.0 * np.exp(-0.3 * promotion), promotion, ahead=H)
    fitted = make("sarimax").fit(past, seed=7)
    assert fitted.covariates.tolist() == [[True, False]]
    mean = fitted.predict(past, H, seed=7, n_paths=400).mean()[0]
    np.testing.assert_allclose(mean, 10.0 + 15.0 * promotion[0, -H:], rtol=0.15)


def test_periods_whose_covariate_is_not_known_are_left_out():
    sales, promotion = promoted()
    holes = promotion.copy()
    holes[0, 30:34] = np.nan
    past = with_known(panel(sales), promotion=holes, ahead=H)
    fitted = make("sarimax").fit(past, seed=7)
    assert fitted.covariates.tolist() == [[False, True]]
    assert np.isfinite(fitted.predict(past, H, seed=7, n_paths=50).paths()).all()
    holes[0, 20:80] = np.nan
    mostly_unknown = with_known(panel(sales), promotion=holes, ahead=H)
    assert make("sarimax").fit(mostly_unknown, seed=7).covariates.tolist() == [[False, False]]


def test_only_the_recent_years_are_read():
    draw = np.random.default_rng(2)
    sales = draw.poisson(5.0, (1, 1200)).astype(float)
    other = sales.copy()
    other[:, : 1200 - windows.LONGEST["day"]] = 900.0
    a, b = (windows.window(evidence(panel(p)), 0, "day") for p in (sales, other))
    assert a.begin == b.begin == 105
    assert a.values.tobytes() == b.values.tobytes()


def test_the_season_of_weeks_needs_three_years():
    assert calendar(0, 160, "week", 155).shape == (160, 0)
    assert calendar(0, 160, "week", 156).shape == (160, 4)
    days = calendar(3, 14, "day", 14)
    assert days.shape == (14, 6)
    np.testing.assert_array_equal(days[:7].sum(axis=0), 0.0)
    np.testing.assert_array_equal(days[:7], days[7:])
    np.testing.assert_array_equal(days[0], np.eye(6)[3])


@pytest.mark.parametrize("name", NAMES)
def test_too_short_a_history_is_refused(name):
    draw = np.random.default_rng(1)
    assert make(name).can_fit(panel(draw.poisson(5.0, (2, 28)))).all()
    assert not make(name).can_fit(panel(draw.poisson(5.0, (2, 27)))).any()
    rare = np.zeros((2, 60))
    rare[0, [3, 20, 40]] = rare[1, [3, 20, 40, 50]] = 2.0
    assert make(name).can_fit(panel(rare)).tolist() == [False, True]
    fitted = make(name).fit(panel(rare), seed=7)
    assert fitted.trouble()[0] == "not solvable (too short a history)"
    assert fitted.trouble()[1] == ""


def test_statsmodels_is_loaded_only_when_a_series_is_fitted():
    code = (
        "import sys; from stockcast.models.catalogue import make; import stockcast.models.ladder\n"
        f"[make(name) for name in {NAMES!r}]\n"
        "print('statsmodels' in sys.modules, 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False False"
