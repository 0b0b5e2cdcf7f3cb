"""How long each stage of `stockcast run` takes: on the M5 series and Online Retail, or (smoke) on a small demo."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.subject import Row, Setting, Subject, stockcast, timed

EXAMPLES = Path(__file__).parents[1] / "examples"


def _rows(project: Path, setting: Setting) -> list[Row]:
    walls, peaks, stages = [], [], {}
    for _ in range(setting.runs):
        wall, peak = timed([*stockcast("run", "--out", "bench-run")], cwd=project)
        manifest = json.loads((project / "bench-run" / "manifest.json").read_text())
        walls.append(wall)
        peaks.append(max(peak, manifest["peak_memory_mb"]))
        for stage, seconds in manifest["timings"].items():
            stages.setdefault(stage, []).append(seconds)
        for model, timing in manifest["models"].items():
            stages.setdefault(f"fit {model}", []).append(timing["fit_s"])
    rows = [Row.median("whole process", walls, "s"), Row.median("peak memory", peaks, "MB")]
    return rows + [Row.median(stage, seconds, "s") for stage, seconds in stages.items()]


def _example(name: str, file: str):
    def measure(setting: Setting) -> list[Row]:
        project = setting.work / name
        prepare = EXAMPLES / name / "prepare.py"
        subprocess.run([sys.executable, str(prepare), str(setting.data / file), str(project)], check=True)
        return _rows(project, setting)

    return measure


def _demo(setting: Setting) -> list[Row]:
    project = setting.work / "demo"
    size = ("--skus", "6", "--locations", "2", "--days", "200") if setting.smoke else ()
    subprocess.run(stockcast("init", str(project), "--demo", *size), check=True, stdout=subprocess.DEVNULL)
    return _rows(project, setting)


SUBJECTS = (
    Subject("demo", "stockcast run on the generated demo", _demo),
    Subject("m5", "stockcast run on 280 M5 series", _example("m5", "m5_280_series.parquet"), needs_data=True),
    Subject(
        "online_retail",
        "stockcast run on Online Retail, weekly",
        _example("online_retail", "online_retail.parquet"),
        needs_data=True,
    ),
)
