"""The benchmarks still run: one small round of each subject that needs no data."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_smoke_mode_measures_every_subject_that_needs_no_data(tmp_path):
    figures = tmp_path / "figures.json"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--smoke", "--json", str(figures)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    found = json.loads(figures.read_text())
    assert set(found) == {
        "startup",
        "naive",
        "smoothing",
        "paths",
        "demo",
        "optimizer",
        "optimizer_ahead",
        "optimizer_ahead_replay",
        "optimizer_million",
        "optimizer_plain",
        "tft",
        "transfers",
        "echelon",
    }
    stages = {row["what"] for row in found["demo"]}
    assert {"whole process", "peak memory", "ingest", "forecast", "plan", "write"} <= stages
    naive = {row["what"]: row["value"] for row in found["naive"]}
    assert naive["fit and predict, nothing masked"] > 0
    assert naive["of that the pools of errors, nothing masked"] > 0
