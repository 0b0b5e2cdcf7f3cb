"""``stockcast features rank``: the features ranked, the table, the picture and the manifest published."""

import csv
import json
import shutil

import pytest

import stockcast
from stockcast.cli import main

SHORT = "date,sku,quantity\n" + "".join(f"2024-01-{day:02d},a,{day % 4}\n" for day in range(1, 31))


@pytest.fixture(scope="module")
def ran(demo_folder, tmp_path_factory):
    """One ranking shared by all, published under runs/; what it told, and the folder."""
    folder = tmp_path_factory.mktemp("features") / "project"
    shutil.copytree(demo_folder, folder)
    return stockcast.rank_features(folder / "stockcast.yml"), folder


def command(folder, capsys, *more, expect=0):
    capsys.readouterr()
    assert main(["features", "rank", "-c", str(folder / "stockcast.yml"), *more]) == expect
    return capsys.readouterr()


def test_the_table_and_the_picture_are_published(ran):
    outcome, folder = ran
    assert set(outcome.artifacts) == {
        "features.csv", "features.parquet", "features.svg", "issues.csv", "issues.parquet", "manifest.json",
    }  # fmt: skip
    rows = list(csv.DictReader(outcome.artifacts["features.csv"].read_text(encoding="utf-8").splitlines()))
    assert [row["rank"] for row in rows] == [str(at) for at in range(1, outcome.counts["features"] + 1)]
    assert {"price", "weekday", "lag_0", "step"} <= {row["feature"] for row in rows}
    assert sum(float(row["gain"]) for row in rows) == pytest.approx(1.0, abs=1e-4)
    shap = [float(row["shap"]) for row in rows]
    assert shap == sorted(shap, reverse=True)
    assert {row["known_ahead"] for row in rows} >= {"always", "to the origin"}
    assert stockcast.table(outcome, "features").columns.tolist() == list(rows[0])
    told = json.loads(outcome.artifacts["manifest.json"].read_text(encoding="utf-8"))
    assert (told["command"], told["status"]) == ("features-rank", "ok")
    assert "features" in told["timings"]
    assert any("SHAP values are of" in note for note in told["notes"])
    assert set(told["outputs"]) >= {"features.csv", "features.svg"}
    assert json.loads((folder / "runs" / "latest.json").read_text(encoding="utf-8"))["run_id"] == outcome.run_id


def test_the_most_important_are_shown(ran, capsys):
    _, folder = ran
    told = command(folder, capsys)
    assert "features of 16 series ranked" in told.out
    assert "known ahead" in told.out
    assert told.err == ""


def test_json_and_any_number_of_workers_give_the_same_bytes(ran, capsys):
    outcome, folder = ran
    told = command(folder, capsys, "--output-format", "json", "--workers", "2", "--out", str(folder / "again"))
    found = json.loads(told.out)
    assert (found["run_id"], found["status"], found["error"]) == (outcome.run_id, "ok", None)
    assert found["counts"]["rows_explained"] == outcome.counts["rows_explained"] > 0
    for name in ("features.csv", "features.parquet", "features.svg", "issues.csv"):
        assert (folder / "again" / name).read_bytes() == outcome.artifacts[name].read_bytes(), name
    command(folder, capsys, "--select", "sku:nobody", expect=2)


def test_too_short_a_history_is_told_and_nothing_is_published(make_project, capsys):
    project = make_project({
        "stockcast.yml": "version: 1\nstep: day\nsources:\n  sales: {path: sales.csv}\n",
        "sales.csv": SHORT,
    })
    told = json.loads(command(project.folder, capsys, "--output-format", "json", expect=3).out)
    assert told["error"]["code"] == "SC-M041"
    assert not list((project.folder / "runs").glob("*/manifest.json"))


def test_a_deadline_that_struck_before_is_told(ran, capsys):
    _, folder = ran
    late = ("--set", "deadline=0.001", "--out", str(folder / "late"))
    told = json.loads(command(folder, capsys, "--output-format", "json", *late).out)
    assert told["status"] == "degraded"
    assert (folder / "late" / "features.csv").read_text(encoding="utf-8").count("\n") == 1
    command(folder, capsys, *late, "--strict", expect=4)


def test_a_group_without_a_command_shows_its_help(capsys):
    assert main(["features"]) == 2
    assert "rank" in capsys.readouterr().out
    assert main(["features", "rnak"]) == 2
    assert "did you mean rank" in capsys.readouterr().err
