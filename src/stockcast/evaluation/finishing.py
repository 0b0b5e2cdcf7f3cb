"""What comes after the models: in line with the groups' forecasts, as wide as it has to be, in whole units."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast, final

import numpy as np
from jaxtyping import Float, Int

from stockcast.demand import PathSource, SampledForecast
from stockcast.evaluation import alignment
from stockcast.evaluation.calibration import calibrate
from stockcast.evaluation.cut import NOT_CALIBRATED, widths_rest_on
from stockcast.evaluation.folds import Folds
from stockcast.evaluation.published import published
from stockcast.evaluation.replay import Replay, replays, sample
from stockcast.evaluation.scores import Score
from stockcast.models.catalogue import PLAIN, Setting
from stockcast.panel import Panel

CALIBRATION = "calibration"  # the name under which the widths stand in backtest.csv


@final
@dataclass(frozen=True, slots=True)
class Replayed:
    """What each model weighs in the forecast of each series, and the earlier origins at which they are fitted again.

    Parameters
    ----------
    sources
        Paths that the backtest has of ``replay.sample(panel)``, by model and number of known periods.
    setting
        What the models are made with.
    """

    names: Sequence[str]
    weights: Float[np.ndarray, "series model"]
    folds: Folds
    sources: Mapping[tuple[str, int], PathSource] = field(default_factory=dict)
    setting: Setting = PLAIN


@final
@dataclass(frozen=True, slots=True)
class Finished:
    """The forecast as it is published; what the origins told of it, as scores and in sentences; seconds."""

    demand: SampledForecast
    scores: tuple[Score, ...]
    notes: tuple[str, ...]
    seconds: float


def finish(
    raw: SampledForecast,
    panel: Panel,
    models: Replayed,
    segment: np.ndarray,
    periods: Int[np.ndarray, " series"],
    *,
    hierarchy: Sequence[str],
    reconcile: str,
    effort: str,
    levels: tuple[float, ...],
    seed: int,
    n_paths: int,
    workers: int = 1,
) -> Finished:
    """Reconcile, calibrate and round a forecast, each learnt on replays of the chosen models at earlier origins.

    Reconciliation needs every series at every origin; for the calibration a sample of them is enough.

    Parameters
    ----------
    reconcile
        A method of :mod:`stockcast.evaluation.alignment`, or ``auto``: the origins decide, under effort thorough only,
        for every series is then replayed and every group forecast at each of them.
    n_paths
        Paths of a replay.
    """
    begin = time.perf_counter()
    decide = reconcile == "auto" and effort == "thorough"
    method = "none" if reconcile == "auto" else cast(alignment.Method, reconcile)
    of_all = decide or method in alignment.METHODS
    rows = np.arange(len(panel.series)) if of_all else sample(panel)
    folds = models.folds if len(rows) else replace(models.folds, known=())
    earlier = replays(
        models.names, models.weights, panel, folds, rows=rows, seed=seed, n_paths=n_paths, workers=workers,
        sources={} if of_all else models.sources, setting=models.setting,
    )  # fmt: skip
    scores: tuple[Score, ...] = ()
    notes: list[str] = []
    if decide and earlier:
        choice = alignment.choose(earlier, panel, hierarchy, periods=periods, levels=levels, seed=seed)
        method, scores = choice.method or "none", choice.scores
        notes += choice.notes
    if method != "none":
        raw, told = alignment.align(panel, raw, hierarchy, method, seed=seed)
        notes += told
        earlier = [_aligned(one, hierarchy, method, seed) for one in earlier]
    if of_all and earlier:
        earlier = [one.take(sample(panel)) for one in earlier]
    widths = calibrate(earlier, panel, segment, periods)
    if widths.told:
        origin = str(panel.time.date(earlier[-1].known - 1))
        scores += tuple(Score(name, CALIBRATION, origin, what, value) for name, what, value in widths.told)
    elif len(earlier) == len(folds.known):
        notes.append(f"{NOT_CALIBRATED}: the history is too short for a backtest")
    notes += widths_rest_on(len(earlier), len(folds.known))
    demand = published(raw, panel, widths.shared, widths.single)
    return Finished(demand, scores, tuple(notes), time.perf_counter() - begin)


def _aligned(one: Replay, hierarchy: Sequence[str], method: alignment.Method, seed: int) -> Replay:
    return Replay(one.known, one.past, alignment.align(one.past, one.demand, hierarchy, method, seed=seed)[0])
