"""Every model at every origin: fitted again on what was known there, and held against what came."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int

from stockcast.core.parallel import map_pieces
from stockcast.evaluation.folds import Folds
from stockcast.evaluation.metrics import naive_scales
from stockcast.evaluation.published import published
from stockcast.evaluation.scores import Outcome, join, judge
from stockcast.models.catalogue import make
from stockcast.models.ladder import Ladder
from stockcast.models.profile import Profile, profile
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

CHUNK = 1024  # series of a piece of work; fixed, so that the pieces don't depend on the number of workers
LARGE = 50_000_000  # evidence × fits below which a second process costs more (it loads torch anew) than it saves


@final
@dataclass(frozen=True, slots=True)
class Piece:
    """One model at one origin, for one chunk of series."""

    model: str
    panel: Panel
    known: int
    window: int
    periods: Int[np.ndarray, " series"]
    levels: tuple[float, ...]
    n_paths: int
    seed: int
    profile: Profile


@final
@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome of a piece, and the seconds that it took."""

    outcome: Outcome
    fit_s: float
    predict_s: float


def judge_piece(piece: Piece) -> Judged:
    """Fit on ``panel.until(known)`` and nothing else; forecast the window after it, and judge."""
    model = make(piece.model)  # loads its module, which is no part of fitting
    begin = time.perf_counter()
    past = piece.panel.until(piece.known)
    ladder = Ladder(model, piece.profile).fit(past, seed=piece.seed)
    fitted = time.perf_counter()
    demand = published(ladder.predict(past, piece.window, seed=piece.seed, n_paths=piece.n_paths), past)
    told = evidence(past)
    scales = naive_scales(told.values, told.used, 7 if past.time.step == "day" else 1)
    window = slice(piece.known, piece.known + piece.window)
    used = piece.panel.fully_in_stock[:, window]
    outcome = judge(demand, piece.panel.sales[:, window], used, scales, piece.periods, piece.levels)
    return Judged(outcome, fitted - begin, time.perf_counter() - fitted)


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
) -> tuple[list[list[Outcome]], dict[str, tuple[float, float]]]:
    """Judge every model at every origin.

    Returns
    -------
    outcomes, seconds
        ``outcomes[model][origin]``; and for each model the seconds of fitting and of predicting.
    """
    chunks = [(rows, panel.take(rows)) for rows in panel.chunks(CHUNK)]
    profiles = [profile(panel.until(known)) for known in folds.known]
    pieces = [
        Piece(name, part, known, folds.window, periods[rows], levels, n_paths, seed, of_all)
        for name in names
        for known, of_all in zip(folds.known, profiles, strict=True)
        for rows, part in chunks
    ]
    judged = map_pieces(judge_piece, pieces, workers=within(workers, panel, len(names) * len(folds.known)), done=done)
    outcomes, seconds = [], {}
    per_model, per_fold = len(folds.known) * len(chunks), len(chunks)
    for at, name in enumerate(names):
        mine = judged[at * per_model : (at + 1) * per_model]
        outcomes.append([
            join([one.outcome for one in mine[fold * per_fold : (fold + 1) * per_fold]])
            for fold in range(len(folds.known))
        ])  # fmt: skip
        seconds[name] = (sum(one.fit_s for one in mine), sum(one.predict_s for one in mine))
    return outcomes, seconds


def within(workers: int, panel: Panel, fits: int) -> int:
    """Give the number of processes that pay, by the size of the work alone."""
    return workers if panel.sales.size * fits >= LARGE else 1
