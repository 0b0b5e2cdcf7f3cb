"""Demand summed over a number of periods: the distribution that an order depends on."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis


@final
@dataclass(frozen=True, slots=True)
class LeadTimeDemand:
    """Samples of demand summed over the first ``periods`` periods of a forecast, one row a series.

    Examples
    --------
    >>> axis = SeriesAxis(np.array(["a"]), np.array(["x"]))
    >>> ltd = LeadTimeDemand(axis, np.array([[0.0, 2.0, 4.0, 6.0]]), np.array([3]))
    >>> ltd.mean().tolist(), ltd.quantile(0.5).tolist(), ltd.expected_shortage(np.array([4.0])).tolist()
    ([3.0], [2.0], [0.5])
    """

    series: SeriesAxis
    samples: Float[np.ndarray, "series path"]
    periods: Int[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, samples=self.samples, periods=self.periods)

    def mean(self) -> Float[np.ndarray, " series"]:
        """Give the expected demand over the periods."""
        return self.samples.mean(axis=1)

    def quantile(self, level: float | Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """Give the smallest demand d with P(D ≤ d) ≥ level."""
        ordered = np.sort(self.samples, axis=1)
        n = ordered.shape[1]
        rank = np.clip(np.ceil(np.asarray(level) * n - 1e-9).astype(np.int64) - 1, 0, n - 1)
        return np.take_along_axis(ordered, np.broadcast_to(rank, len(ordered))[:, None], axis=1)[:, 0]

    def expected_shortage(self, stock: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """Give E[(D − stock)⁺], the loss function."""
        return np.maximum(self.samples - stock[:, None], 0.0).mean(axis=1)

    def fill_rate(self, stock: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """Give the share of demand served from ``stock``; 1 where no demand is expected."""
        mean = self.mean()
        return 1.0 - np.divide(self.expected_shortage(stock), mean, out=np.zeros_like(mean), where=mean > 0)
