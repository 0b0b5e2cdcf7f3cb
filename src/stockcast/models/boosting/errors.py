"""A distribution from what came of earlier forecasts: courses of ratios, and which of them are near a series."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream

NEIGHBOURS = 160  # courses that a series draws from, of all series
OWN = 5  # times that each of a series' own courses counts beside them
WIDTHS = (0.5, 0.2)  # of log level and log variation: what counts as one step apart
LEAST = 1e-9


@final
@dataclass(frozen=True, slots=True)
class Courses:
    """What came over what was forecast, for whole windows that the model had not seen.

    Parameters
    ----------
    ratios
        Of each course, one a step; holes are filled with other ratios of the same course.
    place
        The log of the level that was forecast, in units, and the log of the series' variation then.
    key
        The series that a course is of.
    """

    ratios: Float[np.ndarray, "course horizon"]
    place: Float[np.ndarray, "course two"]
    key: np.ndarray

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, ratios=self.ratios, place=self.place, key=self.key)

    def near(self, place: Float[np.ndarray, "series two"], keys: np.ndarray) -> Int[np.ndarray, "series neighbour"]:
        """Give the courses that each series draws from: the nearest of all series, and more often its own.

        Nearness is that of the level in units, on which the shape of a distribution of counts depends, and of the
        variation. A series without courses of its own draws from more neighbours.
        """
        from scipy.spatial import KDTree

        width = np.array(WIDTHS)
        k = min(NEIGHBOURS, len(self.place))
        tree = KDTree(self.place / width)
        found = tree.query(place / width, k=np.arange(1, k + 1))[1].reshape(len(place), k)
        mine: dict[int, list[int]] = {}
        for at, key in enumerate(self.key.tolist()):
            mine.setdefault(key, []).append(at)
        most = max((len(rows) for rows in mine.values()), default=0)
        own = np.empty((len(place), OWN * most), dtype=np.int64)
        for at, key in enumerate(keys.tolist()):
            rows = mine.get(key, found[at, : max(1, most)].tolist())
            own[at] = np.resize(np.array(rows), OWN * most)
        return np.concatenate([found, own], axis=1).astype(np.int32)


def filled(ratios: Float[np.ndarray, "course horizon"]) -> Float[np.ndarray, "course horizon"]:
    """Fill the holes (NaN) of each course with its other ratios in turn; 1 where there are none.

    Examples
    --------
    >>> filled(np.array([[0.5, np.nan, 2.0, np.nan]])).tolist()
    [[0.5, 0.5, 2.0, 2.0]]
    """
    out = ratios.copy()
    for row in out:
        hole = np.isnan(row)
        if hole.any():
            row[hole] = np.resize(row[~hole], int(hole.sum())) if not hole.all() else 1.0
    return out


def centred(
    pool: Float[np.ndarray, "course horizon"], near: Int[np.ndarray, "series neighbour"]
) -> Float[np.ndarray, "series horizon"]:
    """Give the mean ratio of each step over a series' neighbours, by which a mean is divided to stay what it is."""
    out = np.empty((len(near), pool.shape[1]))
    for begin in range(0, len(near), 256):
        out[begin : begin + 256] = pool[near[begin : begin + 256]].mean(axis=1)
    return np.clip(out, 0.25, 4.0)


def thinned(keys: np.ndarray, most: int, seed: int) -> Int[np.ndarray, " row"]:
    """Choose up to ``most`` series whose courses are kept, by their keys."""
    if len(keys) <= most:
        return np.arange(len(keys))
    drawn = Stream(seed, "boosting/courses").uniform(keys, (1,))[:, 0]
    return np.sort(np.argsort(drawn, kind="stable")[:most])
