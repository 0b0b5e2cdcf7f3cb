"""The classical rules to plan by: each gives a reorder point s and a level S from the paths of one batch of series.

Over the protection interval of L + R periods demand has mean μ, on paths D; of one period the standard deviation is σ.
The level of service α is the line's target, or the critical ratio of its costs: p/(p + h) with backorders, p/(p + h R)
where a sale is lost once and a unit is held through a review::

    order_up_to    S = smallest x with P(D ≤ x) ≥ α                  the paths' own quantile
    safety_stock   S = μ + z(α) σ √(L + R)                           the rule of most textbooks and systems
    cover          S = μ + the mean demand of one more review        no notion of risk
    min_max        s = the level of order_up_to, S = s + max(EOQ, mean demand of a review)

Under a fill rate β the first two take the smallest x whose loss E(D − x)⁺ is at most (1 − β) of a review's demand. All
look at the inventory position: demand lost before the arrival counts as backordered, which is why the newsvendor on
paths is cheaper under lost sales.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from stockcast.core.arrays import freeze
from stockcast.inventory.terms import OBJECTIVES
from stockcast.policies.classical.demand import Each, FromPaths, LeadTimeDistribution, Normal
from stockcast.policies.projection import Part

NAMES = ("cover", "min_max", "order_up_to", "safety_stock")
SUREST = 0.9999  # a level of service beyond this is taken as this: the normal has no quantile of 1
HALVINGS = 60


@final
@dataclass(frozen=True, slots=True)
class Levels:
    """s and S of a batch: at an inventory position of s or below (below S where both are one), order up to S."""

    reorder_point: Float[np.ndarray, " series"]
    order_up_to_level: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, reorder_point=self.reorder_point, order_up_to_level=self.order_up_to_level)

    def wanted(self, position: Each) -> Each:
        """Give what each series orders at an inventory position, in real numbers."""
        low = np.maximum(self.order_up_to_level - position, 0.0)
        return np.where(position <= self.reorder_point, low, 0.0)


def levels(name: str, part: Part, total: Float[np.ndarray, "series path"]) -> Levels:
    """Give the levels of a rule.

    Parameters
    ----------
    total
        Demand over the protection interval on each path.
    """
    terms = part.terms
    periods = np.minimum(terms.protection_interval, part.demand.horizon)
    review = np.minimum(terms.review_period, part.demand.horizon)
    rate = total.mean(axis=1) / periods
    if name == "cover":
        found = rate * (periods + review)
        return _floored(part, found, found)
    demand: LeadTimeDistribution = FromPaths(total)
    if name == "safety_stock":
        inside = np.arange(part.demand.horizon)[None, :] < periods[:, None]
        spread = np.where(inside, part.demand.paths().var(axis=1), 0.0).sum(axis=1) / periods
        demand = Normal(total.mean(axis=1), np.sqrt(spread * periods))
    level = _service_level(part, demand, rate * review, review.astype(float))
    if name != "min_max":
        return _floored(part, level, level)
    holding = np.where(terms.holding_cost > 0, terms.holding_cost, np.inf)
    lot = np.sqrt(2.0 * terms.order_cost * rate / holding)
    return _floored(part, level, level + np.maximum(lot, rate * review))


def _floored(part: Part, point: Each, level: Each) -> Levels:
    least = part.terms.min_stock
    return Levels(np.maximum(np.maximum(point, 0.0), least), np.maximum(np.maximum(level, 0.0), least))


def _service_level(part: Part, demand: LeadTimeDistribution, between: Each, review: Each) -> Each:
    """Give the level that meets each line's target, or the critical ratio of its costs."""
    terms = part.terms
    held = terms.holding_cost * (1.0 if part.backorder else review)
    both = held + terms.shortage_cost
    ratio = np.where(both > 0, terms.shortage_cost / np.where(both > 0, both, 1.0), 0.0)
    wanted = np.where(terms.objective == OBJECTIVES.index("cycle_service_level"), terms.target, ratio)
    level = np.maximum(demand.quantile(np.clip(wanted, 1.0 - SUREST, SUREST)), 0.0)
    filled = terms.objective == OBJECTIVES.index("fill_rate")
    if filled.any():
        allowed = (1.0 - terms.target) * between
        low, high = np.zeros(len(level)), demand.quantile(np.full(len(level), SUREST)) + between + 1.0
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            enough = demand.loss(middle) <= allowed
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        level = np.where(filled, high, level)
    return level
