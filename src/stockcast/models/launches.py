"""How items start: demand by age against what it settles at, learnt from the launches of the past."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import Step, TimeAxis
from stockcast.models.history import ABSURD, mean_of
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

WEEKS = 13  # of age that the curve spans; from then on demand has settled
SHRUNK = 10.0  # launches that weigh as much as what is expected without them
AFTER: dict[Step, int] = {"day": 28, "week": 4}  # periods without a record that tell a launch from where a panel begins
LIMITS = (0.1, 5.0)
CHUNK = 1024


@final
@dataclass(frozen=True, slots=True)
class Curves:
    """The launch curve of each category by week of age; the first row, named '', is of all together.

    Examples
    --------
    >>> curves = Curves(np.array([""]), np.array([[0.5] * 7 + [1.0] * 6]))
    >>> curves.at(np.array([""]), np.array([[-1, 0, 3, 48, 91, 500]]), 7).round(2).tolist()
    [[0.0, 0.5, 0.5, 0.71, 1.0, 1.0]]
    """

    category: np.ndarray
    curve: Float[np.ndarray, "category week"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, category=self.category, curve=self.curve)

    def at(
        self, category: np.ndarray, age: Int[np.ndarray, "series time"], week: int
    ) -> Float[np.ndarray, "series time"]:
        """Give the share of settled demand at some ages in periods, ``week`` of them a week; 0 before the launch.

        Between the middles of two weeks the curve is straight; after the last week it is 1.
        """
        row = np.minimum(np.searchsorted(self.category, category), len(self.category) - 1)
        row = np.where(self.category[row] == category, row, 0)
        knots = np.append(self.curve[row], np.ones((len(row), 1)), axis=1)
        place = np.clip((np.maximum(age, 0) + 0.5) / week - 0.5, 0.0, WEEKS)
        left = np.minimum(place.astype(np.int64), WEEKS - 1)
        low, high = (np.take_along_axis(knots, at, axis=1) for at in (left, left + 1))
        return np.where(age < 0, 0.0, low + (place - left) * (high - low))


def launches(panel: Panel) -> Int[np.ndarray, " series"]:
    """Give the period of each series' launch: its ``launch_date``, or its first record where that is earlier.

    Without a date it is the first record; where there is none either, the period after the origin. A date may lie
    ahead. A record of nothing sold before the date is no launch.
    """
    first = panel.first
    dated = dates(panel, "launch_date")
    told = ~np.isnat(dated)
    at = np.where(told, panel.time.index(np.where(told, dated, panel.time.start)), first)
    early = np.flatnonzero(told & (at > first))
    sold = (panel.sales[early] > 0) & panel.observed[early]
    at[early] = np.where(sold.any(axis=1), np.minimum(sold.argmax(axis=1), at[early]), at[early])
    return np.asarray(at, dtype=np.int64)


def dates(panel: Panel, name: str) -> np.ndarray:
    """Read a column of attributes as dates; what is no ISO date is not known."""
    distinct, at = np.unique(panel.attributes.column(name), return_inverse=True)
    return np.array([_date(text) for text in distinct.tolist()], dtype="datetime64[D]")[at]


def _date(text: str) -> np.datetime64:
    try:
        return np.datetime64(text or "NaT", "D")
    except ValueError:
        return np.datetime64("NaT", "D")


def week_of(time: TimeAxis) -> int:
    """Give the number of periods in a week."""
    return 7 // time.days


def learn_curves(panel: Panel, launched: Int[np.ndarray, " series"]) -> Curves:
    """Learn how items start, from series whose launch lies well inside the panel and which have settled since.

    For series i with mean m[i] over as many periods as the curve spans, from its end on::

        curve[week] = Σ y[i, t] / (1 + m[i])  over  Σ m[i] / (1 + m[i])        over the periods with evidence

    so that a fast seller counts hardly more than a slow one, and a slow one by its units. A series whose launch is only
    known by its first sale tells nothing of that first period, which is one with a sale by choice. Each curve is shrunk
    towards that of all series, and that towards 1.

    Parameters
    ----------
    launched
        The period of each series' launch.
    """
    week, names = week_of(panel.time), panel.attributes.column("category")
    span = WEEKS * week
    dated = ~np.isnat(dates(panel, "launch_date"))
    inside = (launched >= AFTER[panel.time.step]) & (launched + span + 4 * week <= panel.time.n)
    rows = np.flatnonzero(inside)
    categories = np.unique(np.concatenate([[""], names]))
    sold, expected, count = (np.zeros((len(categories), WEEKS)) for _ in range(3))
    ages = np.arange(2 * span)
    for begin in range(0, len(rows), CHUNK):
        some = rows[begin : begin + CHUNK]
        told = evidence(panel.take(some))
        at = launched[some, None] + ages
        held = at < panel.time.n
        at = np.where(held, at, 0)
        values, used = (np.take_along_axis(array, at, axis=1) for array in (told.values, told.used))
        used = used & held
        used[:, 0] &= dated[some]
        later = used[:, span:].sum(axis=1)
        settled = mean_of(np.where(used[:, span:], values[:, span:], 0.0), later)
        most = np.where(used, values, 0.0).max(axis=1)
        fine = (later >= 4 * week) & (settled > 0) & (most < ABSURD) & used[:, :span].any(axis=1)
        for one, row in zip(np.flatnonzero(fine).tolist(), some[fine].tolist(), strict=True):
            # one after the other: no bit of a sum depends on where a chunk ends
            m, early = settled[one], used[one, :span].reshape(WEEKS, week)
            units = np.where(early, values[one, :span].reshape(WEEKS, week), 0.0).sum(axis=1) / (1.0 + m)
            for into in {0, int(np.searchsorted(categories, names[row]))}:
                sold[into] += units
                expected[into] += early.sum(axis=1) * m / (1.0 + m)
                count[into] += early.any(axis=1) * m / (1.0 + m)
    ratio = np.divide(sold, expected, out=np.ones_like(sold), where=expected > 0)
    of_all = (count[0] * ratio[0] + SHRUNK) / (count[0] + SHRUNK)
    curve = (count * ratio + SHRUNK * of_all) / (count + SHRUNK)
    curve[0] = of_all
    return Curves(categories, np.clip(_smooth(curve), *LIMITS))


def _smooth(curve: Float[np.ndarray, "category week"]) -> Float[np.ndarray, "category week"]:
    """Weigh each week with its neighbours by 1 : 2 : 1; after the last one comes 1, before the first one itself."""
    padded = np.concatenate([curve[:, :1], curve, np.ones((len(curve), 1))], axis=1)
    return np.asarray((padded[:, :-2] + 2.0 * padded[:, 1:-1] + padded[:, 2:]) / 4.0)
