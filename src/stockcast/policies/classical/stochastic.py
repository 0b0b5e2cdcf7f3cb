"""Reorder points and levels of one item under random demand: base stock, (R,S), (r,Q) and (s,S), each at its optimum.

Here p is a unit backordered and period. G(y) = h E(y − D)⁺ + p E(D − y)⁺ is the cost a period at inventory position y,
D the demand until it is looked at again and delivered.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from stockcast.core.errors import DataError
from stockcast.policies.classical.demand import LeadTimeDistribution, Number, Poisson

FAR = 100_000  # steps of a search that never ends: a cost that does not rise


@final
@dataclass(frozen=True, slots=True)
class Found:
    """A policy's two numbers (r and Q, s and S, R and S) and its average cost a period."""

    first: float
    second: float
    cost: float


def period_cost(
    demand: LeadTimeDistribution,
    units: Float[np.ndarray, " series"],
    holding_cost: Float[np.ndarray, " series"] | Number,
    backorder_cost: Float[np.ndarray, " series"] | Number,
) -> Float[np.ndarray, " series"]:
    """Give G(y) = h (y − E D) + (h + p) n(y).

    Examples
    --------
    >>> from stockcast.policies.classical.demand import Normal
    >>> demand = Normal(np.array([50.0]), np.array([8.0]))
    >>> period_cost(demand, np.array([56.60396]), 0.18, 0.7).round(6).tolist()
    [1.997605]
    """
    return holding_cost * (units - demand.mean) + (holding_cost + backorder_cost) * demand.loss(units)


def base_stock(
    demand: LeadTimeDistribution,
    holding_cost: Float[np.ndarray, " series"],
    backorder_cost: Float[np.ndarray, " series"],
) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
    """Give S, the quantile p/(p + h) of demand over the lead time and the review, and its cost a period.

    Examples
    --------
    >>> level, cost = base_stock(Poisson(np.array([18.0])), np.array([200.0]), np.array([270.0]))
    >>> level.tolist(), cost.round(4).tolist()
    ([19.0], [786.0884])
    """
    level = demand.quantile(backorder_cost / (backorder_cost + holding_cost))
    return level, period_cost(demand, level, holding_cost, backorder_cost)


def review_and_level(
    rate: Number, lead_time: int, holding_cost: Number, backorder_cost: Number, order_cost: Number, longest: int = 52
) -> Found:
    """Give the (R,S) of least cost under Poisson demand: order up to S in every R-th period.

    Between two deliveries, periods L … L + R − 1 after a review are covered, of which the k-th sees the demand of
    L + k + 1 periods: cost(R, S) = (K + Σ_k G_{L+k+1}(S))/R, minimised over S for each R (convex).

    Raises
    ------
    DataError
        If a cost, the rate or the lead time is negative, or h is 0.
    """
    _require(rate, lead_time, holding_cost, backorder_cost, order_cost)
    found: list[Found] = []
    for review in range(1, longest + 1):
        spans = rate * (lead_time + 1.0 + np.arange(review))
        demand = Poisson(spans)
        high = int(demand.quantile(np.full(review, 0.9999))[-1]) + 2
        levels = np.arange(high + 1)
        costs = [
            float(period_cost(demand, np.full(review, float(s)), holding_cost, backorder_cost).sum()) for s in levels
        ]
        best = int(np.argmin(costs))
        found.append(Found(float(review), float(levels[best]), (order_cost + costs[best]) / review))
    return min(found, key=lambda one: one.cost)


def reorder_and_lot(
    rate: Number, lead_time: Number, holding_cost: Number, backorder_cost: Number, order_cost: Number
) -> Found:
    """Give the (r,Q) of least cost under Poisson demand and continuous review (Federgruen & Zheng 1992).

    cost(r, Q) = (K λ + Σ_{y=r+1}^{r+Q} G(y))/Q. The cheapest Q positions lie side by side around the minimum of G, so
    that the cheaper neighbour is added as long as it is below the average.

    Examples
    --------
    >>> best = reorder_and_lot(1.5, 2, 20, 150, 100)
    >>> best.first, best.second, round(best.cost, 5)
    (3.0, 5.0, 107.92358)
    """
    _require(rate, lead_time, holding_cost, backorder_cost, order_cost)
    demand = Poisson(np.array([rate * lead_time]))

    def at(y: int) -> float:
        return float(period_cost(demand, np.array([float(y)]), holding_cost, backorder_cost)[0])

    level = int(demand.quantile(np.array([backorder_cost / (backorder_cost + holding_cost)]))[0])
    low, high = level, level  # the positions y that a cycle passes
    total = order_cost * rate + at(level)
    for _ in range(FAR):
        average = total / (high - low + 1)
        below, above = at(low - 1), at(high + 1)
        if min(below, above) >= average:
            return Found(float(low - 1), float(high - low + 1), average)
        total += min(below, above)
        low, high = (low - 1, high) if below <= above else (low, high + 1)
    raise DataError("no lot size is the best: does holding stock cost anything?", code="SC-B006")


def reorder_and_level(
    pmf: Float[np.ndarray, " unit"], cost_at: "Float[np.ndarray, ' position']", lowest: int, order_cost: Number
) -> Found:
    """Give the exact (s,S) of periodic review (Zheng & Federgruen 1991): order up to S at a position of s or below.

    With m(0) = 1/(1 − p₀), m(j) = Σ_{l≤j} p_l m(j − l) and M(j) = Σ_{i<j} m(i)::

        c(s, S) = (K + Σ_{j=0}^{S−s−1} m(j) G(S − j)) / M(S − s)

    Parameters
    ----------
    pmf
        Probability of 0, 1, … units of demand in one period.
    cost_at
        G at the positions ``lowest``, ``lowest`` + 1, …; far enough to hold s and S.

    Raises
    ------
    DataError
        If s or S is not within the positions given.
    """
    n = len(cost_at)
    m, big = np.zeros(n + 1), np.zeros(n + 2)
    p = np.zeros(n + 1)
    p[: min(len(pmf), n + 1)] = pmf[: n + 1]
    m[0] = 1.0 / (1.0 - p[0])
    for j in range(1, n + 1):
        m[j] = float(p[1 : j + 1] @ m[j - 1 :: -1][:j]) * m[0]
    big[1:] = np.cumsum(m)

    def cost(s: int, top: int) -> float:
        j = np.arange(top - s)
        return float((order_cost + m[: top - s] @ cost_at[top - j]) / big[top - s])

    try:
        top = best = int(np.argmin(cost_at))
        s = best - 1
        while cost(s, best) > cost_at[s]:
            s -= 1
            _within(s, n)
        least = cost(s, best)
        top = best + 1
        while cost_at[top] <= least:
            if cost(s, top) < least:
                best = top
                while cost(s, best) <= cost_at[s + 1]:
                    s += 1
                least = cost(s, best)
            top += 1
    except IndexError:
        raise DataError("s or S lies beyond the positions given", code="SC-B006") from None
    return Found(float(s + lowest), float(best + lowest), least)


def _within(s: int, n: int) -> None:
    if not 0 <= s < n:
        raise IndexError


def reorder_and_level_poisson(
    rate: Number, holding_cost: Number, backorder_cost: Number, order_cost: Number, lead_time: int = 0
) -> Found:
    """Give the exact (s,S) under Poisson demand; what is ordered arrives ``lead_time`` periods later, before demand.

    Examples
    --------
    >>> best = reorder_and_level_poisson(6, 1, 4, 5)
    >>> best.first, best.second, round(best.cost, 9)
    (4.0, 10.0, 8.034111561)
    """
    from scipy.stats import poisson

    _require(rate, lead_time, holding_cost, backorder_cost, order_cost)
    span = float(rate * (lead_time + 1))
    lot = float(np.sqrt(2.0 * max(order_cost, 1.0) * rate * (1 / holding_cost + 1 / backorder_cost)))
    lowest = -int(2 * lot + 10 * np.sqrt(span) + 20)
    highest = int(span + 12 * np.sqrt(span) + 6 * lot + 20)
    positions = np.arange(lowest, highest + 1).astype(float)
    demand = Poisson(np.full(len(positions), span))
    cost_at = period_cost(demand, positions, holding_cost, backorder_cost)
    pmf = poisson.pmf(np.arange(int(poisson.ppf(1 - 1e-16, rate)) + 2), rate)
    return reorder_and_level(pmf, cost_at, lowest, order_cost)


def _require(rate: Number, lead_time: Number, holding_cost: Number, backorder_cost: Number, order_cost: Number) -> None:
    if not (rate > 0 and lead_time >= 0 and holding_cost > 0 and backorder_cost > 0 and order_cost >= 0):
        raise DataError("rate, holding and backorder cost must be above 0, the rest not below", code="SC-B006")
