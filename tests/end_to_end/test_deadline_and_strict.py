"""A deadline that strikes ends in a whole, degraded run that says what was cut; --strict makes that exit 4."""

import csv
import json


def manifest(outcome, project):
    return json.loads((project.file(outcome, "plan.csv").parent / "manifest.json").read_text(encoding="utf-8"))


def test_a_deadline_that_strikes_is_told(project):
    ran = project("run", "--set", "deadline=0.001")
    assert ran["status"] == "degraded"
    told = manifest(ran, project)
    assert len(told["cut"]) == 2
    plan = list(csv.DictReader(project.file(ran, "plan.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["policy"] for row in plan} == {"newsvendor"}
    assert {row["model"] for row in plan} <= {"moving_average", "seasonal_naive", "category_profile", "zero"}
    codes = [
        r["code"] for r in csv.DictReader(project.file(ran, "exceptions.csv").read_text(encoding="utf-8").splitlines())
    ]
    assert codes.count("SC-X011") == 2


def test_strict_publishes_and_exits_4(project):
    ran = project("run", "--set", "deadline=0.001", "--strict", expect=4)
    assert (project.folder / "runs" / ran["run_id"] / "orders.csv").is_file()


def test_a_clean_run_is_ok_under_strict(project):
    assert project("run", "--strict")["status"] == "ok"
