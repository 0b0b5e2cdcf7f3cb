"""Stages in a row, each feeding the next: the echelon base-stock levels of Clark and Scarf (1960), exact.

Stage 1 meets the demand, stage j gets its goods from j + 1, the last from outside. With echelon holding costs h_j, lead
time demands D_j, and p a unit backordered and period (Snyder and Shen 2019, ch. 6)::

    Ĉ_j(x) = h_j x + C̲_{j−1}(x),            C̲_0(x) = (p + Σ h_j) x⁻
    C_j(y) = E Ĉ_j(y − D_j),                 S_j = argmin C_j,      C̲_j(x) = C_j(min(S_j, x))

C of the last stage at its level is the least cost a period. ``policies.echelon`` is held against it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from stockcast.core.arrays import freeze
from stockcast.core.errors import DataError
from stockcast.policies.classical.demand import LeadTimeDistribution

SURE = 1e-12  # what lies beyond this quantile at either end counts as lying there


@final
@dataclass(frozen=True, slots=True)
class Serial:
    """The echelon base-stock level of each stage, from the one that sells on, and the least cost a period."""

    level: Float[np.ndarray, " stage"]
    cost: float

    def __post_init__(self) -> None:
        """Freeze the array."""
        freeze(self, level=self.level)


def serial_levels(
    demand: Sequence[LeadTimeDistribution],
    holding_cost: Float[np.ndarray, " stage"],
    backorder_cost: float,
    *,
    step: float = 0.001,
) -> Serial:
    """Give the levels that are optimal for stages in a row.

    Parameters
    ----------
    demand
        Of each stage's lead time, one series each; the first stage is the one that sells. A period in which an order
        is placed and demand is met counts.
    holding_cost
        Echelon holding costs a unit and period.
    backorder_cost
        p.
    step
        The lattice: C is straight between its points.

    Raises
    ------
    DataError
        If stages and costs differ in number, or a cost is not positive.

    Examples
    --------
    >>> from stockcast.policies.classical.demand import Normal
    >>> leads = [Normal(np.array([10.0 * n]), np.array([2.0 * n**0.5])) for n in (1, 1, 2)]
    >>> found = serial_levels(leads, np.array([4.0, 3.0, 1.0]), 40.0, step=0.01)
    >>> found.level.round(2).tolist(), round(found.cost, 2)
    ([12.77, 23.53, 46.31], 86.02)
    """
    if len(demand) != len(holding_cost) or not len(demand):
        raise DataError(f"{len(demand)} stages with {len(holding_cost)} holding costs", code="SC-B006")
    if not (holding_cost > 0).all() or backorder_cost <= 0 or step <= 0:
        raise DataError("serial: costs and step must be positive", code="SC-B006")
    ends = [np.array([float(one.quantile(np.array([at]))[0]) for at in (SURE, 1.0 - SURE)]) for one in demand]
    far = np.ceil(sum(np.abs(end).max() for end in ends) / step)
    x = np.arange(-far, far + 1) * step
    below = (backorder_cost + holding_cost.sum()) * np.maximum(-x, 0.0)
    level, least = np.zeros(len(demand)), 0.0
    for j, (one, end) in enumerate(zip(demand, ends, strict=True)):
        cost = _expected(holding_cost[j] * x + below, one, end, step)
        best = int(cost.argmin())
        level[j], least = x[best], float(cost[best])
        below = np.where(x > x[best], least, cost)
    return Serial(level, least)


def _expected(
    values: Float[np.ndarray, " point"], demand: LeadTimeDistribution, ends: Float[np.ndarray, "2"], step: float
) -> Float[np.ndarray, " point"]:
    """Give E f(y − D) of a function that is straight between lattice points, and beyond the last of them.

    The weight of a point is the expectation of the hat over it: a second difference of the loss function.
    """
    from scipy.signal import fftconvolve

    low, high = int(np.floor(ends[0] / step)) - 1, int(np.ceil(ends[1] / step)) + 1
    at = np.arange(low - 1, high + 2) * step
    loss = demand.loss(at)
    weight = (loss[2:] - 2.0 * loss[1:-1] + loss[:-2]) / step
    weight = weight / weight.sum()
    more = max(high, -low, 0) + 1
    reach = np.arange(1, more + 1)
    first, last = values[1] - values[0], values[-1] - values[-2]
    drawn = np.concatenate([(values[0] - first * reach)[::-1], values, values[-1] + last * reach])
    whole = fftconvolve(drawn, weight)
    begin = more - low
    return np.asarray(whole[begin : begin + len(values)])
