"""What-if: keys set for one plan, a ranking cut where the money ends, and the curve of service against stock."""

import csv

import pytest


def table(project, told, name):
    return list(csv.DictReader(project.file(told, name).read_text(encoding="utf-8").splitlines()))


def value(rows):
    return sum(float(row["line_value"]) for row in rows)


@pytest.fixture
def whole(project):
    return project("plan", "--set", "forecast.models=moving_average")


def again(project, *argv, **more):
    return project("plan", "--set", "forecast.models=moving_average", *argv, **more)


def test_keys_set_for_one_plan(project, whole):
    wanted = whole["counts"]["order_value"]
    told = again(project, "--set", f"plan.budget={wanted / 2}", "--set", "plan.defaults.lead_time_days=14")
    assert 0 < told["counts"]["order_value"] <= wanted / 2
    assert told["run_id"] != whole["run_id"]
    lead = {row["sku"]: row["lead_time"] for row in table(project, whole, "plan.csv")}
    longer = {row["sku"]: row["lead_time"] for row in table(project, told, "plan.csv")}
    assert any(longer[sku] == "14" and lead[sku] != "14" for sku in lead) or lead == longer  # suppliers may name theirs
    short = again(project, "--budget", str(wanted / 2))
    assert short["counts"] == again(project, "--set", f"plan.budget={wanted / 2}")["counts"]


def test_a_ranking_is_cut_where_the_money_ends(project, whole):
    plan = [row for row in table(project, whole, "plan.csv") if float(row["order_quantity"]) > 0]
    ranked = sorted(plan, key=lambda row: int(row["priority"]))
    assert len(ranked) > 2
    budget = float(ranked[-2]["cumulative_spend"]) + 0.01
    told = again(project, "--rank-by", "value", "--budget", str(budget))
    rows = {(row["sku"], row["location"]): row for row in table(project, told, "plan.csv")}
    kept = [row for row in rows.values() if float(row["order_quantity"]) > 0]
    assert value(kept) <= budget
    gone = [row for row in ranked if float(rows[row["sku"], row["location"]]["order_quantity"]) == 0]
    assert ranked[-1] in gone
    alerts = [row for row in table(project, told, "exceptions.csv") if row["code"] == "SC-P035"]
    assert {(row["sku"], row["location"]) for row in alerts} == {(row["sku"], row["location"]) for row in gone}
    for row in gone:
        cut = rows[row["sku"], row["location"]]
        assert cut["binding_constraint"] == "budget"
        assert "the budget of" in cut["reason"]
        assert cut["priority"] == row["priority"]
        assert cut["cumulative_spend"] == row["cumulative_spend"]
    steps = {(row["sku"], row["location"]): row for row in table(project, told, "waterfall.csv")}
    assert all(float(steps[row["sku"], row["location"]]["budget"]) < 0 for row in gone)
    nothing = again(project, "--rank-by", "value", "--budget", "0")
    assert nothing["counts"]["order_lines"] == 0
    everything = again(project, "--rank-by", "value", "--budget", "1e9")
    assert everything["counts"]["order_value"] == whole["counts"]["order_value"]
    assert len({one["run_id"] for one in (whole, told, nothing, everything)}) == 4
    assert again(project, "--rank-by", "weight", expect=2)["error"]["code"] == "SC-C021"


@pytest.mark.parametrize("objective", ["cost", "{fill_rate: 0.96}"])
def test_more_service_holds_more_stock(project, whole, objective):
    plain = again(project, "--set", f"plan.objective={objective}")
    told = again(project, "--set", f"plan.objective={objective}", "--tradeoff")
    assert told["run_id"] != plain["run_id"]
    for name in ("plan.csv", "orders.csv"):
        assert project.file(told, name).read_bytes() == project.file(plain, name).read_bytes()
    rows = table(project, told, "tradeoff.csv")
    (chosen,) = [row for row in rows if row["chosen"] == "true"]
    assert float(chosen["order_value"]) == pytest.approx(told["counts"]["order_value"], abs=0.01)
    assert float(chosen["factor"]) == 1.0
    for row, further in zip(rows, rows[1:], strict=False):
        for name in ("factor", "cycle_service", "fill_rate", "stock_value", "stock_units"):
            assert float(row[name]) <= float(further[name]) * (1 + 1e-5), (name, row["setting"])
    assert float(rows[0]["fill_rate"]) < float(rows[-1]["fill_rate"])
    if objective == "cost":
        assert max(float(row["expected_cost_saving"]) for row in rows) == float(chosen["expected_cost_saving"])
    else:
        assert {row["expected_cost_saving"] for row in rows} == {""}
        assert chosen["setting"] == "fill_rate 0.96"
    svg = project.file(told, "tradeoff.svg").read_text(encoding="utf-8")
    assert svg.count("<circle") == 2 * len(rows) + 2
    assert "the plan:" in svg


def test_a_curve_of_a_ranking_that_is_cut_is_refused(project):
    error = again(project, "--tradeoff", "--rank-by", "value", "--budget", "5", expect=2)["error"]
    assert error["code"] == "SC-C018"
