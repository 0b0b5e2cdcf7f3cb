"""Every model at every origin: fitted on what was known there, or at one before, and held against what came."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Int

from stockcast.core.parallel import map_pieces
from stockcast.demand import PathSource, SampledForecast
from stockcast.evaluation.cut import struck_in
from stockcast.evaluation.folds import Folds
from stockcast.evaluation.metrics import naive_scales
from stockcast.evaluation.published import published
from stockcast.evaluation.scores import Outcome, Quantiles, join, judged, spread
from stockcast.models.catalogue import PLAIN, Setting, is_pooled, make
from stockcast.models.ladder import FittedLadder, Ladder
from stockcast.models.profile import Profile, profile
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

CHUNK = 1024  # series of a piece of work; fixed, so that the pieces don't depend on the number of workers
LARGE = 50_000_000  # evidence × fits below which a second process costs more (it loads torch anew) than it saves


@final
@dataclass(frozen=True, slots=True)
class Piece:
    """One model, fitted at one origin and kept for later ones, for one chunk of series."""

    model: str
    panel: Panel
    known: int
    window: int
    periods: Int[np.ndarray, " series"]
    levels: tuple[float, ...]
    n_paths: int
    seed: int
    profile: Profile
    keep: Int[np.ndarray, " kept"] | None = None  # series whose quantiles, and paths by a pooled model, are asked for
    later: tuple[tuple[int, Profile], ...] = ()  # origins that the fit is kept for, with the profile of all there
    setting: Setting = PLAIN


@final
@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome at one origin, the seconds that it took, and the paths and quantiles of the series asked for.

    Of a model that the deadline cut short nothing is told but that (``cut``) and the seconds.
    """

    outcome: Outcome | None
    fit_s: float
    predict_s: float
    source: PathSource | None = None
    quantiles: Quantiles | None = None

    @property
    def cut(self) -> bool:
        """Tell whether the deadline cut it short."""
        return self.outcome is None


@final
@dataclass(frozen=True, slots=True)
class Backtested:
    """What models came to at rolling origins.

    Parameters
    ----------
    outcomes
        ``outcomes[model][origin]``; nothing to be judged where the model was cut short.
    seconds
        For each model, of fitting and of predicting.
    quantiles
        Of the series to keep, ``quantiles[model][origin]``; empty where none are kept.
    sources
        Paths of the series to keep by pooled models, by model and number of known periods: fitting such a model is
        dear, and a replay need not do it again.
    pieces
        How many pieces of work there were.
    cut
        (model, known periods) of the origins at which the deadline cut a model short.
    """

    outcomes: list[list[Outcome]]
    seconds: dict[str, tuple[float, float]]
    quantiles: list[list[Quantiles]]
    sources: dict[tuple[str, int], PathSource]
    pieces: int
    cut: set[tuple[str, int]] = field(default_factory=set)


def judge_piece(piece: Piece) -> list[Judged]:
    """Fit on ``panel.until(known)`` and nothing else; forecast the window after it and later ones, and judge each."""
    model = make(piece.model, piece.setting)  # loads its module, which is no part of fitting
    begin = time.perf_counter()
    ladder = Ladder(model, piece.profile).fit(piece.panel.until(piece.known), seed=piece.seed)
    fit_s = time.perf_counter() - begin
    first = _judged(piece, ladder, piece.known, fit_s)
    # the model is kept; what the rungs below it read of all series is as new as the origin
    return [first, *(_judged(piece, replace(ladder, profile=of_all), known, 0.0) for known, of_all in piece.later)]


def _judged(piece: Piece, ladder: FittedLadder, known: int, fit_s: float) -> Judged:
    """Forecast the window after ``known`` periods from these and nothing else, and judge."""
    begin = time.perf_counter()
    past = piece.panel.until(known)
    raw, fallback = ladder.climb(past, piece.window, seed=piece.seed, n_paths=piece.n_paths)
    if struck_in(ladder.notes()) or struck_in(set(fallback.tolist())):
        return Judged(None, fit_s, time.perf_counter() - begin)
    demand = published(raw, past)
    outcome, kept = held_against(demand, piece.panel, past, piece.periods, piece.levels, piece.keep)
    quantiles = None if piece.keep is None else kept
    source = raw.source.take(piece.keep) if piece.keep is not None and is_pooled(piece.model) else None
    return Judged(outcome, fit_s, time.perf_counter() - begin, source, quantiles)


def held_against(
    demand: SampledForecast,
    panel: Panel,
    past: Panel,
    periods: Int[np.ndarray, " series"],
    levels: tuple[float, ...],
    keep: Int[np.ndarray, " kept"] | None = None,
) -> tuple[Outcome, Quantiles]:
    """Hold a forecast against the window that came after its origin, in terms of the naive steps of the past.

    Parameters
    ----------
    demand
        Of the panel's series, for the periods after ``past``.
    panel, past
        What came, and what was known of it at the origin.
    periods, levels, keep
        As in :func:`stockcast.evaluation.scores.judged`.
    """
    told = evidence(past)
    scales = naive_scales(told.values, told.used, 7 if past.time.step == "day" else 1)
    window = slice(past.time.n, past.time.n + demand.horizon)
    used, settled = panel.fully_in_stock[:, window], panel.settled[:, window]
    return judged(demand, panel.sales[:, window], used, scales, periods, levels, settled, keep)


def backtest(
    names: Sequence[str],
    panel: Panel,
    folds: Folds,
    *,
    periods: Int[np.ndarray, " series"],
    levels: tuple[float, ...],
    n_paths: int,
    seed: int,
    workers: int = 1,
    done: Callable[[int], None] = lambda count: None,
    competes: Bool[np.ndarray, "model series"] | None = None,
    keep: Int[np.ndarray, " kept"] | None = None,
    refit_every: int = 1,
    setting: Setting = PLAIN,
) -> Backtested:
    """Judge every model at every origin.

    Parameters
    ----------
    competes
        The series that each model is judged on; all when left out. A pooled model learns from all and is judged on all.
    keep
        Series whose quantiles, and paths by pooled models, are given as well, ascending; none when left out.
    refit_every
        Origins that a fitted model forecasts from, its own the first; then it is fitted again.
    setting
        What the models are made with; an earlier fit to go on from is left out, for it may have seen what judges.
    """
    setting = setting.judging()
    n = len(panel.series)
    pooled = [is_pooled(name) for name in names]
    rows_of = [
        np.arange(n) if competes is None or whole else np.flatnonzero(competes[at]) for at, whole in enumerate(pooled)
    ]
    profiles = [profile(panel.until(known)) for known in folds.known]
    # models that compete for the same series share their panels: few series at a time may have to be copied
    parts = {mine.tobytes(): [(some, panel.take(some)) for some in chunked(mine)] for mine in rows_of}
    runs = [list(zip(folds.known, profiles, strict=True))[at : at + refit_every] for at in fits(folds, refit_every)]
    pieces = [
        Piece(
            name, part, known, folds.window, periods[some], levels, n_paths, seed, of_all, kept_of(some, keep), later,
            setting,
        )
        for name, mine, whole in zip(names, rows_of, pooled, strict=True)
        for (known, of_all), later in ((run[0], tuple(run[1:])) for run in runs)
        for some, part in ([(mine, panel)] if whole else parts[mine.tobytes()])
    ]  # fmt: skip
    results = map_pieces(judge_piece, pieces, workers=within(workers, panel, len(names) * len(folds.known)), done=done)
    found_of = Backtested([], {}, [], {}, len(pieces))
    at = 0
    for name, mine, whole in zip(names, rows_of, pooled, strict=True):
        chunks = 1 if whole else len(chunked(mine))
        folded: list[list[Judged]] = []  # by origin, then by chunk
        for run in runs:
            of_run = results[at : at + chunks]
            folded += [[of_chunk[origin] for of_chunk in of_run] for origin in range(len(run))]
            at += chunks
        found = [one for of_origin in folded for one in of_origin]
        if whole:
            kept = zip(folds.known, found, strict=True)
            found_of.sources.update({(name, known): one.source for known, one in kept if one.source is not None})
        late = [any(one.cut for one in of_origin) for of_origin in folded]
        found_of.cut.update((name, known) for known, cut in zip(folds.known, late, strict=True) if cut)
        joined = [_joined(pieces_of) for pieces_of in folded]
        found_of.outcomes.append([spread(one, mine, n) if len(mine) < n or one is None else one for one in joined])
        found_of.seconds[name] = (sum((one.fit_s for one in found), 0.0), sum((one.predict_s for one in found), 0.0))
        if keep is not None:
            told = np.flatnonzero(np.isin(keep, mine))
            found_of.quantiles.append([_placed(one, told, len(keep), folds.window, len(levels)) for one in folded])
    return found_of


def _joined(parts: Sequence[Judged]) -> Outcome | None:
    """Give the outcome of all chunks; None where there are none, or one of them was cut short."""
    outcomes = [part.outcome for part in parts if part.outcome is not None]
    return join(outcomes) if outcomes and len(outcomes) == len(parts) else None


def fits(folds: Folds, refit_every: int) -> list[int]:
    """Give the origins, by their place, at which models are fitted.

    Examples
    --------
    >>> fits(Folds((60, 75, 90, 105), 15), 3)
    [0, 3]
    """
    return list(range(0, len(folds.known), refit_every))


def kept_of(rows: Int[np.ndarray, " row"], keep: Int[np.ndarray, " kept"] | None) -> np.ndarray | None:
    """Give the places of the series to keep among some rows."""
    return None if keep is None else np.flatnonzero(np.isin(rows, keep))


def _placed(parts: Sequence[Judged], at: np.ndarray, n: int, window: int, levels: int) -> Quantiles:
    """Put the quantiles of consecutive chunks at their places among the ``n`` series to keep."""
    single, total = (np.full((n, *shape), np.nan, dtype=np.float32) for shape in ((window, levels), (levels,)))
    told = [part.quantiles for part in parts if part.quantiles is not None]
    if told and len(told) == len(parts):
        single[at] = np.concatenate([part.single for part in told])
        total[at] = np.concatenate([part.total for part in told])
    return Quantiles(single, total)


def chunked(rows: Int[np.ndarray, " row"]) -> list[np.ndarray]:
    """Cut rows into chunks of at most ``CHUNK``."""
    return [rows[begin : begin + CHUNK] for begin in range(0, len(rows), CHUNK)]


def within(workers: int, panel: Panel, fits: int) -> int:
    """Give the number of processes that pay, by the size of the work alone."""
    return workers if panel.sales.size * fits >= LARGE else 1
