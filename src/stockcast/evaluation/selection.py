"""Which model for which segment: the one that did best over all origins, by periods and by sums alike."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int

from stockcast.evaluation.scores import Outcome, mean_of
from stockcast.models.catalogue import suits

FEW = 8  # series below which a segment does not choose for itself
MOST = 10.0  # naive steps that one series' loss counts at most: one that hardly ever sold has a tiny step


def competing(names: Sequence[str], segment: np.ndarray) -> Bool[np.ndarray, "model series"]:
    """Tell which models compete for which series: those that suit the segment, or all where none does.

    Examples
    --------
    >>> competing(["ets", "tsb"], np.array(["A-smooth", "C-lumpy"])).tolist()
    [[True, True], [False, True]]
    """
    kinds, at = np.unique(segment, return_inverse=True)
    suited = np.array([[suits(name, kind) for kind in kinds.tolist()] for name in names], dtype=bool)
    suited = suited.reshape(len(names), len(kinds))
    suited |= ~suited.any(axis=0)
    return suited[:, at]


def choose(
    outcomes: Sequence[Sequence[Outcome]],
    segment: np.ndarray,
    otherwise: int = 0,
    competes: Bool[np.ndarray, "model series"] | None = None,
) -> Int[np.ndarray, " series"]:
    """Give the index of each series' model; ``outcomes[model][origin]``.

    Each segment takes the model with the smallest loss (:func:`best`) of those that compete for it (all, when left
    out). A segment of few series, or one that cannot be judged, takes the choice of all series together, among the
    models that compete for all; where these cannot be judged either, it is ``otherwise``.
    """
    models = np.arange(len(outcomes))

    def among(rows: np.ndarray) -> int | None:
        able = models if competes is None else models[competes[:, rows].all(axis=1)]
        found = best([outcomes[at] for at in able.tolist()], rows) if len(able) else None
        return None if found is None else int(able[found])

    of_all = among(np.arange(len(segment)))
    out = np.full(len(segment), otherwise if of_all is None else of_all, dtype=np.int64)
    for name in sorted(set(segment.tolist())):
        rows = np.flatnonzero(segment == name)
        own = among(rows) if len(rows) >= FEW else None
        if own is not None:
            out[rows] = own
    return out


def best(outcomes: Sequence[Sequence[Outcome]], rows: np.ndarray) -> int | None:
    """Give the model with the smallest loss on some series; None where there is nothing to tell them apart.

    The loss is the product of two means over series and origins: the scaled quantile loss of single periods, and that
    of the sum over the protection interval. In a product both weigh alike whatever their size, and what a third model
    does cannot turn the choice between two. A model without a finite loss is passed over; equal losses go to the model
    that is named first.
    """
    losses = np.zeros(len(outcomes))
    told = False
    for name in ("single", "total"):
        part = np.array([_mean([getattr(outcome, name)[rows] for outcome in folds]) for folds in outcomes])
        most = np.max(part, where=np.isfinite(part), initial=0.0)
        if most > 0:
            losses += np.log(np.maximum(np.where(np.isfinite(part), part, np.inf), 1e-9 * most))
            told = True
    return int(losses.argmin()) if told else None


def _mean(losses: Sequence[np.ndarray]) -> float:
    pooled = np.concatenate(losses) if losses else np.zeros(0)
    return float("inf") if np.isinf(pooled).any() else mean_of(np.minimum(pooled, MOST))
