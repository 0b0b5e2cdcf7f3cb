"""What a backtest tells: one outcome a series, model and origin, and its table by segment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from stockcast.core.arrays import freeze
from stockcast.demand import SampledForecast
from stockcast.evaluation import metrics
from stockcast.evaluation.metrics import Scales

ALL = "all"  # the segment of all series
COVERED = (0.9, 0.95, 0.975, 0.99)
HUGE = 1e30  # what single precision holds


@final
@dataclass(frozen=True, slots=True)
class Score:
    """One row of ``backtest.csv``."""

    segment: str
    model: str
    origin: str
    metric: str
    value: float


@final
@dataclass(frozen=True, slots=True)
class ModelTiming:
    """Seconds spent on a model over all folds and the forecast; the series that it forecasts, and their share."""

    fit_s: float
    predict_s: float
    series: int
    share: float


@final
@dataclass(frozen=True, slots=True)
class Outcome:
    """What each series says of one model at one origin; NaN where nothing is to be judged.

    ``single`` and ``total`` are the scaled quantile losses of single periods, and of their sum over the protection
    interval (divided by its periods as well); ``pinball`` is that of single periods in units, summed over them.
    ``held`` is the mean stock that ordering the mean would hold, in periods of demand. ``covered`` holds the shares not
    above the quantiles of ``COVERED``: of single periods, then of the sum.
    """

    absolute: Float[np.ndarray, " series"]
    error: Float[np.ndarray, " series"]
    actual: Float[np.ndarray, " series"]
    rmsse: Float[np.ndarray, " series"]
    mase: Float[np.ndarray, " series"]
    held: Float[np.ndarray, " series"]
    single: Float[np.ndarray, " series"]
    total: Float[np.ndarray, " series"]
    pinball: Float[np.ndarray, " series"]
    total_error: Float[np.ndarray, " series"]
    total_actual: Float[np.ndarray, " series"]
    covered: Float[np.ndarray, "series covered"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})


@final
@dataclass(frozen=True, slots=True)
class Quantiles:
    """What a model said at one origin, for an ensemble to weigh; NaN where it was not judged.

    Parameters
    ----------
    single, total
        Of single periods, and of the sum over the protection interval.
    """

    single: Float32[np.ndarray, "series horizon level"]
    total: Float32[np.ndarray, "series level"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, single=self.single, total=self.total)


def join(outcomes: Sequence[Outcome]) -> Outcome:
    """Put the outcomes of consecutive chunks of series together."""
    names = Outcome.__dataclass_fields__
    return Outcome(**{name: np.concatenate([getattr(part, name) for part in outcomes]) for name in names})


def spread(outcome: Outcome | None, rows: Int[np.ndarray, " row"], n: int) -> Outcome:
    """Put the outcome of some series at their rows among ``n``; the others have nothing to judge."""
    values = {}
    for name in Outcome.__dataclass_fields__:
        width = (2 * len(COVERED),) if name == "covered" else ()
        values[name] = np.full((n, *width), np.nan)
        if outcome is not None:
            values[name][rows] = getattr(outcome, name)
    return Outcome(**values)


def picked(outcomes: Sequence[Outcome], chosen: Int[np.ndarray, " series"]) -> Outcome:
    """Give each series the outcome of the model that it chose, out of those of one origin."""
    rows, names = np.arange(len(chosen)), Outcome.__dataclass_fields__
    return Outcome(**{name: np.stack([getattr(one, name) for one in outcomes])[chosen, rows] for name in names})


def judge(
    demand: SampledForecast,
    actual: Float[np.ndarray, "series horizon"],
    used: Bool[np.ndarray, "series horizon"],
    scales: Scales,
    periods: Int[np.ndarray, " series"],
    levels: tuple[float, ...],
    settled: Bool[np.ndarray, "series horizon"] | None = None,
) -> Outcome:
    """Give the outcome of :func:`judged` alone."""
    return judged(demand, actual, used, scales, periods, levels, settled)[0]


def judged(
    demand: SampledForecast,
    actual: Float[np.ndarray, "series horizon"],
    used: Bool[np.ndarray, "series horizon"],
    scales: Scales,
    periods: Int[np.ndarray, " series"],
    levels: tuple[float, ...],
    settled: Bool[np.ndarray, "series horizon"] | None = None,
    keep: Int[np.ndarray, " kept"] | None = None,
) -> tuple[Outcome, Quantiles]:
    """Hold a forecast against what came, where that tells of demand.

    Parameters
    ----------
    scales
        What the history says that errors are divided by.
    periods
        The protection interval of each series; cut to the window. Its sum is judged where all of it is settled.
    settled
        Where what came is known: evidence, or closed (``Panel.settled``); evidence alone when left out.
    keep
        The series whose quantiles are given as well, ascending; none when left out.
    """
    parts = []
    keep = np.zeros(0, dtype=np.int64) if keep is None else keep
    single = np.empty((len(keep), demand.horizon, len(levels)), dtype=np.float32)
    of_sum = np.empty((len(keep), len(levels)), dtype=np.float32)
    inside = np.arange(demand.horizon) < np.clip(periods, 1, demand.horizon)[:, None]
    whole = ((used if settled is None else settled) | ~inside).all(axis=1)
    for rows in demand.chunks():
        paths = demand.paths(rows)
        mean = paths.mean(axis=1)
        total = np.einsum("sph,sh->sp", paths, inside[rows].astype(float))
        paths.sort(axis=1)
        total.sort(axis=1)
        quantiles = paths[:, _ranks(levels, demand.n_paths)].transpose(0, 2, 1)
        sums = total[:, _ranks(levels, demand.n_paths)]
        of_these = np.flatnonzero(np.isin(keep, rows))
        at = np.searchsorted(rows, keep[of_these])
        single[of_these], of_sum[of_these] = np.minimum(quantiles[at], HUGE), np.minimum(sums[at], HUGE)
        parts.append(_outcome(mean, paths, total, actual[rows], used[rows], inside[rows], whole[rows],
                              scales.take(rows), levels))  # fmt: skip
    return join(parts), Quantiles(single, of_sum)


def _ranks(levels: Sequence[float], n_paths: int) -> np.ndarray:
    return np.clip(np.ceil(np.array(levels) * n_paths - 1e-9).astype(np.int64) - 1, 0, n_paths - 1)


def _outcome(
    mean: np.ndarray, paths: np.ndarray, totals: np.ndarray, actual: np.ndarray, used: np.ndarray, inside: np.ndarray,
    whole: np.ndarray, scales: Scales, levels: tuple[float, ...],
) -> Outcome:  # fmt: skip
    """Judge paths and their sums, each sorted from the smallest to the largest path."""
    any_used = used.any(axis=1)
    sold = np.where(inside, actual, 0.0).sum(axis=1)
    at, covering = _ranks(levels, paths.shape[1]), _ranks(COVERED, paths.shape[1]).tolist()
    single = metrics.scaled_quantile_loss(paths[:, at].transpose(0, 2, 1), actual, used, levels, scales.season)
    loss = metrics.quantile_loss(totals[:, at][:, None, :], sold[:, None], levels)[:, 0].mean(axis=1)
    covered = [metrics.coverage(paths[:, rank], actual, used) for rank in covering]
    covered += [metrics.coverage(totals[:, rank, None], sold[:, None], whole[:, None]) for rank in covering]

    def summed(values: np.ndarray) -> np.ndarray:
        return np.where(any_used, np.where(used, values, 0.0).sum(axis=1), np.nan)

    return Outcome(
        absolute=summed(np.abs(mean - actual)),
        error=summed(mean - actual),
        actual=summed(actual),
        rmsse=metrics.rmsse(mean, actual, used, scales.step),
        mase=metrics.mase(mean, actual, used, scales.season),
        held=metrics.periods_in_stock(mean, actual, used, scales.level),
        single=single,
        total=np.where(whole, loss / scales.season / inside.sum(axis=1), np.nan),
        pinball=single * scales.season * used.sum(axis=1),
        total_error=np.where(whole, totals.mean(axis=1) - sold, np.nan),
        total_actual=np.where(whole, sold, np.nan),
        covered=np.stack(covered, axis=1),
    )


def mean_of(values: np.ndarray) -> float:
    """Give the mean of what is not NaN; NaN where nothing is."""
    told = values[~np.isnan(values)]
    return float(told.mean()) if len(told) else float("nan")


def _ratio(above: np.ndarray, below: np.ndarray) -> float:
    total = float(np.nansum(below))
    return float(np.nansum(above)) / total if total > 0 else float("nan")


def measures(outcome: Outcome, rows: np.ndarray) -> dict[str, float]:
    """Give the metrics of some series by name, without those that cannot be told."""
    told = {
        "wape": _ratio(outcome.absolute[rows], outcome.actual[rows]),
        "bias": _ratio(outcome.error[rows], outcome.actual[rows]),
        "rmsse": mean_of(outcome.rmsse[rows]),
        "mase": mean_of(outcome.mase[rows]),
        "scaled_quantile_loss": mean_of(outcome.single[rows]),
        "scaled_quantile_loss_sum": mean_of(outcome.total[rows]),
        "weighted_quantile_loss": _ratio(outcome.pinball[rows], outcome.actual[rows]),
        "bias_sum": _ratio(outcome.total_error[rows], outcome.total_actual[rows]),
        "periods_in_stock": mean_of(outcome.held[rows]),
        "periods_in_stock_absolute": mean_of(np.abs(outcome.held[rows])),
    }
    covering = [f"coverage_{level:g}" for level in COVERED] + [f"coverage_sum_{level:g}" for level in COVERED]
    told |= {name: mean_of(outcome.covered[rows, at]) for at, name in enumerate(covering)}
    return {name: value for name, value in told.items() if np.isfinite(value)}


def table(
    names: Sequence[str],
    origins: Sequence[str],
    outcomes: Sequence[Sequence[Outcome]],
    segment: np.ndarray,
    competes: Bool[np.ndarray, "model series"] | None = None,
) -> tuple[Score, ...]:
    """Give every metric by segment (all first), model and origin; ``outcomes[model][origin]``.

    A model has no row for a segment that it does not compete for: means over other series could not be compared.
    """
    out: list[Score] = []
    for name in (ALL, *sorted(set(segment.tolist()))):
        rows = np.arange(len(segment)) if name == ALL else np.flatnonzero(segment == name)
        for at, (model, folds) in enumerate(zip(names, outcomes, strict=True)):
            if competes is not None and not competes[at, rows].all():
                continue
            for origin, outcome in zip(origins, folds, strict=True):
                out += [Score(name, model, origin, metric, v) for metric, v in measures(outcome, rows).items()]
    return tuple(out)
