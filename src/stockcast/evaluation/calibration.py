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
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.demand.adjusted import factors, in_whole_units, widened
from stockcast.evaluation.published import ceilings, in_whole
from stockcast.evaluation.replay import Replay
from stockcast.panel import Panel

SHARED = (0.0, 0.1, 0.15, 0.2, 0.3, 0.45, 0.65)
SINGLE = (0.0, 0.2, 0.35, 0.5, 0.75, 1.1, 1.5)
LEVELS = (0.05, 0.1, 0.25, 0.75, 0.9, 0.95, 0.975, 0.99)  # the middle is a matter of the level, not of the width
PRIOR = 200.0  # observations with which all series together speak for each segment
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
    names, at = np.unique(segment[rows], return_inverse=True)
    sums = _pooled([_of_sums(replay, panel, rows, periods[rows]) for replay in replays])
    shared, error_sum = _choose(sums, at, len(names), SHARED)
    singles = _pooled([_of_singles(replay, panel, rows, shared[at]) for replay in replays])
    single, error_single = _choose(singles, at, len(names), SINGLE)
    told = []
    for place, name in enumerate(names.tolist()):
        told += [(name, "width_shared", float(shared[place])), (name, "width_single", float(single[place]))]
        for what, (before, after) in (("sum", error_sum[place]), ("single", error_single[place])):
            told += [(name, f"coverage_error_{what}_before", before), (name, f"coverage_error_{what}", after)]
    known = {name: place for place, name in enumerate(names.tolist())}
    of_all = _choose(sums, np.zeros(len(rows), dtype=np.int64), 1, SHARED)[0][0]
    of_all_single = _choose(singles, np.zeros(len(rows), dtype=np.int64), 1, SINGLE)[0][0]
    index = np.array([known.get(name, -1) for name in segment.tolist()], dtype=np.int64)
    return Calibration(
        np.where(index >= 0, shared[index], of_all),
        np.where(index >= 0, single[index], of_all_single),
        tuple((name, what, value) for name, what, value in told if np.isfinite(value)),
    )


@final
@dataclass(frozen=True, slots=True)
class Pits:
    """u of every observation under each width, and the row of the series that it is of."""

    values: Float[np.ndarray, "width observation"]
    row: Int[np.ndarray, " observation"]


def _pooled(parts: Sequence[Pits]) -> Pits:
    return Pits(np.concatenate([part.values for part in parts], axis=1), np.concatenate([part.row for part in parts]))


def _of_sums(replay: Replay, panel: Panel, rows: np.ndarray, periods: Int[np.ndarray, " series"]) -> Pits:
    """Give u of the sum over the protection interval under each shared width, where all of it tells of demand."""
    actual, used = _window(replay, panel, rows)
    inside = np.arange(actual.shape[1]) < np.clip(periods, 1, actual.shape[1])[:, None]
    told = np.flatnonzero((used | ~inside).all(axis=1))
    pits, total = np.empty((len(SHARED), len(told))), np.where(inside, actual, 0.0).sum(axis=1)
    whole = in_whole(replay.past)
    for begin in range(0, len(told), CHUNK):
        some = told[begin : begin + CHUNK]
        sums = np.einsum("sph,sh->sp", replay.demand.paths(some), inside[some].astype(float))
        keys, stream = replay.demand.series.keys[some], replay.demand.stream
        random = stream.child("pit").uniform(keys, (2,))
        for at, width in enumerate(SHARED):
            g = factors(np.full(len(some), width), keys, stream, sums.shape[1]) if width else 1.0
            wide = (sums * g)[:, :, None]
            in_whole_units(wide, whole[some], keys, stream)
            pits[at, begin : begin + CHUNK] = transform(wide, total[some, None], random[:, :1])[:, 0]
    return Pits(pits, told)


def _of_singles(replay: Replay, panel: Panel, rows: np.ndarray, shared: Float[np.ndarray, " series"]) -> Pits:
    """Give u of every period that tells of demand, under each width of single periods."""
    actual, used = _window(replay, panel, rows)
    told = np.flatnonzero(used.any(axis=1))
    whole, cap, kept = in_whole(replay.past), ceilings(replay.past), []
    for begin in range(0, len(told), CHUNK):
        some = told[begin : begin + CHUNK]
        paths, keys, stream = replay.demand.paths(some), replay.demand.series.keys[some], replay.demand.stream
        random = stream.child("pit").uniform(keys, (2 + actual.shape[1],))[:, 2:]
        under = []
        for width in SINGLE:
            wide = paths.copy()
            widened(wide, shared[some], np.full(len(some), width), cap[some], keys, stream)
            in_whole_units(wide, whole[some], keys, stream)
            under.append(transform(wide, actual[some], random)[used[some]])
        kept.append(np.stack(under))
    pits = np.concatenate(kept, axis=1) if kept else np.empty((len(SINGLE), 0))
    return Pits(pits, np.repeat(told, used[told].sum(axis=1)))


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


def _window(replay: Replay, panel: Panel, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    window = slice(replay.known, replay.known + replay.demand.horizon)
    used = (panel.observed[rows, window]) & (panel.in_stock[rows, window] >= 1.0)
    return panel.sales[rows, window], used


def _choose(
    pits: Pits, group: Int[np.ndarray, " series"], groups: int, widths: Sequence[float]
) -> tuple[Float[np.ndarray, " group"], list[tuple[float, float]]]:
    """Give each group the width whose coverage is nearest to its levels, and the error before and after.

    All series together count as ``PRIOR`` observations more; the narrower of two equal widths is taken.
    """
    of_all = _error(pits.values)
    chosen, errors = np.zeros(groups), []
    for at in range(groups):
        mine = pits.values[:, group[pits.row] == at]
        own = _error(mine) if mine.shape[1] else of_all
        joint = (mine.shape[1] * own + PRIOR * of_all) / (mine.shape[1] + PRIOR)
        best = int(joint.argmin()) if np.isfinite(joint).all() else 0
        chosen[at] = widths[best]
        errors.append((float(own[0]), float(own[best])))
    return chosen, errors


def _error(values: Float[np.ndarray, "width observation"]) -> Float[np.ndarray, " width"]:
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    covered = np.stack([(values <= level).mean(axis=1) for level in LEVELS], axis=1)
    return np.asarray(np.abs(covered - np.array(LEVELS)).mean(axis=1))
