"""Windows of the past: what was known at an earlier origin, and the whole course of demand that followed it."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float32, Int

from stockcast.core.axes import Step
from stockcast.core.random import Stream
from stockcast.models.boosting.rows import Chunk, Features, Halves, by_key, first_origin, in_order
from stockcast.models.boosting.trees import Means
from stockcast.models.ranks import filled
from stockcast.panel import Panel

SEASON: dict[Step, int] = {"day": 7, "week": 1}  # windows begin in the same place of the week as tonight's
MOST = 60_000  # windows
STEPS = 4  # steps ahead that a window's level is forecast at


@final
@dataclass(frozen=True, slots=True)
class Windows:
    """Earlier origins, what was known there, and what came.

    Parameters
    ----------
    x
        Features in the middle of the window, and last the level that models forecast which had not seen it.
    courses
        Demand over the scale at the origin, step by step.
    categorical
        Columns of ``x`` that are codes.
    """

    x: Float32[np.ndarray, "window feature"]
    courses: Float32[np.ndarray, "window learnt"]
    categorical: tuple[int, ...]


def asked(
    chunk: Chunk,
    s: Int[np.ndarray, " row"],
    o: Int[np.ndarray, " row"],
    learnt: int,
    means: tuple[Means, ...],
    which: Int[np.ndarray, " row"] | None = None,
) -> Float32[np.ndarray, "row feature"]:
    """Give what a window is known by at its origin: features in its middle, and its level as forecast.

    Parameters
    ----------
    s, o
        Row of the chunk and origin of each window.
    learnt
        The length of windows.
    means
        Models of the mean.
    which
        The model that forecasts the level of each window; the mean of all of them when left out.
    """
    steps = np.unique(np.linspace(1, learnt, min(learnt, STEPS) + 2).astype(np.int64)[1:-1])
    level = np.zeros(len(s))
    for step in steps.tolist():
        x = chunk.read(s, o, np.full(len(s), step), learnt)
        given = np.stack([mean(x) for mean in means])
        level += given.mean(axis=0) if which is None else given[which, np.arange(len(s))]
    x = chunk.read(s, o, np.full(len(s), max(1, learnt // 2)), learnt)
    return np.column_stack([x, (level / len(steps)).astype(np.float32)])


def look_back(
    panel: Panel, features: Features, learnt: int, halves: Halves, means: tuple[Means, Means], *, seed: int
) -> Windows:
    """Give the earlier windows at least half of which tells of demand; a sample of them where there are many.

    Parameters
    ----------
    learnt
        The length of windows.
    halves, means
        The halves of the past, and of each half the model that did not learn from it.

    Raises
    ------
    RuntimeError
        If there is none: without courses of the past a forecast would have no distribution.
    """
    begin, season = first_origin(panel.time.n), SEASON[panel.time.step]
    origins = np.arange(
        panel.time.n - 1 - season * ((panel.time.n - 1 - begin) // season), panel.time.n - learnt, season
    )
    share, stream = MOST / max(1, len(origins) * len(panel.series)), Stream(seed, "boosting/windows")
    xs, courses = [], []
    codes: tuple[int, ...] = ()
    for rows in in_order(panel):
        part = panel.take(rows)
        chunk = features.chunk(part, 0)
        drawn = stream.uniform(part.series.keys, (len(origins),))
        s, at = np.nonzero((drawn < share) & np.isfinite(chunk.scale[:, origins]))
        o = origins[at]
        window = o[:, None] + 1 + np.arange(learnt)
        there = chunk.used[s[:, None], window]
        fine = np.flatnonzero(there.sum(axis=1) >= max(1, (learnt + 1) // 2))
        fine = fine[by_key(part, s[fine])]
        if not len(fine):
            continue
        s, o, window, there = s[fine], o[fine], window[fine], there[fine]
        over = chunk.demand[s[:, None], window] / chunk.scale[s, o][:, None]
        courses.append(filled(over, there).astype(np.float32))
        xs.append(asked(chunk, s, o, learnt, means, halves.of(o + 1 + learnt // 2)))
        codes = chunk.categorical
    if not xs:
        raise RuntimeError(f"no {learnt} periods in a row at least half of which tell of demand")
    return Windows(np.concatenate(xs), np.concatenate(courses), codes)


def places(horizon: int, learnt: int, shift: int, season: int) -> Int[np.ndarray, " horizon"]:
    """Give which step of a course each step ahead reads: the same place of the season, the last such beyond its end.

    Parameters
    ----------
    shift
        Periods that tonight's origin lies after a place of the season that windows begin at.

    Examples
    --------
    >>> places(9, 7, 0, 7).tolist(), places(5, 4, 1, 2).tolist()
    ([0, 1, 2, 3, 4, 5, 6, 0, 1], [1, 2, 3, 2, 3])
    """
    at = np.arange(horizon) + shift
    if learnt < season:
        return at % learnt
    over = np.maximum(at - learnt + 1, 0)
    return at - season * (-(-over // season))
