"""How much wider paths have to be, learnt from rolling origins: so that a 95 % quantile is exceeded one time in twenty.

Both widths (:class:`stockcast.demand.Adjusted`) are chosen on the randomised probability integral transform
(Czado, Gneiting & Held 2009) of what came: u = F(y − 1) + v (F(y) − F(y − 1)), v uniform, which is uniform itself
where a forecast is calibrated, for counts too. This is conformal prediction (Vovk et al. 2005) with the forecast
distribution as its score, and one parameter in place of a free quantile map, so that the paths stay joint.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.demand.adjusted import factors, in_whole_units, widened
from stockcast.evaluation.published import ceilings, in_whole
from stockcast.evaluation.replay import Replay
from stockcast.models.history import ABSURD
from stockcast.models.states import caps
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

# no wider: orders at high service levels follow the tail, and a lognormal one is heavy
SHARED = (0.0, 0.1, 0.15, 0.2, 0.3)
SINGLE = (0.0, 0.2, 0.35, 0.5)
LEVELS = (0.01, 0.025, 0.05, 0.1, 0.25)  # the lower ends of central intervals
PRIOR = 50.0  # series at an origin with which those above speak for a kind of demand, and a kind for its segments
NOISE = 0.3  # of the error of coverage by chance, over the root of the number of series at an origin
CHUNK = 1024


@final
@dataclass(frozen=True, slots=True)
class Calibration:
    """The widths of each series, and what they rest on.

    Parameters
    ----------
    shared, single
        As in :class:`stockcast.demand.Adjusted`.
    told
        (segment, measure, value): the widths by segment, and the mean deviation of coverage from its level over
        ``LEVELS``, of sums and of single periods, before and after.
    """

    shared: Float[np.ndarray, " series"]
    single: Float[np.ndarray, " series"]
    told: tuple[tuple[str, str, float], ...]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, shared=self.shared, single=self.single)


def none(n: int) -> Calibration:
    """Give the calibration that changes nothing, where no origin can tell."""
    return Calibration(np.zeros(n), np.zeros(n), ())


def calibrate(
    replays: Sequence[Replay],
    panel: Panel,
    segment: np.ndarray,
    periods: Int[np.ndarray, " series"],
) -> Calibration:
    """Choose both widths for each segment: first of the sum over the protection interval, then of single periods.

    Parameters
    ----------
    replays
        Forecasts of earlier origins, of some of the panel's series.
    segment, periods
        Of the panel's series.
    """
    if not replays:
        return none(len(segment))
    rows = panel.series.locate(replays[0].past.series.sku, replays[0].past.series.location)
    told = np.flatnonzero(_sound(panel, rows))
    earlier, rows = [replay.take(told) for replay in replays], rows[told]
    names, at = np.unique(segment[rows], return_inverse=True)
    kinds, kind = np.unique([name.rpartition("-")[2] for name in names.tolist()], return_inverse=True)
    groups = _Groups(at, kind[at], len(names), len(kinds), kind)
    sums = _pooled([_of_sums(replay, panel, rows, periods[rows]) for replay in earlier])
    shared, error_sum = _choose(sums, groups, SHARED)
    singles = _pooled([_of_singles(replay, panel, rows, shared[at]) for replay in earlier])
    single, error_single = _choose(singles, groups, SINGLE)
    found: list[tuple[str, str, float]] = []
    for place, name in enumerate(names.tolist()):
        found += [(name, "width_shared", float(shared[place])), (name, "width_single", float(single[place]))]
        for what, (before, after) in (("sum", error_sum[place]), ("single", error_single[place])):
            found += [(name, f"coverage_error_{what}_before", before), (name, f"coverage_error_{what}", after)]
    known = {name: place for place, name in enumerate(names.tolist())}
    index = np.array([known.get(name, -1) for name in segment.tolist()], dtype=np.int64)
    index = np.where(_sound(panel, np.arange(len(segment))), index, -1)
    of_shared, of_single = (np.where(index >= 0, np.append(width, 0.0)[index], 0.0) for width in (shared, single))
    told_of = tuple((name, what, value) for name, what, value in found if np.isfinite(value))
    return Calibration(of_shared, of_single, told_of)


def _sound(panel: Panel, rows: Int[np.ndarray, " row"]) -> Bool[np.ndarray, " row"]:
    """Tell which series teach and take a width: their demand varies, and their sales are numbers of this world.

    What never varies is forecast as it is; one series with absurd sales must not move the widths of the others.
    """
    out = np.zeros(len(rows), dtype=bool)
    for begin in range(0, len(rows), CHUNK):
        some = rows[begin : begin + CHUNK]
        told = evidence(panel.take(some))
        top = np.where(told.used, told.values, -np.inf).max(axis=1, initial=-np.inf)
        least = np.where(told.used, told.values, np.inf).min(axis=1, initial=np.inf)
        out[begin : begin + CHUNK] = (top > least) & (top < ABSURD)
    return out


@final
@dataclass(frozen=True, slots=True)
class _Groups:
    """The segment and the kind of demand of each series; how many there are; the kind of each segment."""

    segment: Int[np.ndarray, " series"]
    kind: Int[np.ndarray, " series"]
    segments: int
    kinds: int
    kind_of: Int[np.ndarray, " segment"]


@final
@dataclass(frozen=True, slots=True)
class Pits:
    """u of every observation under each width, the row of the series that it is of, and its origin."""

    values: Float[np.ndarray, "width observation"]
    row: Int[np.ndarray, " observation"]
    origin: Int[np.ndarray, " observation"]


def _pooled(parts: Sequence[Pits]) -> Pits:
    return Pits(
        np.concatenate([part.values for part in parts], axis=1),
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.origin for part in parts]),
    )


def _of_sums(replay: Replay, panel: Panel, rows: np.ndarray, periods: Int[np.ndarray, " series"]) -> Pits:
    """Give u of the sum over the protection interval under each shared width, where all of it is settled."""
    actual, _, settled = _window(replay, panel, rows)
    inside = np.arange(actual.shape[1]) < np.clip(periods, 1, actual.shape[1])[:, None]
    told = np.flatnonzero((settled | ~inside).all(axis=1))
    pits, total = np.empty((len(SHARED), len(told))), np.where(inside, actual, 0.0).sum(axis=1)
    whole = in_whole(replay.past)
    for begin in range(0, len(told), CHUNK):
        some = told[begin : begin + CHUNK]
        sums = np.einsum("sph,sh->sp", replay.demand.paths(some), inside[some].astype(float))
        keys, stream = replay.demand.series.keys[some], replay.demand.stream
        random = stream.child(f"pit/{replay.known}").uniform(keys, (2,))
        for at, width in enumerate(SHARED):
            g = factors(np.full(len(some), width), keys, stream, sums.shape[1]) if width else 1.0
            wide = (sums * g)[:, :, None]
            in_whole_units(wide, whole[some], keys, stream)
            pits[at, begin : begin + CHUNK] = transform(wide, total[some, None], random[:, :1])[:, 0]
    return Pits(pits, told, np.full(len(told), replay.known))


def _of_singles(replay: Replay, panel: Panel, rows: np.ndarray, shared: Float[np.ndarray, " series"]) -> Pits:
    """Give u of every period that tells of demand, under each width of single periods."""
    actual, used, _ = _window(replay, panel, rows)
    told = np.flatnonzero(used.any(axis=1))
    whole, kept = in_whole(replay.past), []
    cap = ceilings(replay.past, caps(replay.demand.source, len(replay.past.series)))
    for begin in range(0, len(told), CHUNK):
        some = told[begin : begin + CHUNK]
        paths, keys, stream = replay.demand.paths(some), replay.demand.series.keys[some], replay.demand.stream
        random = stream.child(f"pit/{replay.known}").uniform(keys, (2 + actual.shape[1],))[:, 2:]
        under = []
        for width in SINGLE:
            wide = paths.copy()
            widened(wide, shared[some], np.full(len(some), width), cap[some], keys, stream)
            in_whole_units(wide, whole[some], keys, stream)
            under.append(transform(wide, actual[some], random)[used[some]])
        kept.append(np.stack(under))
    pits = np.concatenate(kept, axis=1) if kept else np.empty((len(SINGLE), 0))
    row = np.repeat(told, used[told].sum(axis=1))
    return Pits(pits, row, np.full(len(row), replay.known))


def transform(
    paths: Float[np.ndarray, "series path horizon"],
    actual: Float[np.ndarray, "series horizon"],
    random: Float[np.ndarray, "series horizon"],
) -> Float[np.ndarray, "series horizon"]:
    """Give the randomised probability integral transform of what came, 0 to 1.

    Examples
    --------
    >>> paths = np.array([[[0.0], [0.0], [1.0], [3.0]]])
    >>> transform(paths, np.array([[1.0]]), np.array([[0.5]])).tolist()
    [[0.625]]
    """
    below = (paths < actual[:, None, :]).mean(axis=1)
    not_above = (paths <= actual[:, None, :]).mean(axis=1)
    return np.asarray(below + random * (not_above - below))


def _window(replay: Replay, panel: Panel, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give what was sold in the window of a replay, where that is evidence, and where it is settled."""
    some, window = panel.take(rows), slice(replay.known, replay.known + replay.demand.horizon)
    return some.sales[:, window], some.fully_in_stock[:, window], some.settled[:, window]


def _choose(
    pits: Pits, groups: _Groups, widths: Sequence[float]
) -> tuple[Float[np.ndarray, " segment"], list[tuple[float, float]]]:
    """Give each segment the width whose coverage is nearest to its levels, and the error before and after.

    All series together leave forecasts as they are, a kind of demand what all series chose, and a segment what its kind
    chose, unless its error falls by more than chance would have it: ``NOISE`` over the root of the number of series at
    an origin (the periods of one series at one origin are hardly more than one observation). Those above count as
    ``PRIOR`` more of them.
    """
    every = np.ones(len(pits.row), dtype=bool)
    of_all = _error(pits.values)
    top = _moved(0, of_all, of_all, _seen(pits, every), 0.0)
    of_kind = []
    for at in range(groups.kinds):
        mine = groups.kind[pits.row] == at
        own, n = _error(pits.values[:, mine]), _seen(pits, mine)
        of_kind.append((_moved(top, own, of_all, n, PRIOR), own if n else of_all))
    chosen, errors = np.zeros(groups.segments), []
    for at in range(groups.segments):
        mine = groups.segment[pits.row] == at
        own, (start, above) = _error(pits.values[:, mine]), of_kind[groups.kind_of[at]]
        best = _moved(start, own, above, _seen(pits, mine), PRIOR)
        chosen[at] = widths[best]
        errors.append((float(own[0]), float(own[best])))
    return chosen, errors


def _moved(
    start: int, own: Float[np.ndarray, " width"], above: Float[np.ndarray, " width"], n: int, prior: float
) -> int:
    """Give the width whose coverage is nearest, or the one to start from where it is not clearly nearer."""
    if not n:
        return start
    joint = np.abs((n * own + prior * above) / (n + prior))
    best = int(joint.argmin())
    return best if joint[best] < joint[start] - NOISE / np.sqrt(n) else start


def _seen(pits: Pits, mine: Bool[np.ndarray, " observation"]) -> int:
    """Count the series at an origin that some observations are of."""
    return len(np.unique(pits.row[mine] * 100_000 + pits.origin[mine] % 100_000)) if mine.any() else 0


def _error(values: Float[np.ndarray, "width observation"]) -> Float[np.ndarray, " width"]:
    """Give how far the central intervals cover too little (above 0) or too much, the mean over ``LEVELS``.

    An interval's coverage tells of the width: a level that was wrong moves both of its ends.
    """
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    low = np.array(LEVELS)
    inside = [((values > level) & (values <= 1.0 - level)).mean(axis=1) for level in LEVELS]
    return np.asarray((1.0 - 2.0 * low - np.stack(inside, axis=1)).mean(axis=1))
