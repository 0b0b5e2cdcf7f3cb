"""The seasonal naive for a million series × 100 days: its states and error pools, from which paths are drawn later."""

import json
import subprocess
import sys
import time

import numpy as np

from benchmarks.made import held_mb, panel
from benchmarks.subject import Row, Setting, Subject, own_peak_mb

SERIES, DAYS = 1_000_000, 100
SMOKE_SERIES = 2_000
STEP = 50_000  # series drawn at once


def _panel(n: int, *, whole: bool):
    """Sales of small whole numbers; unless whole, a third begins late and 5 % of the days were short of stock."""
    draw = np.random.default_rng(1)
    sales, in_stock = np.empty((n, DAYS)), np.ones((n, DAYS))
    observed = np.ones((n, DAYS), dtype=bool)
    for begin in range(0, n, STEP):
        some = slice(begin, min(begin + STEP, n))
        shape = (some.stop - begin, DAYS)
        sales[some] = draw.integers(0, 12, shape)
        if not whole:
            late = draw.integers(0, DAYS // 2, shape[0]) * (draw.random(shape[0]) < 1 / 3)
            observed[some] = np.arange(DAYS) >= late[:, None]
            in_stock[some][draw.random(shape) < 0.05] = 0.5
    sales *= observed
    return panel(sales, observed, in_stock=in_stock)


def _child(n: int, whole: bool) -> None:
    """Measure in a process of its own: its peak memory is then of this work alone."""
    from stockcast.models.naive import SeasonalNaive

    small = _panel(64, whole=whole)
    SeasonalNaive().fit(small, seed=1).predict(small, 28, seed=1, n_paths=500)  # what is loaded, is loaded
    past = _panel(n, whole=whole)
    held, begin, cpu = held_mb(), time.perf_counter(), time.process_time()
    forecast = SeasonalNaive().fit(past, seed=1).predict(past, 28, seed=1, n_paths=500)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    pool_mb = forecast.source.errors.nbytes / 2**20
    print(json.dumps({"seconds": seconds, "cpu": cpu, "panel": held, "peak": own_peak_mb(), "pool": pool_mb}))


def measure(setting: Setting) -> list[Row]:
    n = SMOKE_SERIES if setting.smoke else SERIES
    rows = []
    for whole, what in ((True, "nothing masked"), (False, "late starts and stockouts")):
        told = []
        for _ in range(setting.runs):
            argv = [sys.executable, "-m", "benchmarks.naive", str(n), str(int(whole))]
            run = subprocess.run(argv, check=True, capture_output=True, text=True)
            told.append(json.loads(run.stdout))
        rows += [
            Row.median(f"fit and predict, {what}", [one["seconds"] for one in told], "s"),
            Row.median(f"processor time of it, {what}", [one["cpu"] for one in told], "s"),
            Row.median(f"peak memory, {what}", [one["peak"] for one in told], "MB"),
            Row.median(f"of it beside the panel, {what}", [one["peak"] - one["panel"] for one in told], "MB"),
            Row.median(f"of that the pools of errors, {what}", [one["pool"] for one in told], "MB"),
        ]
    return rows


SUBJECT = Subject("naive", f"seasonal naive for {SERIES:,} series × {DAYS} days, no path drawn", measure)

if __name__ == "__main__":
    _child(int(sys.argv[1]), sys.argv[2] == "1")
