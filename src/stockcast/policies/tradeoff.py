"""Service against stock: the same night planned for less and for more service, on the same paths.

One factor moves every line along. With the critical ratio p/(p + h) of its costs, or a target t, a line is served with
odds p/h, or t/(1 − t); the factor f multiplies them: p' = f p, t' = f t/(1 − t + f t). So f = 1 is the plan itself,
and under a common target the points are plans for other targets.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import final

import numpy as np
from jaxtyping import Float

from stockcast.core.arrays import freeze
from stockcast.core.parallel import map_pieces
from stockcast.inventory import Situation, SupplyTerms
from stockcast.policies.classical.rules import NAMES as RULES
from stockcast.policies.coupling import Goods, orders
from stockcast.policies.decision import deciding
from stockcast.policies.lines import WORTH_A_POOL, Lines, candidate_cost, line_table, with_warehouses
from stockcast.policies.milp import Solving
from stockcast.policies.milp.worker import kept
from stockcast.policies.newsvendor import Aim, aim, unmet_at_once
from stockcast.policies.orderable import Choice, choose
from stockcast.policies.projection import Part, batches, project
from stockcast.policies.usual import settled

FACTORS = (0.05, 0.1, 0.2, 0.35, 0.6, 1.0, 1.6, 2.5, 4.0, 7.0, 14.0)
TARGETS = (0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)
TOLD = ("stockout", "unmet", "demand", "stock", "held", "saving")


@final
@dataclass(frozen=True, slots=True)
class Tradeoff:
    """The points of the curve by rising service; all but the orders is expected, between the next two receipts.

    Parameters
    ----------
    setting, factor, chosen
        What was asked for in words, by how much the odds of being served were multiplied, and which is the plan.
    quantity
        What each point orders.
    cycle_service, fill_rate
        The mean probability of no stockout over the lines, and the share of all demand that is served at once.
    stock_units, stock_value
        Mean stock, in units and at unit cost.
    order_lines, order_units, order_value
        Of the orders.
    cost_saving
        Expected cost of ordering nothing less that of these orders, at the costs as they are; NaN where a line has a
        service target, which states no cost of a stockout.
    holding_cost
        Of the mean stock, over the periods between the two receipts.
    dominated
        Whether another point has no more stock and no less service, both of the two kinds.
    """

    setting: tuple[str, ...]
    factor: Float[np.ndarray, " point"]
    chosen: np.ndarray
    quantity: Float[np.ndarray, "point series"]
    cycle_service: Float[np.ndarray, " point"]
    fill_rate: Float[np.ndarray, " point"]
    stock_units: Float[np.ndarray, " point"]
    stock_value: Float[np.ndarray, " point"]
    order_lines: np.ndarray
    order_units: Float[np.ndarray, " point"]
    order_value: Float[np.ndarray, " point"]
    cost_saving: Float[np.ndarray, " point"]
    holding_cost: Float[np.ndarray, " point"]
    dominated: np.ndarray

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__ if name != "setting"})


def shifted(terms: SupplyTerms, factor: float) -> SupplyTerms:
    """Multiply the odds of being served by a factor.

    Examples
    --------
    A target of 90 % has odds of 9 to 1; twice those are 18 to 1, or 94.7 %.
    """
    target = terms.target
    odds = factor * target / (1.0 - target + factor * target)
    return terms.replace(shortage_cost=terms.shortage_cost * factor, target=np.where(terms.objective > 0, odds, target))


def grid(objective: str, target: float) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Give the factors of the curve and what they are called, for the config's objective and target.

    Examples
    --------
    >>> factors, names = grid("fill_rate", 0.95)
    >>> names[factors.index(1.0)], names[-1]
    ('fill_rate 0.95', 'fill_rate 0.995')
    """
    if objective == "cost":
        return FACTORS, tuple(f"shortage cost × {factor:g}" for factor in FACTORS)
    targets = sorted({*TARGETS, target})
    factors = tuple(one / (1 - one) * (1 - target) / target if one != target else 1.0 for one in targets)
    return factors, tuple(f"{objective} {one:g}" for one in targets)


def tradeoff(
    policy: str,
    situation: Situation,
    planned: Float[np.ndarray, " series"],
    factors: Sequence[float],
    names: Sequence[str],
    *,
    time_limit: float = 60.0,
    until: float = math.inf,
    workers: int = 1,
    done: Callable[[int], None] = lambda count: None,
) -> Tradeoff:
    """Plan the night at every factor; paths are drawn once for all plans, and once to judge them.

    Parameters
    ----------
    policy, planned
        Who planned, and the orders of the plan itself, for factor 1.
    factors, names
        As :func:`grid` gives them.
    time_limit, until
        Seconds for each model, and the deadline of all of them: safeties only.
    workers, done
        Processes, and what takes the number of chunks finished; neither changes the result.
    """
    rule = policy if policy in RULES else ""
    solving = [Solving(kept()[0], time_limit, until)]
    pieces = [Part.of(situation, rows) for rows in situation.demand.chunks()]
    pool = workers if len(pieces) >= WORTH_A_POOL else 1
    others = tuple(factor for factor in factors if factor != 1.0)
    found = map_pieces(partial(_tables, rule, others), pieces, workers=pool, done=done)
    tables = [
        Lines(**{name: np.concatenate([piece[at][name] for piece in found]) for name in Lines.__dataclass_fields__})
        for at in range(len(others) if found else 0)
    ]
    decider = deciding(solving, joint=policy in ("auto", "optimizer"), workers=workers)
    made = {1.0: planned}
    for factor, lines in zip(others, tables, strict=False):
        moved = replace(situation, terms=shifted(situation.terms, factor))
        lines = with_warehouses(lines, moved, rule)
        _, lines, decided = settled(moved, lines, decider)
        made[factor] = lines.at(decided.final)
    quantity = np.stack([made.get(factor, planned) for factor in factors])
    cut = [quantity[:, rows] for rows in situation.demand.chunks()]
    judged = map_pieces(_outcomes, list(zip(pieces, cut, strict=True)), workers=pool, done=lambda count: None)
    told = {
        name: np.concatenate([piece[name] for piece in judged], axis=1) if judged else np.zeros_like(quantity)
        for name in TOLD
    }
    return _summed(situation, tuple(names), np.array(factors), quantity, told)


def _summed(
    situation: Situation,
    names: tuple[str, ...],
    factors: np.ndarray,
    quantity: np.ndarray,
    told: dict[str, np.ndarray],
) -> Tradeoff:
    terms = situation.terms
    able = terms.at_review & terms.orderable
    goods = Goods.of(terms)
    every = orders(terms, situation.shared, np.zeros(len(able), dtype=bool))
    extra = np.array([sum(order.extra(some[order.rows], goods) for order in every) for some in quantity])
    demand = told["demand"][:, able].sum(axis=1)
    unmet = told["unmet"][:, able].sum(axis=1)
    stock = told["stock"][:, able].sum(axis=1)
    service = 1.0 - told["stockout"][:, able].mean(axis=1) if able.any() else np.ones(len(factors))
    fill = 1.0 - np.divide(unmet, demand, out=np.zeros_like(unmet), where=demand > 0)
    saving = told["saving"][:, able].sum(axis=1) - extra
    tiny = 1e-9
    better = (
        (stock[None, :] <= stock[:, None] * (1 + tiny))
        & (service[None, :] >= service[:, None] - tiny)
        & (fill[None, :] >= fill[:, None] - tiny)
    )
    strictly = better & ~better.T
    return Tradeoff(
        setting=names,
        factor=factors,
        chosen=factors == 1.0,
        quantity=quantity,
        cycle_service=service,
        fill_rate=fill,
        stock_units=stock,
        stock_value=told["stock"][:, able] @ goods.cost[able],
        order_lines=(quantity > 0).sum(axis=1),
        order_units=quantity.sum(axis=1),
        order_value=quantity @ goods.cost,
        cost_saving=np.where((terms.objective[able] == 0).all(), saving, np.nan),
        holding_cost=told["held"][:, able] @ terms.holding_cost[able],
        dominated=strictly.any(axis=1),
    )


def _tables(rule: str, factors: tuple[float, ...], part: Part) -> list[dict[str, np.ndarray]]:
    """Give the candidate tables of some series at every factor, from one projection of their paths."""
    out: list[dict[str, np.ndarray]] = [{} for _ in factors]
    for rows in batches(part):
        some = part.take(rows)
        projection = project(some)
        for whole, factor in zip(out, factors, strict=True):
            moved = Part(some.state, some.demand, shifted(some.terms, factor), some.backorder, some.whole)
            for name, values in line_table(aim(moved, projection), rule).items():
                if name not in whole:
                    whole[name] = np.empty((len(part.terms.series), *values.shape[1:]), dtype=values.dtype)
                whole[name][rows] = values
    return out


def _outcomes(piece: tuple[Part, np.ndarray]) -> dict[str, np.ndarray]:
    """Judge the orders of every point on the paths of some series, at the costs as they are."""
    part, quantity = piece
    out = {name: np.empty(quantity.shape) for name in TOLD}
    for rows in batches(part):
        found = aim(part.take(rows))
        choice, projection = choose(found), found.projection
        mean_demand = projection.demand.mean(axis=1)
        cost = _cost(found, choice, np.concatenate([np.zeros((1, len(rows))), quantity[:, rows]]))
        out["saving"][:, rows] = cost[:1] - cost[1:]
        start = projection.mine + quantity[:, rows]
        out["stockout"][:, rows] = found.stockout_risk(start.T.copy()).T
        for at, units in enumerate(start):
            out["demand"][at, rows] = mean_demand
            out["unmet"][at, rows] = unmet_at_once(found.part, projection, units)
            out["stock"][at, rows], out["held"][at, rows] = _stock(found, units)
    return out


def _cost(found: Aim, choice: Choice, quantity: Float[np.ndarray, "point series"]) -> Float[np.ndarray, "point series"]:
    return candidate_cost(found, choice, quantity.T).T


def _stock(
    found: Aim, units: Float[np.ndarray, " series"]
) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
    """Give the mean stock at the end of the periods between the two arrivals, and its sum over them."""
    projection = found.projection
    at = units[:, None, None]
    left = at - projection.need if found.part.backorder else np.maximum(at, projection.peak) - projection.need
    held = np.where(projection.inside, np.maximum(left, 0.0), 0.0).sum(axis=(1, 2))
    count = np.maximum(projection.inside.sum(axis=(1, 2)), 1)
    return held / count, held / projection.stock.shape[1]
