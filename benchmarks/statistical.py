"""The statistical models against statsforecast on the M5 sample: speed at one origin, accuracy over rolling ones.

The peer caps pandas below 3, so it lives in an environment of its own: `make bench-peers` makes it and runs this.
Both get the same series, from each one's first price on, and are scored by the same functions (benchmarks/scoring.py).
"""

import sys
import time

import numpy as np

from benchmarks import made, peer
from benchmarks.scoring import COVERED, LEVELS, SUMS, Tally, scales, score_paths, score_quantiles
from benchmarks.subject import Row, Setting, Subject

PEERS = ("AutoETS", "DynamicOptimizedTheta")
HORIZON, PATHS, LEAST = 28, 500, 56


def _peer(setting: Setting, sales: np.ndarray, offered: np.ndarray, origins: np.ndarray) -> dict[str, np.ndarray]:
    """Run the peers, or read what an earlier run left (--peers)."""
    given = {
        "values": np.where(offered, sales, np.nan), "origins": origins, "horizon": np.array(HORIZON),
        "levels": np.array(LEVELS), "sums": np.array(SUMS), "season": np.array(7), "paths": np.array(PATHS),
    }  # fmt: skip
    return peer.run(setting, "statistical.py", given, PEERS, "statistical")


def _speed(sales: np.ndarray, offered: np.ndarray, origin: int, runs: int) -> list[float]:
    """Fit with automatic choice of the form, as `models.ets.fit_s` of the manifest counts it."""
    from stockcast.models.ladder import Ladder
    from stockcast.models.smoothing import Smoothing

    past = made.panel(sales[:, :origin], offered[:, :origin])
    Ladder(Smoothing()).fit(past.take(np.arange(8)), seed=1)  # what is loaded lazily, is loaded
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        Ladder(Smoothing()).fit(past, seed=1)
        seconds.append(time.perf_counter() - begin)
    return seconds


def _ours(names: list[str], sales: np.ndarray, offered: np.ndarray, origins: np.ndarray) -> Tally:
    from stockcast import evaluation

    tally = Tally()
    for origin in origins:
        known = offered[:, :origin].sum(axis=1) >= LEAST
        past = made.panel(sales[known, :origin], offered[known, :origin])
        told = evaluation.forecast(
            names, past, horizon=HORIZON, periods=np.full(len(past.series), 14), folds=4, effort="normal",
            levels=LEVELS, n_paths=PATHS, seed=7,
        )  # fmt: skip
        actual = sales[known, origin : origin + HORIZON]
        score_paths(tally, told.demand.paths(), actual, scales(sales[known, :origin], offered[known, :origin]), 1)
        print(f"{'+'.join(names)} at {origin}: done", file=sys.stderr, flush=True)
    return tally


def _theirs(name: str, found: dict[str, np.ndarray], sales: np.ndarray, offered: np.ndarray, origins: np.ndarray):
    """Score a peer by its own intervals, and by paths of bootstrapped residuals."""
    own, bootstrap = Tally(), Tally()
    for origin in origins:
        known = offered[:, :origin].sum(axis=1) >= LEAST
        given = {key: found[f"{name}/{origin}/{key}"][known] for key in ("mean", "quantiles", "bootstrap_quantiles")}
        scale = scales(sales[known, :origin], offered[known, :origin])
        actual = sales[known, origin : origin + HORIZON]
        for tally, quantiles, errors in (
            (own, given["quantiles"], "normal"),
            (bootstrap, given["bootstrap_quantiles"], "bootstrap"),
        ):
            sums = {periods: found[f"{name}/{origin}/{errors}_sum_{periods}"][known] for periods in SUMS}
            score_quantiles(tally, given["mean"], quantiles, sums, actual, scale)
    return own, bootstrap


def measure(setting: Setting) -> list[Row]:
    from stockcast.models.catalogue import candidates

    sales, offered = made.m5(setting.data / "m5_280_series.parquet")
    origins = sales.shape[1] - HORIZON * np.arange(1, setting.folds + 1)
    found = _peer(setting, sales, offered, origins)
    rows = []
    fit, theirs = _speed(sales, offered, int(origins[0]), setting.runs), found[f"AutoETS/{origins[0]}/fit_s"].sum()
    rate = [len(sales) / seconds for seconds in fit]
    rows += [
        Row.median("stockcast ets, series a second", rate, "/s"),
        Row("AutoETS, series a second, one process", float(len(sales) / theirs), "/s"),
        Row.median("ratio", [float(theirs / seconds) for seconds in fit], "x"),
    ]
    scored = {}
    for name in PEERS:
        own, bootstrap = _theirs(name, found, sales, offered, origins)
        scored |= {f"{name}, own intervals": own, f"{name}, bootstrapped": bootstrap}
    scored["stockcast ets"] = _ours(["ets"], sales, offered, origins)
    scored["stockcast statistical, chosen"] = _ours(candidates("statistical", "fast"), sales, offered, origins)
    for name, tally in scored.items():
        for measured in ("rmsse", "quantile_loss", "quantile_loss_7", "quantile_loss_14"):
            rows.append(Row(f"{name}: {measured}", tally.mean(measured), ""))
    for name in ("stockcast ets", "stockcast statistical, chosen"):
        for what in ("pit", "pit_7", "pit_14"):
            for level in COVERED:
                rows.append(Row(f"{name}: coverage {what} {level:g}", scored[name].coverage(what, level), ""))
    return rows


SUBJECT = Subject(
    "statistical",
    "ets and the chosen statistical models against statsforecast, M5",
    measure,
    needs_data=True,
    needs_peers=True,
)
