"""A night that looks four reviews ahead: announced costs, what it says, and planning again."""

import json

import pytest
from test_planning_again import place
from test_transfers import rows, write

from stockcast.policies import STEPS


@pytest.fixture
def far_sighted(project):
    """The demo, whose suppliers take an order cost, with costs that rise in two days."""
    config = project.folder / "stockcast.yml"
    text = config.read_text(encoding="utf-8")
    text = text.replace("sources:", "sources:\n  cost_changes: {path: data/cost_changes.csv}", 1)
    assert "\nplan:\n" in text
    config.write_text(
        text.replace("\nplan:\n", "\nplan:\n  reviews_ahead: 4\n") + "guardrails: {max_value_ratio: 100}\n",
        encoding="utf-8",
    )
    items = rows(project.folder / "data" / "items.csv")
    changes = [
        {"sku": item["sku"], "from": "2026-11-25", "unit_cost": f"{float(item['unit_cost']) * 1.05:.2f}"}
        for item in items
    ]
    write(project.folder / "data" / "cost_changes.csv", changes)
    suppliers = rows(project.folder / "data" / "suppliers.csv")
    for row in suppliers:
        row["order_cost"] = "40"
    write(project.folder / "data" / "suppliers.csv", suppliers)
    return project


def test_a_night_looks_ahead_says_so_and_orders_nothing_when_planned_again(far_sighted):
    project = far_sighted
    first = project("run")
    near = project("plan", "--set", "plan.reviews_ahead=1")
    plan, before = (rows(project.file(run, "plan.csv")) for run in (first, near))
    units = [sum(float(row["order_quantity"]) for row in table) for table in (plan, before)]
    assert units[0] > units[1], "the cost rises: more is bought before"
    assert list(plan[0]) == list(before[0])
    reasons = " ".join(row["reason"] for row in plan)
    assert "before the price rises from" in reasons
    assert "no other order before 20" in reasons
    assert "later" in {row["binding_constraint"] for row in plan}
    for row in rows(project.file(first, "waterfall.csv")):
        steps = [float(value) for name, value in row.items() if name in STEPS]
        assert sum(steps) == pytest.approx(float(row["order_quantity"]), abs=1e-6)
    manifest = json.loads((project.file(first, "plan.csv").parent / "manifest.json").read_text(encoding="utf-8"))
    assert any(solve["supplier"].endswith(" ahead") for solve in manifest["solves"])
    assert "SC-D127" in project.file(near, "issues.csv").read_text(encoding="utf-8")
    held = project("run", "--set", "guardrails.max_value_ratio=1", "--set", "guardrails.min_value=0", expect=7)
    assert any("look beyond the next review" in line for line in held["error"]["details"]), held["error"]
    assert place(project, project.file(first, "orders.csv")) > 0
    again = project("run")
    assert again["counts"]["order_lines"] == 0
