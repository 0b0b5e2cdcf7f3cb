"""The ends of a life: nothing is sold before a launch or after the end, and what has long not sold fades out."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import Step
from stockcast.demand import Coursed, PathSource
from stockcast.models.launches import dates, launches
from stockcast.models.states import assemble, caps
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel
from stockcast.panel.attributes import SELLS_NOTHING

SILENT: dict[Step, int] = {"day": 56, "week": 12}  # periods without a sale, below which nothing fades
TIMES, SHARE = 4.0, 0.95  # times this quantile of the intervals between its sales
GONE = 0.01  # share of the forecast below which it is nothing
CHUNK = 1024
ENDED, FADING, LAUNCH, NEVER = "ended", "fading", "launch", "sells_nothing"


@final
@dataclass(frozen=True, slots=True)
class Lives:
    """How each series' life bounds its forecast.

    Parameters
    ----------
    course
        The share of the forecast that is left in each period ahead.
    what
        ``ended``, ``fading``, ``launch``, ``sells_nothing``, or '' where nothing is changed.
    why
        In words.
    """

    course: Float[np.ndarray, "series horizon"]
    what: np.ndarray
    why: np.ndarray

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, course=self.course, what=self.what, why=self.why)


def lives(panel: Panel, horizon: int, quiet: Int[np.ndarray, " series"]) -> Lives:
    """Say which series are not on sale in the periods ahead, or have long not sold, and by how much less they sell.

    Nothing is sold before a ``launch_date`` (unless something was) or after the period of an ``end_date``. A series
    that told of no demand for s periods in stock, s above ``limit = max(56 days or 12 weeks, 4 × the 95 % quantile of
    the intervals between its sales, the longest of them)``, is left a share ``0.5 ** ((s + h − limit) / (limit / 4))``
    of its forecast h periods ahead; below a hundredth nothing. Where its category has been as quiet for half of that
    time, it is the category that does not sell, and nothing fades. Of a series with the attribute ``sells_nothing``,
    one at a warehouse, nothing is sold at all.

    Parameters
    ----------
    quiet
        Periods since anything of the series' category was sold.
    """
    n, ahead = len(panel.series), panel.time.n + np.arange(horizon)
    course, what, why = np.ones((n, horizon)), np.full(n, "", dtype=object), np.full(n, "", dtype=object)
    for row, silence, limit in _silent(panel, quiet):
        share = 0.5 ** ((silence + 1 + np.arange(horizon) - limit) / (limit / TIMES))
        course[row] = np.where(share < GONE, 0.0, share)
        what[row] = FADING
        why[row] = f"no sale in {silence} {panel.time.step}s of stock"
    launched, begins = launches(panel), dates(panel, "launch_date")
    for row in np.flatnonzero(~np.isnat(begins) & (launched >= panel.time.n)).tolist():
        course[row] = ahead >= launched[row]
        if launched[row] > panel.time.n:
            what[row], why[row] = LAUNCH, f"launch on {begins[row]}"
    _end(panel, horizon, course, what, why)
    for row in np.flatnonzero(panel.attributes.column(SELLS_NOTHING) != "").tolist():
        course[row], what[row] = 0.0, NEVER
        why[row] = f"nothing is sold at a {panel.attributes.column(SELLS_NOTHING)[row]}"
    return Lives(course, what.astype(np.str_), why.astype(np.str_))


def ends(panel: Panel, horizon: int) -> Lives:
    """Say only which series end: their ``end_date`` is known, whoever forecasts them."""
    n = len(panel.series)
    course, what, why = np.ones((n, horizon)), np.full(n, "", dtype=object), np.full(n, "", dtype=object)
    _end(panel, horizon, course, what, why)
    return Lives(course, what.astype(np.str_), why.astype(np.str_))


def _end(panel: Panel, horizon: int, course: np.ndarray, what: np.ndarray, why: np.ndarray) -> None:
    ahead, last_days = panel.time.n + np.arange(horizon), dates(panel, "end_date")
    for row in np.flatnonzero(~np.isnat(last_days)).tolist():
        last = int(panel.time.index(last_days[row : row + 1])[0])
        if horizon and last < int(ahead[-1]):
            course[row] *= ahead <= last
            what[row] = ENDED
            why[row] = f"{'ended' if last < panel.time.n else 'ends'} on {last_days[row]}"


def led(source: PathSource, life: Lives) -> PathSource:
    """Lead the paths of series whose life begins or ends along its course; the others stay as they are."""
    n, changed = len(life.what), life.what != ""
    if not changed.any():
        return source
    some, rest = np.flatnonzero(changed), np.flatnonzero(~changed)
    course = Coursed(source.take(some), life.course[some], np.zeros(len(some)), caps(source, n)[some])
    return assemble(n, [(rest, source.take(rest)), (some, course)])


def _silent(panel: Panel, quiet: Int[np.ndarray, " series"]) -> list[tuple[int, int, float]]:
    """Give the series that have long not sold: row, periods without a sale, and how many can be told from none."""
    least, out = SILENT[panel.time.step], []
    for rows in panel.chunks(CHUNK):
        told = evidence(panel, slice(rows[0], rows[-1] + 1))
        sold = told.used & (told.values > 0)
        late = ~sold[:, -least:].any(axis=1) & sold.any(axis=1)
        for one in np.flatnonzero(late).tolist():
            demand = np.flatnonzero(sold[one][told.used[one]])  # in periods that tell anything
            silence = int(told.used[one].sum() - 1 - demand[-1])
            between = np.sort(np.diff(demand))
            usual = float(between[int(np.ceil(SHARE * len(between))) - 1]) if len(between) else 0.0
            limit = max(float(least), TIMES * usual, float(between[-1]) if len(between) else 0.0)
            if silence > limit and quiet[rows[one]] < silence / 2:
                out.append((int(rows[one]), silence, limit))
    return out
