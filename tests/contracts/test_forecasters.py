"""One list of all forecasters × the rules that every one of them keeps (models/base.py)."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_deep import small
from made_panels import panel, retail

from stockcast.demand.arrays import pack, unpack
from stockcast.models.catalogue import MODELS, make
from stockcast.models.ladder import Ladder, failed

NAMES = [info.name for info in MODELS if info.available and not info.extra]
# fitted series by series: smaller panels, and a forecast of NaN for what they refuse (can_fit), which the ladder covers
POOLED = {
    info.name for info in MODELS if info.pooled and not info.extra
}  # learn from all series at once: another panel, another model
SLOW = {"sarimax", "unobserved_components", "ets_statsmodels"}
MAKERS = {name: (lambda name=name: small(name)) for name in NAMES}
MAKERS |= {f"ladder of {name}": (lambda name=name: Ladder(make(name))) for name in ("ets", "tsb", "negative_binomial")}
every_forecaster = pytest.mark.parametrize("forecaster", [maker() for maker in MAKERS.values()], ids=list(MAKERS))
every_step = pytest.mark.parametrize("step", ["day", "week"])

DEGENERATE = {
    "one period": np.array([[3.0]]),
    "two periods": np.array([[3.0, 0.0]]),
    "all zero": np.zeros((1, 60)),
    "constant": np.full((1, 60), 4.0),
    "single spike": np.eye(1, 60, 30) * 50.0,
    "huge": np.full((1, 60), 1e150) * (np.arange(60) % 7 + 1),
    "tiny": np.full((1, 60), 1e-12) * (np.arange(60) % 7),
    "shorter than a season": np.array([[1.0, 0.0, 2.0, 5.0]]),
    "begins late": np.concatenate([np.zeros((1, 57)), [[1.0, 2.0, 3.0]]], axis=1),
    "ended": np.concatenate([np.full((1, 40), 9.0), np.zeros((1, 100))], axis=1),
}


def forecast(forecaster, past, *, seed=7, horizon=15, n_paths=20):
    return forecaster.fit(past, seed=seed).predict(past, horizon, seed=seed, n_paths=n_paths)


def size(forecaster, n):
    return min(n, 3) if forecaster.name in SLOW else n


@every_step
@every_forecaster
def test_paths_are_finite_and_not_negative(forecaster, step):
    n = size(forecaster, 12)
    paths = forecast(forecaster, retail(n, 170, step=step)).paths()
    assert paths.shape == (n, 20, 15)
    assert np.isfinite(paths).all()
    assert (paths >= 0).all()
    assert paths.max() > 0


@every_forecaster
@pytest.mark.parametrize("sales", DEGENERATE.values(), ids=DEGENERATE.keys())
def test_degenerate_histories_get_finite_paths(forecaster, sales):
    past = panel(sales)
    if forecaster.name in SLOW:
        refused = (
            forecaster.fit(past, seed=7).trouble() != ""
        )  # too short; or the search does not end, on some machines
        assert refused[~forecaster.can_fit(past)].all()
        if refused.any():
            assert np.isnan(forecast(forecaster, past).paths()[refused]).all()
            forecaster = Ladder(forecaster)
    paths = forecast(forecaster, past).paths()
    assert np.isfinite(paths).all()
    assert (paths >= 0).all()
    assert paths.max() <= 10.0 * max(sales.max(), 1.0)


@every_forecaster
def test_nothing_sold_nothing_forecast(forecaster):
    assert forecast(forecaster, panel(np.zeros((2, 80)))).paths().max() == 0


@every_forecaster
def test_a_constant_is_forecast_as_it_is(forecaster):
    paths = forecast(forecaster, panel(np.full((1, 80), 4.0)), n_paths=200).paths()
    assert np.isin(paths.round(6), (0.0, 4.0)).all()
    assert abs(paths.mean() - 4.0) < 0.06  # SBA takes α/2 of it off


@pytest.mark.parametrize("name", sorted(POOLED))
def test_a_constant_among_others_is_forecast_as_it_is_by_what_learns_from_all(name):
    draw = np.random.default_rng(5)
    sales, in_stock = draw.poisson(6.0, (9, 260)).astype(float), np.ones((9, 260))
    sales[4], in_stock[4, 90:140] = 5.0, 0.0
    sales[4, 90:140] = 0.0
    paths = forecast(small(name), panel(sales, in_stock=in_stock), n_paths=200).paths()
    assert abs(paths[4].mean() - 5.0) < 0.06
    assert np.quantile(paths[4], (0.05, 0.95)).round().tolist() == [5.0, 5.0]  # whole units are counted later
    assert paths[3].std() > 1.0


@pytest.mark.parametrize("sales", [*DEGENERATE.values(), np.zeros((2, 80)), np.full((1, 80), 4.0)])
def test_the_network_of_the_contract_learns_wherever_a_window_fits(sales):
    fitted = small("tft").fit(panel(sales), seed=7)
    assert (fitted.learnt is not None) == (sales.shape[1] > 4 and sales.max() < 1e100)


@every_forecaster
def test_the_same_seed_gives_the_same_bytes(forecaster):
    past = retail(size(forecaster, 6), 120)
    assert forecast(forecaster, past).paths().tobytes() == forecast(forecaster, past).paths().tobytes()
    assert forecast(forecaster, past).paths().tobytes() != forecast(forecaster, past, seed=8).paths().tobytes()


@every_step
@pytest.mark.parametrize("forecaster", [make(name) for name in NAMES if name not in POOLED], ids=lambda made: made.name)
def test_permuted_series_permute_the_forecast(forecaster, step):
    n = size(forecaster, 9)
    past = retail(n, 170, step=step)
    order = np.random.default_rng(0).permutation(n)
    # the axis sorts by name: give the histories of one order the names, and so the keys, of the other
    names = np.array([f"n{at}" for at in range(n)])
    first = panel(past.sales, step=step, observed=past.observed, in_stock=past.in_stock, names=names)
    second = panel(
        past.sales[order], step=step, observed=past.observed[order], in_stock=past.in_stock[order], names=names
    )
    a, b = forecast(forecaster, first).source, forecast(forecaster, second).source
    for name in type(a).__dataclass_fields__:
        np.testing.assert_array_equal(getattr(a, name)[order], getattr(b, name))


@every_step
@every_forecaster
def test_chunks_give_the_same_bytes_as_the_whole(forecaster, step):
    n = size(forecaster, 11)
    past = retail(n, 170, step=step)
    whole = forecast(forecaster, past)
    some = (np.arange(0, 4), np.arange(4, 5), np.arange(5, 11), np.array([0, 3, 7, 10]))
    for rows in some if n > 3 else (np.arange(0, 2), np.array([0, 2])):
        if forecaster.name in POOLED:
            assert whole.take(rows).paths().tobytes() == whole.paths(rows).tobytes()
            continue
        part = forecast(forecaster, past.take(rows))
        assert part.paths().tobytes() == whole.paths(rows).tobytes()
        assert part.paths().tobytes() == whole.take(rows).paths().tobytes()


@every_forecaster
def test_the_panel_is_not_changed(forecaster):
    past = retail(size(forecaster, 5), 90)
    before = (past.sales.tobytes(), past.in_stock.tobytes(), past.observed.tobytes())
    forecast(forecaster, past).paths()
    assert (past.sales.tobytes(), past.in_stock.tobytes(), past.observed.tobytes()) == before


@every_forecaster
def test_a_poisoned_series_touches_no_other(forecaster):
    n = size(forecaster, 8)
    past = retail(n, 120)
    sales = past.sales.copy()
    sick = min(3, n - 1)
    sales[sick] = 0.0
    sales[sick, ::9] = 1e300
    bad = panel(sales, observed=past.observed, in_stock=past.in_stock, category=past.attributes.column("category"))
    others = np.delete(np.arange(n), sick)
    if forecaster.name in POOLED:  # it is as if it were not there
        past = bad.take(others)
        assert forecast(forecaster, bad).paths(others).tobytes() == forecast(forecaster, past).paths().tobytes()
        return
    with np.errstate(all="ignore"):
        assert forecast(forecaster, bad).paths(others).tobytes() == forecast(forecaster, past).paths(others).tobytes()


@every_forecaster
def test_a_fitted_model_takes_the_series_it_was_fitted_on(forecaster):
    from stockcast.core.errors import AlignmentError

    past = retail(size(forecaster, 4), 90)
    with pytest.raises(AlignmentError):
        forecaster.fit(past, seed=7).predict(past.take(np.array([0, 1])), 5, seed=7, n_paths=5)


@every_forecaster
def test_what_is_written_down_draws_the_same_bytes(forecaster):
    demand = forecast(forecaster, retail(size(forecaster, 5), 120))
    packed = pack(demand)
    assert all(isinstance(value, str | np.ndarray) for value in packed.values())
    assert unpack(packed).paths().tobytes() == demand.paths().tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_series_gets_a_forecast_from_the_ladder(name):
    past = retail(6, 260 if name in POOLED else 90)
    sales, observed = past.sales.copy(), past.observed.copy()
    observed[0], sales[1] = False, 0.0
    observed[2, :-3], sales[2, :-3] = False, 0.0
    demand, fallback = Ladder(small(name)).fit(panel(sales, observed=observed), seed=7).climb(
        panel(sales, observed=observed), 10, seed=7, n_paths=20
    )  # fmt: skip
    assert np.isfinite(demand.paths()).all()
    assert fallback[0] == f"{name}→category_profile: no history"
    assert fallback[5] == ""
    assert not failed(fallback).any()


@pytest.mark.parametrize("name", sorted(POOLED))
def test_a_pooled_model_says_so_and_is_told_where_there_is_too_little_to_pool(name):
    assert make(name).pooled
    _, fallback = Ladder(make(name)).fit(retail(3, 60), seed=7).climb(retail(3, 60), 10, seed=7, n_paths=20)
    assert all(text.endswith("too little history of all series together to learn from") for text in fallback.tolist())
