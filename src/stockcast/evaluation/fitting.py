"""Each model fitted on the series that chose it, and what comes out put together to one forecast."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Int

from stockcast.core.parallel import map_pieces
from stockcast.demand import PathSource
from stockcast.evaluation.backtest import CHUNK, within
from stockcast.evaluation.cut import struck_in
from stockcast.models.catalogue import PLAIN, Setting, is_pooled, make
from stockcast.models.ladder import Ladder
from stockcast.models.profile import Profile, profile
from stockcast.models.states import assemble
from stockcast.panel import Panel


@final
@dataclass(frozen=True, slots=True)
class Fitted:
    """The paths of all series; which rung stood in for the model and why; seconds of each model; notes and texts."""

    source: PathSource
    fallback: np.ndarray
    seconds: dict[str, tuple[float, float]]
    notes: tuple[str, ...] = ()
    texts: Mapping[str, str | bytes] = field(default_factory=dict)

    @property
    def cut(self) -> bool:
        """Tell whether the deadline cut the learning of a model short."""
        return struck_in(self.notes) or struck_in(set(self.fallback.tolist()))


@final
@dataclass(frozen=True, slots=True)
class _Piece:
    model: str
    panel: Panel
    horizon: int
    seed: int
    profile: Profile
    setting: Setting


@final
@dataclass(frozen=True, slots=True)
class _Made:
    source: PathSource
    fallback: np.ndarray
    fit_s: float
    predict_s: float
    notes: tuple[str, ...]
    texts: Mapping[str, str | bytes]


def _forecast_piece(piece: _Piece) -> _Made:
    model = make(piece.model, piece.setting)  # loads its module, which is no part of fitting
    begin = time.perf_counter()
    ladder = Ladder(model, piece.profile).fit(piece.panel, seed=piece.seed)
    fitted = time.perf_counter()
    demand, fallback = ladder.climb(piece.panel, piece.horizon, seed=piece.seed, n_paths=1)
    spent = fitted - begin, time.perf_counter() - fitted
    return _Made(demand.source, fallback, *spent, ladder.notes(), ladder.texts())


def fit_chosen(
    names: Sequence[str],
    chosen: Int[np.ndarray, " series"],
    panel: Panel,
    horizon: int,
    *,
    seed: int,
    workers: int = 1,
    of_all: Profile | None = None,
    among: tuple[Panel, Int[np.ndarray, " row"]] | None = None,
    ready: Mapping[str, PathSource] | None = None,
    done: Callable[[int], None] = lambda count: None,
    setting: Setting = PLAIN,
) -> Fitted:
    """Fit each model on the series that chose it, chunk by chunk, and stack what comes out.

    Parameters
    ----------
    chosen
        The index into ``names`` of each series' model.
    of_all
        The profile of all series, where the panel holds only some of them; learnt from the panel when left out.
    among
        All series, where the panel holds only some of them, and the rows of these: what a pooled model is fitted on.
    ready
        Paths of the panel's series by models that need not be fitted again.
    setting
        What the models are made with.
    """
    of_all = of_all or profile(panel)
    pieces: list[_Piece] = []
    rows_of: list[tuple[int, np.ndarray]] = []
    texts = np.full(len(panel.series), "", dtype=object)
    parts: list[tuple[np.ndarray, PathSource]] = []
    taken: dict[int, np.ndarray] = {}  # the rows that are wanted of a piece that forecasts more
    for at, name in enumerate(names):
        mine = np.flatnonzero(chosen == at)
        if not len(mine):
            continue
        if ready is not None and name in ready:
            parts.append((mine, ready[name].take(mine)))
            continue
        if is_pooled(name):
            whole, place = among or (panel, np.arange(len(panel.series)))
            taken[len(pieces)] = place[mine]
            rows_of.append((at, mine))
            pieces.append(_Piece(name, whole, horizon, seed, of_all, setting))
            continue
        for begin in range(0, len(mine), CHUNK):
            rows = mine[begin : begin + CHUNK]
            rows_of.append((at, rows))
            pieces.append(_Piece(name, panel.take(rows), horizon, seed, of_all, setting))
    results = map_pieces(_forecast_piece, pieces, workers=within(workers, panel, 1), done=done)
    seconds = dict.fromkeys(names, (0.0, 0.0))
    notes: dict[str, None] = {}
    texts_of: dict[str, str | bytes] = {}
    for piece, ((at, rows), made) in enumerate(zip(rows_of, results, strict=True)):
        notes |= dict.fromkeys(made.notes)
        texts_of |= made.texts
        source, fallback = made.source, made.fallback
        if piece in taken:
            source, fallback = source.take(taken[piece]), fallback[taken[piece]]
        parts.append((rows, source))
        texts[rows] = fallback
        before = seconds[names[at]]
        seconds[names[at]] = (before[0] + made.fit_s, before[1] + made.predict_s)
    return Fitted(assemble(len(panel.series), parts), texts.astype(np.str_), seconds, tuple(notes), texts_of)
