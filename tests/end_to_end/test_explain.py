"""`explain` tells a published run's numbers, and no others; its steps add up to the quantity that was ordered."""

import csv
from decimal import Decimal

import pytest

from stockcast.cli import main
from stockcast.policies import STEPS


def table(project, told, name):
    return list(csv.DictReader(project.file(told, name).read_text(encoding="utf-8").splitlines()))


def text(project, capsys, *argv):
    capsys.readouterr()
    code = main(["explain", "-c", str(project.folder / "stockcast.yml"), *argv])
    out = capsys.readouterr()
    assert code == 0, out.err
    return " ".join(out.out.split())


@pytest.fixture
def planned(project):
    return project("run", "--set", "plan.budget=2500")


def test_the_published_waterfall_adds_up_to_the_plan(project, planned):
    plan = {(row["sku"], row["location"]): row for row in table(project, planned, "plan.csv")}
    rows = table(project, planned, "waterfall.csv")
    assert len(rows) == len(plan)
    for row in rows:
        steps = sum((Decimal(row[name]) for name in STEPS), Decimal(0))
        assert steps == Decimal(row["order_quantity"]) == Decimal(plan[row["sku"], row["location"]]["order_quantity"])
    assert any(Decimal(row["budget"]) for row in rows)
    assert any(Decimal(row["order_quantity"]) for row in rows)


def test_every_line_is_told_from_its_run(project, planned, capsys):
    plan = table(project, planned, "plan.csv")
    ordered = [row for row in plan if float(row["order_quantity"]) > 0]
    cut = [row for row in plan if row["binding_constraint"] == "budget"]
    idle = [row for row in plan if float(row["order_quantity"]) == 0]
    for row in (ordered[0], cut[0], idle[0], idle[-1]):
        name = f"{row['sku']}@{row['location']}"
        told = project("explain", name)["explanation"]
        assert told["plan"]["order_quantity"] == float(row["order_quantity"])
        assert sum(Decimal(str(step["units"])) for step in told["waterfall"][:-1]) == Decimal(row["order_quantity"])
        assert told["waterfall"][-1]["step"] == "order_quantity"
        assert told["prices"]["budget"] >= 0
        assert told["weights"]
        assert told["backtest"]["scores"]["seasonal_naive"]["scaled_quantile_loss"] > 0
        assert told["history"]["segment"]
        said = text(project, capsys, name)
        for sentence in (*told["why_quantity"], *told["why_forecast"]):
            assert sentence in said
        assert "how it adds up" in said
    line = ordered[0]
    said = text(project, capsys, f"{line['sku']}@{line['location']}")
    assert f"for receipt on {line['expected_receipt_date']}" in said
    assert f"line {line['priority']} of {len(ordered)}" in said
    told = project("explain", f"{cut[0]['sku']}@{cut[0]['location']}")["explanation"]
    assert "the budget cut" in " ".join(told["why_quantity"])


def test_a_forecast_used_again_is_told_by_the_run_that_made_it(project, planned):
    first = project("explain", table(project, planned, "plan.csv")[0]["sku"] + "@LYON")
    again = project("plan")
    told = project("explain", first["explanation"]["sku"] + "@LYON")
    assert told["run_id"] == again["run_id"] != first["run_id"]
    assert told["explanation"]["forecast_from"] == planned["run_id"]
    assert told["explanation"]["backtest"] == first["explanation"]["backtest"] != {}
    older = project("explain", first["explanation"]["sku"] + "@LYON", "--run", planned["run_id"])
    assert older == first


def test_a_forecast_alone_is_told_without_a_quantity(project):
    made = project("forecast", "--set", "forecast.models=moving_average")
    sku = table(project, made, "history.csv")[0]["sku"]
    told = project("explain", f"{sku}@LYON")["explanation"]
    assert told["why_forecast"]
    assert "why_quantity" not in told


def test_a_forecast_of_the_user_is_named(project, capsys):
    made = project("forecast", "--set", "forecast.models=moving_average")
    rows = table(project, made, "forecast.csv")
    own = project.folder / "own.csv"
    names = [name for name in rows[0] if name not in ("model", "fallback")]
    own.write_text(
        "\n".join(",".join(row[name] for name in names) for row in [dict(zip(names, names, strict=True)), *rows]) + "\n"
    )
    planned = project("plan", "--forecast", str(own))
    told = project("explain", f"{rows[0]['sku']}@{rows[0]['location']}")
    assert told["run_id"] == planned["run_id"]
    assert told["explanation"]["forecast_from"] == "own.csv"
    assert "It comes from own.csv." in told["explanation"]["why_forecast"]
    assert told["explanation"]["backtest"] == {}


def test_names_that_are_not_there(project, capsys):
    error = project("explain", "x", expect=2)["error"]
    assert error["code"] == "SC-C027"
    made = project("plan", "--set", "forecast.models=moving_average")
    sku = table(project, made, "plan.csv")[0]["sku"]
    assert sku in project("explain", sku[:-1] + "x", expect=2)["error"]["message"]
    assert "LYON" in project("explain", f"{sku}@LYONN", expect=2)["error"]["message"]
    listed = project("explain", sku)["explanation"]["series"]
    assert [one["location"] for one in listed] == ["LILLE", "LYON"]
    assert "LILLE" in text(project, capsys, sku)
    project("check")
    error = project("explain", sku, expect=2)["error"]
    assert made["run_id"] in error["help"]
    assert project("explain", expect=2)["error"]["code"] == "SC-C018"
    assert project("explain", sku, "--code", "SC-P004", expect=2)["error"]["code"] == "SC-C018"
    assert project("explain", sku, "--run", "nowhere", expect=2)["error"]["code"] == "SC-E006"
