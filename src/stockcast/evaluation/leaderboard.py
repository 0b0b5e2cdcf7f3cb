"""The models one below the other, the best first, on origins that are the same for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from stockcast.evaluation.comparison import SELECTED
from stockcast.evaluation.scores import ALL, Score

RANKED_BY = ("scaled_quantile_loss", "scaled_quantile_loss_sum")  # by their product, as models are chosen


@final
@dataclass(frozen=True, slots=True)
class Line:
    """A model, and the mean of each metric over the origins."""

    model: str
    values: Mapping[str, float]


def leaderboard(scores: Sequence[Score], segment: str = ALL) -> tuple[Line, ...]:
    """Rank the models of a segment by the product of their losses of single periods and of sums.

    Means are over the origins that ``selected`` is judged at, or over all where it is judged at none, so that the lines
    can be compared. A model without a loss comes last; equals stay in the order of the scores.

    Examples
    --------
    >>> loss = "scaled_quantile_loss"
    >>> told = [Score("all", "ets", "2024-01-01", loss, 0.1), Score("all", "ets", "2024-02-01", loss, 0.9),
    ...         Score("all", "tsb", "2024-02-01", loss, 0.8), Score("all", "selected", "2024-02-01", loss, 0.8)]
    >>> [(line.model, line.values[loss]) for line in leaderboard(told)]
    [('tsb', 0.8), ('selected', 0.8), ('ets', 0.9)]
    """
    here = [score for score in scores if score.segment == segment]
    common = {score.origin for score in here if score.model == SELECTED} or {score.origin for score in here}
    cells: dict[str, dict[str, list[float]]] = {}
    for score in here:
        if score.origin in common:
            cells.setdefault(score.model, {}).setdefault(score.metric, []).append(score.value)
    lines = [Line(model, {name: float(np.mean(v)) for name, v in of.items()}) for model, of in cells.items()]
    by = [name for name in RANKED_BY if any(name in line.values for line in lines)]
    return tuple(sorted(lines, key=lambda line: np.prod([line.values.get(name, np.inf) for name in by])))
