"""A distribution from whole courses of the past: a forest says which earlier windows were like tonight's."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Float32, Int, UInt64

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream
from stockcast.models.boosting.trees import Trees, grown
from stockcast.models.boosting.windows import Windows

TREES = 40  # for each of what they are grown to tell apart
GROWN = ((4, -1), (2, -1), (1, 1))  # the first quarter, the first half or all of the window; how evenly, how unevenly
EVENLY = 0.7  # that the spread within a window counts beside what came in it
EACH = 4  # windows that a series draws from a leaf
KEPT = 300  # of these draws, once they are weighed
STEEP = 2.0  # how far draws are weighed at most: λ times the standard deviation of the sums
LEAST = 1e-9


@final
@dataclass(frozen=True, slots=True)
class Forest:
    """Trees over windows of the past, the leaf that each window lies in, and what came in it.

    Parameters
    ----------
    trees
        One model of trees for each of ``GROWN``.
    leaves
        Of every window in every tree.
    courses
        Demand over the scale at the window's origin.
    """

    trees: tuple[Trees, ...]
    leaves: Int[np.ndarray, "window tree"]
    courses: Float32[np.ndarray, "window learnt"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, leaves=self.leaves, courses=self.courses)

    @classmethod
    def grow(cls, windows: Windows, seed: int) -> "Forest":
        r"""Grow trees that tell apart windows by how much came in them, and how evenly.

        With m the mean of the first part of a window and d the standard deviation of the whole, they are grown for
        :math:`\sqrt m - 0.7 \sqrt d` and :math:`\sqrt m + 0.7 \sqrt d`. Over its scale every series sells about 1:
        trees for the mean alone would put one that sells daily beside one that sells now and then, and give it zeros.

        Raises
        ------
        RuntimeError
            If LightGBM fails, in its words.
        """
        learnt, codes = windows.courses.shape[1], list(windows.categorical)
        uneven = EVENLY * np.sqrt(windows.courses.std(axis=1))
        parts = [(np.sqrt(windows.courses[:, : max(1, learnt // part)].mean(axis=1)), sign) for part, sign in GROWN]
        trees = tuple(
            grown(windows.x, root + sign * uneven, codes, TREES, seed + at) for at, (root, sign) in enumerate(parts)
        )
        return cls(trees, _leaves(trees, windows.x), windows.courses)

    def near(
        self, asked: Float32[np.ndarray, "series feature"], keys: UInt64[np.ndarray, " series"], seed: int
    ) -> tuple[Int[np.ndarray, "series draw"], Float[np.ndarray, " series"]]:
        r"""Draw windows that are like tonight's, and give the mean of what came in such ones, over the window.

        A window k counts for a series i by the share of its leaf, over all trees b (quantile regression forests,
        Meinshausen 2006):

        .. math:: w_{ik} = \frac1B \sum_b \frac{1[k \in L_b(i)]}{|L_b(i)|}

        From each leaf ``EACH`` windows are drawn, evenly over the leaf; the mean is that of all its windows.
        """
        leaves, total = _leaves(self.trees, asked), self.courses.sum(axis=1, dtype=np.float64)
        count = leaves.shape[1]
        drawn = Stream(seed, "boosting/near").uniform(keys, (count * EACH,))
        near, mean = np.empty((len(asked), count * EACH), dtype=np.int32), np.zeros(len(asked))
        for tree in range(count):
            order = np.argsort(self.leaves[:, tree], kind="stable")
            ordered = self.leaves[order, tree]
            begin, end = (np.searchsorted(ordered, leaves[:, tree], side) for side in ("left", "right"))
            running = np.concatenate([[0.0], np.cumsum(total[order])])
            mean += (running[end] - running[begin]) / np.maximum(end - begin, 1) / count
            some = slice(tree * EACH, (tree + 1) * EACH)
            place = (np.arange(EACH) + drawn[:, some]) / EACH * (end - begin)[:, None]
            near[:, some] = order[begin[:, None] + np.minimum(place.astype(np.int64), (end - begin - 1)[:, None])]
        return near, mean


def _leaves(trees: tuple[Trees, ...], x: np.ndarray) -> Int[np.ndarray, "row tree"]:
    return np.concatenate([each.leaves(x) for each in trees], axis=1)


def weighed(
    near: Int[np.ndarray, "series draw"],
    total: Float[np.ndarray, " window"],
    wanted: Float[np.ndarray, " series"],
) -> Int[np.ndarray, "series kept"]:
    r"""Draw again among the draws, so that their mean total comes as near to the wanted one as fits.

    The weights are :math:`e^{\lambda z}` of the standardised totals z (exponential tilting: of all distributions with
    that mean the nearest to the old one), with :math:`|\lambda|` at most ``STEEP``. It makes what is likely more
    likely, and leaves what can come as it is: a series that may have ended keeps its zeros and its sales.

    Examples
    --------
    >>> kept = weighed(np.array([[0, 1]]), np.array([0.0, 4.0]), np.array([3.0]))
    >>> round(float(np.array([0.0, 4.0])[kept].mean()), 1)
    3.0
    """
    totals = total[near]
    mean = totals.mean(axis=1, keepdims=True)
    spread = np.maximum(totals.std(axis=1, keepdims=True), LEAST)
    z = (totals - mean) / spread
    aim = ((wanted[:, None] - mean) / spread)[:, 0]
    low, high = np.full(len(near), -STEEP), np.full(len(near), STEEP)
    for _ in range(30):
        steep = (low + high) / 2
        weight = _weights(steep, z)
        less = (weight * z).sum(axis=1) < aim
        low, high = np.where(less, steep, low), np.where(less, high, steep)
    order = np.argsort(totals, axis=1, kind="stable")  # even draws along the totals
    running = np.cumsum(np.take_along_axis(_weights((low + high) / 2, z), order, axis=1), axis=1)
    middle = (np.arange(KEPT) + 0.5) / KEPT
    place = np.stack([np.searchsorted(row, middle) for row in running / running[:, -1:]])
    return np.take_along_axis(near, np.take_along_axis(order, np.minimum(place, near.shape[1] - 1), axis=1), axis=1)


def _weights(steep: Float[np.ndarray, " series"], z: Float[np.ndarray, "series draw"]) -> np.ndarray:
    power = steep[:, None] * z
    weight = np.exp(power - power.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True)


def centred(
    pool: Float[np.ndarray, "course horizon"], near: Int[np.ndarray, "series draw"]
) -> Float[np.ndarray, "series horizon"]:
    """Give the mean of each step over a series' draws, by which a mean is divided to stay what it is."""
    out = np.empty((len(near), pool.shape[1]))
    for begin in range(0, len(near), 256):
        out[begin : begin + 256] = pool[near[begin : begin + 256]].mean(axis=1, dtype=np.float64)
    return out
