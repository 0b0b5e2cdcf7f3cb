"""Arrays of states, made and put together: what every model of this package predicts with."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stockcast.core.random import Stream
from stockcast.demand import Innovations, PathSource, SampledForecast, Stacked
from stockcast.panel import Panel


def innovations(n: int, **given: np.ndarray) -> Innovations:
    """Make the source of ``n`` series from some of its arrays; the others say that the term is absent."""
    absent: dict[str, np.ndarray] = {
        name: np.zeros(n) for name in ("level", "trend", "damping", "alpha", "beta", "gamma", "delta")
    }
    absent |= {"season": np.zeros((n, 1)), "errors": np.zeros((n, 1)), "occurrence": np.ones(n)}
    absent |= {"n_errors": np.ones(n, dtype=np.int64), "block": np.ones(n, dtype=np.int64), "cap": np.full(n, np.inf)}
    return Innovations(**(absent | given))


def sampled(panel: Panel, source: PathSource, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
    """Give the forecast of a panel's future; all models share one stream, so that their paths can be compared."""
    return SampledForecast(panel.series, panel.time.after(horizon), source, Stream(seed, "paths"), n_paths)


def _joined(n: int, parts: Sequence[tuple[np.ndarray, Innovations]]) -> Innovations:
    """Join states; a season of one column is repeated to the width of the longest (both are without γ)."""
    season = max(part.season.shape[1] for _, part in parts)
    pool = max(part.errors.shape[1] for _, part in parts)
    out: dict[str, np.ndarray] = {}
    for name in Innovations.__dataclass_fields__:
        width = {"season": (season,), "errors": (pool,)}.get(name, ())
        out[name] = np.zeros((n, *width), dtype=np.int64 if name in {"n_errors", "block"} else float)
        for rows, part in parts:
            values = getattr(part, name)
            if name == "season":
                values = np.tile(values, (1, season // values.shape[1]))
            elif name == "errors":
                values = np.pad(values, ((0, 0), (0, pool - values.shape[1])))
            out[name][rows] = values
    return Innovations(**out)


def assemble(n: int, parts: Sequence[tuple[np.ndarray, PathSource]]) -> PathSource:
    """Put sources of disjoint rows, each ascending, together to the source of all ``n`` rows."""
    flat: list[tuple[np.ndarray, PathSource]] = []
    for rows, part in parts:
        if isinstance(part, Stacked):
            flat += [(rows[part.owner == at], member) for at, member in enumerate(part.members)]
        else:
            flat.append((rows, part))
    states = [(rows, part) for rows, part in flat if isinstance(part, Innovations) and len(rows)]
    others = [(rows, part) for rows, part in flat if not isinstance(part, Innovations) and len(rows)]
    if not others:
        return _joined(n, states) if states else innovations(n)
    owner = np.zeros(n, dtype=np.int64)
    members: list[PathSource] = []
    if states:
        mine = np.sort(np.concatenate([rows for rows, _ in states]))
        members.append(_joined(len(mine), [(np.searchsorted(mine, rows), part) for rows, part in states]))
        owner[mine] = 0
    for rows, part in others:
        owner[rows] = len(members)
        members.append(part)
    return Stacked(tuple(members), owner)


def clipped(demand: SampledForecast) -> int:
    """Count the drawn values that were cut to the cap of their series.

    Paths are drawn only of the series that can reach their cap at all: the recursion is bounded by its state and the
    largest error.
    """
    if isinstance(demand.source, Stacked):
        return sum(
            clipped(replace(demand, series=demand.series.take(rows), source=member))
            for at, member in enumerate(demand.source.members)
            if len(rows := np.flatnonzero(demand.source.owner == at))
        )
    if not isinstance(demand.source, Innovations):
        return 0
    state, h = demand.source, demand.horizon
    error = np.abs(state.errors).max(axis=1)
    steps = 1.0 + h * (np.abs(state.alpha) + np.abs(state.gamma)) + h * h * np.abs(state.beta)
    most = np.abs(state.level) + h * np.abs(state.trend) + np.abs(state.season).max(axis=1) + error * steps
    count = 0
    rows = np.flatnonzero(most >= state.cap)
    for begin in range(0, len(rows), 256):
        some = rows[begin : begin + 256]
        count += int((demand.paths(some) >= state.cap[some, None, None]).sum())
    return count
