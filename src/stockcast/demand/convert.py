"""From quantiles of single periods to joint paths: with a dependence that is stated, never silently assumed."""

import numpy as np
from jaxtyping import Float

from stockcast.core.errors import UsageError
from stockcast.core.random import Stream
from stockcast.demand.forecast import QuantileForecast, SampledForecast
from stockcast.demand.sources import Marginals


def to_paths(
    forecast: QuantileForecast, *, correlation: float | Float[np.ndarray, " series"], stream: Stream, n_paths: int
) -> SampledForecast:
    """Join the quantiles of each period by a Gaussian copula with one shared factor.

    Between two levels the quantile runs straight; beyond the outermost ones it stays where it is (the tail law): give
    levels as far out as the service level that orders depend on.

    Parameters
    ----------
    correlation
        ρ, the correlation of the normal scores of any two periods, 0 to 1: of all series, or one each.

    Raises
    ------
    UsageError
        If there are fewer than two levels, or a correlation lies outside 0 to 1.

    Examples
    --------
    >>> from stockcast.core.axes import SeriesAxis, TimeAxis
    >>> axis, time = SeriesAxis(np.array(["a"]), np.array(["x"])), TimeAxis(np.datetime64("2026-01-01"), 2, "day")
    >>> values = np.array([[[0.0, 10.0], [0.0, 10.0]]])
    >>> given = QuantileForecast(axis, time, (0.1, 0.9), values, np.full((1, 2), 5.0))
    >>> tied = to_paths(given, correlation=1.0, stream=Stream(7, "paths"), n_paths=100).paths()
    >>> bool((tied[0, :, 0] == tied[0, :, 1]).all())
    True
    """
    rho = np.broadcast_to(np.asarray(correlation, dtype=float), (len(forecast.series),)).copy()
    if len(forecast.levels) < 2 or not ((rho >= 0) & (rho <= 1)).all():
        raise UsageError(
            f"no joint paths from {len(forecast.levels)} quantile levels and a correlation of {correlation}",
            code="SC-M005",
            help="give two levels or more, and a correlation between 0 and 1",
        )
    source = Marginals(np.array(forecast.levels), forecast.values, rho)
    return SampledForecast(forecast.series, forecast.time, source, stream, n_paths)
