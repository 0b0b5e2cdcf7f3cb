"""Features and training: time and peak memory against mlforecast, each alone in a process on one thread; and scale.

The features of both are the same: lags, trailing means and deviations, exponentially weighted means and means of the
same weekday, of every series at every day.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import peer
from benchmarks.made import held_mb, panel, tiled
from benchmarks.subject import Row, Setting, Subject, own_peak_mb

SERIES, DAYS, CHUNK = 3_000, 700, 250
MANY = 30_000
LAGS, WINDOWS = (0, 1, 2, 3, 4, 5, 6, 13, 20, 27), (7, 14, 28, 56, 112)
HALF_LIVES, WEEKS, BLOCKS = (3, 7, 28, 90), (4, 8), (7, 14, 21, 28)
TREES = 300


def build(n: int, file: Path | None, model: str) -> dict[str, float]:
    """Make the features of all series, chunk by chunk as training does."""
    from stockcast.features import Spec, build

    past = panel(tiled(n, DAYS, file))
    spec = Spec(
        families=("lags", "windows", "season"), lags=LAGS, windows=WINDOWS, quantile_windows=(),
        half_lives=HALF_LIVES, season=7, season_means=WEEKS, year=364, year_windows=(), availability_windows=(),
    )  # fmt: skip
    build(past.take(np.arange(2)), past.sales[:2], past.observed[:2], 28, spec)
    held, begin, columns = held_mb(), time.perf_counter(), 0
    for rows in past.chunks(CHUNK):
        some = past.take(rows)
        columns = len(build(some, some.sales, some.observed, 28, spec).columns)
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "peak": own_peak_mb(), "held": held, "features": columns}


def train(n: int, file: Path | None, model: str) -> dict[str, float]:
    """Train a model of the catalogue and forecast 28 days with it."""
    from stockcast.models.catalogue import make

    past = panel(tiled(n, DAYS, file))
    held, begin = held_mb(), time.perf_counter()
    make(model).fit(past, seed=1).predict(past, 28, seed=1, n_paths=500)
    return {"seconds": time.perf_counter() - begin, "peak": own_peak_mb(), "held": held}


def _child(what: str, n: int, setting: Setting, model: str, threads: int = 1) -> dict[str, float]:
    file = setting.data / "m5_280_series.parquet"
    argv = [sys.executable, "-m", "benchmarks.features", what, str(n), str(file), model]
    env = os.environ | {"OMP_NUM_THREADS": str(threads)}
    told: dict[str, float] = json.loads(
        subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, env=env).stdout
    )
    return told


def _peer(what: str, n: int, setting: Setting) -> dict[str, float]:
    source = setting.work / "features.npz"
    np.savez(
        source, values=tiled(n, DAYS, setting.data / "m5_280_series.parquet").astype(np.float32), lags=LAGS,
        windows=WINDOWS, half_lives=HALF_LIVES, weeks=WEEKS, blocks=BLOCKS, trees=TREES,
    )  # fmt: skip
    argv = [str(peer.interpreter()), str(peer.HERE / "features.py"), str(source), what]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    told: dict[str, float] = json.loads(
        subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, env=env).stdout
    )
    return told


def measure(setting: Setting) -> list[Row]:
    from stockcast.models.catalogue import MODELS

    rows = []
    model = setting.models[0]
    there = any(info.name == model and info.available for info in MODELS)
    for what in ("build", "train") if there else ("build",):
        ours = [_child(what, SERIES, setting, model) for _ in range(setting.runs)]
        theirs = [_peer(what, SERIES, setting) for _ in range(setting.runs)]
        rows += [
            Row.median(f"{what}: stockcast", [one["seconds"] for one in ours], "s"),
            Row.median(f"{what}: mlforecast", [one["seconds"] for one in theirs], "s"),
            Row.median(
                f"{what}: times as fast", [b["seconds"] / a["seconds"] for a, b in zip(ours, theirs, strict=True)], "x"
            ),
            Row.median(f"{what}: stockcast, peak memory", [one["peak"] for one in ours], "MB"),
            Row.median(f"{what}: mlforecast, peak memory", [one["peak"] for one in theirs], "MB"),
            Row.median(
                f"{what}: share of the peak", [a["peak"] / b["peak"] for a, b in zip(ours, theirs, strict=True)], "x"
            ),
        ]
        if what == "build":
            rows += [
                Row("build: features, stockcast", ours[0]["features"], ""),
                Row("build: features, mlforecast", theirs[0]["features"], ""),
            ]
    if there:
        many = _child("train", MANY, setting, model, threads=os.cpu_count() or 1)
        rows += [
            Row(f"{MANY:,} series × {DAYS} days: {model} trained and forecast", many["seconds"], "s"),
            Row(f"{MANY:,} series × {DAYS} days: peak memory", many["peak"], "MB"),
            Row(f"{MANY:,} series × {DAYS} days: of it the panel and what made it", many["held"], "MB"),
        ]
    return rows


SUBJECT = Subject(
    "features",
    f"features of {SERIES:,} series × {DAYS} days and training on them, against mlforecast; {MANY:,} series",
    measure,
    needs_data=True,
    needs_peers=True,
)

if __name__ == "__main__":
    kind, n, file, model = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    print(json.dumps({"build": build, "train": train}[kind](n, file, model)))
