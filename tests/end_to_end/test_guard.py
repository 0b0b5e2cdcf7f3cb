"""Guardrails hold a computed plan back; the run before it stays the latest."""

import csv
import json


def multiply_newest_sales(project, factor: int, days: int) -> None:
    path = project.folder / "data" / "sales.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    newest = sorted({row["date"] for row in rows})[-days:]
    for row in rows:
        if row["date"] in newest:
            row["quantity"] = str(float(row["quantity"]) * factor)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_sales_in_another_unit_hold_the_plan_back(project):
    before = project("run")
    latest = (project.folder / "runs" / "latest.json").read_bytes()
    multiply_newest_sales(project, 10, 21)
    held = project("run", expect=7)
    assert held["status"] == "held"
    assert held["error"]["code"].startswith("SC-G")
    assert held["run_id"].endswith("-held")
    assert (project.folder / "runs" / "latest.json").read_bytes() == latest
    assert json.loads(latest)["run_id"] == before["run_id"]
    manifest = json.loads((project.folder / "runs" / held["run_id"] / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "held"


def test_a_plan_far_above_the_naive_one_is_held_back(project):
    held = project("run", "--set", "guardrails.max_value_ratio=1", "--set", "guardrails.min_value=0", expect=7)
    assert held["error"]["code"] == "SC-G001"
    assert "naive plan" in held["error"]["message"]


def test_with_out_the_earlier_run_stays_when_the_plan_is_held_back(project):
    out = project.folder / "plan"
    project("run", "--out", str(out))
    before = (out / "manifest.json").read_bytes()
    limits = ("--set", "guardrails.max_value_ratio=1", "--set", "guardrails.min_value=0")
    project("run", "--out", str(out), *limits, expect=7)
    assert (out / "manifest.json").read_bytes() == before
