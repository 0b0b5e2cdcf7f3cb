"""``lightgbm``: one model of all series, direct in every step ahead, with a distribution from its own errors."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import SeriesAxis, Step, TimeAxis
from stockcast.demand import Ratios, SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.boosting import gpu
from stockcast.models.boosting import rows as rows_of
from stockcast.models.boosting.errors import LEAST, Courses, centred, filled, thinned
from stockcast.models.boosting.rows import CHUNK, Chunk, Features, told
from stockcast.models.boosting.trees import Predictor, Trees, train
from stockcast.models.history import ceiling
from stockcast.models.states import sampled
from stockcast.models.uncensor import ENOUGH, evidence
from stockcast.panel import Panel

WINDOWS = 8  # earlier windows whose errors are kept, a season apart
BETWEEN: dict[Step, int] = {"day": 7, "week": 1}
SERIES = 4_000  # whose errors are kept at most
AHEAD: dict[Step, int] = {"day": 28, "week": 8}  # steps that are learnt where no horizon is given
FEW = 500  # rows below which nothing is learnt
VARIATION = {"day": ("sd_112", "mean_112"), "week": ("sd_26", "mean_26")}
ROOM = 0.25  # of the memory of this machine that the rows may take


@final
class Boosting(Forecaster):
    r"""Gradient boosting of trees over all series, by LightGBM (Ke et al. 2017), as the winners of M5 used it.

    A row is a series, an origin and a step h; its target is demand over the level of its series,
    :math:`y_{o+h} / s_o`, with the level as its weight, under a Tweedie loss of power 1.1. It is direct: no forecast is
    fed back. Its distribution is that of whole courses of ratios :math:`y_{o+h} / \hat y_{o+h}` over the latest windows
    that an earlier model had not seen, of series of a like level and variation (:class:`stockcast.demand.Ratios`).

    Parameters
    ----------
    horizon
        Steps that are learnt; a forecast beyond reads the farthest of them in turn.
    """

    name: ClassVar[str] = "lightgbm"
    pooled: ClassVar[bool] = True

    def __init__(self, horizon: int | None = None) -> None:
        self.horizon = horizon

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Tell which series have 14 days or 8 weeks of evidence, if there is enough to learn from and to judge by."""
        used, early = np.zeros(len(panel.series), dtype=np.int64), np.zeros(len(panel.series), dtype=np.int64)
        held = self._held_out(panel)[2]
        for rows in panel.chunks(CHUNK):
            there = told(panel.take(rows))[1]
            used[rows], early[rows] = there.sum(axis=1), there[:, : max(0, panel.time.n - held)].sum(axis=1)
        able = used >= ENOUGH[panel.time.step]
        return np.asarray(able & (early[able].sum() >= FEW))

    def _held_out(self, panel: Panel) -> tuple[int, int, int]:
        """Give the steps that are learnt, the windows whose errors are kept, and the periods that these lie in."""
        step = panel.time.step
        horizon = min(self.horizon or AHEAD[step], max(1, panel.time.n // 4))
        windows = int(np.clip((panel.time.n // 3 - horizon) // BETWEEN[step] + 1, 1, WINDOWS))
        return horizon, windows, horizon + BETWEEN[step] * (windows - 1)

    def fit(self, panel: Panel, *, seed: int) -> "FittedBoosting":
        """Learn from all series; where next to nothing is told (:meth:`can_fit`), each is forecast by its level."""
        horizon, windows, held = self._held_out(panel)
        features = Features.of(panel)
        room = _room()
        taken = rows_of.take(panel, features, horizon, room, seed=seed)
        late = np.flatnonzero(taken.target >= panel.time.n - held)
        if len(taken.y) - len(late) < FEW // 2 or not len(late) or not taken.y.max(initial=0.0) > 0:
            return FittedBoosting(panel.series, features, None, horizon, _nothing(horizon), 1.0)
        early, final_trees = train(taken.x, taken.y, taken.scale, late, list(taken.categorical), seed)
        notes = _told(len(taken.y), taken.offered, room)
        del taken
        courses, bias = _courses(panel, features, early, horizon, windows, seed)
        return FittedBoosting(panel.series, features, final_trees, horizon, courses, bias, notes)


@final
@dataclass(frozen=True, slots=True)
class FittedBoosting(FittedForecaster):
    """The trees, the features that they read, and the errors of those before them."""

    series: SeriesAxis
    features: Features
    trees: Trees | None
    horizon: int
    courses: Courses
    bias: float
    told: tuple[str, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """Say what was sampled, and what it was computed on where something else was asked for."""
        return self.told

    def texts(self) -> Mapping[str, str]:
        """Give the trees, as LightGBM writes them; :mod:`stockcast.models.boosting.stored` reads them."""
        return {} if self.trees is None else {"lightgbm.txt": self.trees.text}

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Forecast by the trees; series for which nothing was learnt by their level."""
        self.series.require(panel.series, "fitted model and panel")
        n = len(panel.series)
        mean, place, cap = np.zeros((n, horizon)), np.zeros((n, 2)), np.zeros(n)
        features = self.features.seen_from(panel)
        trees = None if self.trees is None else self.trees.load()
        for rows in panel.chunks(CHUNK):
            part = panel.take(rows)
            chunk = features.chunk(part, horizon)
            mean[rows], place[rows] = _means(chunk, trees, panel.time, horizon, self.horizon)
            found = evidence(part)
            cap[rows] = ceiling(found.values, found.used)
        near = self.courses.near(place, panel.series.keys)
        turns = np.arange(horizon) % self.courses.ratios.shape[1]
        pool = self.courses.ratios[:, turns]
        mean = np.minimum(self.bias * mean, cap[:, None])
        source = Ratios(mean / centred(pool, near), pool, near, cap)
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)


def _means(
    chunk: Chunk, trees: Predictor | None, until: TimeAxis, horizon: int, learnt: int
) -> tuple[Float[np.ndarray, "series horizon"], Float[np.ndarray, "series 2"]]:
    """Forecast some series, and say where they stand among errors: log level in units, and log variation.

    Parameters
    ----------
    until
        The periods known; the last one is the origin.
    learnt
        The steps that the trees have learnt.
    """
    n, origin, block = len(chunk.demand), until.n - 1, chunk.block
    scale = np.nan_to_num(chunk.scale[:, origin], nan=0.0)  # nothing sold, nothing forecast
    mean = np.repeat(scale[:, None], horizon, axis=1)
    if trees is not None:
        s, h = np.repeat(np.arange(n), horizon), np.tile(np.arange(1, horizon + 1), n)
        mean *= trees(chunk.read(s, np.full(len(s), origin), h, learnt)).reshape(n, horizon)
    sd, level = (block.values[block.names.index(name), :, origin].astype(float) for name in VARIATION[until.step])
    variation = np.nan_to_num(sd, nan=1.0) / np.maximum(np.nan_to_num(level, nan=1.0), LEAST)
    where = np.stack([np.log(np.maximum(mean.mean(axis=1), LEAST)), np.log(np.clip(variation, 0.01, 100.0))], axis=1)
    return mean, where


def _courses(
    panel: Panel, features: Features, early: Trees, horizon: int, windows: int, seed: int
) -> tuple[Courses, float]:
    """Hold the forecasts of a model that had not seen the latest windows against what came, window by window."""
    some = panel.take(thinned(panel.series.keys, SERIES, seed))
    ratios, places, keys, came_of, given_of = [], [], [], [], []
    trees = early.load()
    for rows in rows_of.in_order(some):
        part = some.take(rows)
        chunk = features.chunk(part, 0)
        for window in range(windows):
            known = panel.time.n - horizon - window * BETWEEN[panel.time.step]
            mean, place = _means(chunk, trees, panel.time.until(known), horizon, horizon)
            there = chunk.used[:, known : known + horizon]
            came = np.where(there, chunk.demand[:, known : known + horizon], 0.0)
            fine = (there.sum(axis=1) >= max(1, horizon // 2)) & (mean.min(axis=1) > LEAST)
            came_of.append(came[fine].sum(axis=1))
            given_of.append(np.where(there, mean, 0.0)[fine].sum(axis=1))
            ratios.append(filled(np.where(there, came / np.maximum(mean, LEAST), np.nan)[fine]))
            places.append(place[fine])
            keys.append(part.series.keys[fine])
    key, place, ratio = np.concatenate(keys), np.concatenate(places), np.concatenate(ratios)
    if not len(key):
        return _nothing(horizon), 1.0
    order = np.argsort(key, kind="stable")
    # added up exactly: in whatever order, and whoever else is there
    total, given = (math.fsum(np.concatenate(parts).tolist()) for parts in (came_of, given_of))
    bias = float(np.sqrt(np.clip(total / max(given, LEAST), 0.8, 1.25))) if total > 0 else 1.0
    return Courses(ratio[order], place[order], key[order]), bias


def _nothing(horizon: int) -> Courses:
    return Courses(np.ones((1, horizon)), np.zeros((1, 2)), np.zeros(1, dtype=np.uint64))


def _told(rows: int, offered: int, room: int) -> tuple[str, ...]:
    """Say in sentences what was not as one might think."""
    out = []
    if offered > room:
        why = "a quarter of the memory holds no more" if room < rows_of.MOST else "a sample is enough"
        out.append(f"lightgbm learnt from {rows:,} of {offered:,} rows: {why}")
    return (*out, *filter(None, [gpu.note()]))


def _room() -> int:
    """Give how many rows this machine has room for: each takes its features, their bins, and a copy for a while."""
    bytes_of_row = 120 * (4 + 4 + 1)
    have = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 2**33
    return int(min(rows_of.MOST, ROOM * have / bytes_of_row))
