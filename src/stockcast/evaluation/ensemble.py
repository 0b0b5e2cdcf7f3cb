"""How much each model weighs in which segment, learnt from what all of them forecast at earlier origins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.evaluation import metrics
from stockcast.evaluation.folds import Folds
from stockcast.evaluation.scores import Quantiles, Score
from stockcast.evaluation.selection import FEW, MOST
from stockcast.evaluation.weights import MEMBERS, alone, rounded
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

STEP, STEPS = 0.1, 20  # the weight that an addition takes from all others, and how often at most
GAIN = 0.001  # of the loss: less is taken for chance, and not worth another model
PRIOR = 200.0  # series × origins with which all series speak for a segment: 50 series at four origins say half
TINY = 1e-12
NAME = "ensemble"  # the name under which the weights stand in backtest.csv


@final
@dataclass(frozen=True, slots=True)
class Origin:
    """What every model forecast at one origin, and what came.

    Parameters
    ----------
    single, total
        Quantiles of single periods, and of the sum over the protection interval; NaN where a model was not judged.
    actual, used
        Of the window, and which periods of it tell of demand.
    sold
        The sum over the protection interval, NaN where not all of it tells of demand.
    scale, periods
        The mean absolute seasonal step of the history, and the periods that ``sold`` is the sum of.
    """

    single: Float[np.ndarray, "model series horizon level"]
    total: Float[np.ndarray, "model series level"]
    actual: Float[np.ndarray, "series horizon"]
    used: Bool[np.ndarray, "series horizon"]
    sold: Float[np.ndarray, " series"]
    scale: Float[np.ndarray, " series"]
    periods: Int[np.ndarray, " series"]


@final
@dataclass(frozen=True, slots=True)
class Weighed:
    """The weights of each series, and what they rest on: (segment, measure, value)."""

    weights: Float[np.ndarray, "series model"]
    told: tuple[tuple[str, str, float], ...]

    def __post_init__(self) -> None:
        """Freeze the array."""
        freeze(self, weights=self.weights)

    def scores(self, origin: str) -> tuple[Score, ...]:
        """Give the weights by segment, and by how much the loss falls, as rows of ``backtest.csv``."""
        return tuple(Score(segment, NAME, origin, what, value) for segment, what, value in self.told)


def origins(
    panel: Panel,
    folds: Folds,
    rows: Int[np.ndarray, " row"],
    periods: Int[np.ndarray, " series"],
    kept: Sequence[Sequence[Quantiles]],
) -> list[Origin]:
    """Hold the quantiles of some series, ``kept[model][origin]``, against what came."""
    some, out = panel.take(rows), []
    for at, known in enumerate(folds.known):
        past, window = some.until(known), slice(known, known + folds.window)
        told = evidence(past)
        scale = metrics.naive_scales(told.values, told.used, 7 if past.time.step == "day" else 1).season
        actual, used = some.sales[:, window], some.fully_in_stock[:, window]
        inside = np.arange(folds.window) < np.clip(periods[rows], 1, folds.window)[:, None]
        sold = np.where(
            (some.settled[:, window] | ~inside).all(axis=1), np.where(inside, actual, 0.0).sum(axis=1), np.nan
        )
        single = np.stack([of[at].single for of in kept])
        total = np.stack([of[at].total for of in kept])
        out.append(Origin(single, total, actual, used, sold, scale, inside.sum(axis=1)))
    return out


def weigh(
    earlier: Sequence[Origin],
    rows: Int[np.ndarray, " row"],
    names: Sequence[str],
    segment: np.ndarray,
    competes: Bool[np.ndarray, "model series"],
    chosen: Int[np.ndarray, " series"],
    levels: tuple[float, ...],
) -> Weighed:
    """Give each segment the weights with the smallest loss, from its chosen model on.

    Forward selection with replacement (Caruana et al. 2004): again and again the model whose addition makes the loss
    smallest takes ``STEP`` of the weight. The loss is that of the choice of one model
    (:func:`stockcast.evaluation.selection.best`); an addition must lower it by ``GAIN`` over all origins, and at half
    of them at least. With n series × origins, a segment's weights are shrunk to those of all series together::

        w = (n w_segment + PRIOR w_all) / (n + PRIOR)

    rounded, and kept where they, as they are then, pass the same test against the chosen model; else those of the
    segment alone are, or the chosen model stays. So a segment is never worse off, on what it is chosen on,
    unless it is so small that it takes the weights of all series.

    Parameters
    ----------
    rows
        The series that ``earlier`` is of.
    segment, competes, chosen
        Of all series. A segment with fewer than ``FEW`` among the rows takes the weights of all series, of models that
        compete for all.
    """
    out = alone(chosen, len(names)).copy()
    if not len(rows) or not earlier:
        return Weighed(out, ())
    told: list[tuple[str, str, float]] = []
    every = np.arange(len(rows))
    of_all = _Group(earlier, every, np.flatnonzero(competes[:, rows].all(axis=1)), levels)
    start = of_all.best()
    common = None if start is None else of_all.greedy(start)
    joint = None if common is None or start is None else of_all.kept([common], start)
    for name in sorted(set(segment.tolist())):
        mine = segment == name
        here = np.flatnonzero(mine[rows])
        single = int(chosen[mine][0])
        if len(here) < FEW:
            if joint is not None and (joint > 0).sum() > 1 and competes[joint > 0][:, mine].all():
                out[mine] = joint
            continue
        able = np.flatnonzero(competes[:, mine].all(axis=1))
        if single not in able or (chosen[mine] != single).any():
            continue
        group = _Group(earlier, here, able, levels)
        own = group.greedy(single)
        n = len(here) * len(earlier)
        shrunk = own if common is None else (n * own + PRIOR * common) / (n + PRIOR)
        weights = group.kept([shrunk, own], single)
        out[mine] = weights
        if (weights > 0).sum() > 1:
            told += [(name, f"weight_{names[at]}", float(weights[at])) for at in np.flatnonzero(weights).tolist()]
            told.append((name, "gain", 1.0 - float(np.exp(group.loss(weights)[0] - group.loss(_only(single, own))[0]))))
    return Weighed(out, tuple(told))


def _only(model: int, like: np.ndarray) -> np.ndarray:
    out = np.zeros(len(like))
    out[model] = 1.0
    return out


Loss = tuple[float, np.ndarray]  # of all origins together, and of each: logarithms, NaN where nothing is told
Blended = list[tuple[np.ndarray, np.ndarray]]  # quantiles of single periods and of sums, by origin


@final
class _Group:
    """Some series at all origins, and the models that compete for them."""

    def __init__(
        self, earlier: Sequence[Origin], rows: np.ndarray, able: Int[np.ndarray, " able"], levels: tuple[float, ...]
    ) -> None:
        self.earlier, self.rows, self.able = earlier, rows, able
        self.levels = levels
        self.models = earlier[0].single.shape[0]

    def best(self) -> int | None:
        """Give the model that does best alone; None where nothing tells them apart."""
        losses = [self.loss(_only(at, np.zeros(self.models)))[0] for at in self.able.tolist()]
        if not losses or np.isnan(losses).all():
            return None
        return int(self.able[int(np.nanargmin(losses))])

    def greedy(self, start: int) -> Float[np.ndarray, " model"]:
        """Add models as long as that pays."""
        weights = _only(start, np.zeros(self.models))
        now = self._alone(start)
        loss = self._loss(now)
        for _ in range(STEPS):
            found: tuple[Loss, int, Blended] | None = None
            for at in self.able.tolist():
                if weights[at] == 1.0 or (weights[at] == 0.0 and (weights > 0).sum() >= MEMBERS):
                    continue
                trial = [
                    ((1.0 - STEP) * single + STEP * more, (1.0 - STEP) * total + STEP * sums)
                    for (single, total), (more, sums) in zip(now, self._alone(at), strict=True)
                ]
                then = self._loss(trial)
                if _better(then, loss) and (found is None or then[0] < found[0][0]):
                    found = then, at, trial
            if found is None:
                break
            loss, at, now = found
            weights = (1.0 - STEP) * weights
            weights[at] += STEP
        return weights

    def kept(self, candidates: Sequence[np.ndarray], start: int) -> Float[np.ndarray, " model"]:
        """Give the first of some weights that is better than a model alone when it is rounded, else that model."""
        single = _only(start, np.zeros(self.models))
        before = self.loss(single)
        for weights in candidates:
            found = rounded(weights)
            if _better(self.loss(found), before):
                return found
        return single

    def loss(self, weights: Float[np.ndarray, " model"]) -> Loss:
        """Give the loss of some weights."""
        members = np.flatnonzero(weights).tolist()
        singles, totals = [], []
        for origin in self.earlier:
            singles.append(sum(weights[at] * origin.single[at, self.rows] for at in members))
            totals.append(sum(weights[at] * origin.total[at, self.rows] for at in members))
        return self._loss(list(zip(singles, totals, strict=True)))

    def _alone(self, model: int) -> Blended:
        return [(origin.single[model, self.rows], origin.total[model, self.rows]) for origin in self.earlier]

    def _loss(self, blended: Blended) -> Loss:
        of_each = []
        for origin, (single, total) in zip(self.earlier, blended, strict=True):
            rows = self.rows
            scale, periods = origin.scale[rows], origin.periods[rows]
            by_period = metrics.scaled_quantile_loss(single, origin.actual[rows], origin.used[rows], self.levels, scale)
            sums = metrics.quantile_loss(total[:, None], origin.sold[rows, None], self.levels)[:, 0].mean(axis=1)
            of_each.append((np.minimum(by_period, MOST), np.minimum(sums / scale / periods, MOST)))
        return _product(of_each), np.array([_product([one]) for one in of_each])


def _product(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Give the logarithm of the product of the two means; a mean of nothing is left out."""
    logs = []
    for at in (0, 1):
        pooled = np.concatenate([part[at] for part in parts])
        pooled = pooled[~np.isnan(pooled)]
        if len(pooled):
            logs.append(np.log(max(float(pooled.mean(dtype=float)), TINY)))
    return float(sum(logs)) if logs else float("nan")


def _better(then: Loss, now: Loss) -> bool:
    """Tell whether a loss falls by ``GAIN`` at least, and at half of the origins that tell something."""
    told = ~np.isnan(now[1])
    return bool(then[0] < now[0] + np.log1p(-GAIN)) and 2 * int((then[1] < now[1])[told].sum()) >= int(told.sum())
