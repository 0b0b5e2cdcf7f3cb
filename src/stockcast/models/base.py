"""The forecaster's role: fit on a panel, then predict from one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from stockcast.demand import SampledForecast
from stockcast.panel import Panel


class FittedForecaster(ABC):
    """A forecaster that has learned; it holds no panel."""

    @abstractmethod
    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Forecast the ``horizon`` periods after the panel's origin, for the panel's series."""

    def trouble(self) -> np.ndarray | None:
        """Say of each series in words why it could not be fitted, '' where it could; None of a model that never says.

        A series with such a reason gets a forecast of NaN, which the ladder takes as a failure and tells.
        """
        return None

    def notes(self) -> tuple[str, ...]:
        """Say in sentences what a reader of the forecast should know of the fit; nothing where there is nothing."""
        return ()

    def texts(self) -> Mapping[str, str | bytes]:
        """Give what is worth keeping of the fit beside its forecast, by the name of a file; often nothing."""
        return {}


class Forecaster(ABC):
    """A way to forecast all series at once.

    Every forecaster keeps the contract of ``tests/contracts``: the same seed gives the same bytes; permuted or chunked
    series give the same forecasts; a poisoned series changes no other; nothing after the origin is read; what comes
    out is finite and ≥ 0, for a series of one period, of zeros, or constant, too.
    """

    name: ClassVar[str]
    counts_only: ClassVar[bool] = False  # refuses sales that are not in whole units
    pooled: ClassVar[bool] = False  # learns of one series from all others: it can do without analogues

    @abstractmethod
    def fit(self, panel: Panel, *, seed: int) -> FittedForecaster:
        """Learn from the history of all series."""

    @abstractmethod
    def can_fit(self, panel: Panel) -> np.ndarray:
        """Tell for each series whether its history suffices for this model (Bool, one a series)."""
