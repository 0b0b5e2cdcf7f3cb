"""Which model for which segment: the one that did best over all origins, by periods and by sums alike."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from stockcast.evaluation.scores import Outcome, mean_of

FEW = 8  # series below which a segment does not choose for itself


def choose(
    outcomes: Sequence[Sequence[Outcome]], segment: np.ndarray
) -> Int[np.ndarray, " series"]:
    """Give the index of each series' model; ``outcomes[model][origin]``.

    Each segment takes the model with the smallest loss: the scaled quantile loss of single periods plus that of the
    sum over the protection interval, each over the mean of all models so that both weigh alike, pooled over series
    and origins. A segment of few series, or one that cannot be judged, takes the choice of all series together; equal
    losses go to the model that is named first.
    """
    everyone = np.arange(len(segment))
    general = _best(outcomes, everyone)
    out = np.full(len(segment), 0 if general is None else general, dtype=np.int64)
    for name in sorted(set(segment.tolist())):
        rows = np.flatnonzero(segment == name)
        best = _best(outcomes, rows) if len(rows) >= FEW else None
        if best is not None:
            out[rows] = best
    return out


def _best(outcomes: Sequence[Sequence[Outcome]], rows: np.ndarray) -> int | None:
    losses = np.zeros(len(outcomes))
    told = False
    for name in ("single", "total"):
        part = np.array([mean_of(np.concatenate([getattr(o, name)[rows] for o in folds] or [rows[:0] + np.nan]))
                         for folds in outcomes])  # fmt: skip
        if np.isfinite(part).all() and part.mean() > 0:
            losses += part / part.mean()
            told = True
    return int(losses.argmin()) if told else None
