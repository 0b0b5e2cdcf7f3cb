"""``lightgbm``: boosted trees over all series, direct in every step ahead, and courses of the past around them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import SeriesAxis, Step
from stockcast.demand import Ratios, SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.boosting import gpu
from stockcast.models.boosting import rows as rows_of
from stockcast.models.boosting.forest import LEAST, Forest, centred, weighed
from stockcast.models.boosting.pair import Pair, absolute, relative
from stockcast.models.boosting.rows import CHUNK, Chunk, Features, Halves
from stockcast.models.boosting.trees import Means
from stockcast.models.boosting.windows import SEASON, asked, look_back, places
from stockcast.models.history import ceiling
from stockcast.models.pooled import told
from stockcast.models.states import sampled
from stockcast.models.uncensor import ENOUGH, evidence
from stockcast.panel import Panel

AHEAD: dict[Step, int] = {"day": 28, "week": 8}  # steps that are learnt where no horizon is given
FEW = 500  # rows below which nothing is learnt
ROOM = 0.25  # of the memory of this machine that the rows may take
BOOSTED = 0.5  # of a series' level that comes from boosting, the rest from the forest
BYTES = 120 * (4 + 4 + 1)  # of a row: its features, their bins, and a copy for a while
FARTHEST = 5.0  # times that the one level may be moved to the other


@final
class Boosting(Forecaster):
    r"""Gradient boosting of trees over all series, by LightGBM (Ke et al. 2017), as the winners of M5 used it.

    A row is a series, an origin and a step h. It is direct: no forecast is fed back. The mean is that of two models
    (:class:`~stockcast.models.boosting.pair.Pair`) under a Tweedie loss. Its distribution is that of whole courses of
    demand after earlier origins which were like tonight's, as a forest tells
    (:class:`~stockcast.models.boosting.forest.Forest`): periods hang together, and sums are as wide, as they were.
    A window of the past is known by its features and by a level that was forecast without having seen it.

    The paths have the shape over time of the boosted mean; their level is ``BOOSTED`` that of the boosted mean and for
    the rest that of the courses. The first knows best what is sold, the second by how much that can go wrong.

    Parameters
    ----------
    horizon
        Steps that are learnt; a forecast beyond reads the last ones of them in turn.
    """

    name: ClassVar[str] = "lightgbm"
    pooled: ClassVar[bool] = True

    def __init__(self, horizon: int | None = None) -> None:
        self.horizon = horizon

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Tell which series have 14 days or 8 weeks of evidence, if each half of the past has enough to learn from."""
        halves = Halves.cut(panel.time.n, self._learnt(panel))
        half = halves.of(np.arange(panel.time.n))
        used, of_half = np.zeros(len(panel.series), dtype=np.int64), np.zeros((len(panel.series), 2), dtype=np.int64)
        for rows in panel.chunks(CHUNK):
            there = told(panel.take(rows))[1]
            used[rows] = there.sum(axis=1)
            of_half[rows] = np.stack([there[:, half == one].sum(axis=1) for one in (0, 1)], axis=1)
        able = used >= ENOUGH[panel.time.step]
        return np.asarray(able & (of_half[able].sum(axis=0).min() >= FEW // 2))

    def _learnt(self, panel: Panel) -> int:
        return min(self.horizon or AHEAD[panel.time.step], max(1, panel.time.n // 4))

    def fit(self, panel: Panel, *, seed: int) -> "FittedBoosting":
        """Learn from all series; where next to nothing is told (:meth:`can_fit`), each is forecast by its level."""
        learnt = self._learnt(panel)
        features, room = Features.of(panel), _room()
        taken = rows_of.take(panel, features, learnt, room, seed=seed)
        halves = Halves.cut(panel.time.n, learnt)
        first, second = (np.flatnonzero(halves.of(taken.target) == half) for half in (0, 1))
        if min(len(first), len(second)) < FEW // 4 or min(taken.y[first].max(), taken.y[second].max()) <= 0:
            return FittedBoosting(panel.series, panel.time.n, panel.time.step, features, learnt, None, None, None)
        # each has not seen the half that the other one learns from
        crossed = Pair(relative(taken, second, seed), absolute(taken, first, seed))
        every = np.arange(len(taken.y))
        pair = Pair(relative(taken, every, seed), absolute(taken, every, seed))
        notes = _told(len(taken.y), taken.offered, room)
        del taken
        windows = look_back(panel, features, learnt, halves, crossed.load(), seed=seed)
        forest = Forest.grow(windows, seed)
        return FittedBoosting(
            panel.series, panel.time.n, panel.time.step, features, learnt, pair, crossed, forest, notes
        )


@final
@dataclass(frozen=True, slots=True)
class FittedBoosting(FittedForecaster):
    """The trees, the features that they read, and the windows of the past.

    Parameters
    ----------
    n, step
        Periods of the history that was learnt from, and what they are.
    learnt
        Steps ahead that were learnt.
    pair, crossed
        The models of the mean; those of all rows, and those that each learnt from a half.
    forest
        The windows of the past.
    """

    series: SeriesAxis
    n: int
    step: Step
    features: Features
    learnt: int
    pair: Pair | None
    crossed: Pair | None
    forest: Forest | None
    told: tuple[str, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """Say what was sampled, and what it was computed on where something else was asked for."""
        return self.told

    def texts(self) -> Mapping[str, str]:
        """Give the trees, as LightGBM writes them; :mod:`stockcast.models.boosting.stored` reads them."""
        return {} if self.pair is None else self.pair.texts()

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Forecast by the trees; series for which nothing was learnt by their level."""
        self.series.require(panel.series, "fitted model and panel")
        n = len(panel.series)
        mean, scale, cap, known_by = np.zeros((n, horizon)), np.zeros(n), np.zeros(n), []
        features = self.features.seen_from(panel)
        means = () if self.pair is None else self.pair.load()
        crossed = () if self.crossed is None else self.crossed.load()
        origin = panel.time.n - 1
        # windows begin on one weekday, and look like it: what tonight is known by is read on the latest such day
        shift = (panel.time.n - self.n) % SEASON[panel.time.step]
        for rows in panel.chunks(CHUNK):
            part = panel.take(rows)
            chunk = features.chunk(part, max(horizon, self.learnt))
            scale[rows] = np.nan_to_num(chunk.scale[:, origin], nan=0.0)  # nothing sold, nothing forecast
            mean[rows] = scale[rows, None] * _ratios(chunk, means, origin, horizon, self.learnt)
            found = evidence(part)
            cap[rows] = ceiling(found.values, found.used)
            if self.forest is not None:
                latest = np.full(len(rows), max(0, origin - shift))
                known_by.append(asked(chunk, np.arange(len(rows)), latest, self.learnt, crossed))
        mean = np.minimum(mean, cap[:, None])
        if self.forest is None:
            source = Ratios(mean, np.ones((1, horizon)), np.zeros((n, 1), dtype=np.int32), cap)
        else:
            source = self._around(mean, scale, np.concatenate(known_by), cap, panel.series, shift, seed)
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)

    def _around(
        self,
        mean: np.ndarray,
        scale: np.ndarray,
        known_by: np.ndarray,
        cap: np.ndarray,
        series: SeriesAxis,
        shift: int,
        seed: int,
    ) -> Ratios:
        """Put courses of the past around the mean."""
        assert self.forest is not None
        horizon, season = mean.shape[1], SEASON[self.step]
        near, total = self.forest.near(known_by, series.keys, seed)
        within = slice(0, min(horizon, self.learnt))
        # of what the shape says of a part of the window, where the horizon ends before it
        boosted = mean[:, within].sum(axis=1) * self.learnt / (within.stop or 1)
        level = BOOSTED * boosted + (1.0 - BOOSTED) * total * scale
        total_of = self.forest.courses.sum(axis=1, dtype=np.float64)
        near = weighed(near, total_of, level / np.maximum(scale, LEAST))
        used, place = np.unique(near, return_inverse=True)
        pool = self.forest.courses[used][:, places(horizon, self.learnt, shift, season)]
        near = place.reshape(near.shape).astype(np.int32)
        moved = np.clip(level / np.maximum(boosted, LEAST), 1.0 / FARTHEST, FARTHEST)
        wanted = np.minimum(mean * moved[:, None], cap[:, None])
        drawn = scale[:, None] * centred(pool, near)
        factor = np.clip(wanted / np.maximum(drawn, LEAST), 1.0 / FARTHEST, FARTHEST)
        return Ratios(scale[:, None] * factor, pool.astype(np.float64), near, cap)


def _ratios(
    chunk: Chunk, means: tuple[Means, ...], origin: int, horizon: int, learnt: int
) -> Float[np.ndarray, "series horizon"]:
    """Forecast the sales of some series over their level, 1 where nothing was learnt."""
    n = len(chunk.demand)
    if not means:
        return np.ones((n, horizon))
    s, h = np.repeat(np.arange(n), horizon), np.tile(np.arange(1, horizon + 1), n)
    x = chunk.read(s, np.full(len(s), origin), h, learnt)
    ratios = np.stack([mean(x) for mean in means]).mean(axis=0).reshape(n, horizon)
    return np.where(np.isfinite(ratios), np.maximum(ratios, 0.0), 0.0)


def _told(rows: int, offered: int, room: int) -> tuple[str, ...]:
    """Say in sentences what was not as one might think."""
    out = []
    if offered > room:
        why = "a quarter of the memory holds no more" if room < rows_of.MOST else "a sample is enough"
        out.append(f"lightgbm learnt from {rows:,} of {offered:,} rows: {why}")
    return (*out, *filter(None, [gpu.note()]))


def foretold(panel: Panel) -> str:
    """Say before anything is learnt that there is no room for all rows, and how many there is room for; '' where it is.

    It is the budget of a panel's own fit. The fits of a backtest have at most as many rows.
    """
    count, times = rows_of.offered(panel, min(AHEAD[panel.time.step], max(1, panel.time.n // 4)))
    room = _room()
    if count * times <= room:
        return ""
    why = "a quarter of the memory holds no more" if room < rows_of.MOST else "a sample is enough"
    gigabytes = room * BYTES / 2**30
    return f"lightgbm will learn from about {room:,} of {count * times:,} rows, {gigabytes:.1f} GiB: {why}"


def _room() -> int:
    """Give how many rows this machine has room for."""
    have = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 2**33
    return int(min(rows_of.MOST, ROOM * have / BYTES))
