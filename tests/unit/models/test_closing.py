"""A closed place sells nothing, whoever forecasts, and what it did not sell is held against nobody."""

import numpy as np
import pytest
from made_calendar import closing as closes
from made_calendar import every_seventh
from made_panels import panel, retail

from stockcast.demand import Coursed, Innovations
from stockcast.models.catalogue import MODELS, make
from stockcast.models.closing import closed_ahead, closing
from stockcast.models.ladder import Ladder
from stockcast.models.states import innovations

NAMES = [info.name for info in MODELS if info.available and not info.extra]


@pytest.mark.parametrize("name", NAMES)
def test_every_model_forecasts_exactly_nothing_for_a_closed_period(name):
    past = retail(4, 150)
    past = closes(past, every_seventh(past))
    paths = Ladder(make(name)).fit(past, seed=7).predict(past, 14, seed=7, n_paths=20).paths()
    shut = closed_ahead(past, 14)
    assert shut.sum() == 4 * 2
    assert (paths[np.broadcast_to(shut[:, None, :], paths.shape)] == 0).all()
    open_ = paths.transpose(0, 2, 1)[~shut]
    assert open_.mean() > 1.0


@pytest.mark.parametrize("name", ["seasonal_naive", "moving_average", "ets", "theta", "tsb", "lightgbm"])
def test_closed_days_of_the_past_lower_no_forecast_of_open_ones(name):
    draw = np.random.default_rng(1)
    always = panel(draw.poisson(20.0, (6, 210)))
    sundays = closes(always, every_seventh(always))
    mean = [
        Ladder(make(name)).fit(past, seed=7).predict(past, 14, seed=7, n_paths=300).mean() for past in (always, sundays)
    ]
    open_ = ~closed_ahead(sundays, 14)
    assert mean[1][open_].mean() == pytest.approx(20.0, rel=0.05)
    assert mean[1][open_].mean() == pytest.approx(mean[0].mean(), rel=0.05)


def test_only_places_that_close_are_led_and_the_others_keep_their_bytes():
    past = retail(3, 60)
    source = innovations(3, level=np.array([1.0, 2.0, 3.0]), cap=np.full(3, 9.0))
    assert closing(source, past, 10) is source
    assert closing(source, closes(past, np.zeros(90)), 10) is source
    led = closing(source, closes(past, every_seventh(past)), 10)
    assert isinstance(led, Coursed)
    assert isinstance(led.inner, Innovations)


def test_a_calendar_that_ends_before_the_horizon_closes_nothing_beyond():
    past = retail(2, 60)
    past = closes(past, np.ones(63))
    assert closed_ahead(past, 5).tolist() == [[True, True, True, False, False]] * 2


def test_what_is_closed_is_settled_and_no_evidence():
    past = closes(panel([[3.0, 0.0, 4.0, 5.0]]), [False, True, False, True])
    sold = closes(panel([[3.0, 0.0, 4.0, 5.0]]), [False, True, False, False])
    assert past.closed.tolist() == [[False, True, False, True]]
    assert past.fully_in_stock.tolist() == [[True, False, True, False]]
    assert past.settled.all()
    assert sold.settled.tolist() == [[True, True, True, True]]
    assert not panel([[3.0, 0.0]]).closed.any()
