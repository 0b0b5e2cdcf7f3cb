"""Level alignment: groups of series forecast by themselves, and the series' paths brought in line with them.

A group sees what its members cannot: a pattern that is lost in the noise of each. What is gained depends on the data,
so that the backtest decides (:func:`choose`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from jaxtyping import Float, Int

from stockcast.demand import PathSource, Reconciled, SampledForecast, Scaled
from stockcast.evaluation.metrics import naive_scales
from stockcast.evaluation.replay import Replay
from stockcast.evaluation.scores import ALL, Outcome, Score, join, judge, mean_of, measures
from stockcast.evaluation.selection import MOST
from stockcast.evaluation.trace import finest, gains, multipliers, proportions, shrunk
from stockcast.models.catalogue import make
from stockcast.models.closing import closed_ahead, closing
from stockcast.models.history import POOL, ceiling
from stockcast.models.ladder import PROFILE, ZERO, Ladder
from stockcast.models.profile import profile
from stockcast.models.states import assemble, sampled
from stockcast.models.uncensor import evidence, filled
from stockcast.panel import Panel
from stockcast.panel.aggregation import Nodes, aggregate, nodes_of

Method = Literal["none", "bottom_up", "top_down", "mint_diagonal", "mint_shrunk"]
METHODS: tuple[Method, ...] = ("top_down", "mint_diagonal", "mint_shrunk")  # those that change a forecast
NAMED: tuple[Method, ...] = ("bottom_up", *METHODS)  # those that a config may name
NAME = "reconciled"  # of the rows in the table of scores: reconciled:mint_diagonal
CHUNK = 1024  # nodes forecast at once
DENSE = 2_000  # series and nodes above which no full covariance is held
HELD = 2**25  # values of all nodes' paths that are held (256 MB); with more nodes fewer paths are compared
HUGE = 1e75  # units whose squares of squares are no longer numbers
MARGIN = 0.005  # share of the loss by which a method must do better than none


@final
@dataclass(frozen=True, slots=True)
class Choice:
    """What the backtest says: the method that wins, or none; and the losses of all."""

    method: Method | None
    scores: tuple[Score, ...]
    notes: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class _Base:
    """What all methods begin with: forecasts of the nodes, and what the series' own paths add up to.

    ``paths`` are the nodes' paths, ``sums`` those of their members, ``direct`` those of the members for which a node
    is the finest of the chain; ``above`` and ``below`` the variances of nodes and series.
    """

    panel: Panel
    nodes: Nodes
    past: Panel
    paths: Float[np.ndarray, "node path horizon"]
    sums: Float[np.ndarray, "node path horizon"]
    direct: Float[np.ndarray, "node path horizon"]
    above: Float[np.ndarray, "node horizon"]
    below: Float[np.ndarray, "series horizon"]
    cap: Float[np.ndarray, " series"]


def align(
    panel: Panel, demand: SampledForecast, hierarchy: Sequence[str], method: Method, *, seed: int
) -> tuple[SampledForecast, tuple[str, ...]]:
    """Forecast the groups of a hierarchy, and bring the series' paths in line with them.

    Parameters
    ----------
    panel
        The past that the forecast was made from.
    hierarchy
        Columns to group by (``panel.aggregation.nodes_of``).
    method
        ``none`` and ``bottom_up`` leave the series as they are; ``top_down`` shares out what the groups are to sell;
        ``mint_diagonal`` and ``mint_shrunk`` weigh groups and series by how sure they are (:class:`Reconciled`).

    Returns
    -------
    demand, notes
        What a reader should know of it, in sentences.

    Raises
    ------
    UsageError
        If the hierarchy names no column of the panel (SC-M020).
    """
    panel.series.require(demand.series, "panel and forecast")
    if method in ("none", "bottom_up"):
        nodes_of(panel, hierarchy)  # a name that is wrong is told all the same
        return demand, ()
    base = _base(panel, demand, hierarchy, seed)
    if not len(base.nodes):
        return demand, ("not reconciled: no group of two series or more has a history that can be forecast",)
    aligned, notes = _aligned(base, demand, method, seed)
    return aligned, (f"reconciled with the forecasts of {len(base.nodes)} groups ({', '.join(base.nodes.levels)}) by "
                     f"{method}", *notes)  # fmt: skip


@np.errstate(over="ignore", invalid="ignore")  # a poisoned series may overflow here; its groups are left out
def _base(panel: Panel, demand: SampledForecast, hierarchy: Sequence[str], seed: int) -> _Base:
    nodes = nodes_of(panel, hierarchy)
    nodes, past, source = _forecast_nodes(aggregate(panel, nodes, filled), nodes, demand.horizon, seed)
    held = min(demand.n_paths, max(1, HELD // max(1, len(nodes) * demand.horizon)))
    paths = sampled(past, source, demand.horizon, seed=seed, n_paths=demand.n_paths).paths()[:, :held]
    sums, direct = np.zeros_like(paths), np.zeros_like(paths)
    below = np.empty((len(panel.series), demand.horizon))
    cap = np.empty(len(panel.series))
    owner = finest(nodes.member, nodes.chain)
    shut, partly = closed_ahead(panel, demand.horizon), np.zeros((len(nodes), demand.horizon), dtype=bool)
    for rows in demand.chunks():
        drawn = demand.paths(rows)
        below[rows] = drawn.var(axis=1)
        told = evidence(panel.take(rows))
        top, limit = drawn.max(axis=(1, 2), initial=0.0), ceiling(told.values, told.used)
        # a series without a history is forecast by its category, and has no ceiling of its own
        cap[rows] = np.where(top > limit, 2.0 * top, limit)
        for at, row in enumerate(rows.tolist()):
            # one after the other, so that no bit of a sum depends on where a chunk ends
            for node in nodes.member[row].tolist():
                if node >= 0:
                    sums[node] += drawn[at, :held]
                    partly[node] |= shut[row]
            if owner[row] >= 0:
                direct[owner[row]] += drawn[at, :held]
    if partly.any():  # a group knows of no closed places: there it follows its members
        paths = np.where(partly[:, None], sums, paths)
    above = paths.var(axis=1)
    told = np.isfinite(sums).all(axis=(1, 2)) & np.isfinite(above).all(axis=1)
    broken = ~np.isfinite(below).all(axis=1)
    told[nodes.member[broken][nodes.member[broken] >= 0]] = False  # a poisoned series must not move its neighbours
    keep = np.flatnonzero(told)
    paths, sums, direct = paths[keep], sums[keep], direct[keep]
    below[broken] = 0.0
    return _Base(panel, nodes.keep(told), past.take(keep), paired(paths, sums), sums, direct, above[keep], below, cap)


def _forecast_nodes(past: Panel, nodes: Nodes, horizon: int, seed: int) -> tuple[Nodes, Panel, PathSource]:
    """Forecast the nodes by smoothing; those that it and its rungs have no history for are left out."""
    of_all = profile(past)
    parts, texts = [], np.full(len(nodes), "", dtype=object)
    for rows in past.chunks(CHUNK):
        part = past.take(rows)
        ladder = Ladder(make("ets"), of_all).fit(part, seed=seed)
        made, texts[rows] = ladder.climb(part, horizon, seed=seed, n_paths=1)
        parts.append((rows, made.source))
    fine = np.array([f"→{PROFILE}" not in text and f"→{ZERO}" not in text for text in texts.tolist()], dtype=bool)
    kept = np.flatnonzero(fine)
    return nodes.keep(fine), past.take(kept), assemble(len(nodes), parts).take(kept)


def paired(
    paths: Float[np.ndarray, "node path horizon"], sums: Float[np.ndarray, "node path horizon"]
) -> Float[np.ndarray, "node path horizon"]:
    """Put a node's values of each period in the order of its members' sums (Clark et al. 2004, the Schaake shuffle).

    Both tell of the same demand: where it is high, both are. Paths that were drawn apart and then averaged would take
    each other's spread away, and the tail that safety stock is for. The mean over the paths stays the same.

    Examples
    --------
    >>> paired(np.array([[[5.0], [9.0], [7.0]]]), np.array([[[3.0], [1.0], [2.0]]]))[0, :, 0].tolist()
    [9.0, 5.0, 7.0]
    """
    out = np.empty_like(paths)
    np.put_along_axis(out, np.argsort(sums, axis=1, kind="stable"), np.sort(paths, axis=1), axis=1)
    return out


def _aligned(
    base: _Base, demand: SampledForecast, method: Method, seed: int
) -> tuple[SampledForecast, tuple[str, ...]]:
    notes = []
    member, n, gap = base.nodes.member, len(demand.series), base.paths - base.sums
    if base.paths.shape[1] < demand.n_paths:
        notes.append(f"groups and series were compared on {base.paths.shape[1]} of {demand.n_paths} paths: there are "
                     f"{len(base.nodes)} groups")  # fmt: skip
    if method == "mint_shrunk" and n + len(base.nodes) > DENSE:
        notes.append(f"mint_diagonal in place of mint_shrunk: {n} series and {len(base.nodes)} groups "
                     f"are more than {DENSE}")  # fmt: skip
        method = "mint_diagonal"
    source: PathSource
    if method == "top_down":
        owner = finest(member, base.nodes.chain)
        factor = proportions(member, base.nodes.chain, base.paths, base.direct)
        source = Scaled(demand.source, owner, factor, base.cap)
    elif method == "mint_diagonal":
        shift = multipliers(member, base.above, base.below, gap)
        source = Reconciled(demand.source, member, (member >= 0).astype(float), base.below, shift, base.cap)
    else:
        errors = np.concatenate([_errors(base.past, seed), _errors(base.panel, seed)])
        gain, shift = gains(member, shrunk(errors), gap)
        every = np.tile(np.arange(len(base.nodes)), (n, 1))
        source = Reconciled(demand.source, every, gain, np.ones((n, demand.horizon)), shift, base.cap)
    source = closing(source, base.panel, demand.horizon)  # what is moved must not open a place
    return SampledForecast(demand.series, demand.time, source, demand.stream, demand.n_paths), tuple(notes)


@np.errstate(over="ignore", invalid="ignore")
def _errors(panel: Panel, seed: int) -> Float[np.ndarray, "series time"]:
    from stockcast.models.smoothing import one_step_errors

    errors, known = (part[:, -POOL:] for part in one_step_errors(panel, seed=seed))
    centre = np.where(known, errors, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    errors = np.where(known, errors - centre[:, None], np.nan)
    whole = np.abs(np.nan_to_num(errors)).max(axis=1, initial=0.0) < HUGE
    return np.where(whole[:, None], errors, np.nan)


def choose(
    replays: Sequence[Replay],
    panel: Panel,
    hierarchy: Sequence[str],
    *,
    periods: Int[np.ndarray, " series"],
    levels: tuple[float, ...],
    seed: int,
    methods: Sequence[Method] = METHODS,
) -> Choice:
    """Say which method does better than none on rolling origins, if any does.

    The loss is that of the choice of models (``selection.best``), over all series. A method wins if its loss is
    smaller by ``MARGIN`` over all origins, and smaller at half of the origins at least: it changes every series, so
    that a gain within the noise is no reason for it. Of several the one with the smallest loss wins.

    Parameters
    ----------
    replays
        What was forecast at the origins, oldest first.
    panel
        The whole history, which tells what came.
    periods
        The protection interval of each series.
    """
    names: tuple[Method, ...] = ("none", *methods)
    outcomes: dict[Method, list[Outcome]] = {name: [] for name in names}
    notes: dict[str, None] = {}
    for replay in replays:
        base = _base(replay.past, replay.demand, hierarchy, seed)
        for name in names:
            demand = replay.demand
            if name != "none" and len(base.nodes):
                demand, told = _aligned(base, demand, name, seed)
                notes |= dict.fromkeys(told)
            outcomes[name].append(_judged(replay, panel, demand, periods, levels))
    rows = np.arange(len(panel.series))
    scores = tuple(
        Score(ALL, f"{NAME}:{name}", str(panel.time.date(replay.known - 1)), metric, value)
        for name in names
        for replay, outcome in zip(replays, outcomes[name], strict=True)
        for metric, value in measures(outcome, rows).items()
    )
    return Choice(_winner(outcomes), scores, tuple(notes))


def _winner(outcomes: dict[Method, list[Outcome]]) -> Method | None:
    of_none = product(outcomes["none"])
    won: Method | None = None
    least = (1.0 - MARGIN) * of_none
    for name, folds in outcomes.items():
        if name == "none":
            continue
        better = sum(product([mine]) < product([other]) for mine, other in zip(folds, outcomes["none"], strict=True))
        loss = product(folds)
        if loss < least and 2 * better >= len(folds):
            won, least = name, loss
    return won


def product(folds: Sequence[Outcome]) -> float:
    """Give the loss of some origins: the mean scaled quantile loss of single periods times that of the sums.

    What cannot be judged counts as 1, a loss that is not finite as infinite.
    """
    out = 1.0
    for name in ("single", "total"):
        pooled = np.concatenate([getattr(outcome, name) for outcome in folds]) if folds else np.zeros(0)
        loss = float("inf") if np.isinf(pooled).any() else mean_of(np.minimum(pooled, MOST))
        out *= 1.0 if np.isnan(loss) else loss
    return out


def _judged(
    replay: Replay, panel: Panel, demand: SampledForecast, periods: np.ndarray, levels: tuple[float, ...]
) -> Outcome:
    window = slice(replay.known, replay.known + demand.horizon)
    season = 7 if panel.time.step == "day" else 1
    parts = []
    for rows in panel.chunks(CHUNK):
        told = evidence(replay.past.take(rows))
        scales = naive_scales(told.values, told.used, season)
        now = panel.take(rows)
        parts.append(
            judge(
                demand.take(rows),
                now.sales[:, window],
                now.fully_in_stock[:, window],
                scales,
                periods[rows],
                levels,
                now.settled[:, window],
            )
        )
    return join(parts)
