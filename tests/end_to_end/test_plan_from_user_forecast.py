"""`plan --forecast FILE`: a user's own quantiles or sample paths become orders."""

import csv


def rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_our_own_quantiles_come_back_as_a_users_forecast(project):
    made = project("forecast")
    planned = project("plan", "--forecast", str(project.file(made, "forecast.csv")))
    lines = rows(project.file(planned, "plan.csv"))
    assert {line["model"] for line in lines} == {"user"}
    assert all("Gaussian copula" in line["fallback"] for line in lines)
    assert planned["status"] == "ok"


def test_a_forecast_that_ends_too_early_is_refused(project):
    made = project("forecast")
    path = project.file(made, "forecast.csv")
    short = project.folder / "short.csv"
    first = rows(path)[0]["date"]
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if first in line or line.startswith("sku")]
    short.write_text("\n".join(kept) + "\n", encoding="utf-8")
    refused = project("plan", "--forecast", str(short), expect=3)
    assert refused["error"]["code"] == "SC-D074"


def test_nothing_is_forecast_after_the_end_whatever_a_users_forecast_says(make_project):
    days = [f"2026-11-{day:02}" for day in range(2, 23)]
    ahead = [f"2026-11-{day:02}" for day in range(23, 31)] + [f"2026-12-{day:02}" for day in range(1, 32)]
    given = "".join(f"{sku},{day},{s},5\n" for sku in "AB" for day in ahead for s in range(3))
    project = make_project({
        "stockcast.yml": "version: 1\nsources:\n"
        + "".join(f"  {name}: {{path: {name}.csv}}\n" for name in ("sales", "items", "inventory"))
        + "plan: {defaults: {lead_time_days: 3, review_period_days: 14, holding_rate: 0.25}}\nforecast: {models: [moving_average]}\n"
        "guardrails: {max_fallback_share: 1.0, max_value_ratio: 1000}\n",
        "sales.csv": "date,sku,quantity\n" + "".join(f"{day},{sku},5\n" for day in days for sku in "AB"),
        "items.csv": "sku,unit_cost,price,end_date\nA,10,15,2026-11-29\nB,10,15,\n",
        "inventory.csv": "sku,on_hand\nA,15\nB,15\n",
        "forecast.csv": "sku,date,sample,value\n" + given,
    })
    planned = project("plan", "--forecast", str(project.folder / "forecast.csv"))
    ended, going_on = rows(project.file(planned, "plan.csv"))
    assert (ended["order_quantity"], going_on["order_quantity"]) == ("20", "70")  # 26 to 29 November; 14 days
    assert ended["fallback"] == "user→ended: ends on 2026-11-29"
    assert going_on["fallback"] == ""
    told = given.splitlines(keepends=True)
    short = "".join(line for line in told if not line.startswith("A") or line[2:12] <= "2026-11-29")
    (project.folder / "forecast.csv").write_text("sku,date,sample,value\n" + short)  # up to its end is enough
    again = project("plan", "--forecast", str(project.folder / "forecast.csv"))
    assert rows(project.file(again, "plan.csv"))[0]["order_quantity"] == "20"
