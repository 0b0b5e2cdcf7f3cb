"""The couplings between lines as one mixed-integer model: suppliers' orders, and what all of them share.

In multiple-choice form (no big-M for the choice itself, so that the relaxation is strong). With Q_ij the candidates of
line i, Q_i0 = 0, C_ij their expected costs, c_i, v_i, w_i cost, volume and weight of a unit::

    min   Σ_ij C_ij x_ij + Σ_v (K_v y_v + T_v m_v − Σ_t d_vt g_vt − Σ_t b_vt z_vt)
    s.t.  Σ_j x_ij = 1                                    every line takes one candidate
          1 − x_i0 ≤ y_v                                  a line of supplier v opens its order
          Σ c_i Q_ij x_ij ≥ V_v y_v                       minimum value; the same with units and weight
          Σ v_i Q_ij x_ij ≤ free_v + W_v m_v              m_v further trucks by volume; the same by weight
          Σ v_i Q_ij x_ij + loaded_v y_v ≥ f W_v (n_v y_v + m_v)      trucks are filled to a share f at least
          Σ_t g_vt = Σ c_i Q_ij x_ij, g_vt ≤ U_vt z_vt, g_vt ≥ B_vt z_vt, Σ_t z_vt = y_v     one price break holds
          Σ_ij r_i Q_ij x_ij ≤ R                          each shared limit: the budget, the room at a location
          x, y, z binary, m whole, g ≥ 0

Where trucks are limited by volume and by weight, the fuller of both has to reach f, and one more binary tells which.
Ordering nothing keeps every limit, so that no model is infeasible. What cannot be helped (open orders above the budget,
stock above the room) is slack, taken out of R before and told as an exception; a service target or ``min_stock`` that a
limit leaves unmet is priced in C already.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.policies.coupling import Goods, Limit, Order
from stockcast.policies.lines import Lines
from stockcast.policies.milp.problem import Answer, Draft, Problem
from stockcast.policies.milp.solving import SOLVERS
from stockcast.policies.milp.worker import Solver, kept

EXACT = 500  # whole-number variables up to which the best is proven to the last digit
NEAR_ENOUGH = 3e-4  # beyond, the share of what all lines could save that a solution may miss
DOUBTED = 0.005  # the gap from which a second solver is asked
TIME_OUT = "no time left before the deadline"
REFUTED = "not the best"


@final
@dataclass(frozen=True, slots=True)
class Solve:
    """One solved model, as the manifest lists it; status ``analytic`` says that no model was needed."""

    supplier: str
    solver: str
    status: str
    objective: float
    bound: float
    gap: float
    seconds: float


@final
@dataclass(frozen=True, slots=True)
class Solved:
    """A model's outcome: the candidate of each row asked for, None where no solver gave one; every solver's answer."""

    chosen: Int[np.ndarray, " line"] | None
    solves: tuple[Solve, ...]

    @property
    def solve(self) -> Solve:
        """Give the answer that holds: the best one, or the last where none is a plan."""
        found = [solve for solve in self.solves if math.isfinite(solve.objective)]
        return min(found, key=lambda solve: solve.objective) if found else self.solves[-1]


@final
@dataclass(frozen=True, slots=True)
class Solving:
    """Who solves and in what time: a limit for each model, and one deadline for all (``time.monotonic``)."""

    solver: Solver = field(default_factory=lambda: kept()[0])
    time_limit: float = 60.0
    until: float = math.inf

    @property
    def limit(self) -> float:
        """Give the seconds that the next model may take."""
        return min(self.time_limit, self.until - time.monotonic())


def solve(
    name: str,
    lines: Lines,
    every: Sequence[Order],
    goods: Goods,
    solving: Solving,
    *,
    limits: Sequence[Limit] = (),
    price: Float[np.ndarray, " series"] | None = None,
    known: float = math.inf,
) -> Solved:
    """Solve one model over the lines of some orders, with HiGHS, then with CBC where that gave none or is in doubt.

    A solver's word is not taken for it: an answer that is called the best is in doubt where a known plan is better, or
    where changing one line betters it.

    Parameters
    ----------
    limits
        What the lines share.
    price
        Added to the cost of each unit of a line; the objective then contains it.
    known
        The cost of a plan that keeps all of it, where there is one.

    Returns
    -------
    chosen, solves
        Candidates in the order of the concatenated rows of ``every``.
    """
    model = Model.of(name, lines, every, goods, limits, price)
    tried: list[Solve] = []
    best: Int[np.ndarray, " line"] | None = None
    least = math.inf
    for solver in SOLVERS:
        limit = solving.limit
        if limit <= 0:
            tried.append(Solve(name, solver, TIME_OUT, math.nan, math.nan, math.nan, 0.0))
            break
        chosen, told = model.read(solving.solver.ask(solver, model.problem, limit))
        if chosen is not None and told.status == "optimal" and model.refuted(chosen, known):
            told = model.doubted(told)
        tried.append(told)
        if chosen is not None and told.objective < least:
            best, least = chosen, told.objective
        if told.status == "optimal" or (chosen is not None and told.gap <= DOUBTED):
            break
    return Solved(best, tuple(tried))


@final
@dataclass(frozen=True, slots=True)
class Model:
    """The program, and what its variables stand for."""

    problem: Problem
    every: tuple[Order, ...]
    goods: Goods
    rows: Int[np.ndarray, " line"]
    quantity: Float[np.ndarray, "line candidate"]
    cost: Float[np.ndarray, "line candidate"]
    takes: list[list[tuple[int, int]]]
    constant: float
    limits: tuple[Limit, ...] = ()

    @classmethod
    def of(
        cls,
        name: str,
        lines: Lines,
        every: Sequence[Order],
        goods: Goods,
        limits: Sequence[Limit] = (),
        price: Float[np.ndarray, " series"] | None = None,
    ) -> "Model":
        """Write the model down."""
        rows = np.concatenate([order.rows for order in every])
        quantity = lines.quantity[rows]
        cost = lines.cost[rows] if price is None else lines.cost[rows] + price[rows, None] * quantity
        least = cost.min(axis=1)
        draft = Draft()
        gift = [_gift(order, quantity.max(axis=1)[_slice(every, v)], goods) for v, order in enumerate(every)]
        # a candidate that costs more than all lines and orders could save together is in no optimum; without it the
        # coefficients stay within a range that the solver's absolute tolerances can resolve
        worth = float((cost[:, 0] - least).sum()) + sum(gift)
        worth += sum(order.header for order in every)
        first = np.ones(quantity.shape, dtype=bool)  # quantities ascend: only the first of each counts
        first[:, 1:] = quantity[:, 1:] != quantity[:, :-1]
        first[:, 1:] &= (cost[:, 1:] - cost[:, :1]) <= worth * (1 + 1e-9)
        takes: list[list[tuple[int, int]]] = []
        for at, some in enumerate(first):
            taken = [(j, draft.variable(float(cost[at, j] - least[at]))) for j in np.flatnonzero(some).tolist()]
            draft.constrain([(x, 1.0) for _, x in taken], low=1.0, high=1.0)
            takes.append(taken)
        for v, order in enumerate(every):
            if order.coupled:
                span = _slice(every, v)
                _add_order(draft, order, takes[span], quantity[span], goods)
        for limit in limits:
            _add_limit(draft, limit, rows, takes, quantity)
        whole = sum(draft.integer)
        near = 1e-9 if whole <= EXACT else NEAR_ENOUGH * float((cost[:, 0] - least).sum())
        problem = draft.problem(name, -sum(gift), near)
        return cls(problem, tuple(every), goods, rows, quantity, cost, takes, float(least.sum()), tuple(limits))

    def read(self, answer: Answer) -> tuple[Int[np.ndarray, " line"] | None, Solve]:
        """Read an answer as a plan, add its cost up again, and say how far it can be from the best."""
        name, nan = self.problem.name, math.nan
        chosen = self._decode(answer.values) if answer.values is not None else None
        if chosen is None:
            status = answer.status if answer.values is None else "rejected: not a plan"
            return None, Solve(name, answer.solver, status, nan, nan, nan, answer.seconds)
        objective = self.total(chosen)
        bound = min(answer.bound + self.constant, objective)
        if answer.status == "optimal" and objective - bound <= 1e-6 * max(abs(objective), 1.0):
            bound = objective  # within the solver's tolerances
        gap = (objective - bound) / max(abs(objective), 1.0)
        return chosen, Solve(name, answer.solver, answer.status, objective, bound, gap, answer.seconds)

    def total(self, chosen: Int[np.ndarray, " line"]) -> float:
        """Give the cost of a choice, added up from the candidates and the whole orders' own terms."""
        at = np.arange(len(chosen))
        units = self.quantity[at, chosen]
        whole = sum(order.extra(units[_slice(self.every, v)], self.goods) for v, order in enumerate(self.every))
        return float(self.cost[at, chosen].sum()) + whole

    def refuted(self, chosen: Int[np.ndarray, " line"], known: float = math.inf) -> bool:
        """Tell whether a known plan costs less, or one line's other candidate would, within every limit and term."""
        at = np.arange(len(chosen))
        units = self.quantity[at, chosen]
        total = self.total(chosen)
        worth = 2 * self.problem.tolerance + 1e-6 * max(abs(total), 1.0)
        if total > known + worth:
            return True
        left = [limit.left - float((limit.use[self.rows] * units).sum()) for limit in self.limits]
        for v, order in enumerate(self.every):
            span = _slice(self.every, v)
            mine = units[span].copy()
            before = order.extra(mine, self.goods)
            for line in range(span.start, span.stop):
                here = line - span.start
                for j, _ in self.takes[line]:
                    more = self.quantity[line, j] - units[line]
                    if more == 0 or any(
                        more * limit.use[self.rows[line]] > room for limit, room in zip(self.limits, left, strict=True)
                    ):
                        continue
                    mine[here] = self.quantity[line, j]
                    change = self.cost[line, j] - self.cost[line, chosen[line]]
                    if change + order.extra(mine, self.goods) - before < -worth and order.keeps(mine, self.goods):
                        return True
                mine[here] = units[line]
        return False

    def doubted(self, told: Solve) -> Solve:
        """Give an answer that is not what its solver says: its bound does not hold."""
        bound = self.problem.floor + self.constant
        gap = (told.objective - bound) / max(abs(told.objective), 1.0)
        return replace(told, status=REFUTED, bound=bound, gap=gap)

    def _decode(self, values: np.ndarray) -> Int[np.ndarray, " line"] | None:
        chosen = np.zeros(len(self.rows), dtype=np.int64)
        if len(values) != len(self.problem.cost) or not np.isfinite(values).all():
            return None
        for at, taken in enumerate(self.takes):
            found = values[[x for _, x in taken]]
            if (found > 0.5).sum() != 1 or (np.minimum(np.abs(found), np.abs(found - 1.0)) > 1e-5).any():
                return None
            chosen[at] = taken[int(found.argmax())][0]
        return chosen


def _slice(every: Sequence[Order], v: int) -> slice:
    begin = sum(len(order.rows) for order in every[:v])
    return slice(begin, begin + len(every[v].rows))


def _gift(order: Order, most: np.ndarray, goods: Goods) -> float:
    """Give the most that price breaks could take off an order."""
    return order.discount(float(most @ goods.cost[order.rows])) if order.tiers else 0.0


def _used(takes: list[list[tuple[int, int]]], quantity: np.ndarray, use: np.ndarray) -> list[tuple[int, float]]:
    return [
        (x, float(use[at] * quantity[at, j])) for at, taken in enumerate(takes) for j, x in taken if j and use[at] > 0
    ]


def _add_limit(draft: Draft, limit: Limit, rows: np.ndarray, takes: list, quantity: np.ndarray) -> None:
    terms = _used(takes, quantity, limit.use[rows])
    if terms:
        draft.constrain(terms, high=limit.left, scale=max(limit.left, 1.0))


def _add_order(draft: Draft, order: Order, takes: list, quantity: np.ndarray, goods: Goods) -> None:
    rows = order.rows
    opens = draft.variable(order.header)
    for taken in takes:
        draft.constrain([(taken[0][1], 1.0), (opens, 1.0)], low=1.0)
    uses = ((order.value, goods.cost[rows]), (order.units, np.ones(len(rows))), (order.weight, goods.weight[rows]))
    for least, use in uses:
        if least > 0:
            draft.constrain([*_used(takes, quantity, use), (opens, -least)], low=0.0, scale=least)
    if order.trucks is not None:
        _add_trucks(draft, order, opens, takes, quantity, goods)
    if order.tiers:
        _add_tiers(draft, order, opens, takes, quantity, goods)


def _add_trucks(draft: Draft, order: Order, opens: int, takes: list, quantity: np.ndarray, goods: Goods) -> None:
    trucks, rows = order.trucks, order.rows
    assert trucks is not None
    volume, weight = goods.volume[rows], goods.weight[rows]
    most = quantity.max(axis=1)
    further = max(trucks.count(float(most @ volume), float(most @ weight)) - trucks.hired, 0)
    more = draft.variable(trucks.cost, float(further))
    draft.constrain([(more, 1.0), (opens, -float(further))], high=0.0)
    sized = [
        (size, loaded, _used(takes, quantity, use))
        for size, loaded, use in (
            (trucks.volume, trucks.loaded_volume, volume),
            (trucks.weight, trucks.loaded_weight, weight),
        )
        if size > 0
    ]
    for size, loaded, load in sized:
        draft.constrain([*load, (more, -size)], high=trucks.hired * size - loaded, scale=size)
    if trucks.min_fill <= 0:
        return
    share = trucks.min_fill
    either = [] if len(sized) == 1 else [draft.variable(0.0) for _ in sized]
    for at, (size, loaded, load) in enumerate(sized):
        terms = [*load, (opens, loaded - share * size * trucks.hired), (more, -share * size)]
        slack = share * size * (trucks.hired + further)
        terms += [(either[at], slack)] if either else []
        draft.constrain(terms, low=0.0, scale=size)
    if either:  # one of both may be let off
        draft.constrain([(x, 1.0) for x in either], high=1.0)


def _add_tiers(draft: Draft, order: Order, opens: int, takes: list, quantity: np.ndarray, goods: Goods) -> None:
    cost = goods.cost[order.rows]
    most = float(quantity.max(axis=1) @ cost)
    begins = [0.0, *(tier.value for tier in order.tiers)]
    ends = [*begins[1:], most]
    scale = max(most, 1.0)
    values, holds = [], []
    for begin, end, discount, bonus in zip(
        begins, ends, [0.0, *(tier.discount for tier in order.tiers)], [0.0, *(tier.bonus for tier in order.tiers)],
        strict=True,
    ):  # fmt: skip
        if begin > most:
            break
        value = draft.variable(-discount * scale, math.inf, integer=False)  # in units of the most there can be
        here = draft.variable(-bonus)
        draft.constrain([(value, scale), (here, -min(end, most))], high=0.0, scale=scale)
        draft.constrain([(value, scale), (here, -begin)], low=0.0, scale=scale)
        values.append(value)
        holds.append(here)
    draft.constrain(
        [*_used(takes, quantity, cost), *((value, -scale) for value in values)], low=0.0, high=0.0, scale=scale
    )
    draft.constrain([*((here, 1.0) for here in holds), (opens, -1.0)], low=0.0, high=0.0)
