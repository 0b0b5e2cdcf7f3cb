"""The batched kernels by themselves: one form of smoothing for 30,000 long series, and joint paths for as many."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.made import held_mb, panel, tiled
from benchmarks.subject import Row, Setting, Subject, own_peak_mb

SERIES, DAYS, PATHS, HORIZON = 30_000, 1_885, 500, 28
SMOKE_SERIES, SMOKE_DAYS = 64, 200


def _smoothing(n: int, days: int, file: Path | None) -> dict[str, float]:
    from stockcast.models.smoothing import Smoothing

    past = panel(tiled(n, days, file))
    held, begin = held_mb(), time.perf_counter()
    Smoothing(("ANA",)).fit(past, seed=1)
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "rate": n / seconds, "peak": own_peak_mb(), "panel": held}


def _paths(n: int, days: int, file: Path | None) -> dict[str, float]:
    from stockcast.evaluation.published import published
    from stockcast.models.smoothing import Smoothing

    past = panel(tiled(n, min(days, 400), file))
    made = Smoothing(("ANN", "ANA", "ARN")).fit(past, seed=1).predict(past, HORIZON, seed=1, n_paths=PATHS)
    out = {}
    width = np.full(n, 0.2)
    for name, demand in (("raw", made), ("published", published(made, past, width, width))):
        begin, total = time.perf_counter(), 0.0
        for rows in demand.chunks():
            total += float(demand.paths(rows).sum())
        out[name] = time.perf_counter() - begin
    return out | {"peak": own_peak_mb()}


def _each(what: str, setting: Setting) -> dict[str, list[float]]:
    size = (SMOKE_SERIES, SMOKE_DAYS) if setting.smoke else (SERIES, DAYS)
    file = setting.data / "m5_280_series.parquet"
    told: dict[str, list[float]] = {}
    for _ in range(setting.runs):
        argv = [sys.executable, "-m", "benchmarks.batched", what, *map(str, size), str(file)]
        run = subprocess.run(argv, check=True, capture_output=True, text=True)
        for name, value in json.loads(run.stdout).items():
            told.setdefault(name, []).append(value)
    return told


def smoothing(setting: Setting) -> list[Row]:
    told = _each("smoothing", setting)
    return [
        Row.median("fit", told["seconds"], "s"),
        Row.median("series a second", told["rate"], "/s"),
        Row.median("peak memory", told["peak"], "MB"),
        Row.median("of it the panel and what made it", told["panel"], "MB"),
    ]


def paths(setting: Setting) -> list[Row]:
    told = _each("paths", setting)
    return [
        Row.median("a model's paths", told["raw"], "s"),
        Row.median("as published: widened both ways, in whole units", told["published"], "s"),
        Row.median("peak memory", told["peak"], "MB"),
    ]


SUBJECTS = (
    Subject("smoothing", f"one form (ETS ANA) fitted to {SERIES:,} series × {DAYS:,} days", smoothing),
    Subject("paths", f"{PATHS} joint paths × {HORIZON} days of {SERIES:,} series", paths),
)

if __name__ == "__main__":
    kind, n, days, file = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    print(json.dumps({"smoothing": _smoothing, "paths": _paths}[kind](n, days, file)))
