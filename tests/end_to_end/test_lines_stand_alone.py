"""One strange line leaves the others as they are."""

import csv
from datetime import date, timedelta

CONFIG = """
version: 1
sources:
  sales: {path: sales.csv}
  inventory: {path: inventory.csv}
  items: {path: items.csv}
  suppliers: {path: suppliers.csv}
forecast: {effort: fast, models: [moving_average], paths: 50}
plan: {defaults: {lead_time_days: 2, review_period_days: 5, holding_rate: 0.25}}
"""


def rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def texts(*, dead: bool) -> dict[str, str]:
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(60)]
    sold = [("A", 10), ("Z", 0)] if dead else [("A", 10)]
    return {
        "stockcast.yml": CONFIG,
        "sales.csv": "date,sku,quantity\n" + "".join(f"{d},{sku},{n}\n" for d in days for sku, n in sold),
        "inventory.csv": "sku,on_hand\nA,20\n" + "Z,90000\n" * dead,
        "items.csv": "sku,supplier,unit_cost,price\nA,S,1,3\n" + "Z,S,1000,3000\n" * dead,
        "suppliers.csv": "supplier,order_cost,min_order_value\nS,1,10\n",
    }


def test_a_dead_item_does_not_cancel_its_suppliers_order(make_project):
    project = make_project(texts(dead=False))
    (alone,) = rows(project.file(project("run"), "plan.csv"))
    assert float(alone["order_quantity"]) == 50
    for name, text in texts(dead=True).items():
        (project.folder / name).write_text(text, encoding="utf-8")
    line, dead = rows(project.file(project("run"), "plan.csv"))
    assert line["order_quantity"] == alone["order_quantity"]
    assert line["expected_cost_saving"] == alone["expected_cost_saving"]
    assert dead["order_quantity"] == "0"


def test_an_unfinished_week_is_told_on_the_terminal(make_project, capsys):
    from stockcast.cli import main

    files = texts(dead=False)
    files["stockcast.yml"] = files["stockcast.yml"].replace("version: 1", "version: 1\nstep: week")
    project = make_project(files)  # 60 days from a Monday: the last week has four days
    assert main(["run", "-c", str(project.folder / "stockcast.yml")]) == 0
    assert "--as-of 2024-02-29 would include it" in capsys.readouterr().out


def test_a_selection_is_planned_as_in_the_plan_of_all(project):
    whole = {(r["sku"], r["location"]): r for r in rows(project.file(project("run"), "plan.csv"))}
    part = rows(
        project.file(project("plan", "--select", "sku:000007", "--set", "guardrails.max_value_ratio=9"), "plan.csv")
    )
    assert part
    for line in part:
        other = whole[line["sku"], line["location"]]
        assert (line["model"], line["demand_mean"]) == (other["model"], other["demand_mean"])
