"""LightGBM's quantile objectives on the target divided by its trailing mean, with mlforecast's features."""

from dataclasses import dataclass

import lightgbm
import numpy as np
import pandas as pd
from long import SEED, frame, known_names, start, static_names
from mlforecast import MLForecast
from mlforecast.lag_transforms import ExponentiallyWeightedMean, RollingMean, RollingStd, SeasonalRollingMean

BACK, ROWS = 728, 120_000  # periods that are learned from, and rows of each model
OPTIONS = {
    "learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 100, "bagging_fraction": 0.7, "bagging_freq": 1,
    "feature_fraction": 0.5, "max_bin": 100, "num_threads": 1, "verbosity": -1, "seed": SEED, "deterministic": True,
    "force_row_wise": True,
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A row a series and origin: features, those of sales divided by ``scale``; weekly means by lag."""

    series: np.ndarray
    origin: np.ndarray
    amounts: np.ndarray
    seasonal: np.ndarray
    scale: np.ndarray
    codes: list[int]
    known: list[np.ndarray]

    def rows(self, which: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Give the features of some origins, for a step each."""
        period, scale = self.origin[which] + step, self.scale[which]
        place = (7 - step % 7) % 7  # of the latest known day with the target's weekday
        further = [self.seasonal[place, which], np.log(scale)[:, None], (period % 7)[:, None], step[:, None]]
        further += [values[self.series[which], period][:, None] for values in self.known]
        return np.hstack([self.amounts[which], *further]).astype(np.float32)


def table(given: dict, origin: int) -> Table:
    """Make the features with mlforecast's preprocess."""
    past = frame(given, origin).drop(columns=[*known_names(given), "dow", "weight"], errors="ignore")
    # the row of period t has lags from t − 1: with one more period the last origin has a row too
    more = past.groupby("unique_id").tail(1).assign(ds=lambda f: f.ds + pd.Timedelta(days=1), y=0.0)
    both = pd.concat([past, more]).sort_values(["unique_id", "ds"])
    windows = given["windows"]
    transforms = {k: [SeasonalRollingMean(7, w, min_samples=1) for w in (4, 8)] for k in range(1, 8)}
    transforms[1] += [RollingMean(int(w), min_samples=1) for w in windows]
    transforms[1] += [RollingStd(int(w), min_samples=2) for w in windows]
    transforms[1] += [ExponentiallyWeightedMean(alpha) for alpha in (0.2, 0.1, 0.03, 0.01)]
    maker = MLForecast({}, freq="D", lags=[1, 2, 3, 4, 5, 6, 7, 14, 21, 28], lag_transforms=transforms)
    made = maker.preprocess(both, static_features=static_names(given), dropna=False)
    columns = [name for name in made if name not in ("unique_id", "ds", "y")]
    weekly = [[c for c in columns if c.startswith(f"seasonal_rolling_mean_lag{k}_")] for k in range(1, 8)]
    level = next(name for name in columns if name.startswith(f"rolling_mean_lag1_window_size{int(windows[2])}"))
    columns = [name for name in columns if not name.startswith("seasonal_rolling_mean")]
    codes = [at for at, name in enumerate(columns) if name in static_names(given)]
    scale = np.maximum(np.nan_to_num(made[level].to_numpy()), 0.1).astype(np.float32)
    held = [
        made[name].cat.codes.to_numpy(np.float32) if at in codes else made[name].to_numpy(np.float32) / scale
        for at, name in enumerate(columns)
    ]
    return Table(
        made.unique_id.to_numpy(), (made.ds - start(given)).dt.days.to_numpy() - 1, np.column_stack(held),
        np.stack([made[names].to_numpy(np.float32) / scale[:, None] for names in weekly]), scale, codes,
        [given[f"known/{name}"] for name in known_names(given)],
    )  # fmt: skip


def learn(made: Table, which, step, target, objectives, trees: int, ahead: np.ndarray) -> list[np.ndarray]:
    """Train a model an objective on the same rows; give what each says of the rows ahead.

    Of a mean each row weighs as much as its scale, so that a unit is a unit.
    """
    data = lightgbm.Dataset(made.rows(which, step), label=target, categorical_feature=made.codes, params=OPTIONS)
    out = []
    for one in objectives:
        data.set_weight(None if one["objective"] == "quantile" else made.scale[which])
        out.append(lightgbm.train(OPTIONS | one, data, trees).predict(ahead))
    return out


def scaled(given: dict, origin: int) -> dict[str, np.ndarray]:
    """Forecast single periods by block of the horizon, and sums."""
    values, levels, used = given["values"], given["levels"], given["used"]
    made = table(given, origin)
    ready = np.flatnonzero(
        (made.origin >= origin - BACK - 1) & (made.origin < origin - 1) & ~np.isnan(made.amounts[:, len(made.codes)])
    )
    final = np.flatnonzero(made.origin == origin - 1)
    draw, trees = np.random.default_rng(SEED), int(given["trees"]) // 3
    wanted = [{"objective": "quantile", "alpha": float(level)} for level in levels]
    mean = np.full((len(values), int(given["horizon"])), np.nan)
    quantiles = np.full((*mean.shape, len(levels)), np.nan)
    began = 0
    for last in map(int, given["blocks"]):
        which, step = draw.choice(ready, ROWS), draw.integers(began + 1, last + 1, ROWS)
        inside = made.origin[which] + step < origin
        inside[inside] &= used[made.series[which[inside]], (made.origin[which] + step)[inside]]
        which, step = which[inside], step[inside]
        target = values[made.series[which], made.origin[which] + step] / made.scale[which]
        each, steps = np.repeat(final, last - began), np.tile(np.arange(began + 1, last + 1), len(final))
        told = learn(
            made,
            which,
            step,
            target,
            [*wanted, {"objective": "tweedie", "tweedie_variance_power": 1.1}],
            trees,
            made.rows(each, steps),
        )
        told = [np.maximum(one * made.scale[each], 0.0).reshape(len(final), -1) for one in told]
        quantiles[made.series[final], began:last] = np.sort(np.stack(told[:-1], axis=-1), axis=-1)
        mean[made.series[final], began:last] = told[-1]
        began = last
    return {"mean": mean, "quantiles": quantiles} | of_sums(given, made, ready, final, origin, wanted, trees, draw)


def of_sums(given, made: Table, ready, final, origin: int, wanted, trees: int, draw) -> dict[str, np.ndarray]:
    """Forecast sums by quantile objectives on the sum itself; only sums of used periods are learned from."""
    used, out = given["used"], {}
    totals, counts = (
        np.cumsum(np.pad(part, ((0, 0), (1, 0))), axis=1) for part in (np.where(used, given["values"], 0.0), used)
    )
    for periods in map(int, given["sums"]):
        which = draw.choice(ready, min(ROWS, len(ready)), replace=False)
        which = which[made.origin[which] + periods < origin]
        series, first, end = made.series[which], made.origin[which] + 1, made.origin[which] + 1 + periods
        whole = counts[series, end] - counts[series, first] == periods
        target = (totals[series, end] - totals[series, first]) / made.scale[which] / periods
        ones = np.ones(len(which), dtype=int)
        ahead = made.rows(final, np.ones(len(final), dtype=int))
        told = np.stack(learn(made, which[whole], ones[whole], target[whole], wanted, trees, ahead), axis=-1)
        out[f"sum_{periods}"] = np.full((len(used), len(wanted)), np.nan)
        out[f"sum_{periods}"][made.series[final]] = np.sort(
            np.maximum(told * made.scale[final][:, None] * periods, 0.0), axis=-1
        )
    return out
