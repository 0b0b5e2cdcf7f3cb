"""What all models have in common that learn from all series at once: what they read, and in which order."""

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.models.history import ABSURD
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel


def told(panel: Panel) -> tuple[Float[np.ndarray, "series time"], Bool[np.ndarray, "series time"]]:
    """Give demand in units, and where it is told: nothing of a series with absurd sales, so that it changes no other.

    Examples
    --------
    >>> from stockcast.core.axes import SeriesAxis, TimeAxis
    >>> from stockcast.panel import Attributes, KnownFuture
    >>> axis = SeriesAxis(np.array(["a", "b"]), np.array(["x", "x"]))
    >>> time, none = TimeAxis(np.datetime64("2026-01-01"), 1, "day"), np.full((2, 1), np.nan)
    >>> sales, there = np.array([[3.0], [1e20]]), np.ones((2, 1))
    >>> known, more = KnownFuture(time, none, none, 1), Attributes(axis, {})
    >>> told(Panel(axis, time, sales, there > 0, there, known, more))[1].tolist()
    [[True], [False]]
    """
    found = evidence(panel)
    sound = np.asarray((np.where(found.used, found.values, 0.0) < ABSURD).all(axis=1))
    return found.values, found.used & sound[:, None]


def in_order(panel: Panel, rows: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
    """Give rows in the order of their series' keys: the same series come in the same order, whoever else is there."""
    return rows[np.argsort(panel.series.keys[rows], kind="stable")]
