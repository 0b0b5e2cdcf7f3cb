"""statsforecast on the same series and origins, in an environment of its own: `peers/.venv/bin/python statistical.py`.

    python statistical.py IN.npz OUT.npz MODEL [MODEL …]

IN has `values` (series × time, NaN before a series' first period), `origins` (numbers of known periods), `horizon`,
`levels`, `sums` (numbers of periods that are added up), `season`, `paths`. OUT gets, for each model, the means, the
quantiles of single periods from the model's own intervals (and from bootstrapped paths where it has them), the
quantiles of the sums from its own simulation, and the seconds of fitting, one series after the other in one process.
"""

import sys
import time
import warnings

import numpy as np
from statsforecast.models import (
    TSB,
    AutoETS,
    CrostonSBA,
    DynamicOptimizedTheta,
    SeasonalNaive,
    WindowAverage,
)

MAKERS = {
    "AutoETS": lambda season: AutoETS(season_length=season),
    "DynamicOptimizedTheta": lambda season: DynamicOptimizedTheta(season_length=season),
    "TSB": lambda season: TSB(alpha_d=0.2, alpha_p=0.2),
    "CrostonSBA": lambda season: CrostonSBA(),
    "SeasonalNaive": lambda season: SeasonalNaive(season_length=season),
    "WindowAverage": lambda season: WindowAverage(window_size=28),
}
LEAST = 56  # known periods; a series with fewer is left out, its figures are NaN
WITH_INTERVALS = ("AutoETS", "DynamicOptimizedTheta", "SeasonalNaive")
ERRORS = ("normal", "bootstrap")  # of simulated paths: the model's own distribution, and its residuals


def interval(level: float) -> int:
    """Give the central interval, in per cent, that has the quantile of a level as its end."""
    return round(abs(2.0 * level - 1.0) * 100)


def own_quantiles(told: dict, levels: np.ndarray) -> np.ndarray:
    """Read the quantiles off a prediction with intervals; the median of a normal one is its mean."""
    rows = [
        told["mean"] if level == 0.5 else told[f"{'lo' if level < 0.5 else 'hi'}-{interval(level)}"] for level in levels
    ]
    return np.maximum(np.stack(rows, axis=1), 0.0)


def one(name: str, y: np.ndarray, given: dict, seed: int) -> dict[str, np.ndarray]:
    """Fit one series and forecast it; what is negative is cut to 0, which can only help."""
    levels, horizon = given["levels"], int(given["horizon"])
    model = MAKERS[name](int(given["season"]))
    begin = time.perf_counter()
    model.fit(y)
    out = {"fit_s": np.array(time.perf_counter() - begin)}
    wanted = sorted({interval(level) for level in levels if level != 0.5})
    if name in WITH_INTERVALS:
        told = model.predict(horizon, level=wanted)
        out["quantiles"] = own_quantiles(told, levels)
        for errors in ERRORS:
            paths = model.simulate(horizon, int(given["paths"]), seed=seed, error_distribution=errors)
            if errors == "bootstrap":
                out["bootstrap_quantiles"] = np.quantile(np.maximum(paths, 0.0), levels, axis=0).T
            for periods in given["sums"]:
                total = np.maximum(paths[:, :periods].sum(axis=1), 0.0)
                out[f"{errors}_sum_{periods}"] = np.quantile(total, levels)
    else:
        told = model.predict(horizon)
    out["mean"] = np.maximum(told["mean"], 0.0)
    return out


def main(source: str, target: str, names: list[str]) -> None:
    with np.load(source) as file:
        given = {key: file[key] for key in file.files}
    found: dict[str, np.ndarray] = {}
    for name in names:
        one(name, np.nan_to_num(given["values"][0][-100:]), given, 0)  # loads and compiles whatever is loaded lazily
        for origin in given["origins"]:
            rows = []
            for at, values in enumerate(given["values"]):
                y = values[:origin]
                y = y[~np.isnan(y)]
                rows.append(one(name, y, given, at) if len(y) >= LEAST else None)
            blank = {key: np.full_like(value, np.nan) for key, value in next(r for r in rows if r is not None).items()}
            for key in blank:
                found[f"{name}/{origin}/{key}"] = np.stack([(row or blank)[key] for row in rows])
            fit_s = np.nansum(found[f"{name}/{origin}/fit_s"])
            print(f"{name} at {origin}: {len(rows)} series, {fit_s:.1f} s of fitting", file=sys.stderr, flush=True)
            np.savez(target, **found)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
