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
