"""What usual orders of a supplier save: price breaks that they reach anyway are no reason to buy ahead.

A unit that is left when the next order can arrive takes the place of one that is bought then. In the long run orders of
value v T are placed every T periods, v the money that is sold of the supplier's goods a period, at a cost a period of::

    g(T) = H T / 2 + K / T − δ(v T) v,    H = Σ_i h_i d_i,  K what an order costs, δ the discount that it reaches

(all-units discounts, Snyder & Shen 2019, sec. 3.4, with orders in common; K are the order costs of the lines, for the
plan of one review weighs no supplier's own against later ones). Among the intervals T between them, the one between
reviews (or the economic one, where the lines' order costs ask for more) and those in which each further break is just
reached, the best one T* saves g(T₀) − g(T*) + δ(v T₀) v against orders of the first interval T₀ without any discount:
ρ v, with ρ = δ where the first interval is the best, and 0 where no break is worth its stock. A unit left is then worth
c (1 − ρ) to an order that reaches a break: it saves δ on what is sold until the next one, and δ − ρ on what it buys
ahead. An order that reaches none is planned as if there were none: what may stand in the way of a break, a maximum, a
shelf life, a budget, is no reason to order less than without it.

What ends before two further orders of it are due is no part of usual orders, and none are further apart than half of
the time for which anything is sold: goods that end are bought for the rest of their sale, if a break pays that.
"""

import math
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from stockcast.inventory import PriceBreak, Situation, SupplierTerms
from stockcast.policies.coupling import Goods, Order, money
from stockcast.policies.decision import Deciding, Decision, of_new_orders, of_open_orders
from stockcast.policies.lines import Lines

OPENED = 0.5  # of a further discount: what has to be left of it to lift an order that has reached a price break


def settled(situation: Situation, found: Lines, decide: Deciding) -> tuple[Situation, Lines, Decision]:
    """Decide with what is left at usual costs where an order reaches a break, and without breaks where it does not.

    All orders are decided with their breaks, and again without those of the suppliers whose usual orders save by them;
    a supplier keeps its breaks where its order reaches one and that costs less than the order without. So it does where
    an order of this period has reached one and needs nothing more: planning the rest of a night finds what was planned.
    Only then the rest of begun orders that ask for one is chosen to the pack.

    Returns
    -------
    situation, lines, decision
        The night as it was decided: without the breaks that no order reaches, and with the costs that go with that.
    """
    tonight, tables, (lines, made) = _chosen(situation, found, decide)
    asks = of_open_orders(tonight, lines, made) & ~of_new_orders(tonight, made.every)
    if asks.any():
        lines, made = decide(tonight, tables, begun=True)
    return tonight, lines, made


def _chosen(situation: Situation, found: Lines, decide: Deciding) -> tuple[Situation, Lines, tuple[Lines, Decision]]:
    usual = with_usual_costs(found, situation)
    if usual is found:
        return situation, found, decide(situation, found)
    with_breaks = decide(situation, usual)
    asked = {order.supplier for order in with_breaks[1].every if usual.rebate[order.rows].any()}
    without = decide(_without_breaks(situation, asked), found)
    off = {
        mine.supplier
        for mine, other in zip(with_breaks[1].every, without[1].every, strict=True)
        if mine.supplier in asked and not _pays(situation, usual, mine, other, with_breaks, without)
    }
    if not off:
        return situation, usual, with_breaks
    tonight = _without_breaks(situation, off)
    if off == asked:
        return tonight, found, without
    tables = with_usual_costs(found, tonight)
    return tonight, tables, decide(tonight, tables)


def _without_breaks(situation: Situation, names: set[str]) -> Situation:
    suppliers = tuple(
        replace(one, price_breaks=()) if one.supplier in names else one for one in situation.shared.suppliers
    )
    return replace(situation, shared=replace(situation.shared, suppliers=suppliers))


def _pays(
    situation: Situation,
    usual: Lines,
    mine: Order,
    other: Order,
    with_breaks: tuple[Lines, Decision],
    without: tuple[Lines, Decision],
) -> bool:
    """Tell whether an order reaches a break for less than it costs without one.

    One of which lines are placed that reach a break by themselves is opened again for a clear gain only: what was
    planned without its breaks may have reached one by the way, and a little that was not seen then is no reason.
    """
    supplier, (found, made) = situation.shared.supplier(mine.supplier), with_breaks
    held = supplier.committed_value
    begun = held > 0 and any(held >= one.min_value for one in supplier.price_breaks)
    if begun and not found.at(made.final)[mine.rows].any():
        return True
    reached, cost = _cost(usual, mine, *with_breaks, begun=begun)
    plain = _cost(usual, mine, *without, begun=begun)[1]
    if begun:
        more, less = (
            float(lines.at(decided.final)[mine.rows] @ made.goods.cost[mine.rows])
            for lines, decided in (with_breaks, without)
        )
        lifted = any(less < tier.value <= more for tier in mine.tiers if tier.bonus > 0)
        return lifted and plain - cost >= OPENED * (mine.discount(more) - mine.discount(less))
    return reached and cost <= plain + 1e-9 * max(abs(plain), 1.0)


def _cost(usual: Lines, order: Order, found: Lines, made: Decision, *, begun: bool) -> tuple[bool, float]:
    """Tell whether an order reaches a break, and what it costs: with what it leaves at usual costs only if it does.

    What is placed of it already may have reached one (``begun``): then it has, whatever is added.
    """
    rows, goods = order.rows, made.goods
    at = made.final[rows]
    quantity, left = found.quantity[rows, at], found.left[rows, at]
    lines = found.cost[rows, at] - found.rebate[rows] * (left - found.left[rows, 0])
    cost = float(lines.sum()) + order.extra(quantity, goods)
    reached = begun or _reaches(order, quantity, goods)
    if reached:
        cost += float((usual.rebate[rows] * (left - found.left_without[rows])).sum())
    return reached, cost


def _reaches(order: Order, quantity: Float[np.ndarray, " line"], goods: Goods) -> bool:
    return order.discount(float(quantity @ goods.cost[order.rows])) > 0


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
        remains = (terms.sold_for - terms.protection_interval)[rows]
        usual = rows[remains >= 2 * terms.review_period[rows]]
        if not len(usual):
            continue  # all of them end before there are usual orders again
        out[rows] = usual_saving(
            supplier,
            float(worth[usual].sum()),
            float((found.rate * terms.holding_cost)[usual].sum()),
            float(terms.order_cost[usual].sum()),
            review=float(np.median(terms.review_period[usual])),
            year=min(365.0 / situation.past.time.days, float(remains.max()) / 2.0),
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
        Of all lines together.
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
    paid = order_cost
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
