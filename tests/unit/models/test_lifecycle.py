from dataclasses import replace

import numpy as np
import pytest
from made_deep import small
from made_launches import hidden, renamed, shop
from made_panels import panel

from stockcast.evaluation.published import published
from stockcast.models.catalogue import MODELS
from stockcast.models.ladder import Ladder
from stockcast.models.launches import dates, launches
from stockcast.models.lifecycle import lives

NAMES = [info.name for info in MODELS if info.available and info.auto and not info.extra]


def climb(past, name="moving_average", horizon=28, n_paths=50):
    return Ladder(small(name)).fit(past, seed=7).climb(past, horizon, seed=7, n_paths=n_paths)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_forecast_after_the_end(name):
    past = shop(6, 120, launched=0.0, end_date={"i001": "2024-04-10", "i002": "2024-05-09", "i003": "2030-01-01"})
    demand, fallback = climb(past, name)
    assert past.origin == np.datetime64("2024-04-29")
    paths = published(demand, past).paths()
    assert paths[1].max() == 0
    assert paths[2, :, :10].max() > 0
    assert paths[2, :, 10:].max() == 0
    assert fallback[1] == f"{name}→ended: ended on 2024-04-10"
    assert fallback[2] == f"{name}→ended: ends on 2024-05-09"
    assert fallback[3] == ""
    plain = climb(renamed(past, end_date=None), name)[0].paths()
    others = np.array([0, 3, 4, 5])
    assert demand.paths(others).tobytes() == plain[others].tobytes()
    assert demand.paths()[2, :, :10].tobytes() == plain[2, :, :10].tobytes()


def test_a_week_in_which_an_item_ends_is_still_sold_in():
    past = shop(4, 60, step="week", launched=0.0, end_date={"i001": "2025-03-05"})
    assert past.time.after(3).dates().astype(str).tolist() == ["2025-02-24", "2025-03-03", "2025-03-10"]
    assert (climb(past, horizon=3)[0].paths()[1].max(axis=0) > 0).tolist() == [True, True, False]


def test_nothing_is_forecast_before_a_launch():
    past = shop(60, 300, launched=0.0, launch_date={"i007": "2024-11-06", "i008": "2024-11-06"})
    past = hidden(past, np.array([7]))  # i008 was sold before: it is on sale
    demand, fallback = climb(past, n_paths=200)
    ahead = past.time.after(28).dates()
    mean = demand.mean()[7]
    assert (mean[ahead < np.datetime64("2024-11-06")] == 0).all()
    assert (mean[ahead >= np.datetime64("2024-11-06")] > 0).all()
    assert fallback[7].endswith("); launch on 2024-11-06")
    assert fallback[8] == ""


def test_nothing_is_forecast_before_a_launch_by_the_category_either():
    observed = np.ones((4, 60), dtype=bool)
    observed[2] = False
    past = panel(np.full((4, 60), 3.0), observed=observed)
    past = renamed(past, launch_date=np.array(["", "", "2024-03-08", ""]))
    demand, fallback = climb(past)
    assert past.time.after(1).start == np.datetime64("2024-03-01")
    assert (demand.mean()[2] > 0).tolist() == [False] * 7 + [True] * 21
    assert fallback[2] == "moving_average→category_profile: no history; launch on 2024-03-08"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("step", ["day", "week"])
def test_what_has_long_not_sold_fades_out(name, step):
    draw = np.random.default_rng(3)
    sales = draw.poisson(np.array([0.4, 4.0, 20.0, 4.0])[:, None], (4, 260)).astype(float)
    sales[:3, -150:] = 0.0
    past = panel(sales, step=step)
    demand, fallback = climb(past, name)
    assert (demand.mean()[:3].mean(axis=1) < 0.02 * np.array([0.4, 4.0, 20.0])).all()
    assert fallback[:3].tolist() == [f"{name}→fading: no sale in {k} {step}s of stock" for k in (
        np.argmax(sales[row, ::-1] > 0) for row in range(3))]  # fmt: skip
    assert fallback[3] == ""


def silent(sales, silence_of_others=0, **more):
    past = panel(np.atleast_2d(sales), **more)
    return lives(past, 10, np.full(len(past.series), silence_of_others))


def test_it_fades_the_further_the_longer_it_has_not_sold():
    sales = np.ones(300)
    for silence, share in ((56, 1.0), (57, 0.5 ** (2 / 14)), (70, 0.5 ** (15 / 14)), (200, 0.0)):
        some = sales.copy()
        some[-silence:] = 0.0
        life = silent(some)
        assert life.course[0, 0] == pytest.approx(share)
        assert (life.what[0] == "fading") == (share < 1)
    assert (np.diff(silent(np.where(np.arange(300) < 240, 1.0, 0.0)).course[0]) < 0).all()


def test_a_silence_that_is_usual_for_the_item_is_no_end():
    sales = np.zeros(600)
    sales[:400:20] = 1.0
    for last, fades in ((460, False), (468, True)):  # 4 × 20 after the last sale in period 380
        assert (silent(sales[:last]).what[0] == "fading") == fades
    once_a_year = np.zeros(800)
    once_a_year[[*range(10, 40), *range(370, 400)]] = 1.0
    assert silent(once_a_year[:720]).what[0] == ""  # not longer than last year
    assert silent(once_a_year[:740]).what[0] == "fading"


def test_periods_out_of_stock_and_gaps_are_no_silence():
    sales = np.where(np.arange(300) < 180, 1.0, 0.0)
    assert silent(sales).what[0] == "fading"
    assert silent(sales, in_stock=np.where(np.arange(300) < 200, 1.0, 0.0)[None]).what[0] == ""
    assert silent(sales, observed=(np.arange(300) < 200)[None]).what[0] == ""


def test_where_the_category_does_not_sell_either_nothing_fades():
    sales = np.where(np.arange(300) < 200, 1.0, 0.0)
    assert silent(sales, 49).what[0] == "fading"
    assert silent(sales, 50).what[0] == ""
    past = panel(np.tile(sales, (6, 1)))  # as when a shop is closed
    assert (climb(past)[1] == "").all()


def test_what_was_never_sold_does_not_fade():
    assert silent(np.zeros(300)).what[0] == ""


def test_dates_that_are_none_are_not_known():
    past = renamed(shop(3, 40, launched=0.0), launch_date=np.array(["soon", "", "2024-01-05"]), end_date=None)
    assert dates(past, "launch_date").astype(str).tolist() == ["NaT", "NaT", "2024-01-05"]
    assert launches(past).tolist() == [0, 0, 0]


def test_a_launch_is_the_date_or_an_earlier_sale():
    past = shop(5, 60, launched=0.0)
    observed, sales = past.observed.copy(), past.sales.copy()
    observed[0, :20] = False  # no date: its first record
    sales[1, :10] = 0.0  # a date after its first sale
    sales[2, :30] = 0.0  # nothing sold before its date
    observed[3, :20] = False  # a date before its first record
    observed[4] = False
    sales[:, 30:] += 1.0
    sales[1, 10] = 1.0
    past = replace(past, observed=observed, sales=np.where(observed, sales, 0.0))
    begins = np.array(["", "2024-01-21", "2024-01-21", "2024-01-16", "2024-03-10"])
    assert launches(renamed(past, launch_date=begins)).tolist() == [20, 10, 20, 15, 69]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_forecast_at_a_warehouse_that_never_sold_anything(name):
    past = hidden(shop(6, 120, launched=0.0), np.array([1]))
    past = renamed(past, sells_nothing=np.where(np.arange(6) == 1, "warehouse", ""))
    demand, fallback = climb(past, name)
    assert published(demand, past).paths()[1].max() == 0
    assert fallback[1].endswith("nothing is sold at a warehouse")
    plain = climb(renamed(past, sells_nothing=None), name)[0]
    assert plain.paths()[1].max() > 0, "like a new item"
    others = np.array([0, 2, 3, 4, 5])
    assert demand.paths(others).tobytes() == plain.paths(others).tobytes()
