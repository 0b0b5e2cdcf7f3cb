"""``stockcast backtest``: every model judged, the table and its manifest published, the leaderboard shown."""

import csv
import json
import shutil

import numpy as np
import pytest

import stockcast
from stockcast.cli import main

MODELS = "forecast.models=[seasonal_naive, moving_average, ses]"
SHORT = "date,sku,quantity\n" + "".join(f"2024-01-{day:02d},a,{day % 4}\n" for day in range(1, 31))


def rows(text):
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture(scope="module")
def ran(demo_folder, tmp_path_factory):
    """One backtest shared by all, published under runs/; what it told, and the folder."""
    folder = tmp_path_factory.mktemp("backtest") / "project"
    shutil.copytree(demo_folder, folder)
    out = stockcast.backtest(folder / "stockcast.yml", overrides=[MODELS, "forecast.backtest.folds=3"])
    return out, folder


def test_the_table_has_every_model_at_every_origin(ran):
    outcome, _ = ran
    lines = outcome.artifacts["backtest.csv"].read_text(encoding="utf-8").splitlines()
    assert lines[0] == "segment,model,origin,metric,value"
    table = rows("\n".join(lines))
    assert table[0]["segment"] == "all"
    of_all = [row for row in table if row["segment"] == "all"]
    origins = sorted({row["origin"] for row in of_all})
    assert len(origins) == outcome.counts["origins"] == 3
    cells = {(row["model"], row["origin"]) for row in of_all if row["metric"] == "scaled_quantile_loss"}
    models = {"seasonal_naive", "moving_average", "ses"}
    assert cells == {(m, o) for m in models for o in origins} | {("selected", o) for o in origins[1:]}
    assert {"weighted_quantile_loss", "coverage_0.975", "coverage_sum_0.95", "fva_rmsse"} <= {
        row["metric"] for row in of_all
    }
    segments = list(dict.fromkeys(row["segment"] for row in table))
    assert any(name.startswith("category:") for name in segments)
    assert any(name.startswith("A-") for name in segments)


def test_a_frame_and_a_manifest_stand_beside_it(ran):
    outcome, folder = ran
    frame = stockcast.table(outcome, "backtest")
    assert frame.columns.tolist() == ["segment", "model", "origin", "metric", "value"]
    assert frame["value"].notna().all()
    assert set(outcome.artifacts) >= {"backtest.csv", "backtest.parquet", "issues.csv", "manifest.json"}
    told = json.loads(outcome.artifacts["manifest.json"].read_text(encoding="utf-8"))
    assert set(told["models"]) == {"seasonal_naive", "moving_average", "ses"}
    assert sum(model["series"] for model in told["models"].values()) == outcome.counts["series"]
    assert "backtest" in told["timings"]
    assert json.loads((folder / "runs" / "latest.json").read_text(encoding="utf-8"))["run_id"] == outcome.run_id


def test_the_leaderboard_is_shown_best_first(ran):
    outcome, _ = ran
    title, header, lines = outcome.tables[0]
    assert "best first (2 origins" in title
    assert header[0] == "model"
    assert {line[0] for line in lines} == {"seasonal_naive", "moving_average", "ses", "selected"}
    loss = [float(line[header.index("scaled QL")]) * float(line[header.index("of the sum")]) for line in lines]
    assert all(one <= other * 1.01 for one, other in zip(loss, loss[1:], strict=False))  # shown rounded
    (sentence,) = [note for note in outcome.notes if note.startswith("selected at ")]
    assert " series (" in sentence


def test_json_again_with_two_workers_gives_the_same_bytes(ran, capsys):
    outcome, folder = ran
    before = {name: outcome.artifacts[name].read_bytes() for name in ("backtest.csv", "backtest.parquet", "issues.csv")}
    argv = ["backtest", "-c", str(folder / "stockcast.yml"), "--output-format", "json", "--workers", "2"]
    capsys.readouterr()
    assert main([*argv, "--set", MODELS, "--set", "forecast.backtest.folds=3", "--out", str(folder / "again")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["run_id"], told["status"], told["error"]) == (outcome.run_id, outcome.status, None)
    assert told["counts"]["models"] == 3
    for name, content in before.items():
        assert (folder / "again" / name).read_bytes() == content, name


def test_too_short_a_history_is_told_and_nothing_is_published(make_project):
    project = make_project({
        "stockcast.yml": "version: 1\nstep: day\nsources:\n  sales: {path: sales.csv}\n",
        "sales.csv": SHORT,
    })
    told = project("backtest", expect=3)
    assert told["error"]["code"] == "SC-M040"
    assert "30 days" in told["error"]["message"]
    assert not list((project.folder / "runs").glob("*/manifest.json"))
    assert not (project.folder / "runs" / "latest.json").exists()


def test_where_nothing_can_be_judged_nothing_is_said_to_be_selected(make_project):
    days = np.arange("2024-01-01", "2024-06-29", dtype="datetime64[D]").astype(str)
    project = make_project({
        "stockcast.yml": "version: 1\nstep: day\nsources:\n  sales: {path: sales.csv}\n",
        "sales.csv": "date,sku,quantity,in_stock\n" + "".join(f"{day},a,{at % 4},0\n" for at, day in enumerate(days)),
    })  # fmt: skip
    out = stockcast.backtest(project.folder / "stockcast.yml", overrides=[MODELS])
    assert out.artifacts["backtest.csv"].read_text(encoding="utf-8") == "segment,model,origin,metric,value\n"
    assert "all series, the best first" not in " ".join(title for title, *_ in out.tables)
    assert not [note for note in out.notes if note.startswith("selected at ")]
    made = stockcast.forecast(project.folder / "stockcast.yml", overrides=[MODELS])
    alike = ["the backtest told nothing, for no fully stocked period with sales fell into it",
             "1 series have too few fully stocked periods: sales stand in for demand"]  # fmt: skip
    for told in (out, made):
        assert [note.partition(": moving_average was taken")[0] for note in told.notes if note.startswith(alike[0])]
        assert alike[1] in told.notes


def test_a_deadline_that_struck_before_is_told(project):
    told = project("backtest", "--set", "deadline=0.001")
    assert told["status"] == "degraded"
    manifest = json.loads(project.file(told, "manifest.json").read_text(encoding="utf-8"))
    assert manifest["cut"] == ["no model was judged"]
    assert project.file(told, "backtest.csv").read_text(encoding="utf-8") == "segment,model,origin,metric,value\n"
    project("backtest", "--set", "deadline=0.001", "--strict", expect=4)


def test_a_fit_that_is_kept_is_told(ran, capsys):
    outcome, folder = ran
    kept = ("--set", "forecast.backtest.refit_every=2", "--set", "forecast.backtest.folds=3", "--set", MODELS)
    argv = ["backtest", "-c", str(folder / "stockcast.yml"), "--output-format", "json", "--out", str(folder / "kept")]
    capsys.readouterr()
    assert main([*argv, *kept]) == 0
    told = json.loads((folder / "kept" / "manifest.json").read_text(encoding="utf-8"))
    assert (
        "models were fitted at 2 of 3 origins and kept in between (forecast.backtest.refit_every: 2)" in told["notes"]
    )
    again, before = (
        {
            (row["model"], row["origin"], row["segment"], row["metric"]): row["value"]
            for row in rows((place / "backtest.csv").read_text(encoding="utf-8"))
        }
        for place in (folder / "kept", outcome.artifacts["backtest.csv"].parent)
    )
    assert again.keys() == before.keys()
    origins = sorted({origin for _, origin, *_ in again})
    moved = {cell[:2] for cell, value in again.items() if value != before[cell] and cell[0] != "selected"}
    assert moved <= {(model, origins[1]) for model in ("moving_average", "ses")}  # the naive one learns nothing
    assert moved
    assert main([*argv, "--set", "forecast.backtest.refit_every=0"]) == 2
