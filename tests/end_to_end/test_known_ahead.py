"""Calendar, holidays and covariates through the command line, and back from a published forecast."""

import csv
import json

import numpy as np
import pytest

START = np.datetime64("2026-03-02")  # a Monday
PERIODS = {"day": 200, "week": 420}  # days of history
CONFIG = """
version: 1
step: STEP
sources:
  sales: {path: sales.csv}
  known_future: {path: known_future.csv}
  calendar: {path: calendar.csv}
  locations: {path: locations.csv}
  items: {path: items.csv}
  inventory: {path: inventory.csv}
forecast:
  models: MODELS
  paths: 200
  backtest: {folds: 2}
  covariates: [weather, ads, payday, brand]
  holidays: {country: DE}
plan: {defaults: {lead_time_days: 3, review_period_days: 7, holding_rate: 0.25}}
"""


def closed_days(n):
    ahead = n - n % 7 + 14  # the Monday of a week in the horizon
    return {at for at in range(n + 60) if at % 7 == 6 or 105 <= at < 112 or ahead <= at < ahead + 7}


def texts(step, models):
    """Ten items at two places; LYON closes on Sundays and for a week of the history and of the horizon."""
    draw, n = np.random.default_rng(3), PERIODS[step]
    days, shut_days = START + np.arange(n + 60), closed_days(n)
    sales, future, calendar = (
        ["date,sku,location,quantity,price,promotion,weather"],
        [],
        ["date,location,event,open,payday"],
    )
    fair = draw.random(len(days)) < 0.04
    for at, day in enumerate(days):
        if at in shut_days:
            calendar.append(f"{day},LYON,,0,")
        calendar.append(f"{day},,{'Fair' if fair[at] else ''},,{int(str(day)[8:] == '01')}")
    for item in range(10):
        for at, day in enumerate(days):
            promotion = (at + 3 * item) % 17 < 2
            if at >= n:
                if at < n + 35:
                    future.append(
                        f"{day},S{item},,{4 if promotion else 5},{int(promotion) if promotion else ''},{item % 3}"
                    )
                continue
            for place in ("LYON", "OSLO"):
                shut = place == "LYON" and at in shut_days
                rate = (2 + item) * (1.8 if promotion else 1.0) * (1.6 if fair[at] else 1.0)
                sold = 0 if shut else draw.poisson(rate)
                if sold or (place == "OSLO" and at == 0):
                    sales.append(
                        f"{day},S{item},{place},{sold},{4 if promotion else 5},{int(promotion)},{draw.normal():.2f}"
                    )
    names = [f"S{item}" for item in range(10)]
    return {
        "stockcast.yml": CONFIG.replace("STEP", step).replace("MODELS", models),
        "sales.csv": "\n".join(sales) + "\n",
        "known_future.csv": "\n".join(["date,sku,location,price,promotion,ads", *future]) + "\n",
        "calendar.csv": "\n".join(calendar) + "\n",
        "locations.csv": "location,country,region\nLYON,FR,\nOSLO,NO,\n",
        "items.csv": "\n".join(["sku,unit_cost,price,category,brand", *(f"{name},2,5,c,b" for name in names)]) + "\n",
        "inventory.csv": "\n".join(["sku,location,on_hand", *(f"{n},{p},9" for n in names for p in ("LYON", "OSLO"))])
        + "\n",
    }


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("step", "models"), [("day", "[lightgbm]"), ("day", "[sarimax]"), ("day", "auto"), ("week", "[lightgbm]")]
)
def test_what_is_known_ahead_is_used_and_closed_periods_are_nothing(make_project, step, models):
    project = make_project(texts(step, models))
    outcome = project("forecast")
    table = rows(project.file(outcome, "forecast.csv"))
    assert np.isfinite([float(row["mean"]) for row in table]).all()
    n = PERIODS[step]
    closed = {str(START + at) for at in closed_days(n) if at >= n}
    if step == "week":
        closed = {str(START + n - n % 7 + 14)}
    shut = [row for row in table if row["location"] == "LYON" and row["date"] in closed]
    rest = [row for row in table if not (row["location"] == "LYON" and row["date"] in closed)]
    assert shut
    assert {row[name] for row in shut for name in row if name == "mean" or name.startswith("q0")} == {"0"}
    assert np.mean([float(row["mean"]) > 0 for row in rest]) > 0.95
    manifest = json.loads(project.file(outcome, "manifest.json").read_text(encoding="utf-8"))
    notes = manifest["notes"]
    assert f"{len(shut)} forecasts of single periods, of 10 series, are 0: the calendar closes their places" in notes
    assert "public holidays of FR, NO are events of 2 locations" in notes
    assert any("closed places, tell nothing of demand" in note for note in notes)
    assert any("name no promotion" in note for note in notes)
    told = rows(project.file(outcome, "issues.csv"))
    assert "SC-D030" not in {issue["code"] for issue in told}
    assert [issue["column"] for issue in told if issue["code"] == "SC-D093"] == ["brand"]
    fallbacks = {row["fallback"] for row in table}
    assert fallbacks == {""}


def test_orders_see_the_closed_days_and_a_recorded_forecast_keeps_them(make_project):
    project = make_project(texts("day", "[moving_average]"))
    project("forecast")
    planned = project("plan")
    lines = {(row["sku"], row["location"]): row for row in rows(project.file(planned, "plan.csv"))}
    whole = project("run")
    again = {(row["sku"], row["location"]): row for row in rows(project.file(whole, "plan.csv"))}
    assert lines == again
    ratio = [
        float(lines[f"S{at}", "LYON"]["demand_mean"]) / float(lines[f"S{at}", "OSLO"]["demand_mean"])
        for at in range(10)
    ]
    # of the ten days to 2026-09-27, two Sundays are closed in LYON; a closed day in the past lowers nothing
    assert np.mean(ratio) == pytest.approx(0.8, abs=0.08)
