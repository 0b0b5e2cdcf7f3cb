"""What usual orders of a supplier save: price breaks that they reach anyway are no reason to buy ahead.

A unit that is left when the next order can arrive takes the place of one that is bought then. In the long run orders of
value v T are placed every T periods, v the money that is sold of the supplier's goods a period, at a cost a period of::

    g(T) = H T / 2 + K / T − δ(v T) v,    H = Σ_i h_i d_i,  K what an order costs, δ the discount that it reaches

(all-units discounts, Snyder & Shen 2019, sec. 3.4, with orders in common). Among the intervals T between them, the one
between reviews (or the economic one, where the order cost asks for more) and those in which each further break is just
reached, the best one T* saves g(T₀) − g(T*) + δ(v T₀) v against orders of the first interval T₀ without any discount:
ρ v, with ρ = δ where the first interval is the best, and 0 where no break is worth its stock. A unit left is then worth
c (1 − ρ): each candidate of a line costs ρ c times what it leaves, against ordering nothing, and the discount of the
order itself counts in full. So an order that reaches a break as always saves δ on what is sold until the next one, and
nothing on what it buys ahead; one that could reach a break worth waiting for pays for not doing it.
"""

import math
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from stockcast.inventory import PriceBreak, Situation, SupplierTerms
from stockcast.policies.coupling import money
from stockcast.policies.lines import Lines


def with_usual_costs(found: Lines, situation: Situation) -> Lines:
    """Give the lines with what is left valued at what a usual order pays for it; the same ones without price breaks."""
    off = _usual_saving(situation, found)
    rebate = off * money(situation.terms.unit_cost)
    if not rebate.any():
        return found
    cost = found.cost + rebate[:, None] * (found.left - found.left[:, :1])
    return replace(found, cost=cost, rebate=rebate)


def _usual_saving(situation: Situation, found: Lines) -> Float[np.ndarray, " series"]:
    terms = situation.terms
    out = np.zeros(len(terms.series))
    worth = found.rate * money(terms.unit_cost)
    for supplier in situation.shared.suppliers:
        rows = np.flatnonzero((terms.supplier == supplier.supplier) & terms.at_review & terms.orderable)
        if not supplier.price_breaks or not len(rows):
            continue
        out[rows] = usual_saving(
            supplier,
            float(worth[rows].sum()),
            float((found.rate * terms.holding_cost)[rows].sum()),
            float(terms.order_cost[rows].sum()),
            review=float(np.median(terms.review_period[rows])),
            year=365.0 / situation.past.time.days,
        )
    return out


def usual_saving(
    supplier: SupplierTerms, value: float, holding: float, order_cost: float, *, review: float, year: float
) -> float:
    """Give ρ, the share of the money spent that the best orders in the long run save by price breaks.

    Parameters
    ----------
    value, holding
        v, the money that is sold of the supplier's goods a period, and H, the holding cost of one period's demand.
    order_cost
        Of all lines together; the supplier's own comes on top.
    review, year
        Periods between reviews, and of a year, the longest that an order lasts.

    Examples
    --------
    Goods worth 100 a week are ordered weekly. Waiting for 10 % off from 250 on pays where they cost 1 a week to hold:

    >>> breaks = (PriceBreak(250.0, 0.1),)
    >>> round(usual_saving(SupplierTerms("a", price_breaks=breaks), 100.0, 1.0, 0.0, review=1.0, year=52.0), 4)
    0.0925
    >>> usual_saving(SupplierTerms("a", price_breaks=breaks), 100.0, 20.0, 0.0, review=1.0, year=52.0)
    0.0
    """
    if value <= 0:
        return 0.0
    paid = supplier.order_cost + order_cost
    economic = math.sqrt(2.0 * paid / holding) if holding > 0 else year if paid > 0 else review
    base = max(review, min(economic, year))
    further = [one.min_value / value for one in supplier.price_breaks if base < one.min_value / value <= year]

    def runs(interval: float) -> float:
        return holding * interval / 2.0 + paid / interval

    saved = (
        runs(base) - runs(interval) + _discount(supplier.price_breaks, value * interval) * value
        for interval in (base, *further)
    )
    return max(saved) / value


def _discount(breaks: tuple[PriceBreak, ...], value: float) -> float:
    return max((one.discount for one in breaks if value >= one.min_value * (1 - 1e-12)), default=0.0)
