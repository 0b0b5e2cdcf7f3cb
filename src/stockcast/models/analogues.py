"""What is expected of a series with no history, or hardly any: the demand of items like it, led along a launch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis, Step, weekday
from stockcast.demand import Coursed
from stockcast.models.donors import Donors, gather_donors, level_at, predecessors
from stockcast.models.history import ABSURD, CEILING, spell_of
from stockcast.models.launches import AFTER, Curves, launches, learn_curves, week_of
from stockcast.models.similarity import NEAREST, SAMPLE, Likeness, Traits, learn, nearest, traits
from stockcast.models.states import innovations
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

NAMED = 3  # analogues that are told by name
TRUST = 10.0  # analogues whose spread weighs as much as the error that analogues made elsewhere
SPREAD = (0.2, 1.5)  # least and largest standard deviation of the logarithm of the level
ROUNDS = 5  # in which level and φ settle
UNITS = 10.0  # units a weekday that weigh as much as a week without a pattern
SHORT: dict[Step, int] = {"day": 14, "week": 8}  # periods of evidence below which a history does not stand alone


@final
@dataclass(frozen=True, slots=True)
class Analogues:
    """The analogues of every series of a panel that has too short a history, and what they let expect.

    Parameters
    ----------
    series
        Those that have analogues.
    level
        The mean demand of a period once it has settled.
    doubt
        The coefficient of variation of that level.
    launch
        The period of the launch; it may lie ahead.
    category, follows
        For the launch curve; a series that takes over from another has none.
    near, weight
        Places among the donors, and weights that add up to 1.
    cap
        The largest value of a single period.
    """

    series: SeriesAxis
    level: Float[np.ndarray, " series"]
    doubt: Float[np.ndarray, " series"]
    launch: Int[np.ndarray, " series"]
    category: np.ndarray
    follows: Bool[np.ndarray, " series"]
    near: Int[np.ndarray, "series near"]
    weight: Float[np.ndarray, "series near"]
    cap: Float[np.ndarray, " series"]
    donors: Donors
    curves: Curves

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}
        freeze(self, **{name: value for name, value in held.items() if isinstance(value, np.ndarray)})

    def rows(self, series: SeriesAxis) -> Int[np.ndarray, " series"]:
        """Give the place of each series here, −1 where it has no analogues."""
        return self.series.locate(series.sku, series.location)

    def source(self, panel: Panel, horizon: int) -> Coursed:
        """Give the paths of a panel's series, each of which has analogues.

        A path is ``g · level · curve(age) · w[weekday] · r``: g lognormal of mean 1 with ``doubt``, r drawn in spells
        from the analogues' recent values, each over its own mean.
        """
        rows = self.rows(panel.series)
        pattern = np.stack([_pattern(self.donors, self.near[row], self.weight[row]) for row in rows.tolist()])
        pools = [
            _ratios(self.donors, self.near[row], self.weight[row], pattern[at]) for at, row in enumerate(rows.tolist())
        ]
        size = np.array([len(pool) for pool in pools], dtype=np.int64)
        errors = np.zeros((len(rows), int(size.max(initial=1))))
        for at, pool in enumerate(pools):
            errors[at, : len(pool)] = pool - 1.0
        coming = panel.time.after(pattern.shape[1]).dates()
        order = weekday(coming) if pattern.shape[1] > 1 else np.zeros(1, dtype=np.int64)
        inner = innovations(
            len(rows),
            season=self.level[rows, None] * pattern[:, order],
            relative=np.ones(len(rows), dtype=bool),
            errors=errors,
            n_errors=size,
            block=spell_of(size),
        )
        age = panel.time.n + np.arange(horizon) - self.launch[rows, None]
        course = self._course(rows, age, week_of(panel.time))
        return Coursed(inner, course, self.doubt[rows], self.cap[rows])

    def _course(self, rows: np.ndarray, age: np.ndarray, week: int) -> np.ndarray:
        curve = self.curves.at(self.category[rows], age, week)
        return np.where(self.follows[rows, None], (age >= 0).astype(float), curve)

    def names(self, series: SeriesAxis) -> list[str]:
        """Name the first few analogues of each series, the nearest first; the place too where it is another one."""
        out = []
        for at, row in enumerate(self.rows(series).tolist()):
            order = np.argsort(-self.weight[row], kind="stable")[:NAMED]
            some = [self.near[row, one] for one in order.tolist() if self.weight[row, one] > 0]
            donors, here = self.donors.series, series.location[at]
            out.append(", ".join(
                donors.sku[one] if donors.location[one] == here else f"{donors.sku[one]} at {donors.location[one]}"
                for one in some
            ))  # fmt: skip
        return out


def _pattern(donors: Donors, near: np.ndarray, weight: np.ndarray) -> Float[np.ndarray, " weekday"]:
    """Give the factor of each weekday from Monday on, of mean 1: the analogues' own, shrunk where they sell little."""
    days = donors.values.shape[1] // donors.weeks
    if days == 1:
        return np.ones(1)
    held = weight > 0
    values, used = donors.values[near[held]].astype(float), donors.used[near[held]]
    count = used.reshape(len(values), -1, days).sum(axis=1)
    units = np.where(used, values, 0.0).reshape(len(values), -1, days).sum(axis=1)
    mean = np.where(count > 0, units / np.maximum(count, 1), donors.level[near[held], None])
    share = (weight[held, None] * mean / donors.level[near[held], None]).sum(axis=0)
    sure = units.sum() / days
    factor = (sure * share / share.mean() + UNITS) / (sure + UNITS)
    return np.asarray(factor / factor.mean())


def _ratios(donors: Donors, near: np.ndarray, weight: np.ndarray, pattern: np.ndarray) -> Float[np.ndarray, " pool"]:
    """Give the analogues' values over mean and weekday factor, more of those that weigh more; their mean is 1."""
    parts = []
    expected = np.tile(pattern, donors.values.shape[1] // len(pattern))
    for one, share in zip(near.tolist(), (weight / weight.max()).tolist(), strict=True):
        told = np.flatnonzero(donors.used[one])
        told = told[: int(np.ceil(share * len(told)))]
        parts.append(donors.values[one, told].astype(float) / (donors.level[one] * np.maximum(expected[told], 0.05)))
    pool = np.concatenate(parts)
    mean = pool.mean()
    return pool / mean if mean > 0 else np.ones(1)


def learn_analogues(panel: Panel, periods: Int[np.ndarray, " series"]) -> Analogues | None:
    """Find the analogues of each series with a short history; None where no series has any.

    First comes the item that names this one as its successor, then the same item at other locations, then up to
    ``NEAREST`` items that are alike in what tells of demand (:mod:`stockcast.models.similarity`).

    Parameters
    ----------
    periods
        Periods with evidence of each series, counted up to ``SHORT`` at least.
    """
    short = np.flatnonzero(periods < SHORT[panel.time.step])
    if not len(short):
        return None
    launched = launches(panel)
    before = predecessors(panel, short)
    donors, rows = gather_donors(panel, periods, launched, short, before)
    if not len(rows):
        return None
    known = traits(panel)
    general = np.flatnonzero(donors.general)
    sample = np.sort(general[np.argsort(donors.series.keys[general], kind="stable")[:SAMPLE]])
    likeness = learn(
        known, rows[sample], np.log(level_at(donors, sample, "")), launched[rows[sample]] >= AFTER[panel.time.step]
    )
    near, weight, sd, follows, share = _choose(panel, known, likeness, donors, rows, short, before)
    fine = np.flatnonzero(weight.any(axis=1))
    if not len(fine):
        return None
    short = short[fine]
    curves, category = learn_curves(panel, launched), panel.attributes.column("category")[short]
    made = Analogues(
        panel.series.take(short), np.zeros(len(short)), sd[fine], launched[short], category, follows[fine],
        near[fine], weight[fine], np.zeros(len(short)), donors, curves,
    )  # fmt: skip
    level, doubt, cap = _levels(panel.take(short), made, share[fine])
    return Analogues(
        made.series, level, doubt, made.launch, category, made.follows, made.near, made.weight, cap, donors, curves
    )


def _choose(
    panel: Panel,
    known: Traits,
    likeness: Likeness | None,
    donors: Donors,
    rows: Int[np.ndarray, " donor"],
    short: Int[np.ndarray, " short"],
    before: Sequence[np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Give each series' analogues and their weights, and how far they are to be trusted.

    That is the standard deviation of its log level; whether it takes over from another; and what newcomers sell of what
    their analogues do.
    """
    near, weight = np.zeros((len(short), NEAREST), dtype=np.int64), np.zeros((len(short), NEAREST))
    sd, follows, less = np.full(len(short), donors.sd), np.zeros(len(short), dtype=bool), np.ones(len(short))
    place = np.full(len(panel.series), -1)
    place[rows] = np.arange(len(rows))
    siblings: dict[int, list[int]] = {}
    for at in np.flatnonzero(donors.general).tolist():
        siblings.setdefault(int(known.sku[rows[at]]), []).append(at)
    left = []
    for at, row in enumerate(short.tolist()):
        some = place[before[at]]
        some = some[some >= 0]
        follows[at] = len(some) > 0
        if not len(some):
            some = np.array(siblings.get(int(known.sku[row]), []), dtype=np.int64)
        some = some[:NEAREST]
        if len(some):
            near[at, : len(some)], weight[at, : len(some)] = some, 1.0 / len(some)
        else:
            left.append(at)
    general = np.flatnonzero(donors.general)
    if left and likeness is not None and len(general):
        found, share = nearest(known, likeness, short[left], rows[general], donors.series.keys[general])
        near[left, : found.shape[1]], weight[left, : found.shape[1]] = general[found], share
        sd[left], less[left] = likeness.sd, likeness.newcomers
    return near, weight, sd, follows, less


def _levels(
    panel: Panel, made: Analogues, share: Float[np.ndarray, " series"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give level, doubt and cap of each series, from its analogues and then from what it has sold itself.

    The level of the analogues is a gamma prior of shape a = 1/cv² and mean m. With demands y of expected share c
    (launch curve × weekday) of the level, and φ = 1 + v · level the ratio of variance to mean, v from the analogues::

        level = (a + Σ y / φ) / (a / m + Σ c / φ)          cv = 1 / √(a + Σ y / φ)

    solved in turn for level and φ; which is the shrinkage n / (n + k) of a mean of n periods, k = a φ / m (Clayton &
    Kaldor 1987).
    """
    told, donors, n = evidence(panel), made.donors, len(panel.series)
    level, doubt, cap = np.zeros(n), np.zeros(n), np.zeros(n)
    age = np.arange(panel.time.n) - made.launch[:, None]
    day = weekday(panel.time.dates())
    for at in range(n):
        near, weight = made.near[at], made.weight[at]
        held = weight > 0
        near, weight = near[held], weight[held]
        levels = level_at(donors, near, str(panel.series.location[at])) * share[at]
        mean, logs = float((weight * levels).sum()), np.log(levels)
        own, many = float((weight * (logs - (weight * logs).sum()) ** 2).sum()), 1.0 / float((weight**2).sum())
        spread = np.sqrt((many * own + TRUST * made.doubt[at] ** 2) / (many + TRUST))
        shape = 1.0 / np.expm1(np.clip(spread, *SPREAD) ** 2)
        pattern = _pattern(donors, near, weight)
        ratios = _ratios(donors, near, weight, pattern)
        more = max(0.0, float(((ratios - 1.0) ** 2).mean()) - 1.0 / mean)  # than Poisson's distribution has
        used = np.flatnonzero(told.used[at])
        values = told.values[at, used]
        used, values = (used, values) if values.max(initial=0.0) < ABSURD else (used[:0], values[:0])
        curve = made._course(np.array([at]), age[at : at + 1, used], week_of(panel.time))[0]
        expected = np.maximum(curve, 0.05) * (pattern[day[used]] if len(pattern) > 1 else 1.0)
        level[at], shape_now = mean, shape
        for _ in range(ROUNDS):
            noise = 1.0 + more * level[at]
            shape_now = shape + float(values.sum()) / noise
            level[at] = shape_now / (shape / mean + float(expected.sum()) / noise)
        doubt[at] = 1.0 / np.sqrt(shape_now)
        largest = float((donors.most[near] * levels / donors.level[near]).max())
        cap[at] = CEILING * max(1.0, largest, values.max(initial=0.0))
    return level, doubt, cap
