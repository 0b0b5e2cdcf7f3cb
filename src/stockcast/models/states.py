"""Arrays of states, made and put together: what every model of this package predicts with."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.parallel import each_slice
from stockcast.core.random import Stream
from stockcast.demand import (
    Adjusted,
    Blend,
    Counts,
    Coursed,
    Innovations,
    PathSource,
    Ranked,
    Ratios,
    Reconciled,
    Responses,
    SampledForecast,
    Scaled,
    Stacked,
)
from stockcast.models.uncensor import Evidence, evidence
from stockcast.panel import Panel

ROWS = 1024  # series read at once: 100 days of them, and what is made of them, stay in the cache


def innovations(n: int, **given: np.ndarray) -> Innovations:
    """Make the source of ``n`` series from some of its arrays; the others say that the term is absent."""
    absent: dict[str, np.ndarray] = {
        name: np.zeros(n) for name in ("level", "trend", "damping", "alpha", "beta", "gamma", "omega", "delta")
    }
    absent |= {"ratio": np.zeros(n, dtype=bool), "relative": np.zeros(n, dtype=bool)}
    absent |= {"slow": np.zeros((n, 1)), "slow_day": np.zeros(n, dtype=np.int64)}
    absent |= {"season": np.zeros((n, 1)), "errors": np.zeros((n, 1)), "occurrence": np.ones(n)}
    absent |= {"n_errors": np.ones(n, dtype=np.int64), "block": np.ones(n, dtype=np.int64), "cap": np.full(n, np.inf)}
    return Innovations(**(absent | given))


def gathered(
    panel: Panel, read: Callable[[Evidence, slice], Mapping[str, np.ndarray]], *, pool: int = 1
) -> Innovations:
    """Make the source of a panel's series from what is read off the evidence, a slice of series at a time.

    A panel of a million series is never masked or padded as a whole: beside the result, little is held.

    Parameters
    ----------
    read
        Gives some arrays of :class:`~stockcast.demand.Innovations` for the series of a slice, each by itself; it may
        be called from several threads at once.
    pool
        Columns of the widest pool of errors that it may give.
    """
    n = len(panel.series)
    given: dict[str, np.ndarray] = {}

    def put(some: slice) -> None:
        for name, values in read(evidence(panel, some), some).items():
            given[name][(some, *(slice(width) for width in values.shape[1:]))] = values

    shapes = read(evidence(panel, slice(0, 1)), slice(0, 1))
    for name, values in shapes.items():
        width = (pool,) if name == "errors" else values.shape[1:]
        given[name] = np.zeros((n, *width), dtype=values.dtype)
    each_slice(put, n, ROWS)
    if "errors" in given:
        held = given["errors"][:, : int(given["n_errors"].max(initial=1))]
        given["errors"] = held.copy() if 2 * held.shape[1] <= pool else held  # let the unused columns go
    return innovations(n, **given)


def used_periods(panel: Panel) -> Int[np.ndarray, " series"]:
    """Count the periods that tell something of each series."""
    count = np.zeros(len(panel.series), dtype=np.int64)

    def put(some: slice) -> None:
        count[some] = evidence(panel, some).used.sum(axis=1)

    each_slice(put, len(count), ROWS)
    return count


def sampled(panel: Panel, source: PathSource, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
    """Give the forecast of a panel's future; all models share one stream, so that their paths can be compared."""
    return SampledForecast(panel.series, panel.time.after(horizon), source, Stream(seed, "paths"), n_paths)


def _joined(n: int, parts: Sequence[tuple[np.ndarray, Innovations]]) -> Innovations:
    """Join states; a season of one column is repeated to the width of the longest (both are without γ or ω)."""
    widths = {name: max(getattr(part, name).shape[1] for _, part in parts) for name in ("season", "slow", "errors")}
    out: dict[str, np.ndarray] = {}
    for name in Innovations.__dataclass_fields__:
        width = (widths[name],) if name in widths else ()
        kind = getattr(parts[0][1], name).dtype
        out[name] = np.zeros((n, *width), dtype=kind)
        for rows, part in parts:
            values = getattr(part, name)
            if name == "errors":
                values = np.pad(values, ((0, 0), (0, widths[name] - values.shape[1])))
            elif name in widths:
                values = np.tile(values, (1, widths[name] // values.shape[1]))
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


def surely_within(source: PathSource, horizon: int, limit: Float[np.ndarray, " series"]) -> Bool[np.ndarray, " series"]:
    """Tell of which series every path is known, without drawing one, to be finite, ≥ 0 and at most ``limit``.

    That is so where the state is finite, its parameters lie where they should, and its bound is below the
    limit. False means that only the paths can tell.
    """
    if not isinstance(source, Innovations):
        return np.zeros(len(limit), dtype=bool)
    with np.errstate(all="ignore"):  # a poisoned state: not finite, so not sure
        most = source.bound(horizon) * (1.0 + 1e-9)  # more than rounding adds on the way
    sure = np.isfinite(most) & (most <= limit) & (source.cap >= 0) & (source.block >= 1)
    sure &= (source.n_errors >= 1) & (source.n_errors <= source.errors.shape[1])
    for share in (source.damping, source.occurrence, source.delta, source.omega):
        sure &= (share >= 0) & (share <= 1)
    return sure


def clipped(demand: SampledForecast) -> int:
    """Count the drawn values that were cut to the cap of their series, by a model or when they were reconciled.

    Paths are drawn only of the series that can reach their cap at all.
    """
    cap, most = caps(demand.source, len(demand.series)), _reach(demand.source, len(demand.series), demand.horizon)
    rows = np.flatnonzero(most >= cap)
    count = 0
    for begin in range(0, len(rows), 256):
        some = rows[begin : begin + 256]
        count += int((demand.paths(some) >= cap[some, None, None]).sum())
    return count


def caps(source: PathSource, n: int) -> np.ndarray:
    """Give the cap of each series, infinite where its source has none."""
    if isinstance(source, Stacked):
        out = np.full(n, np.inf)
        for at, member in enumerate(source.members):
            mine = source.owner == at
            out[mine] = caps(member, int(mine.sum()))
        return out
    if isinstance(source, Blend):
        return _blended(source, [caps(member, _rows(source, at)) for at, member in enumerate(source.members)])
    return np.asarray(getattr(source, "cap", np.full(n, np.inf)))


def _rows(source: Blend, member: int) -> int:
    return int((source.weights[:, member] > 0).sum())


def _blended(source: Blend, bounds: Sequence[np.ndarray]) -> np.ndarray:
    """Average bounds of the members, added up as their values are: a value is at its cap where all members' are."""
    out = np.zeros(len(source.weights))
    for at, bound in enumerate(bounds):
        mine = source.weights[:, at] > 0
        out[mine] += source.weights[mine, at] * bound
    return out


def _reach(source: PathSource, n: int, horizon: int) -> np.ndarray:
    """Give a value that no period of a path can exceed before it is cut; infinite where a source does not tell."""
    if isinstance(source, Stacked):
        out = np.full(n, np.inf)
        for at, member in enumerate(source.members):
            mine = source.owner == at
            out[mine] = _reach(member, int(mine.sum()), horizon)
        return out
    if isinstance(source, Blend):
        return _blended(
            source, [_reach(member, _rows(source, at), horizon) for at, member in enumerate(source.members)]
        )
    if isinstance(source, Adjusted):
        return _reach(source.inner, n, horizon) * source.most
    if isinstance(source, Counts):
        return np.where(source.may_reach_cap(), np.inf, 0.0)
    if isinstance(source, Coursed | Reconciled | Scaled):
        return source.reach(_reach(source.inner, n, horizon))
    if isinstance(source, Ranked | Ratios):
        return source.reach()
    if isinstance(source, Innovations | Responses):
        return np.minimum(source.bound(horizon), source.cap)
    return np.full(n, np.inf)
