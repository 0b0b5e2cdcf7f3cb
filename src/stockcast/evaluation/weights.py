"""What each model weighs in the forecast of a series: rounded, and named."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

MEMBERS = 4
UNITS = 20  # weights are multiples of a twentieth …
LEAST = 2  # … and at least two of them: each member is fitted every night


def alone(chosen: Int[np.ndarray, " series"], models: int) -> Float[np.ndarray, "series model"]:
    """Give all weight to the model that was chosen.

    Examples
    --------
    >>> alone(np.array([1, 0]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    return np.asarray(np.eye(models)[chosen])


def rounded(weights: Float[np.ndarray, " model"]) -> Float[np.ndarray, " model"]:
    """Round to multiples of 1/``UNITS`` that sum to 1, of ``MEMBERS`` models at most, none below ``LEAST`` of them.

    Examples
    --------
    >>> rounded(np.array([0.58, 0.34, 0.05, 0.03])).tolist()
    [0.65, 0.35, 0.0, 0.0]
    """
    kept = np.argsort(-weights, kind="stable")[:MEMBERS]
    while True:
        share = np.zeros(len(weights))
        share[kept] = weights[kept] / weights[kept].sum() * UNITS
        units = np.floor(share + 1e-9)
        lacking = np.argsort(units - share, kind="stable")[: int(round(UNITS - units.sum()))]
        units[lacking] += 1.0  # the largest remainders
        if len(kept) == 1 or units[kept].min() >= LEAST:
            return np.asarray(units / UNITS)
        kept = kept[:-1]


def label(names: Sequence[str], weights: Float[np.ndarray, "series model"]) -> np.ndarray:
    """Name what forecasts each series, the heaviest first.

    Examples
    --------
    >>> label(["ets", "tsb"], np.array([[0.3, 0.7], [1.0, 0.0]])).tolist()
    ['tsb 0.7 + ets 0.3', 'ets']
    """
    seen: Mapping[bytes, str] = {row.tobytes(): _label(names, row) for row in np.unique(weights, axis=0)}
    width = max(map(len, [*names, *seen.values()]))  # what is written doesn't depend on the choice among single models
    return np.array([seen[row.tobytes()] for row in weights], dtype=f"U{width}")


def _label(names: Sequence[str], weights: np.ndarray) -> str:
    order = [at for at in np.argsort(-weights, kind="stable").tolist() if weights[at] > 0]
    return names[order[0]] if len(order) == 1 else " + ".join(f"{names[at]} {weights[at]:g}" for at in order)
