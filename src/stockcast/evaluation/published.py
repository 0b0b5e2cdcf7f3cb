"""A forecast as it is published and judged: in whole units where sales are, and as wide as it has to be."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from stockcast.demand import Adjusted, SampledForecast
from stockcast.models.history import ceiling
from stockcast.models.states import caps
from stockcast.models.uncensor import ENOUGH, evidence
from stockcast.panel import Panel

CHUNK = 1024


def published(
    demand: SampledForecast,
    past: Panel,
    shared: Float[np.ndarray, " series"] | None = None,
    single: Float[np.ndarray, " series"] | None = None,
) -> SampledForecast:
    """Give the forecast of a model as it is published.

    Parameters
    ----------
    past
        The panel that it was made from.
    shared, single
        The widths of a calibration (:class:`stockcast.demand.Adjusted`); none when left out.
    """
    none = np.zeros(len(past.series))
    source = Adjusted(
        demand.source, none if shared is None else shared, none if single is None else single, in_whole(past),
        ceilings(past, caps(demand.source, len(past.series))),
    )  # fmt: skip
    return replace(demand, source=source)


def in_whole(panel: Panel) -> Bool[np.ndarray, " series"]:
    """Tell which series are sold in whole units: all that was ever recorded of them is."""
    out = np.ones(len(panel.series), dtype=bool)
    for rows in panel.chunks(CHUNK):
        sold = panel.sales[rows[0] : rows[-1] + 1]
        out[rows] = (np.floor(sold) == sold).all(axis=1)
    return out


def ceilings(panel: Panel, given: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
    """Give the largest value that a forecast of one period may take (:func:`stockcast.models.history.ceiling`).

    A history that is too short to forecast from is too short to be a bound: there the ceiling is not below that of the
    source, ``given``, which comes from other series.
    """
    out = np.empty(len(panel.series))
    for rows in panel.chunks(CHUNK):
        told = evidence(panel.take(rows))
        out[rows] = ceiling(told.values, told.used)
        short = (told.used.sum(axis=1) < ENOUGH[panel.time.step]) & np.isfinite(given[rows])
        out[rows] = np.where(short, np.maximum(out[rows], given[rows]), out[rows])
    return out
