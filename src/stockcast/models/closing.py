"""Closed days: whatever a model says, a place sells nothing in a period that its calendar closes."""

import numpy as np
from jaxtyping import Bool

from stockcast.demand import Coursed, PathSource
from stockcast.models.states import assemble, caps
from stockcast.panel import Panel


def closed_ahead(panel: Panel, horizon: int) -> Bool[np.ndarray, "series horizon"]:
    """Tell in which of the periods after the origin the place of each series is closed."""
    calendar = panel.known.calendar
    if calendar is None:
        return np.zeros((len(panel.series), horizon), dtype=bool)
    return calendar.closed(panel.series.location, panel.time.n, horizon)


def closing(source: PathSource, panel: Panel, horizon: int) -> PathSource:
    """Lead the paths of series whose place closes to exactly 0 there; the others stay as they are, to the byte."""
    shut = closed_ahead(panel, horizon)
    some, rest = np.flatnonzero(shut.any(axis=1)), np.flatnonzero(~shut.any(axis=1))
    if not len(some):
        return source
    course, n = (~shut[some]).astype(float), len(panel.series)
    led = Coursed(source.take(some), course, np.zeros(len(some)), caps(source, n)[some])
    return led if not len(rest) else assemble(n, [(rest, source.take(rest)), (some, led)])
