"""What is expected of a series without a history: the recent demand of its category."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import Step
from stockcast.demand import Innovations
from stockcast.models.analogues import Analogues, learn_analogues
from stockcast.models.history import CEILING, POOL, latest, mean_of
from stockcast.models.states import innovations
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

CHUNK = 1024  # series read at once
RECENT: dict[Step, int] = {"day": 28, "week": 8}


@final
@dataclass(frozen=True, slots=True)
class Profile:
    """The recent demand of each category; the first row, named '', is all series together.

    Parameters
    ----------
    category
        Names, sorted.
    level
        The mean demand of a period, over the category's series that have a history.
    pool
        Single recent values, spread evenly over those series.
    quiet
        Periods since anything of the category was sold.
    analogues
        Of the series with a short history, where they have any.
    """

    category: np.ndarray
    level: Float[np.ndarray, " category"]
    pool: Float[np.ndarray, "category pool"]
    count: np.ndarray
    quiet: Int[np.ndarray, " category"]
    analogues: Analogues | None

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, category=self.category, level=self.level, pool=self.pool, count=self.count, quiet=self.quiet)

    def _at(self, panel: Panel) -> Int[np.ndarray, " series"]:
        """Give the place of each series' category, that of all series where it is not known."""
        names = panel.attributes.column("category")
        at = np.minimum(np.searchsorted(self.category, names), len(self.category) - 1)
        return np.where(self.category[at] == names, at, 0)

    def quiet_of(self, panel: Panel) -> Int[np.ndarray, " series"]:
        """Give the periods since anything of each series' category was sold."""
        return self.quiet[self._at(panel)]

    def source(self, panel: Panel) -> Innovations:
        """Give the states of a panel's series, by their category; by all series where it is not known."""
        at = self._at(panel)
        inside = np.arange(self.pool.shape[1]) < self.count[at, None]
        return innovations(
            len(at),
            level=self.level[at],
            errors=np.where(inside, self.pool[at] - self.level[at, None], 0.0),
            n_errors=np.maximum(self.count[at], 1),
            cap=CEILING * np.maximum(self.pool[at].max(axis=1), 1.0),
        )


def _recent(panel: Panel) -> tuple[Float[np.ndarray, "series recent"], np.ndarray, np.ndarray]:
    """Give the latest evidence of every series, chunk by chunk: the rest of a long history is never held twice.

    With it come how much there is, and the periods since the last sale.
    """
    size = RECENT[panel.time.step]
    silent = np.full(len(panel.series), panel.time.n)
    recent, count = np.zeros((len(panel.series), size)), np.zeros(len(panel.series), dtype=np.int64)
    for rows in panel.chunks(CHUNK):
        told = evidence(panel, slice(rows[0], rows[-1] + 1))
        values, count[rows] = latest(told.values, told.used, size)
        recent[rows, : values.shape[1]] = values
        sold = told.used & (told.values > 0)
        silent[rows] = np.where(sold.any(axis=1), sold[:, ::-1].argmax(axis=1), panel.time.n)
    return recent, count, silent


def profile(panel: Panel) -> Profile:
    """Learn the demand of each category from the recent evidence of its series."""
    recent, count, silent = _recent(panel)
    names = panel.attributes.column("category")
    categories = np.unique(np.concatenate([[""], names]))
    level, size = np.zeros(len(categories)), np.zeros(len(categories), dtype=np.int64)
    pool, quiet = np.zeros((len(categories), POOL)), np.full(len(categories), panel.time.n)
    for at, category in enumerate(categories):
        rows = np.flatnonzero((count > 0) & ((names == category) | (category == "")))
        quiet[at] = silent[rows].min(initial=panel.time.n)
        if not len(rows):
            level[at], size[at], pool[at] = level[0], size[0], pool[0]
            continue
        inside = np.arange(recent.shape[1]) < count[rows, None]
        values = recent[rows][inside]
        pick = np.unique(np.linspace(0, len(values) - 1, min(POOL, len(values))).astype(np.int64))
        size[at] = len(pick)
        pool[at, : len(pick)] = values[pick]
        level[at] = mean_of(pool[at : at + 1], size[at : at + 1])[0]
    return Profile(categories, level, pool, size, quiet, learn_analogues(panel, count))
