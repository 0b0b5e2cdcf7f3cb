"""Every model judged at rolling origins, and the choice among them as it would have been made at each."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from jaxtyping import Int, Shaped

from stockcast.core.arrays import freeze
from stockcast.evaluation import metrics
from stockcast.evaluation.backtest import backtest
from stockcast.evaluation.cut import in_time, not_judged
from stockcast.evaluation.folds import Folds, rolling, shortfalls
from stockcast.evaluation.forecasting import FAST_PATHS, PREFERRED
from stockcast.evaluation.replay import sample
from stockcast.evaluation.scores import ALL, ModelTiming, Outcome, Score, measures, picked
from stockcast.evaluation.segments import segments
from stockcast.evaluation.selection import best, choose, competing
from stockcast.evaluation.stand_ins import TOLD_NOTHING, sales_stand_in, tell_of_stand_ins
from stockcast.evaluation.unseen import blends
from stockcast.models.catalogue import PLAIN, Setting
from stockcast.panel import Panel

BENCHMARK = "seasonal_naive"  # what forecast value is added to
SELECTED = "selected"  # the row of the choices
BLENDED = "blended"  # the row of the blends
ADDED = {"fva_rmsse": "rmsse", "fva_scaled_quantile_loss": "scaled_quantile_loss"}


@final
@dataclass(frozen=True, slots=True)
class Choice:
    """The model that each series would have been given at an origin, by what the origins before it told.

    Parameters
    ----------
    segment
        The segment that each series was in, as known at the origin.
    model
        The name of the model chosen for it.
    """

    origin: str
    segment: Shaped[np.ndarray, " series"]
    model: Shaped[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, segment=self.segment, model=self.model)


@final
@dataclass(frozen=True, slots=True)
class Comparison:
    """What the rolling origins told of every model.

    Parameters
    ----------
    origins
        The last known period of each fold, the oldest first.
    scores
        Every metric by segment, model and origin; the model ``selected`` stands for the choices, ``blended`` for the
        blends that effort normal and thorough make of several models.
    choices
        One for each origin but the first, which nothing comes before; none where nothing could be judged.
    timings
        Seconds of each model over all origins; the series that chose it last, and their share.
    notes
        What a reader should know, in sentences.
    """

    origins: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    choices: tuple[Choice, ...] = ()
    timings: Mapping[str, ModelTiming] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def compare(
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
    done: Callable[[int], None] = lambda count: None,
    setting: Setting = PLAIN,
) -> Comparison:
    """Judge every model on every series at every origin, and at each origin what would have been chosen there.

    The seasonal naive is judged in any case, for the others are held against it; it is chosen only where it is named.
    Without an origin (the history is too short) nothing is told. Parameters as of :func:`evaluation.forecast`.
    """
    judged = list(names) if BENCHMARK in names else [BENCHMARK, *names]
    cut = rolling(panel.time.n, horizon, folds, panel.time.step)
    if not cut.known or not len(panel.series):
        return Comparison()
    drawn = min(n_paths, FAST_PATHS) if effort == "fast" else n_paths
    keep = sample(panel) if effort != "fast" and len(names) > 1 else None
    found = backtest(
        judged, panel, cut, periods=periods, levels=levels, seed=seed, workers=workers, done=done, n_paths=drawn,
        keep=keep, refit_every=refit_every, setting=setting,
    )  # fmt: skip
    of = dict(zip(judged, found.outcomes, strict=True))
    origins = [str(panel.time.date(known - 1)) for known in cut.known]
    told_anything = best([of[name] for name in judged], np.arange(len(panel.series))) is not None
    choices: tuple[Choice, ...] = ()
    selected: list[Outcome | None] = []
    if told_anything:
        choices, selected = _chosen(names, [of[name] for name in names], panel, cut, origins, found.cut)
    notes = [*shortfalls(cut, folds, horizon, refit_every), *not_judged(judged, cut.known, found.cut)]
    if not told_anything:
        notes.append(TOLD_NOTHING)
    elif not choices:
        notes.append(f"one origin only: no earlier one to choose by, so that nothing stands for {SELECTED}")
    told: dict[str, Sequence[Outcome | None]] = {**of, SELECTED: selected}
    if keep is not None and choices:
        mine = replace(found, quantiles=found.quantiles[len(judged) - len(names) :])
        index = {name: at for at, name in enumerate(names)}
        chosen = [(one.segment, np.array([index[name] for name in one.model.tolist()])) for one in choices]
        told[BLENDED] = blends(
            names, panel, cut, mine, keep, chosen, periods=periods, levels=levels, n_paths=drawn, seed=seed,
            workers=workers, setting=setting,
        )  # fmt: skip
    scores = _scores(told, origins, groups(panel, segments(panel)))
    notes += tell_of_stand_ins(sales_stand_in(panel))
    last = choices[-1].model if choices else np.zeros(0, dtype=np.str_)
    timings = {}
    for name in judged:
        series = int((last == name).sum())
        timings[name] = ModelTiming(*found.seconds[name], series, series / max(1, len(last)))
    return Comparison(tuple(origins), scores, choices, timings, tuple(notes))


def groups(panel: Panel, segment: Shaped[np.ndarray, " series"]) -> dict[str, Int[np.ndarray, " row"]]:
    """Give the rows of each segment by name: all, ABC × how demand comes, then ``category:NAME``."""
    out = {ALL: np.arange(len(segment))}
    out |= {name: np.flatnonzero(segment == name) for name in sorted(set(segment.tolist()))}
    category = panel.attributes.column("category")
    named = sorted(set(category.tolist()) - {""})
    return out | {f"category:{name}": np.flatnonzero(category == name) for name in named}


def _chosen(
    names: Sequence[str],
    outcomes: Sequence[Sequence[Outcome]],
    panel: Panel,
    cut: Folds,
    origins: Sequence[str],
    late: Collection[tuple[str, int]],
) -> tuple[tuple[Choice, ...], list[Outcome | None]]:
    """Choose at each origin by the folds before it, whose windows end there at the latest; judge what was chosen.

    ``late`` are the models that the deadline cut short, by known periods: not chosen later, and no choice is judged by
    one of them.
    """
    preferred = next((at for name in PREFERRED for at, known in enumerate(names) if known == name), 0)
    choices: list[Choice] = []
    selected: list[Outcome | None] = [None]
    for fold in range(1, len(origins)):
        segment = segments(panel.until(cut.known[fold]))
        earlier = [folded[:fold] for folded in outcomes]
        before = {(name, at) for name, at in late if at in cut.known[:fold]}
        chosen = choose(earlier, segment, preferred, in_time(names, competing(names, segment), before))
        choices.append(Choice(origins[fold], segment, np.array(names, dtype=np.str_)[chosen]))
        whole = all((names[at], cut.known[fold]) not in late for at in np.unique(chosen).tolist())
        selected.append(picked([folded[fold] for folded in outcomes], chosen) if whole else None)
    return tuple(choices), selected


def _scores(
    outcomes: Mapping[str, Sequence[Outcome | None]],
    origins: Sequence[str],
    rows_of: Mapping[str, Int[np.ndarray, " row"]],
) -> tuple[Score, ...]:
    """Give every metric by segment, model and origin, and the value added to the benchmark of the same cell."""
    out: list[Score] = []
    for segment, rows in rows_of.items():
        naive = [measures(one, rows) for one in outcomes[BENCHMARK] if one is not None]
        for model, folds in outcomes.items():
            for at, outcome in enumerate(folds):
                if outcome is None:
                    continue
                told = measures(outcome, rows)
                for name, loss in ADDED.items():
                    if loss in told and loss in naive[at]:
                        told[name] = metrics.forecast_value_added(told[loss], naive[at][loss])
                out += [Score(segment, model, origins[at], name, v) for name, v in told.items() if np.isfinite(v)]
    return tuple(out)
