"""The orders of a night: each line by itself, then with its supplier, then within what all share.

The analytic plan stands first at every step, and stays where a solver gives none, gives a worse one in its time, or
gives one that the independent check refuses; that is told as the lines' fallback and as an exception.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Protocol, final, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from stockcast.core.errors import InvariantError
from stockcast.core.findings import Alert
from stockcast.inventory import Situation
from stockcast.policies.alerts import solver_alert
from stockcast.policies.budget import at_once, near_enough, within_limits
from stockcast.policies.check import check
from stockcast.policies.coupling import REACHED, Goods, Limit, Order, first_of, limits, orders, total_cost
from stockcast.policies.finer import FEW, with_asked, with_more
from stockcast.policies.hull import Hull
from stockcast.policies.lines import Lines
from stockcast.policies.milp import Solve, Solved, Solving, solve
from stockcast.policies.repair import cut, keep_limits, meet_minimum, trim, use_the_rest

ROUNDS = 2  # of more candidates, decided on again, where limits move lines
MANY = 5_000  # lines moved above which one more candidate matters less than the time for all of them
FILLS = 30  # of what is left, to the pack; each leaves at most half of what fits
ABOVE = 0.1  # of a minimum: an order that ends so far above it has another reason
LIMITS = "limits"  # the name that joint models go by in the place of a supplier's


@final
@dataclass(slots=True)
class Decision:
    """Candidates of each line: by itself, with its supplier, within all limits; and how they were found.

    ``joined_by`` and ``final_by`` name what moved a line; ``price`` is what one more unit of each limit would save;
    ``checked`` are quantities that the independent check has passed; ``coarse`` is how many lines that limits move keep
    their first candidates, being more than ``MANY``.
    """

    goods: Goods
    every: list[Order]
    shared: list[Limit]
    alone: Int[np.ndarray, " series"]
    joined: Int[np.ndarray, " series"]
    final: Int[np.ndarray, " series"]
    joined_by: Shaped[np.ndarray, " series"]
    final_by: Shaped[np.ndarray, " series"]
    fallback: Shaped[np.ndarray, " series"]
    price: Float[np.ndarray, " limit"]
    checked: Float[np.ndarray, " series"] | None = None
    coarse: int = 0
    solves: list[Solve] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)

    def on(self, found: Lines, more: Lines) -> "Decision":
        """Give the same decision on lines with more candidates."""

        def place(index: np.ndarray) -> np.ndarray:
            out: np.ndarray = np.argmax(more.quantity == found.at(index)[:, None], axis=1)
            return out

        return replace(self, alone=place(self.alone), joined=place(self.joined), final=place(self.final))

    @property
    def gap(self) -> float:
        """Give how far all orders can be from the best, relative to what they save; NaN where no bound is known."""
        limited = [one for one in self.solves if one.supplier == LIMITS]
        best: dict[str, Solve] = {}
        for one in limited or self.solves:
            held = best.get(one.supplier)
            if held is None or not math.isfinite(held.objective) or one.objective < held.objective:
                best[one.supplier] = one
        objective = sum(one.objective for one in best.values())
        bound = sum(one.bound for one in best.values())
        return (objective - bound) / max(abs(objective), 1.0) if best else 0.0


@runtime_checkable
class Deciding(Protocol):
    """What decides a night; ``begun`` also chooses the rest of orders of which lines are placed to the pack."""

    def __call__(self, situation: Situation, found: Lines, *, begun: bool = False) -> tuple[Lines, Decision]:
        """Give the lines as they were decided on, and what was decided."""
        ...


def decide(situation: Situation, found: Lines, *, joint: bool, solving: list[Solving]) -> Decision:
    """Find every order.

    Parameters
    ----------
    joint
        Whether models are solved; else everything is met by analytic repair.
    solving
        Who solves, one process each.

    Raises
    ------
    InvariantError
        If our own rounding broke a rule: a bug.
    """
    n = len(found.chosen)
    every = orders(situation.terms, situation.shared, found.at(found.chosen) > 0)
    shared = limits(situation, found)
    made = Decision(
        goods=Goods.of(situation.terms),
        every=every,
        shared=shared,
        alone=found.chosen.copy(),
        joined=found.chosen.copy(),
        final=found.chosen.copy(),
        joined_by=np.full(n, "", dtype="<U16"),
        final_by=np.full(n, "", dtype="<U16"),
        fallback=np.full(n, "", dtype="<U64"),
        price=np.zeros(len(shared)),
    )
    _join(situation, found, made, joint=joint, solving=solving)
    for order in every:
        if order.coupled:
            made.joined_by[order.rows] = _name_of_order(found, order, made)
    made.final = made.joined.copy()
    if every and any(limit.over(found.at(made.joined)) > 0 for limit in shared):
        made.final = first_of(found, _fit(situation, found, made, joint=joint, solving=solving))
        for order in every:
            made.final = trim(found, order, made.final, made.goods, within=True)
        made.final_by = _names_of_limits(made)
    if made.checked is None or not np.array_equal(made.checked, found.at(made.final)):
        hold(situation, found, found.at(made.final))
    return made


def settle(
    situation: Situation, found: Lines, *, solving: list[Solving], workers: int = 1, begun: bool = False
) -> tuple[Lines, Decision]:
    """Find every order, with more quantities where limits move lines, until no whole pack more both fits and saves.

    Gives the lines with those quantities, and what was decided on them. Small orders begin with the quantities that
    their own terms ask for. Where a limit, or the terms of a small order, move lines, all is decided again with more
    candidates around where they ended (``policies.finer``), as long as that saves and there is time.

    Orders that have lines of this period already are decided on their first candidates: those are among the ones that
    the earlier plan chose from, so that planning the rest of a night does not open again what is settled. Where such an
    order asks for something more even so, nothing is: with ``begun`` it is then treated as any other.
    """
    every = orders(situation.terms, situation.shared, found.at(found.chosen) > 0)
    new = of_new_orders(situation, every)
    found = with_asked(found, situation, every, Goods.of(situation.terms), new, workers=workers)
    made = decide(situation, found, joint=True, solving=solving)
    asks = of_open_orders(situation, found, made) & ~new
    if begun and asks.any() and solving[0].limit > 0:
        more = with_asked(found, situation, every, made.goods, asks, workers=workers)
        found, made = _better(situation, found, made, more, solving) or (found, made)
        new = new | asks
    for _ in range(ROUNDS):
        moved = (_moved(found, made) | _raised(found, made)) & new
        made.coarse = int(moved.sum()) if int(moved.sum()) > MANY else 0
        if not moved.any() or made.coarse or solving[0].limit <= 0:
            break
        better = _better(
            situation, found, made, with_more(found, situation, made.final, moved, workers=workers), solving
        )
        if better is None:
            break
        found, made = better
    return _to_the_pack(situation, found, made, new, workers=workers)


def _better(
    situation: Situation, found: Lines, made: Decision, more: Lines, solving: list[Solving]
) -> tuple[Lines, Decision] | None:
    """Decide again on lines with more candidates; None where there are none, or nothing is saved."""
    if more is found:
        return None
    again = decide(situation, more, joint=True, solving=solving)
    before = total_cost(found, made.every, made.final, made.goods)
    after = total_cost(more, again.every, again.final, again.goods)
    return (more, again) if after < before - 1e-9 * max(abs(before), 1.0) else None


def deciding(solving: list[Solving], *, joint: bool = True, workers: int = 1) -> Deciding:
    """Give what decides a night: :func:`settle`, or :func:`decide` by analytic repair where no model is solved."""

    def decided(situation: Situation, found: Lines, *, begun: bool = False) -> tuple[Lines, Decision]:
        if joint:
            return settle(situation, found, solving=solving, workers=workers, begun=begun)
        return found, decide(situation, found, joint=False, solving=solving)

    return decided


def _raised(found: Lines, made: Decision) -> Bool[np.ndarray, " series"]:
    """Tell which lines of small orders their order's own terms have moved."""
    moved = np.zeros(len(made.alone), dtype=bool)
    for order in made.every:
        if order.coupled and len(order.rows) <= FEW:
            moved[order.rows] = found.at(made.final)[order.rows] != found.at(made.alone)[order.rows]
    return moved


def of_new_orders(situation: Situation, every: list[Order]) -> Bool[np.ndarray, " series"]:
    """Tell which lines are of orders that nothing is placed of yet."""
    new = np.zeros(len(situation.terms.series), dtype=bool)
    begun = {one.supplier for one in situation.shared.suppliers if one.committed_units > 0}
    for order in every:
        new[order.rows] = order.supplier not in begun and not situation.terms.ordered_now[order.rows].any()
    return new


def of_open_orders(situation: Situation, found: Lines, made: Decision) -> Bool[np.ndarray, " series"]:
    """Tell which lines are of orders that nothing is placed of yet, or that ask for something more."""
    out = of_new_orders(situation, made.every)
    final = found.at(made.final)
    for order in made.every:
        out[order.rows] |= final[order.rows].any()
    return out


def _moved(found: Lines, made: Decision) -> Bool[np.ndarray, " series"]:
    """Tell which lines the limits have moved."""
    moved: np.ndarray = found.at(made.final) != found.at(made.joined)
    return moved


def _to_the_pack(
    situation: Situation, found: Lines, made: Decision, new: Bool[np.ndarray, " series"], *, workers: int
) -> tuple[Lines, Decision]:
    """Spend what the limits leave, step by step, where a larger quantity that does not fit would save."""
    for _ in range(FILLS):
        at = found.at(made.final)
        least = np.where(at > 0, found.step, found.least)
        short = new & _moved(found, made) & (found.cost.min(axis=1) < found.cost[np.arange(len(at)), made.final])
        for limit in made.shared:
            left = limit.left - float((at * limit.use).sum())
            short &= least * limit.use <= left
        more = with_more(found, situation, made.final, short, workers=workers) if short.any() else found
        if more is found:
            break
        moved = made.on(found, more)
        filled = first_of(more, use_the_rest(more, moved.every, moved.final, moved.goods, moved.shared))
        if np.array_equal(more.at(filled), at):
            break
        hold(situation, more, more.at(filled))
        found, made = more, replace(moved, final=filled, checked=more.at(filled))
    return found, made


def _join(situation: Situation, found: Lines, made: Decision, *, joint: bool, solving: list[Solving]) -> None:
    """Find every supplier's order; the analytic one stands unless a model gives a better one that the check passes."""
    asked: list[Order] = []
    for order in made.every:
        if order.coupled:
            made.joined = meet_minimum(found, order, made.joined, made.goods)
            if order.trucks is not None or order.tiers:
                made.joined = _improved(found, order, made.joined, made.goods)
        if order.coupled and joint and not _settled(found, order, made):
            asked.append(order)
    if joint and any(limit.over(found.at(made.joined)) > 0 for limit in made.shared):
        return  # what all share is solved together with every order's own terms
    names = {order.supplier for order in asked}
    for order in made.every:
        if order.supplier not in names:
            value = total_cost(found, [order], made.joined, made.goods)
            made.solves.append(Solve(order.supplier, "none", "analytic", value, value, 0.0, 0.0))
    hull = Hull.of(found.quantity, found.cost) if asked else None
    near = [near_enough(order, found, made.goods, hull, made.joined) for order in asked] if hull else []
    left = [order for order, known in zip(asked, near, strict=True) if known is None]
    bare = _without_limits(situation)

    def asking(order: Order, who: Solving) -> Solved:
        known = total_cost(found, [order], made.joined, made.goods)
        return solve(order.supplier, found, [order], made.goods, who, known=known)

    answers = iter(at_once(asking, left, solving))
    for order, known in zip(asked, near, strict=True):
        _take(bare, found, order, known or next(answers), made)
    made.solves.sort(key=lambda solve: solve.supplier)


def _settled(found: Lines, order: Order, made: Decision) -> bool:
    """Tell where no model is needed: each line at its own best keeps the minimums, and nothing else ties them."""
    if order.trucks is not None or order.tiers:
        return False
    return order.keeps(found.quantity[order.rows, made.alone[order.rows]], made.goods)


def _improved(found: Lines, order: Order, chosen: np.ndarray, goods: Goods) -> np.ndarray:
    """Take back the step that is worth least for the room it takes, while that saves more on trucks than it costs."""
    best, rows = chosen.copy(), order.rows
    if order.trucks is None:
        return best
    use = goods.volume if order.trucks.volume > 0 else goods.weight
    cost = total_cost(found, [order], best, goods)
    trucks = order.trucks
    for _ in range(8):
        quantity = found.quantity[rows, best[rows]]
        load = trucks.load(float(quantity @ goods.volume[rows]), float(quantity @ goods.weight[rows]))
        fewer = math.ceil(load) - 1
        size, loaded = (
            (trucks.volume, trucks.loaded_volume) if trucks.volume > 0 else (trucks.weight, trucks.loaded_weight)
        )
        room = fewer * size - loaded
        if room <= 0:
            return best
        tried = best.copy()
        tried[rows] = cut(found.quantity[rows], found.cost[rows], best[rows], use[rows], room)
        if not order.keeps(found.quantity[rows, tried[rows]], goods):
            tried[rows] = 0
        other = total_cost(found, [order], tried, goods)
        if other >= cost or not order.keeps(found.quantity[rows, tried[rows]], goods):
            return best
        best, cost = tried, other
    return best


def _take(bare: Situation, found: Lines, order: Order, solved: Solved, made: Decision) -> None:
    rows = order.rows
    before = total_cost(found, [order], made.joined, made.goods)
    text = "" if solved.chosen is not None else f"solver: {solved.solve.status}"
    if solved.chosen is not None:
        quantity = np.zeros(len(made.joined))
        quantity[rows] = found.quantity[rows, solved.chosen]
        broken = check(bare, quantity, rows=rows)
        if broken:
            text = f"solver: plan rejected ({broken[0].rule})"
        elif solved.solve.status != "optimal" and solved.solve.objective > before + 1e-9 * abs(before):
            text = "solver: worse than the analytic plan at its limit"
    if text:
        made.fallback[rows] = text
        at_stake = float((found.cost[rows, 0] - found.cost[rows, made.joined[rows]]).sum())
        words = f"the order to {order.supplier} was planned without the solver ({text.removeprefix('solver: ')})"
        made.alerts.append(solver_alert(order.supplier, words, max(at_stake, 0.0)))
        made.solves += _doubted(solved, text)
        return
    made.solves += solved.solves
    out = made.joined.copy()
    out[rows] = solved.chosen
    out = trim(found, order, first_of(found, out), made.goods)
    made.joined = first_of(found, use_the_rest(found, [order], out, made.goods, []))


def _fit(situation: Situation, found: Lines, made: Decision, *, joint: bool, solving: list[Solving]) -> np.ndarray:
    """Fit all orders into what they share."""
    analytic = keep_limits(found, made.every, made.joined, made.goods, made.shared)
    analytic = use_the_rest(found, made.every, analytic, made.goods, made.shared)
    if not joint:
        return analytic
    known = total_cost(found, made.every, analytic, made.goods)
    result = within_limits(found, made.every, made.joined, made.goods, made.shared, solving, known)
    made.price = result.price
    text = f"solver: {result.solves[-1].status}"
    if result.chosen is not None:
        broken = check(situation, found.at(result.chosen), held=found.held)
        before = total_cost(found, made.every, analytic, made.goods)
        after = total_cost(found, made.every, result.chosen, made.goods)
        if not broken and after <= before + 1e-9 * abs(before):
            made.solves += result.solves
            made.checked = found.at(result.chosen)
            return result.chosen
        text = f"solver: plan rejected ({broken[0].rule})" if broken else "solver: worse than the analytic plan"
        made.solves += _doubted(Solved(None, result.solves), text)
    else:
        made.solves += result.solves
    made.fallback[np.concatenate([order.rows for order in made.every])] = text
    loss = total_cost(found, made.every, analytic, made.goods) - total_cost(found, made.every, made.joined, made.goods)
    made.alerts.append(solver_alert("", f"limits were kept without the solver ({text})", max(loss, 0.0)))
    return analytic


def _doubted(solved: Solved, text: str) -> list[Solve]:
    """Give the solves with what was wrong with a plan in the place of its status."""
    said = text.removeprefix("solver: ")
    plans = [math.isfinite(solve.objective) for solve in solved.solves]
    return [replace(solve, status=said) if plan else solve for solve, plan in zip(solved.solves, plans, strict=True)]


def _name_of_order(found: Lines, order: Order, made: Decision) -> str:
    """Name what moved the lines of an order: its cost drops an order, and raises none.

    A minimum that they miss by themselves, unless they end well above it at a price break that they do not reach by
    themselves either; a truck that is to be filled; that break; else the terms that there are.
    """
    goods = made.goods
    alone, now = (found.quantity[order.rows, index[order.rows]] for index in (made.alone, made.joined))
    dropped = order.header > 0 and not (now > 0).any()
    before, after = (sum(value >= tier.value for tier in order.tiers) for value in _values(order, goods, alone, now))
    lacks = max(order.lacks(alone, goods)) > 0
    well_above = max(order.lacks(now / (1.0 + ABOVE), goods)) <= 0
    if dropped or (lacks and not (after > before and well_above)):
        return "supplier_minimum"
    if order.trucks is not None and order.fill_lacks(alone, goods) > 0:
        return "truck"
    if after > before:
        return "price_break"
    if order.trucks is not None:
        return "truck"
    return "price_break" if order.tiers else "supplier_minimum"


def _values(order: Order, goods: Goods, *quantities: np.ndarray) -> list[float]:
    return [float(quantity @ goods.cost[order.rows]) * (1 + REACHED) for quantity in quantities]


def _names_of_limits(made: Decision) -> Shaped[np.ndarray, " series"]:
    """Name for each line the limit that weighs most on it."""
    names = np.array(["budget" if limit.name == "budget" else "storage" for limit in made.shared])
    weight = np.stack([
        limit.use * max(price, 1e-12) for limit, price in zip(made.shared, made.price.tolist(), strict=True)
    ])
    return names[np.argmax(weight, axis=0)]


def _without_limits(situation: Situation) -> Situation:
    return replace(situation, shared=replace(situation.shared, budget=None, storage={}))


def hold(situation: Situation, found: Lines, quantity: Float[np.ndarray, " series"]) -> None:
    """Hold quantities against every rule.

    Raises
    ------
    InvariantError
        If one is broken: a bug.
    """
    broken = check(situation, quantity, held=found.held)
    if broken:
        raise InvariantError(
            f"the plan breaks {len(broken)} of its own rules, first: {broken[0].rule}, {broken[0].where}",
            code="SC-P004",
            details=[f"{v.rule}: {v.where}: {v.message}" for v in broken[:10]],
            help="this is a fault of stockcast; nothing is published",
        )
