"""The forecast of a night: models judged on rolling origins, chosen or weighed by segment, fitted, put together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Int

from stockcast.core.arrays import freeze
from stockcast.demand import SampledForecast
from stockcast.evaluation.backtest import Backtested, backtest
from stockcast.evaluation.blended import fit_weighted
from stockcast.evaluation.cut import in_time, not_judged
from stockcast.evaluation.ensemble import origins, weigh
from stockcast.evaluation.finishing import Replayed, finish
from stockcast.evaluation.folds import rolling, shortfalls
from stockcast.evaluation.replay import sample
from stockcast.evaluation.scores import ModelTiming, Score, table
from stockcast.evaluation.segments import segments
from stockcast.evaluation.selection import best, choose, competing
from stockcast.evaluation.stand_ins import TOLD_NOTHING, sales_stand_in, tell_of_stand_ins
from stockcast.evaluation.weights import alone, label
from stockcast.models.catalogue import PLAIN, Setting
from stockcast.models.closing import closed_ahead
from stockcast.models.states import clipped, sampled
from stockcast.panel import Panel, calmed

PREFERRED = ("ets", "moving_average")  # where no backtest can tell
FAST_PATHS = 200  # paths that a model is judged by under effort fast; normal and thorough judge by all


@final
@dataclass(frozen=True, slots=True)
class Forecasted:
    """A forecast for every series, with who made it and why.

    Parameters
    ----------
    model, fallback, segment
        Texts, one each a series: the model chosen, or those that are blended with their weights; the rung that stood in
        for a model and why, '' where none did; and the segment that the choice was made for.
    censored
        Series whose recorded sales stand in for demand, for want of fully stocked periods (rule 5).
    scores
        The backtest by segment, model, origin and metric; empty where no model had to be chosen.
    clipped
        Drawn values that were cut to the cap of their series.
    notes
        What a reader should know, in sentences.
    finish_s
        Seconds that reconciliation and calibration took, replays of the chosen models included.
    texts
        What is worth keeping of the fitted models, by the name of a file.
    """

    demand: SampledForecast
    model: np.ndarray
    fallback: np.ndarray
    segment: np.ndarray
    censored: Bool[np.ndarray, " series"]
    scores: tuple[Score, ...]
    timings: Mapping[str, ModelTiming]
    clipped: int
    notes: tuple[str, ...]
    finish_s: float
    texts: Mapping[str, str | bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, model=self.model, fallback=self.fallback, segment=self.segment, censored=self.censored)


def forecast(
    names: Sequence[str],
    panel: Panel,
    *,
    horizon: int,
    periods: Int[np.ndarray, " series"],
    folds: int,
    refit_every: int = 1,
    effort: str,
    levels: tuple[float, ...],
    n_paths: int,
    seed: int,
    workers: int = 1,
    hierarchy: Sequence[str] = ("category", "location"),
    reconcile: str = "none",
    done: Callable[[int], None] = lambda count: None,
    setting: Setting = PLAIN,
) -> Forecasted:
    """Choose a model for each segment by backtest, fit it on the whole history, and forecast every series.

    Except under effort fast, models are blended where that pays (:func:`stockcast.evaluation.ensemble.weigh`).

    Parameters
    ----------
    names
        Models, in the order that decides between equals (``models.catalogue.candidates``). One alone is used without
        a backtest.
    periods
        The protection interval of each series: what the sum of is judged.
    folds
        Rolling origins; fewer where the history is short.
    refit_every
        Origins that a fitted model is kept for before it is fitted again.
    levels
        Quantile levels that the models are judged at.
    workers
        Processes; the bytes that come out don't depend on it.
    hierarchy, reconcile
        Columns to group series by, and how the series are brought in line with the forecasts of the groups
        (``evaluation.alignment``); ``auto`` lets the origins decide under effort thorough.
    done
        Told the number of finished pieces of work.
    setting
        What the models are made with beside their names; the earlier fit in it serves the forecast alone.
    """
    segment, censored = segments(panel), sales_stand_in(panel)
    cut = rolling(panel.time.n, horizon, folds if len(names) > 1 else 0, panel.time.step)
    notes = []
    chosen = np.zeros(len(panel.series), dtype=np.int64)
    weights = None
    scores: tuple[Score, ...] = ()
    seconds = dict.fromkeys(names, (0.0, 0.0))
    finished = 0
    found: Backtested | None = None
    preferred = _preferred(names)
    if cut.known and len(panel.series):
        judged_by = min(n_paths, FAST_PATHS) if effort == "fast" else n_paths
        competes = competing(names, segment)
        keep = sample(panel)
        found = backtest(
            names, panel, cut, periods=periods, levels=levels, n_paths=judged_by, seed=seed, workers=workers, done=done,
            competes=competes, keep=keep, refit_every=refit_every, setting=setting,
        )  # fmt: skip
        outcomes, seconds, finished = found.outcomes, found.seconds, found.pieces
        preferred = _preferred([name for name in names if name not in dict(found.cut)] or names)
        able = in_time(names, competes, found.cut)
        chosen = choose(outcomes, segment, list(names).index(preferred), able)
        if best(outcomes, np.arange(len(segment))) is None:
            notes.append(f"{TOLD_NOTHING}: {preferred} was taken")
        scores = table(names, [str(panel.time.date(n - 1)) for n in cut.known], outcomes, segment, competes)
        if effort != "fast":
            earlier = origins(panel, cut, keep, periods, found.quantiles)
            weighed = weigh(earlier, keep, names, segment, able, chosen, levels)
            weights, scores = weighed.weights, scores + weighed.scores(str(panel.time.date(cut.known[-1] - 1)))
        notes += [*shortfalls(cut, folds, horizon, refit_every), *not_judged(names, cut.known, found.cut)]
    elif len(names) > 1:
        chosen[:] = list(names).index(preferred)
        notes.append(f"no backtest: the history of {panel.time.n} periods is too short, {preferred} was taken")
    weights = alone(chosen, len(names)) if weights is None else weights
    fitted = fit_weighted(
        names, weights, panel, horizon, seed=seed, workers=workers, done=lambda count: done(finished + count),
        setting=replace(setting, interpret=True),
    )  # fmt: skip
    seconds = {name: _plus(seconds[name], fitted.seconds[name]) for name in names}
    notes += fitted.notes
    raw = sampled(panel, fitted.source, horizon, seed=seed, n_paths=n_paths)
    replayed = Replayed(
        names, weights, rolling(panel.time.n, horizon, folds, panel.time.step),
        {} if found is None else found.sources, setting,
    )  # fmt: skip
    last = finish(
        raw, panel, replayed, segment, periods,
        hierarchy=hierarchy, reconcile=reconcile, effort=effort, levels=levels, seed=seed, workers=workers,
        n_paths=min(n_paths, FAST_PATHS),
    )  # fmt: skip
    demand = last.demand
    scores += last.scores
    notes += [*last.notes, *_closed(panel, horizon), *_calmed(panel)]
    notes += tell_of_stand_ins(censored)
    cut_values = clipped(demand)
    if cut_values:
        notes.append(f"{cut_values} drawn values were cut to ten times the largest demand of their series")
    count, share = (weights > 0).sum(axis=0), weights.sum(axis=0)
    timings = {
        name: ModelTiming(*seconds[name], int(count[at]), float(share[at] / max(1, len(chosen))))
        for at, name in enumerate(names)
    }
    return Forecasted(
        demand,
        label(names, weights),
        fitted.fallback,
        segment,
        censored,
        scores,
        timings,
        cut_values,
        tuple(notes),
        last.seconds,
        fitted.texts,
    )


def _preferred(names: Sequence[str]) -> str:
    """Give the model to take where no backtest can tell."""
    return next((name for name in PREFERRED if name in names), names[0])


def _closed(panel: Panel, horizon: int) -> list[str]:
    """Say how many periods ahead are closed, whose forecast is 0 for that reason alone."""
    shut = closed_ahead(panel, horizon)
    if not shut.any():
        return []
    of = int(shut.any(axis=1).sum())
    return [f"{int(shut.sum())} forecasts of single periods, of {of} series, are 0: the calendar closes their places"]


def _calmed(panel: Panel) -> list[str]:
    """Say how many sales are read as less than was recorded."""
    count = int(np.count_nonzero(calmed(panel) != panel.sales))
    if not count:
        return []
    return [f"{count} sales of single periods are outliers, and read as the largest other of their series"]


def _plus(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] + other[0], one[1] + other[1]
