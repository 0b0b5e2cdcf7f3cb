"""Measures of a forecast against what came, as plain functions; ``used`` masks the periods that tell of demand.

Each gives one number a series, NaN where nothing is to be judged. Scaled ones divide by the error that a naive
forecast made *within* the history, so that series of any volume can be pooled.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

Values = Float[np.ndarray, "series horizon"]
Used = Bool[np.ndarray, "series horizon"]
Each = Float[np.ndarray, " series"]


class Scales(NamedTuple):
    """What errors of each series are divided by, from its history.

    Parameters
    ----------
    step
        The root mean squared step from period to period.
    season
        The mean absolute step from season to season.
    level
        The mean demand of a period, 1 where there is none.
    """

    step: Each
    season: Each
    level: Each

    def take(self, rows: np.ndarray) -> "Scales":
        """Give those of some series."""
        return Scales(self.step[rows], self.season[rows], self.level[rows])


def _mean(values: np.ndarray, used: np.ndarray) -> np.ndarray:
    count = used.sum(axis=1)
    total = np.where(used, values, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0))


def wape(forecast: Values, actual: Values, used: Used) -> float:
    """Give Σ|forecast − actual| / Σ actual over all series; NaN where nothing was sold.

    Examples
    --------
    >>> round(wape(np.array([[2.0, 2.0]]), np.array([[1.0, 4.0]]), np.ones((1, 2), dtype=bool)), 3)
    0.6
    """
    sold = float(actual[used].sum())
    return float(np.abs(forecast - actual)[used].sum()) / sold if sold > 0 else float("nan")


def bias(forecast: Values, actual: Values, used: Used) -> float:
    """Give Σ(forecast − actual) / Σ actual over all series: above 0 where too much was forecast.

    Examples
    --------
    >>> bias(np.array([[2.0, 4.0]]), np.array([[1.0, 4.0]]), np.ones((1, 2), dtype=bool))
    0.2
    """
    sold = float(actual[used].sum())
    return float((forecast - actual)[used].sum()) / sold if sold > 0 else float("nan")


def rmsse(forecast: Values, actual: Values, used: Used, scale: Each) -> Each:
    """Give the root mean squared error over ``scale``, the root mean squared step of the history (M5, 2020)."""
    return np.asarray(np.sqrt(_mean((forecast - actual) ** 2, used)) / scale)


def mase(forecast: Values, actual: Values, used: Used, scale: Each) -> Each:
    """Give the mean absolute error over ``scale``, the mean absolute seasonal step (Hyndman & Koehler 2006)."""
    return np.asarray(_mean(np.abs(forecast - actual), used) / scale)


def periods_in_stock(forecast: Values, actual: Values, used: Used, level: Each) -> Each:
    r"""Give the mean stock that ordering the forecast each period would hold, in periods of mean demand.

    .. math:: \frac{1}{n\,\bar y} \sum_{t} \sum_{j \le t} (\hat y_j - y_j)

    over the n periods that tell of demand; below 0 where demand ran ahead of it (Wallström & Segerstedt 2010, scaled by
    the history's mean as by Petropoulos & Kourentzes 2015). Unlike a bias it tells early errors from late ones.

    Examples
    --------
    >>> told = np.ones((1, 2), dtype=bool)
    >>> periods_in_stock(np.array([[4.0, 2.0]]), np.array([[2.0, 2.0]]), told, np.array([2.0])).tolist()
    [1.0]
    """
    held = np.cumsum(np.where(used, forecast - actual, 0.0), axis=1)
    return np.asarray(_mean(held, used) / level)


def quantile_loss(
    quantiles: Float[np.ndarray, "series horizon level"], actual: Values, levels: tuple[float, ...]
) -> Float[np.ndarray, "series horizon level"]:
    """Give twice the pinball loss, 2 (y − q) τ above the quantile and 2 (q − y) (1 − τ) below; at 0.5 it is |y − q|.

    Examples
    --------
    >>> quantile_loss(np.array([[[2.0, 5.0]]]), np.array([[4.0]]), (0.5, 0.9)).round(3).tolist()
    [[[2.0, 0.2]]]
    """
    off = actual[:, :, None] - quantiles
    tau = np.array(levels)
    return np.asarray(2.0 * np.maximum(tau * off, (tau - 1.0) * off))


def scaled_quantile_loss(
    quantiles: Float[np.ndarray, "series horizon level"],
    actual: Values,
    used: Used,
    levels: tuple[float, ...],
    scale: Each,
) -> Each:
    """Give the mean quantile loss over levels and periods, over ``scale``, the mean absolute seasonal step."""
    return np.asarray(_mean(quantile_loss(quantiles, actual, levels).mean(axis=2), used) / scale)


def weighted_quantile_loss(
    quantiles: Float[np.ndarray, "series horizon level"], actual: Values, used: Used, levels: tuple[float, ...]
) -> float:
    """Give 2 Σ pinball loss / Σ actual over all series, as a mean over levels; NaN where nothing was sold.

    Examples
    --------
    >>> round(weighted_quantile_loss(np.array([[[2.0, 5.0]]]), np.array([[4.0]]), np.ones((1, 1), dtype=bool),
    ...                              (0.5, 0.9)), 3)
    0.275
    """
    sold = float(actual[used].sum())
    lost = float(quantile_loss(quantiles, actual, levels).mean(axis=2)[used].sum())
    return lost / sold if sold > 0 else float("nan")


def forecast_value_added(loss: float, naive: float) -> float:
    """Give 1 − loss / loss of the naive forecast: the share of its loss that is saved; NaN where it loses nothing.

    Examples
    --------
    >>> forecast_value_added(3.0, 4.0), forecast_value_added(5.0, 4.0)
    (0.25, -0.25)
    """
    return 1.0 - loss / naive if naive > 0 else float("nan")


def coverage(quantile: Values, actual: Values, used: Used) -> Each:
    """Give the share of periods whose demand did not exceed the quantile."""
    return _mean((actual <= quantile).astype(float), used)


def naive_scales(
    values: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], season: int
) -> Scales:
    """Give what the errors after a history are divided by.

    Where a history never steps, its mean stands in, and 1 where that is 0 too.
    """

    def steps(lag: int) -> tuple[np.ndarray, np.ndarray]:
        if values.shape[1] <= lag:
            return np.zeros((len(values), 1)), np.zeros((len(values), 1), dtype=bool)
        return values[:, lag:] - values[:, :-lag], used[:, lag:] & used[:, :-lag]

    level = np.nan_to_num(_mean(values, used), nan=0.0)
    level = np.where(level > 0, level, 1.0)
    step, both = steps(1)
    squared = np.sqrt(np.nan_to_num(_mean(step**2, both), nan=0.0))
    step, both = steps(season)
    absolute = np.nan_to_num(_mean(np.abs(step), both), nan=0.0)
    return Scales(np.where(squared > 0, squared, level), np.where(absolute > 0, absolute, level), level)
