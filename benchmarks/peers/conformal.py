"""mlforecast with a tweedie LightGBM for each block of the horizon, and conformal quantiles, its own and of ratios."""

import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor
from long import SEED, frame, start, static_names
from mlforecast import MLForecast
from mlforecast.conformal_prediction import compute_conformity_scores
from mlforecast.lag_transforms import ExponentiallyWeightedMean, RollingMean, RollingStd, SeasonalRollingMean
from mlforecast.utils import PredictionIntervals

WINDOWS = 4  # of cross-validation
OPTIONS = {
    "objective": "tweedie", "tweedie_variance_power": 1.1, "boost_from_average": False,
    "learning_rate": 0.03, "num_leaves": 63, "min_child_samples": 200, "subsample": 0.5, "subsample_freq": 1,
    "colsample_bytree": 0.5, "max_bin": 100, "n_jobs": 1, "verbosity": -1, "random_state": SEED, "deterministic": True,
    "force_row_wise": True,
}  # fmt: skip


def features(last: int, windows: np.ndarray) -> dict:
    """Give lags and transforms that are known ``last`` steps ahead."""
    short = [RollingMean(int(w), min_samples=1) for w in windows]
    short += [RollingStd(int(w), min_samples=2) for w in windows]
    smooth = [ExponentiallyWeightedMean(alpha) for alpha in (0.2, 0.1, 0.03, 0.01)]
    week = -(-last // 7) * 7  # the same weekday, the latest that is known
    weekly = [SeasonalRollingMean(7, w, min_samples=1) for w in (2, 4, 8)]
    transforms = {last: short + smooth}
    transforms[week] = transforms.get(week, []) + weekly
    lags = {*range(last, last + 7), week, week + 7, week + 14, week + 21}
    return {"lags": sorted(lags), "lag_transforms": transforms}


def side(level: float) -> str:
    """Give the column that has the quantile of a level: an end of a central interval, the point forecast for 0.5."""
    return "LGBM" if level == 0.5 else f"LGBM-{'lo' if level < 0.5 else 'hi'}-{width(level)}"


def width(level: float) -> int:
    return round(abs(2.0 * level - 1.0) * 100)


def conformal(given: dict, origin: int) -> dict[str, np.ndarray]:
    """Fit a model a block; forecast, and give both kinds of conformal quantiles."""
    levels, horizon, n = given["levels"], int(given["horizon"]), len(given["values"])
    whole, cut = frame(given, given["values"].shape[1]), start(given) + pd.Timedelta(days=origin)
    known = whole[whole.ds < cut].groupby("unique_id").size()
    whole = whole[whole.unique_id.isin(known[known >= int(given["least"])].index)]
    past = whole[whole.ds < cut].reset_index(drop=True)
    ahead = whole[whole.ds >= cut].drop(columns=["y", "weight", *static_names(given)], errors="ignore")
    kept = int(given["windows"].max()) + int(given["blocks"].max()) + 28
    options = {
        "static_features": static_names(given), "dropna": True, "keep_last_n": kept,
        "weight_col": "weight" if "weight" in whole else None,
    }  # fmt: skip
    mean, own = np.full((n, horizon), np.nan), np.full((n, horizon, len(levels)), np.nan)
    windows = max(2, min(WINDOWS, (int(known.min()) - kept // 4) // horizon - 1))
    wanted = sorted({width(level) for level in levels if level != 0.5})
    held, began = [], 0
    for last in map(int, given["blocks"]):
        learner = LGBMRegressor(n_estimators=int(given["trees"]), **OPTIONS)
        model = MLForecast({"LGBM": learner}, freq="D", **features(last, given["windows"]))
        # the same origins for every block: their blocks make whole horizons
        early = past[past.ds < cut - pd.Timedelta(days=horizon - last)]
        checks = model.cross_validation(early, n_windows=windows, h=last, step_size=horizon, refit=False, **options)
        model.fit(past, **options)
        # what fit(prediction_intervals=…) does, without a second cross-validation
        model.prediction_intervals = PredictionIntervals(n_windows=windows, h=last)
        model._cs_df, model._cs_source_scales_ = compute_conformity_scores(checks.copy(), ["LGBM"], "y"), None
        soon = ahead[ahead.ds < cut + pd.Timedelta(days=last)]
        told = model.predict(last, X_df=soon, level=wanted).sort_values(["unique_id", "ds"])
        rows, some = told.unique_id.unique(), slice(began, last)
        mean[rows, some] = told.LGBM.to_numpy().reshape(len(rows), last)[:, some]
        for at, level in enumerate(levels):
            own[rows, some, at] = told[side(level)].to_numpy().reshape(len(rows), last)[:, some]
        step = (checks.ds - checks.cutoff).dt.days
        held.append(checks[(step > began) & (step <= last)].assign(step=step))
        began = last
    mean = np.maximum(mean, 0.0)
    checks = pd.concat(held).sort_values(["unique_id", "cutoff", "step"])
    return {"mean": mean, "quantiles": np.maximum(own, 0.0)} | of_ratios(given, checks, mean)


def of_ratios(given: dict, checks: pd.DataFrame, mean: np.ndarray) -> dict[str, np.ndarray]:
    """Give conformal quantiles of single periods by block, and of sums, which mlforecast has none of."""
    levels, horizon = given["levels"], int(given["horizon"])
    came, said = (np.maximum(checks[name].to_numpy(float).reshape(-1, horizon), 0.0) for name in ("y", "LGBM"))
    period = (checks.ds - start(given)).dt.days.to_numpy()
    tells = given["used"][checks.unique_id.to_numpy(), period].reshape(-1, horizon)
    out = {"ratio_quantiles": np.full((*mean.shape, len(levels)), np.nan)}
    blocks = np.searchsorted(given["blocks"], np.arange(1, horizon + 1))
    for block in np.unique(blocks):
        some = blocks == block
        which = tells & some
        out["ratio_quantiles"][:, some] = ratios(came[which], said[which], mean[:, some], levels)
    for periods in map(int, given["sums"]):
        whole = tells[:, :periods].all(axis=1)
        totals = (part[:, :periods].sum(axis=1) for part in (came[whole], said[whole], mean))
        out[f"ratio_sum_{periods}"] = ratios(*totals, levels)
    return out


def ratios(came: np.ndarray, said: np.ndarray, mean: np.ndarray, levels: np.ndarray, bins: int = 10) -> np.ndarray:
    """Give the mean times the quantiles of what came by what was said, among forecasts of like height."""
    edges = np.quantile(said, np.linspace(0, 1, bins + 1)[1:-1])
    mine, theirs = np.digitize(mean, edges), np.digitize(said, edges)
    share = came / np.maximum(said, 1e-6)
    out = np.full((*mean.shape, len(levels)), np.nan)
    for at in range(bins):
        some = theirs == at
        if some.any():
            out[mine == at] = mean[mine == at][:, None] * np.quantile(share[some], levels)
    out[np.isnan(mean)] = np.nan
    return out
