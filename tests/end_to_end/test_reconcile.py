"""`forecast.reconcile`: from the config through the forecast and its file to the orders."""

import json

SET = ("--set", "forecast.models=[ets]", "--set", "forecast.paths=100")


def notes(outcome, project):
    return json.loads(project.file(outcome, "manifest.json").read_text(encoding="utf-8"))["notes"]


def contents(outcome, project, name):
    return project.file(outcome, name).read_bytes()


def test_a_named_method_is_told_and_changes_the_forecast(project):
    plain = project("forecast", *SET, "--set", "forecast.reconcile=none")
    moved = project("forecast", *SET, "--set", "forecast.reconcile=mint_shrunk")
    assert contents(plain, project, "forecast.csv") != contents(moved, project, "forecast.csv")
    assert any("by mint_shrunk" in note for note in notes(moved, project))
    assert not any("reconciled" in note for note in notes(plain, project))


def test_forecast_then_plan_gives_the_plan_of_run_with_any_number_of_workers(project):
    by = (*SET, "--set", "forecast.reconcile=mint_diagonal")
    ran = project("run", *by, "--workers", "1", "--out", str(project.folder / "one"))
    project("forecast", *by, "--workers", "2")
    planned = project("plan", *by, "--workers", "2")
    assert any("used again" in note for note in notes(planned, project))
    assert contents(planned, project, "plan.csv") == contents(ran, project, "plan.csv")


def test_a_column_that_items_do_not_have_is_refused(project):
    by = (*SET, "--set", "forecast.reconcile=top_down", "--set", "forecast.hierarchy=[categry]")
    refused = project("forecast", *by, expect=2)
    assert refused["error"]["code"] == "SC-M020"
    assert "did you mean category" in refused["error"]["message"]
