"""Rule 6 with plans, covariates, events and closed days: what was known at the origin counts, and nothing else."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "ingest"))
from ingest_project import day, load_tables
from made_calendar import scrambled_after, told_panel

from stockcast import evaluation
from stockcast.models.catalogue import make
from stockcast.models.ladder import Ladder

READERS = ["lightgbm", "sarimax"]  # of what is known ahead
TIME, KNOWN = 200, 163


def partly_known(step="day"):
    """A panel whose price is known 20 periods ahead, its promotion 9, its covariate at no time."""
    whole = told_panel(6, TIME, step=step)
    n = len(whole.series)
    ahead = {"price": np.full(n, 20), "promotion": np.full(n, 9), "weather": np.zeros(n, dtype=np.int64)}
    return replace(whole, known=replace(whole.known, ahead=ahead))


def predicted(name, past):
    return Ladder(make(name)).fit(past, seed=7).predict(past, 14, seed=7, n_paths=10).paths().tobytes()


@pytest.mark.parametrize("step", ["day", "week"])
@pytest.mark.parametrize("name", READERS)
def test_a_forecast_reads_no_later_sale_and_no_plan_that_was_not_known(name, step):
    whole = partly_known(step)
    clean, other = whole.until(KNOWN), scrambled_after(whole, KNOWN).until(KNOWN)
    assert predicted(name, clean) == predicted(name, other)


@pytest.mark.parametrize("name", READERS)
def test_what_was_known_is_read(name):
    whole = told_panel(3 if name == "sarimax" else 30, TIME)
    price, promotion = whole.known.price.copy(), whole.known.promotion.copy()
    promotion[:, KNOWN : KNOWN + 9] = 1.0 - promotion[:, KNOWN : KNOWN + 9]
    price[:, KNOWN : KNOWN + 9] = 9.0 - price[:, KNOWN : KNOWN + 9]  # 4 under a promotion, else 5
    other = replace(whole, known=replace(whole.known, price=price, promotion=promotion))
    assert predicted(name, whole.until(KNOWN)) != predicted(name, other.until(KNOWN))


def test_events_and_covariates_are_read():
    whole = told_panel(30, TIME)
    calendar, weather = whole.known.calendar, whole.known.covariates["weather"].copy()
    weather[:, KNOWN:] = -weather[:, KNOWN:]
    for known in (
        replace(whole.known, covariates={"weather": weather}),
        replace(whole.known, calendar=replace(calendar, occurs=np.roll(calendar.occurs, 5, axis=2))),
    ):
        assert predicted("lightgbm", whole.until(KNOWN)) != predicted(
            "lightgbm", replace(whole, known=known).until(KNOWN)
        )


def test_the_whole_choice_holds_to_it_too():
    whole = partly_known()
    more = {"horizon": 10, "periods": np.full(6, 8), "folds": 2, "effort": "normal", "levels": (0.5, 0.9)}
    more |= {"n_paths": 20, "seed": 7}
    names = ["moving_average", "ets", "lightgbm"]
    clean = evaluation.forecast(names, whole.until(KNOWN), **more)
    other = evaluation.forecast(names, scrambled_after(whole, KNOWN).until(KNOWN), **more)
    assert clean.model.tolist() == other.model.tolist()
    assert clean.scores == other.scores
    assert clean.demand.paths().tobytes() == other.demand.paths().tobytes()
    shut = whole.known.calendar.closed(whole.series.location, KNOWN, 10)
    assert shut.any()
    assert (clean.demand.mean()[shut] == 0).all()


def test_rows_of_sales_after_the_origin_change_nothing_that_is_known(tmp_path):
    start = day("2026-10-01")
    early = "".join(f"{start + n},A,{1 + n % 4},{5 - n % 2},{n % 3}\n" for n in range(40))
    late = "".join(f"{start + n},A,{900 + n},{99 + n},{77 + n}\n" for n in range(40, 60))
    tables = {
        "inventory": None,
        "calendar": f"date,event,open,snap\n{start + 5},Fair,,1\n{start + 45},Fair,0,1\n{start + 39},,0,0\n",
        "known_future": f"date,sku,price,promotion\n{start + 44},A,4,1\n{start + 10},A,4,1\n",
    }
    more = {"as_of": start + 39, "covariates": ("weather", "snap"), "country": "NO"}
    head = "date,sku,quantity,price,weather\n"
    one, other = (
        load_tables(tmp_path, {"sales": head + rows, **tables}, **more).panel for rows in (early, early + late)
    )
    for name in ("sales", "observed", "in_stock"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
    assert set(one.known.columns) == {"price", "promotion", "weather", "snap"}
    for name, values in one.known.columns.items():
        assert values.tobytes() == other.known.columns[name].tobytes(), name
        assert one.known.reach(name).tolist() == other.known.reach(name).tolist()
    assert one.known.calendar.occurs.tobytes() == other.known.calendar.occurs.tobytes()
