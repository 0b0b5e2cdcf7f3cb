"""Every line by itself: its best order, and what up to 20 admissible quantities around it cost."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.parallel import map_pieces
from stockcast.inventory import Situation
from stockcast.policies.classical.rules import levels
from stockcast.policies.costs import NEAR
from stockcast.policies.echelon import bought
from stockcast.policies.newsvendor import Aim, aim, free_quantity
from stockcast.policies.orderable import Choice, choose, floor_penalty, reorder_point
from stockcast.policies.projection import Part, batches

PIECE = 1024  # series of a piece of work; fixed, so that the pieces don't depend on the number of workers
WORTH_A_POOL = 4  # pieces from which worker processes pay for their start
SHARES = (0.25, 0.5, 0.75)
STEPS = (1.0, 2.0, 4.0)
LARGER = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
TABLES = ("quantity", "cost", "risk", "waste", "left")  # of Lines: a column for each candidate


@final
@dataclass(frozen=True, slots=True)
class Lines:
    """What each line's own paths say; quantities ascend along the candidates, the first is 0.

    Parameters
    ----------
    quantity, cost, risk
        Candidate orders, their expected costs less that of ordering nothing, and stockout risks between the arrivals.
        A quantity may stand twice.
    chosen
        The candidate that is best for the line by itself.
    free
        The unconstrained quantity.
    level, reorder_point
        S and s.
    demand_mean, demand_q10, demand_median, demand_q90
        Demand over the protection interval.
    risk_before, unmet_before
        Probability and units of demand that goes unmet before this order can arrive.
    risk_before_open, unmet_before_open
        The same before the first open order arrives.
    rate
        Mean demand a period after the protection interval.
    shortage_cost
        p, or the one that a service target implies.
    least, step
        The smallest order and the step above it.
    held
        Units expected in stock when this order arrives, without it.
    waste
        Units of each candidate that are expected to expire.
    left
        Units expected to be left of each candidate, and of all else, when the next possible order arrives, without what
        was expected to expire.
    left_without
        The same without anything of this order, placed already or not.
    base
        The order-up-to level without order cost, ``min_stock`` and shelf life: what demand and its risk alone ask for.
    unmet_without
        Units of demand expected to go unmet between this order's arrival and the next possible one's, without it.
    unlimited
        What would be best for the line by itself if it had no maximum.
    elsewhere
        Units at the places that a warehouse feeds and on the way to them, less what they owe: with its own stock they
        are what its order goes by. 0 for all other lines.
    rebate
        Money a unit that usual orders of the supplier get off by price breaks (``policies.usual``): ``cost`` has it for
        each unit left. 0 where there are no breaks.
    """

    quantity: Float[np.ndarray, "series candidate"]
    cost: Float[np.ndarray, "series candidate"]
    risk: Float[np.ndarray, "series candidate"]
    chosen: Int[np.ndarray, " series"]
    free: Float[np.ndarray, " series"]
    level: Float[np.ndarray, " series"]
    reorder_point: Float[np.ndarray, " series"]
    demand_mean: Float[np.ndarray, " series"]
    demand_q10: Float[np.ndarray, " series"]
    demand_median: Float[np.ndarray, " series"]
    demand_q90: Float[np.ndarray, " series"]
    risk_before: Float[np.ndarray, " series"]
    unmet_before: Float[np.ndarray, " series"]
    risk_before_open: Float[np.ndarray, " series"]
    unmet_before_open: Float[np.ndarray, " series"]
    rate: Float[np.ndarray, " series"]
    shortage_cost: Float[np.ndarray, " series"]
    least: Float[np.ndarray, " series"]
    step: Float[np.ndarray, " series"]
    held: Float[np.ndarray, " series"]
    waste: Float[np.ndarray, "series candidate"]
    base: Float[np.ndarray, " series"]
    unmet_without: Float[np.ndarray, " series"]
    unlimited: Float[np.ndarray, " series"]
    elsewhere: Float[np.ndarray, " series"]
    left: Float[np.ndarray, "series candidate"]
    left_without: Float[np.ndarray, " series"]
    rebate: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    def at(self, index: Int[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """Give the quantities of some choice of candidates."""
        found: np.ndarray = self.quantity[np.arange(len(index)), index]
        return found


def lines(
    situation: Situation, *, rule: str = "", workers: int = 1, done: Callable[[int], None] = lambda count: None
) -> Lines:
    """Compute all lines, piece by piece; ``done`` takes the number of pieces finished.

    With ``rule``, one of ``policies.classical.rules``, each line's own best is what that rule orders.
    """
    n = len(situation.past.series)
    pieces = (Part.of(situation, np.arange(begin, min(begin + PIECE, n))) for begin in range(0, n, PIECE))
    workers = workers if n > (WORTH_A_POOL - 1) * PIECE else 1
    found = map_pieces(partial(_piece, rule), pieces, workers=workers, done=done)
    if not found:
        found = [_empty()]
    made = Lines(**{name: np.concatenate([piece[name] for piece in found]) for name in Lines.__dataclass_fields__})
    return with_warehouses(made, situation, rule)


def with_warehouses(found: Lines, situation: Situation, rule: str = "") -> Lines:
    """Give the lines with those of warehouses in the place of what they would order for themselves.

    A warehouse that feeds places orders for all of them (``policies.echelon``); its level and demand are of the group.
    """
    columns: dict[str, np.ndarray] = {}
    for some in bought(situation):
        columns = columns or {name: getattr(found, name).copy() for name in Lines.__dataclass_fields__}
        table = {**line_table(some.aim, rule), "elsewhere": some.elsewhere, "held": some.held}
        for name, values in table.items():
            columns[name][some.rows] = values
    return Lines(**columns) if columns else found


def _piece(rule: str, part: Part) -> dict[str, np.ndarray]:
    out: dict[str, np.ndarray] = {}
    for rows in batches(part):
        for name, values in line_table(aim(part.take(rows)), rule).items():
            if name not in out:
                out[name] = np.empty((len(part.terms.series), *values.shape[1:]), dtype=values.dtype)
            out[name][rows] = values
    return out


def _empty() -> dict[str, np.ndarray]:
    tables = {name: np.zeros((0, 1)) for name in TABLES}
    columns = {name: np.zeros(0) for name in Lines.__dataclass_fields__ if name not in tables}
    return {**columns, **tables, "chosen": np.zeros(0, dtype=np.int64)}


def line_table(aim: Aim, rule: str = "") -> dict[str, np.ndarray]:
    """Give the columns of :class:`Lines` for one batch."""
    projection, choice = aim.projection, choose(aim)
    ruled = _ruled(aim, choice, rule) if rule else None
    total = np.sort(projection.total, axis=1)
    n_paths = total.shape[1]
    quantiles = {level: total[:, max(int(np.ceil(level * n_paths - 1e-9)) - 1, 0)] for level in (0.1, 0.5, 0.9)}
    quantity = candidates(aim, choice, None if ruled is None else ruled["quantity"])
    own = {} if ruled is None else ruled
    return {
        **tabled(aim, choice, quantity),
        "chosen": np.argmax(quantity == own.get("quantity", choice.quantity)[:, None], axis=1),
        "free": own["free"] if own else free_quantity(aim),
        "level": own["level"] if own else aim.order_up_to_level,
        "reorder_point": own["reorder_point"] if own else reorder_point(aim),
        "demand_mean": total.mean(axis=1),
        "demand_q10": quantiles[0.1],
        "demand_median": quantiles[0.5],
        "demand_q90": quantiles[0.9],
        "risk_before": (projection.unmet_before > 0).mean(axis=1),
        "unmet_before": projection.unmet_before.mean(axis=1),
        "risk_before_open": (projection.unmet_before_open > 0).mean(axis=1),
        "unmet_before_open": projection.unmet_before_open.mean(axis=1),
        "rate": projection.rate.copy(),
        "shortage_cost": aim.shortage_cost.copy(),
        "least": choice.admissible.least,
        "step": choice.admissible.step.copy(),
        "held": np.maximum(projection.stock, 0.0).mean(axis=1),
        "base": own["level"].copy() if own else np.maximum(aim.position + aim.free, 0.0),
        "unmet_without": aim.unmet(projection.mine[:, None])[:, 0],
        "unlimited": own["unlimited"] if own else _without_maximum(aim, choice),
        "elsewhere": np.zeros(len(quantity)),
        "left_without": aim.left(np.zeros((len(quantity), 1)))[:, 0],
        "rebate": np.zeros(len(quantity)),
    }


def tabled(
    aim: Aim, choice: Choice, quantity: Float[np.ndarray, "series candidate"]
) -> dict[str, Float[np.ndarray, "series candidate"]]:
    """Give the columns of :class:`Lines` that are told of each candidate, for some admissible quantities or 0."""
    mine = aim.projection.mine
    units = mine[:, None] + quantity
    waste = np.stack([aim.waste.expected(some) for some in units.T], axis=1)
    return {
        "quantity": quantity,
        # against ordering nothing: a line with a huge cost of its own hides no other's saving
        "cost": candidate_cost(aim, choice, quantity) - choice.cost_none[:, None],
        "risk": aim.stockout_risk(units),
        "waste": waste,
        "left": aim.left(units) - waste,
    }


def _without_maximum(aim: Aim, choice: Choice) -> Float[np.ndarray, " series"]:
    """Give what each line would order by itself without its maximum: what that cuts is told apart from its packs."""
    terms = aim.part.terms
    limited = np.isfinite(terms.max_order)
    if not limited.any():
        return choice.quantity.copy()
    free = terms.replace(max_order=np.full(len(limited), np.inf))
    found = choose(replace(aim, part=replace(aim.part, terms=free))).quantity
    return np.where(limited, np.maximum(found, choice.quantity), choice.quantity)


def _ruled(aim: Aim, choice: Choice, rule: str) -> dict[str, np.ndarray]:
    """Give what a classical rule orders: its wish rounded up to what is admissible, and its levels."""
    found = levels(rule, aim.part, aim.projection.total)
    wanted = np.where(aim.may_order, found.wanted(aim.part.state.inventory_position), 0.0)
    some = wanted > NEAR * np.maximum(1.0, found.order_up_to_level)
    takes = some & choice.admissible.possible
    endless = replace(choice.admissible, most=np.full(len(some), np.inf))
    return {
        "quantity": np.where(takes, choice.admissible.up(wanted), 0.0),
        "unlimited": np.where(some, endless.up(wanted), 0.0),
        "free": np.where(some, wanted, 0.0),
        "level": found.order_up_to_level,
        "reorder_point": found.reorder_point,
    }


def candidates(
    aim: Aim, choice: Choice, further: Float[np.ndarray, " series"] | None = None
) -> Float[np.ndarray, "series candidate"]:
    """Give 0 and admissible quantities around the best one: steps 1, 2, 4, shares of it, and geometric steps above."""
    admissible, before = choice.admissible, aim.part.terms.ordered_now
    # around the best of the whole order, what is placed of it included: planning the rest of a night sees the same grid
    nothing = np.zeros_like(before)
    first = choose(aim, start=nothing, ordered=nothing) if before.any() else choice
    whole, top = first.admissible, first.positive
    usual = np.maximum(top, aim.leftover.rate * aim.leftover.review)
    step = np.where(admissible.step > 0, admissible.step, usual / 32.0)
    coarse = np.maximum(np.round(usual / step / 32.0), 1.0) * step
    if aim.waste.applies.any():  # all that can be sold before it expires, or until the end of its sale
        sold = np.where(aim.waste.applies[:, None], np.maximum(aim.waste.room, 0.0), 0.0).mean(axis=1)
        coarse = np.maximum(coarse, np.ceil((sold - top) / LARGER[-1] / step) * step)
    around = [top, whole.least]
    around += [top + sign * count * step for count in STEPS for sign in (1.0, -1.0)]
    around += [top + count * coarse for count in LARGER]
    around += [np.floor(share * top / step) * step for share in SHARES]
    around = [np.clip(total, whole.least, whole.most) - before for total in around]
    around += [choice.quantity] if further is None else [choice.quantity, further]
    table = np.stack(around, axis=1)
    # what is placed of the order may be no whole number of steps; what is ordered further is
    table = admissible.down(table)
    table = np.where(table < admissible.least[:, None], 0.0, np.minimum(table, admissible.most[:, None]))
    open_now = aim.may_order & admissible.possible
    table = np.where(open_now[:, None], table, 0.0)
    return np.sort(np.concatenate([np.zeros((len(top), 1)), table], axis=1), axis=1)


def candidate_cost(
    aim: Aim, choice: Choice, quantity: Float[np.ndarray, "series candidate"]
) -> Float[np.ndarray, "series candidate"]:
    """Give the expected cost of admissible quantities, in line with how :func:`choose` decides."""
    units = aim.projection.mine[:, None] + quantity
    cost, positive = aim.size_cost(units) + choice.shift[:, None], choice.cost_positive[:, None]
    short = quantity < choice.positive[:, None]
    penalty = floor_penalty(aim, units)
    served = aim.served[:, None]
    if served.any():
        missed = aim.unmet(np.concatenate([units, (aim.projection.mine + choice.positive)[:, None]], axis=1))
        behind = aim.shortage_cost[:, None] * np.maximum(missed[:, :-1] - missed[:, -1:], 0.0) + penalty
        cost = np.where(served & short, positive + behind, cost)
    below = ~served & (units < aim.floor[:, None]) & short
    cost = np.where(below, np.maximum(cost, positive) + penalty, cost)
    return np.where(quantity > 0, cost, choice.cost_none[:, None])
