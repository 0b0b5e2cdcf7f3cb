"""The same inputs give the same bytes, however the work is cut and in whatever order the rows come."""

import json
import random
from pathlib import Path

BUT = {"manifest.json"}


def contents(folder: Path) -> dict[str, bytes]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files if p.name not in BUT}


def test_two_runs_and_any_number_of_workers_give_the_same_bytes(every_model):
    runs = {}
    for name, workers in (("one", "1"), ("two", "2")):
        every_model("run", "--out", str(every_model.folder / name), "--workers", workers)
        runs[name] = contents(every_model.folder / name)
    assert runs["one"].keys() == runs["two"].keys()
    assert "report.html" in runs["one"]
    for name in runs["one"]:
        assert runs["one"][name] == runs["two"][name], name


def test_unsorted_sales_give_the_plan_of_sorted_ones(project):
    sales = project.folder / "data" / "sales.csv"
    project("run", "--out", str(project.folder / "sorted"))
    header, *rows = sales.read_text(encoding="utf-8").splitlines()
    random.Random(3).shuffle(rows)
    sales.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    project("run", "--out", str(project.folder / "shuffled"))
    one, other = contents(project.folder / "sorted"), contents(project.folder / "shuffled")
    for name in ("forecast.csv", "plan.csv", "orders.csv", "exceptions.csv"):
        assert one[name] == other[name], name


def test_forecast_then_plan_gives_the_plan_of_run(project):
    ran = project("run")
    whole = project.file(ran, "plan.csv").read_bytes()
    other = project.folder / "elsewhere"
    config = project.folder / "stockcast.yml"
    config.write_text(config.read_text(encoding="utf-8").replace("dir: runs", f"dir: {other.name}"), encoding="utf-8")
    project("forecast")
    planned = project("plan")
    assert project.file(planned, "plan.csv").read_bytes() == whole
    assert planned["run_id"] != ran["run_id"]
    manifest = json.loads((project.file(planned, "plan.csv").parent / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["models"] == {}  # read, not fitted again
    assert any("used again" in note for note in manifest["notes"])


def test_another_seed_gives_another_forecast(project):
    one = project("forecast", "--seed", "1")
    other = project("forecast", "--seed", "2")
    assert project.file(one, "forecast.csv").read_bytes() != project.file(other, "forecast.csv").read_bytes()
