"""What is read in slices and threads is, bit for bit, what the plain twin reads off the whole panel."""

import numpy as np
import plain_states
import pytest
from made_panels import panel, retail

from stockcast.core import parallel
from stockcast.models import history, intermittent, naive, states
from stockcast.models.intermittent import SBA, TSB, Croston
from stockcast.models.naive import MovingAverage, SeasonalNaive, repeated
from stockcast.models.uncensor import evidence

TWINS = {
    SeasonalNaive: plain_states.seasonal_naive,
    MovingAverage: plain_states.moving_average,
    Croston: plain_states.intermittent,
    SBA: plain_states.intermittent,
    TSB: plain_states.intermittent,
}


def messy(n, time, *, step="day", seed=0):
    """Whole series and late starts, gaps, long and short stockouts, censored, empty, constant and huge ones."""
    draw = np.random.default_rng(seed)
    sales = draw.poisson(np.geomspace(0.05, 30.0, n)[draw.permutation(n)][:, None], (n, time)).astype(float)
    sales *= np.where(draw.random((n, 1)) < 0.2, draw.random((n, time)).round(3), 1.0)
    observed, in_stock = np.ones((n, time), dtype=bool), np.ones((n, time))
    kind = draw.integers(0, 8, n)
    late = np.arange(time) < draw.integers(0, time + 1, n)[:, None]
    observed[(kind == 1)[:, None] & late] = False
    observed[np.isin(kind, (2, 5))[:, None] & (draw.random((n, time)) < 0.3)] = False
    short = np.isin(kind, (3, 5))[:, None] & (draw.random((n, time)) < 0.2)
    in_stock[short] = draw.random(int(short.sum())).round(2)
    in_stock[(kind == 4)[:, None] & (np.arange(time) % 9 < 6)] = 0.0
    scarce = (kind == 6)[:, None] & (draw.random((n, time)) < 0.97)
    in_stock[scarce] = draw.random(int(scarce.sum())).round(1)  # censored
    in_stock[kind == 7] = 0.0
    sales[:: max(1, n // 9)] *= 1e9
    sales[1 :: max(1, n // 7)] = 0.0
    return panel(sales, step=step, observed=observed, in_stock=in_stock)


def whole(n, time, *, step="day"):
    return panel(np.random.default_rng(9).poisson(3.0, (n, time)).astype(float), step=step)


PANELS = {
    "days": lambda: messy(900, 100),
    "long": lambda: messy(60, 900),
    "days and nothing masked": lambda: whole(70, 100),
    "a long one and nothing masked": lambda: whole(20, 500),
    "retail": lambda: retail(60, 250),
    "weeks": lambda: messy(500, 80, step="week"),
    "weeks of years": lambda: messy(500, 160, step="week"),
    "two years and nothing masked": lambda: whole(40, 104, step="week"),
    "a week": lambda: messy(200, 7),
    "less than a week": lambda: messy(200, 5),
    "one day": lambda: messy(40, 1),
    "one series": lambda: messy(1, 60),
}


def same(one, other) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("forecaster", TWINS)
def test_the_states_are_those_of_the_plain_twin(forecaster, name, monkeypatch):
    monkeypatch.setattr(states, "ROWS", 17)  # many slices of a small panel
    past = PANELS[name]()
    fitted = forecaster().fit(past, seed=7)
    source = fitted.predict(past, 9, seed=7, n_paths=5).source
    plain = TWINS[forecaster](past, fitted)
    for field in plain.__dataclass_fields__:
        assert same(getattr(source, field), getattr(plain, field)), field


@pytest.mark.parametrize("name", PANELS)
def test_the_evidence_of_a_slice_is_that_of_the_plain_twin(name):
    past = PANELS[name]()
    values, used, censored = plain_states.evidence(past)
    for some in (slice(None), slice(0, 1), slice(len(past.series) // 3, len(past.series))):
        told = evidence(past, some)
        assert same(told.values, values[some])
        assert same(told.used, used[some])
        assert same(told.censored, censored[some])


@pytest.mark.parametrize("name", PANELS)
def test_seasons_pools_and_ceilings_are_those_of_the_plain_twin(name):
    values, used, _ = plain_states.evidence(PANELS[name]())
    for season in (1, 7, 52):
        for one, other in zip(repeated(values, used, season), plain_states.repeated(values, used, season), strict=True):
            assert same(one, other), season
    for size in (1, 3, 56, 400):
        for one, other in zip(history.latest(values, used, size), plain_states.latest(values, used, size), strict=True):
            assert same(one, other), size
    for one, other in zip(history.pool_of(values, used), plain_states.pool_of(values, used), strict=True):
        assert same(one, other)
    assert same(history.ceiling(values, used), plain_states.ceiling(values, used))


@pytest.mark.parametrize("name", PANELS)
def test_the_windows_are_those_of_the_plain_twin(name, monkeypatch):
    monkeypatch.setattr(naive, "ROWS", 13)
    past = PANELS[name]()
    assert same(MovingAverage().fit(past, seed=7).window, plain_states.windows(past))


@pytest.mark.parametrize("forecaster", TWINS)
def test_threads_change_no_byte(forecaster, monkeypatch):
    monkeypatch.setattr(states, "ROWS", 8)
    monkeypatch.setattr(naive, "ROWS", 8)
    monkeypatch.setattr(intermittent, "ROWS", 8)
    past, found = messy(400, 60), []
    for threads in (1, 3):
        monkeypatch.setattr(parallel, "threads_here", lambda threads=threads: threads)
        able = forecaster().can_fit(past)
        source = forecaster().fit(past, seed=7).predict(past, 5, seed=7, n_paths=3).source
        found.append([able, *(getattr(source, field) for field in source.__dataclass_fields__)])
    assert all(same(one, other) for one, other in zip(*found, strict=True))
