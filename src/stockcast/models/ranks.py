"""How the periods of a forecast hang together: ranks of what came in earlier windows, as whole courses."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream

NEIGHBOURS = 120  # courses that a series draws from, of all series
OWN = 5  # times that each of a series' own courses counts beside them
WIDTHS = (0.5, 0.3)  # of log level and log spread: what counts as one step apart
LEAST = 1e-9


@final
@dataclass(frozen=True, slots=True)
class Ranks:
    """Where what came stood in what was forecast, for whole windows.

    Parameters
    ----------
    courses
        Of each window, the probability of each period's value, 0 to 1.
    place
        The log of the level that was forecast, and that of how widely it spread about it.
    key
        The series that a course is of.
    """

    courses: Float[np.ndarray, "course horizon"]
    place: Float[np.ndarray, "course two"]
    key: UInt64[np.ndarray, " course"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, courses=self.courses, place=self.place, key=self.key)

    def near(
        self, place: Float[np.ndarray, "series two"], keys: UInt64[np.ndarray, " series"]
    ) -> Int[np.ndarray, "series neighbour"]:
        """Give the courses that each series draws from: the nearest of all series, and more often its own."""
        from scipy.spatial import KDTree

        width = np.array(WIDTHS)
        k = min(NEIGHBOURS, len(self.place))
        found = KDTree(self.place / width).query(place / width, k=np.arange(1, k + 1))[1].reshape(len(place), k)
        mine: dict[int, list[int]] = {}
        for at, key in enumerate(self.key.tolist()):
            mine.setdefault(key, []).append(at)
        most = max(len(rows) for rows in mine.values())
        own = np.empty((len(place), OWN * most), dtype=np.int64)
        for at, key in enumerate(keys.tolist()):
            rows = mine.get(key, found[at, :most].tolist())
            own[at] = np.resize(np.array(rows), OWN * most)
        return np.concatenate([found, own], axis=1).astype(np.int32)


def independent(horizon: int, courses: int = 128) -> Ranks:
    """Give courses whose periods do not hang together, for where nothing is known of it."""
    keys = np.arange(courses, dtype=np.uint64)
    return Ranks(Stream(0, "ranks/independent").uniform(keys, (horizon,)), np.zeros((courses, 2)), keys)


def places(
    values: Float[np.ndarray, "series horizon level"], levels: Float[np.ndarray, " level"]
) -> Float[np.ndarray, "series 2"]:
    """Give where forecasts stand: the log of their level, and that of how widely they spread about it."""
    middle = values.mean(axis=(1, 2))
    low, high = np.searchsorted(levels, 0.25), min(int(np.searchsorted(levels, 0.95)), len(levels) - 1)
    spread = (values[:, :, high] - values[:, :, low]).mean(axis=1)
    wide = np.clip(spread / np.maximum(middle, LEAST), 0.01, 100.0)
    return np.stack([np.log(np.maximum(middle, LEAST)), np.log(wide)], axis=1)


def ranked(
    came: Float[np.ndarray, "series horizon"],
    values: Float[np.ndarray, "series horizon level"],
    levels: Float[np.ndarray, " level"],
    drawn: Float[np.ndarray, "series horizon"],
) -> Float[np.ndarray, "series horizon"]:
    r"""Give the probability that what was forecast falls below what came, at random where the two are equal.

    With F the distribution whose quantiles run straight between the levels,

    .. math:: u = F(y^-) + v\,(F(y) - F(y^-)), \qquad v \sim U(0, 1)

    (the randomised probability integral transform, Czado, Gneiting & Held 2009). Beyond the outermost levels it is
    drawn from what is left.

    Examples
    --------
    >>> values, levels = np.array([[[0.0, 0.0, 4.0]]] * 4), np.array([0.1, 0.5, 0.9])
    >>> ranked(np.array([[0.0], [2.0], [4.0], [9.0]]), values, levels, np.full((4, 1), 0.5)).round(3).tolist()
    [[0.25], [0.7], [0.95], [0.95]]
    """
    bottom, top = np.zeros(came.shape), np.ones(came.shape)
    n = len(levels)
    under = (values < came[:, :, None]).sum(axis=2)  # quantiles below what came
    up_to = (values <= came[:, :, None]).sum(axis=2)
    for bound, count in ((bottom, under), (top, up_to)):
        at = np.clip(count, 1, n - 1)
        left, right = (np.take_along_axis(values, at[:, :, None] + add, axis=2)[:, :, 0] for add in (-1, 0))
        share = np.clip((came - left) / np.maximum(right - left, 1e-300), 0.0, 1.0)
        between = levels[at - 1] + share * (levels[at] - levels[at - 1])
        inside = (count >= 1) & (count <= n - 1)
        bound[inside] = between[inside]
    bottom[under == n] = levels[-1]
    top[up_to == 0] = levels[0]
    bottom[under == 0], top[up_to == n] = 0.0, 1.0
    return bottom + drawn * np.maximum(top - bottom, 0.0)


def filled(
    courses: Float[np.ndarray, "course horizon"], there: Bool[np.ndarray, "course horizon"]
) -> Float[np.ndarray, "course horizon"]:
    """Fill the periods that tell nothing with the other values of their course, in turn; with 0.5 where none tells.

    Examples
    --------
    >>> filled(np.array([[0.5, 0.0, 0.9, 0.0]]), np.array([[True, False, True, False]])).tolist()
    [[0.5, 0.5, 0.9, 0.9]]
    """
    out = courses.copy()
    for row, known in zip(out, there, strict=True):
        if not known.all():
            row[~known] = np.resize(row[known], int((~known).sum())) if known.any() else 0.5
    return out
