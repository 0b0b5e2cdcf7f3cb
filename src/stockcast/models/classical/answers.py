"""From the answers of single series to the source of all: means, responses, and recent errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.demand import Responses
from stockcast.models.classical.window import LONGEST, Window
from stockcast.models.history import ceiling, pool_of
from stockcast.models.uncensor import Evidence
from stockcast.panel import Panel


@final
@dataclass(frozen=True, slots=True)
class Linear:
    """What a linear model says of one series' future, in units of its window's scale.

    Parameters
    ----------
    mean, response
        As in :class:`~stockcast.demand.Responses`.
    errors
        The one-step errors of the window, each standardised and then multiplied by the model's σ, so that one after a
        gap is no larger than others.
    """

    mean: Float[np.ndarray, " horizon"]
    response: Float[np.ndarray, " horizon"]
    errors: Float[np.ndarray, " time"]


def level_of(window: Window) -> float:
    """Give the value of a flat window; 0 where there is none."""
    used = window.used
    return float(window.values[used][-1]) if used.any() else 0.0


def flat(window: Window, horizon: int) -> Linear:
    """Give the forecast of a window whose values are all alike."""
    response = np.zeros(horizon)
    response[:1] = 1.0
    return Linear(np.full(horizon, level_of(window)), response, np.zeros(len(window.values)))


def pooled(
    panel: Panel, windows: Sequence[Window], errors: Sequence[np.ndarray | None]
) -> tuple[Float[np.ndarray, "series pool"], Int[np.ndarray, " series"]]:
    """Give the latest settled errors of each series, in units of demand, as a pool to draw from."""
    size = min(LONGEST[panel.time.step], panel.time.n)
    values, kept = np.zeros((len(windows), size)), np.zeros((len(windows), size), dtype=bool)
    for row, (one, mine) in enumerate(zip(windows, errors, strict=True)):
        if mine is not None:
            settled, mine = one.settled[-size:], mine[-size:]
            values[row, size - len(mine) :] = np.where(settled, mine, 0.0) * one.scale
            kept[row, size - len(mine) :] = settled
    return pool_of(values, kept)


def responses(
    panel: Panel, told: Evidence, windows: Sequence[Window], answers: Sequence[Linear | None], horizon: int
) -> Responses:
    """Put the answers together; a series without one gets a mean of NaN."""
    mean, response = np.full((len(answers), horizon), np.nan), np.zeros((len(answers), horizon))
    for row, (one, answer) in enumerate(zip(windows, answers, strict=True)):
        if answer is not None:
            mean[row], response[row] = answer.mean * one.scale, answer.response
    pool, count = pooled(panel, windows, [None if answer is None else answer.errors for answer in answers])
    return Responses(mean, response, pool, count, ceiling(told.values, told.used))
