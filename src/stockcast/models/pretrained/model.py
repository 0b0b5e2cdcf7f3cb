"""``chronos``: a network that was learnt elsewhere, as one more candidate; what is learnt here is how far it errs."""

import importlib.metadata
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis, Step
from stockcast.core.random import Stream
from stockcast.demand import Ranked, SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.catalogue import Pretrained
from stockcast.models.history import ceiling, constant, recent_quantiles
from stockcast.models.pooled import in_order, told
from stockcast.models.pretrained.folder import require
from stockcast.models.pretrained.tails import excesses, reached
from stockcast.models.ranks import Ranks, filled, independent, places, ranked
from stockcast.models.states import sampled
from stockcast.models.uncensor import ENOUGH, evidence
from stockcast.panel import Panel

if TYPE_CHECKING:  # it loads torch
    from stockcast.models.pretrained.network import Network

AHEAD: dict[Step, int] = {"day": 28, "week": 8}  # periods of the earlier windows that tell how the network errs
BETWEEN: dict[Step, int] = {"day": 7, "week": 1}
COURSES, KEPT = 4, 4_000  # earlier windows of each series, and of all
CHUNK = 512  # series read at once


@final
class Chronos(Forecaster):
    r"""Chronos (Ansari et al. 2024), pretrained: Chronos-Bolt or Chronos-2, from a folder of weights on this machine.

    It reads the demand of a series over its mean, a period that tells nothing as missing, as far back as the network
    does, and gives quantiles of the periods ahead. Earlier windows, which it forecasts as well, say what came beyond
    the outermost quantiles (:func:`~stockcast.models.pretrained.tails.reached`), and in the order of whose ranks paths
    put its quantiles (:class:`stockcast.demand.Ranked`). It knows of no price, promotion or calendar.

    Parameters
    ----------
    pretrained
        The folder and its hash.

    Raises
    ------
    UsageError
        If the folder cannot be used (SC-M008), or the extra ``pretrained`` is not installed (SC-M009).
    """

    name: ClassVar[str] = "chronos"
    pooled: ClassVar[bool] = True  # the errors of all series say how sure it is

    def __init__(self, pretrained: Pretrained | None = None) -> None:
        self.pretrained = require(pretrained)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for 14 days or 8 weeks of evidence."""
        return _able(panel)

    def fit(self, panel: Panel, *, seed: int) -> "FittedChronos":
        """Forecast earlier windows, and keep where what came stood in them."""
        from stockcast.models.pretrained.network import load

        network = load(self.pretrained)
        rows = in_order(panel, np.flatnonzero(_able(panel)))
        horizon = min(AHEAD[panel.time.step], max(1, panel.time.n // 4))
        least = ENOUGH[panel.time.step]
        between = BETWEEN[panel.time.step]
        count = int(np.clip((panel.time.n - horizon - least) // between + 1, 0, COURSES))
        courses, place, keys, beyond = [], [], [], []
        for window in range(count):
            known = panel.time.n - horizon - window * between
            some = rows[: KEPT // count]
            past = _read(panel, some, known)
            values = _forecast(network, past, horizon)
            came, there = past.later(horizon)
            fine = (there.sum(axis=1) >= max(1, horizon // 2)) & (past.used.sum(axis=1) >= least)
            fine &= np.isfinite(values).all(axis=(1, 2))
            values[~fine] = 0.0
            key = panel.series.keys[some]
            drawn = Stream(seed, f"chronos/ranks/{window}").uniform(key, (horizon,))
            courses.append(filled(ranked(came, values, network.levels, drawn), there)[fine])
            place.append(places(values, network.levels)[fine])
            keys.append(key[fine])
            beyond.append((excesses(came, values, there) / past.scale[:, None])[fine])
        if sum(len(one) for one in keys):
            ranks = Ranks(np.concatenate(courses), np.concatenate(place), np.concatenate(keys))
            return FittedChronos(panel.series, self.pretrained, ranks, np.concatenate(beyond))
        ranks = independent(horizon)
        return FittedChronos(panel.series, self.pretrained, ranks, np.zeros(ranks.courses.shape))


@final
@dataclass(frozen=True, slots=True)
class FittedChronos(FittedForecaster):
    """Where what came in earlier windows stood in the forecasts of the network, and how far beyond them it lay."""

    series: SeriesAxis
    pretrained: Pretrained
    ranks: Ranks
    beyond: Float[np.ndarray, "course horizon"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, beyond=self.beyond)

    def notes(self) -> tuple[str, ...]:
        """Say which weights forecast, and what loaded them."""
        version = importlib.metadata.version("chronos-forecasting")
        return (f"chronos: the weights {self.pretrained.sha256[:12]}, loaded by chronos-forecasting {version}",)

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Forecast by the network; what has too little evidence by the quantiles of its own past."""
        from stockcast.models.pretrained.network import load

        self.series.require(panel.series, "fitted model and panel")
        network, able = load(self.pretrained), _able(panel)
        n, own = len(panel.series), network.levels
        values, cap, scale = np.zeros((n, horizon, len(own))), np.zeros(n), np.zeros(n)
        for part_rows in panel.chunks(CHUNK):
            part = panel.take(part_rows)
            found = evidence(part)
            cap[part_rows] = ceiling(found.values, found.used)
            rest = np.flatnonzero(~able[part_rows])
            if len(rest):
                few = recent_quantiles(found.values[rest], found.used[rest], ENOUGH[panel.time.step], own)
                values[part_rows[rest]] = few[:, None]
        rows = in_order(panel, np.flatnonzero(able))
        if len(rows):
            past = _read(panel, rows, panel.time.n)
            values[rows], scale[rows] = _forecast(network, past, horizon), np.where(past.alike, 0.0, past.scale)
        near = self.ranks.near(places(np.nan_to_num(values, posinf=0.0), own), panel.series.keys)
        values, levels = reached(values, own, scale, self.beyond, near)
        values = np.minimum(values, cap[:, None, None])
        turns = np.arange(horizon) % self.ranks.courses.shape[1]
        source = Ranked(levels, values, Ranked.order(self.ranks.courses)[:, turns], near, cap)
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)


@final
@dataclass(frozen=True, slots=True)
class _Past:
    """The evidence of some series: all of it, and what was known of it; its scale; whether and where it is constant."""

    demand: Float[np.ndarray, "series time"]
    told: Bool[np.ndarray, "series time"]
    known: int
    scale: Float[np.ndarray, " series"]
    alike: Bool[np.ndarray, " series"]
    value: Float[np.ndarray, " series"]

    @property
    def used(self) -> Bool[np.ndarray, "series known"]:
        """Tell which known periods tell of demand."""
        return self.told[:, : self.known]

    def later(self, horizon: int) -> tuple[Float[np.ndarray, "series horizon"], Bool[np.ndarray, "series horizon"]]:
        """Give what came in the periods after, and where that tells of demand."""
        window = slice(self.known, self.known + horizon)
        return self.demand[:, window], self.told[:, window]


def _read(panel: Panel, rows: Int[np.ndarray, " row"], known: int) -> _Past:
    """Read the evidence of some rows, chunk by chunk."""
    demand = np.zeros((len(rows), panel.time.n))
    told = np.zeros(demand.shape, dtype=bool)
    ascending, to = np.sort(rows), np.argsort(rows, kind="stable")
    for begin in range(0, len(rows), CHUNK):
        found = evidence(panel.take(ascending[begin : begin + CHUNK]))
        at = to[begin : begin + CHUNK]
        demand[at], told[at] = np.where(found.used, found.values, 0.0), found.used
    past, used = demand[:, :known], told[:, :known]
    mean = past.sum(axis=1) / np.maximum(used.sum(axis=1), 1)
    return _Past(demand, told, known, np.where(mean > 0, mean, 1.0), *constant(past, used))


def _forecast(network: "Network", past: _Past, horizon: int) -> Float[np.ndarray, "series horizon level"]:
    """Forecast in units, not below 0; a series whose values are all alike stays as it is."""
    shown = np.where(past.used, past.demand[:, : past.known] / past.scale[:, None], np.nan)
    values = network.quantiles(shown, horizon)
    values = np.maximum(values, 0.0) * past.scale[:, None, None]  # what is not finite stays so: the ladder tells
    return np.asarray(np.where(past.alike[:, None, None], past.value[:, None, None], values))


def _able(panel: Panel) -> Bool[np.ndarray, " series"]:
    """Tell which series have enough evidence, and nothing absurd in it."""
    able = np.zeros(len(panel.series), dtype=bool)
    for rows in panel.chunks(CHUNK):
        able[rows] = told(panel.take(rows))[1].sum(axis=1) >= ENOUGH[panel.time.step]
    return able
