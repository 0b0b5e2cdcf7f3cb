"""mlforecast's features, or its training with them, measured alone in a process: `.venv/bin/python features.py`.

    python features.py IN.npz build|train

IN has `values` (series × time, float32), `lags`, `windows`, `half_lives`, `weeks`, `blocks`, `trees`. Prints JSON:
seconds, the peak memory and what was held before, in MB; of `build` the number of features too.
"""

import json
import resource
import sys
import time
import warnings

import numpy as np
import pandas as pd
from mlforecast import MLForecast
from mlforecast.lag_transforms import ExponentiallyWeightedMean, RollingMean, RollingStd, SeasonalRollingMean


def setting(given: dict, last: int) -> dict:
    """Give the lags and transforms that are known ``last`` steps ahead."""
    transforms = [RollingMean(int(w), min_samples=1) for w in given["windows"]]
    transforms += [RollingStd(int(w), min_samples=2) for w in given["windows"]]
    transforms += [ExponentiallyWeightedMean(1.0 - 0.5 ** (1.0 / h)) for h in given["half_lives"]]
    week = -(-last // 7) * 7
    weekly = [SeasonalRollingMean(7, int(w), min_samples=1) for w in given["weeks"]]
    by_lag = {last: transforms}
    by_lag[week] = by_lag.get(week, []) + weekly
    return {"lags": [last + int(lag) for lag in given["lags"]], "lag_transforms": by_lag}


def main(source: str, what: str) -> None:
    with np.load(source) as file:
        given = {key: file[key] for key in file.files}
    values = given.pop("values").astype(np.float32)
    n, days = values.shape
    dates = pd.date_range("2011-01-29", periods=days)
    frame = pd.DataFrame({"unique_id": np.repeat(np.arange(n), days), "ds": np.tile(dates, n), "y": values.ravel()})
    del values
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    small = frame.iloc[: 2 * days]  # loads and compiles whatever is loaded lazily
    MLForecast({}, freq="D", **setting(given, 1)).preprocess(small, static_features=[])
    begin, told = time.perf_counter(), {}
    if what == "build":
        made = MLForecast({}, freq="D", **setting(given, 1)).preprocess(frame, static_features=[], dropna=False)
        told["features"] = made.shape[1] - 3
    else:
        from conformal import OPTIONS
        from lightgbm import LGBMRegressor

        for last in map(int, given["blocks"]):
            learner = LGBMRegressor(n_estimators=int(given["trees"]), **OPTIONS)
            model = MLForecast({"LGBM": learner}, freq="D", date_features=["dayofweek"], **setting(given, last))
            model.fit(frame, static_features=[])
            model.predict(last)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(told | {"seconds": seconds, "peak": peak, "held": held}))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1], sys.argv[2])
