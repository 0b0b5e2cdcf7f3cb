"""The distribution of future demand behind one face: quantiles for each period, or joint sample paths."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import AlignmentError, DataError, UsageError
from stockcast.core.random import Stream
from stockcast.demand.lead_time import LeadTimeDemand
from stockcast.demand.sources import PathSource

CHUNK = 256  # series whose paths are held at once: 256 × 500 × 28 doubles are 29 MB


class DemandForecast(ABC):
    """What future demand may be, by series and future period; ``time`` begins in the period after the origin."""

    series: SeriesAxis
    time: TimeAxis

    @property
    def horizon(self) -> int:
        """Give the number of future periods."""
        return self.time.n

    @property
    def origin(self) -> np.datetime64:
        """Give the last period that the forecast knew."""
        return self.time.date(-1)

    @abstractmethod
    def mean(self) -> Float[np.ndarray, "series horizon"]:
        """Give the expected demand of each period."""

    @abstractmethod
    def quantile(self, level: float) -> Float[np.ndarray, "series horizon"]:
        """Give the level-quantile of each period's demand."""

    @abstractmethod
    def lead_time_demand(self, periods: Int[np.ndarray, " series"]) -> LeadTimeDemand:
        """Give the distribution of demand summed over the first ``periods`` periods."""

    @abstractmethod
    def take(self, rows: np.ndarray) -> "DemandForecast":
        """Give the forecast of some series, by ascending row."""


@final
@dataclass(frozen=True, slots=True)
class QuantileForecast(DemandForecast):
    """Quantiles for each period by itself; it says nothing of how the periods hang together.

    Parameters
    ----------
    levels
        Ascending probabilities.
    values
        Finite, ≥ 0, not decreasing along the levels.
    means
        The expected demand of each period.

    Raises
    ------
    DataError
        If the values are not finite, negative, or cross.
    """

    series: SeriesAxis
    time: TimeAxis
    levels: tuple[float, ...]
    values: Float[np.ndarray, "series horizon level"]
    means: Float[np.ndarray, "series horizon"]

    def __post_init__(self) -> None:
        """Check the invariants and freeze."""
        if self.values.shape != (len(self.series), self.time.n, len(self.levels)):
            raise AlignmentError(f"quantiles have shape {self.values.shape}")
        if self.means.shape != self.values.shape[:2]:
            raise AlignmentError(f"means have shape {self.means.shape}")
        fine = np.isfinite(self.values).all() and (self.values >= 0).all() and np.isfinite(self.means).all()
        if not fine or (np.diff(self.values, axis=2) < 0).any():
            raise DataError("quantiles must be finite, not negative and not decreasing", code="SC-M001")
        freeze(self, values=self.values, means=self.means)

    def mean(self) -> Float[np.ndarray, "series horizon"]:
        """Give the expected demand of each period."""
        return self.means

    def quantile(self, level: float) -> Float[np.ndarray, "series horizon"]:
        """Give one of the stored levels."""
        near = [at for at, known in enumerate(self.levels) if abs(known - level) < 1e-9]
        if not near:
            raise UsageError(f"no quantile of level {level:g} is stored", details=[f"stored: {self.levels}"])
        return self.values[:, :, near[0]]

    def lead_time_demand(self, periods: Int[np.ndarray, " series"]) -> LeadTimeDemand:
        """Raise: quantiles don't add (rule 7).

        Raises
        ------
        UsageError
            Always; it names the conversion.
        """
        raise UsageError(
            "quantiles of single periods do not add up to quantiles of their sum",
            code="SC-M002",
            details=["for Poisson(3) over 4 periods the 95 % quantiles add to 24; that of the sum is 18"],
            help="state a dependence: demand.convert.to_paths(forecast, correlation=…, stream=…)",
        )

    def take(self, rows: np.ndarray) -> "QuantileForecast":
        """Give the forecast of some series."""
        return QuantileForecast(self.series.take(rows), self.time, self.levels, self.values[rows], self.means[rows])


@final
@dataclass(frozen=True, slots=True)
class SampledForecast(DemandForecast):
    """Joint sample paths of demand, drawn by chunk from a source and a named stream: never all at once.

    The same source, stream and number of paths give the same bytes for any chunking and order of series (rule 9).
    """

    series: SeriesAxis
    time: TimeAxis
    source: PathSource
    stream: Stream
    n_paths: int

    def paths(self, rows: np.ndarray | None = None) -> Float[np.ndarray, "series path horizon"]:
        """Draw the joint paths of some series (all of them when ``rows`` is left out), finite and ≥ 0."""
        rows = np.arange(len(self.series)) if rows is None else rows
        return self.source.draw(rows, self.series.keys[rows], self.stream, self.n_paths, self.horizon)

    def chunks(self) -> Iterator[np.ndarray]:
        """Give the rows of consecutive chunks that fit in memory."""
        for begin in range(0, len(self.series), CHUNK):
            yield np.arange(begin, min(begin + CHUNK, len(self.series)))

    def summary(
        self, levels: Sequence[float]
    ) -> tuple[Float[np.ndarray, "series horizon"], Float[np.ndarray, "series horizon level"]]:
        """Give means and quantiles of each period in one pass over the paths.

        The quantile is the smallest drawn value d with P(D ≤ d) ≥ level.
        """
        mean = np.empty((len(self.series), self.horizon))
        values = np.empty((len(self.series), self.horizon, len(levels)))
        ranks = np.clip(np.ceil(np.array(levels) * self.n_paths - 1e-9).astype(int) - 1, 0, self.n_paths - 1)
        for rows in self.chunks():
            paths = self.paths(rows)
            mean[rows] = paths.mean(axis=1)
            paths.sort(axis=1)
            values[rows] = paths[:, ranks, :].transpose(0, 2, 1)
        return mean, values

    def mean(self) -> Float[np.ndarray, "series horizon"]:
        """Give the mean of the paths."""
        return self.summary(())[0]

    def quantile(self, level: float) -> Float[np.ndarray, "series horizon"]:
        """Give the level-quantile of the paths of each period."""
        return self.summary((level,))[1][:, :, 0]

    def lead_time_demand(self, periods: Int[np.ndarray, " series"]) -> LeadTimeDemand:
        """Add the paths up over the first ``periods`` periods of each series."""
        if (periods > self.horizon).any() or (periods < 0).any():
            raise UsageError(f"lead-time demand over {periods.max()} periods, the horizon is {self.horizon}")
        samples = np.empty((len(self.series), self.n_paths))
        for rows in self.chunks():
            inside = np.arange(self.horizon)[None, :] < periods[rows][:, None]
            samples[rows] = np.einsum("sph,sh->sp", self.paths(rows), inside.astype(float))
        return LeadTimeDemand(self.series, samples, periods)

    def take(self, rows: np.ndarray) -> "SampledForecast":
        """Give the forecast of some series; their paths stay the same."""
        return SampledForecast(self.series.take(rows), self.time, self.source.take(rows), self.stream, self.n_paths)
