"""mlforecast with LightGBM on the same series and origins, in the peers' environment: `.venv/bin/python boosted.py`.

    python boosted.py IN.npz OUT.npz MODEL [MODEL …]

IN has what `statistical.py` reads, and: `start` (the first date), `static/NAME` (codes, one a series), `known/NAME`
(series × time with the horizon of the last origin: what is known ahead), `used` (series × time, a period that tells
something), `blocks` (last steps of the horizon blocks), `windows`, `trees`, `least` (known periods).

- `MLForecast`: one tweedie model a block of the horizon, its lags from the end of the block up, so that nothing is
  recursive. Quantiles from mlforecast's `PredictionIntervals` (conformal distribution); `ratio_…` from conformal
  ratios pooled over forecasts of like height, of the sums too.
- `LightGBMQuantile`: mlforecast's features of the origin, one quantile model a level and block, the target divided by
  its trailing mean; the sums by quantile models of the sum itself. Its mean is a tweedie model of it.

OUT gets the mean, the quantiles of single periods and of sums, the seconds, and the peak memory of the process that
each origin has for itself. A period that is not used is no target; lags read what is given for it.
"""

import multiprocessing
import resource
import sys
import time
import warnings

import numpy as np

MODELS = ("MLForecast", "LightGBMQuantile")


def one(source: str, name: str, origin: int) -> dict[str, np.ndarray]:
    """Do one origin, in a process of its own."""
    warnings.simplefilter("ignore")
    with np.load(source) as file:
        given = {key: file[key] for key in file.files}
    if name == "MLForecast":
        from conformal import conformal as forecast
    else:
        from scaled import scaled as forecast
    begin = time.perf_counter()
    out = forecast(given, origin)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return out | {"fit_s": np.array(seconds), "peak_mb": np.array(peak)}


def main(source: str, target: str, names: list[str]) -> None:
    with np.load(source) as file:
        origins = file["origins"]
    found: dict[str, np.ndarray] = {}
    for name in names:
        for origin in map(int, origins):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                told = pool.apply(one, (source, name, origin))
            found |= {f"{name}/{origin}/{key}": value for key, value in told.items()}
            print(f"{name} at {origin}: {told['fit_s']:.0f} s, {told['peak_mb']:.0f} MB", file=sys.stderr, flush=True)
            np.savez(target, **found)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
