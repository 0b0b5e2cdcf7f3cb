"""A supplier's orders over several reviews as one mixed-integer model, where minimums tie its lines together.

Each line takes a way through the reviews: x_ijs says that candidate j is ordered now and the next order is that of node
s, z_irs that an order of r lasts until s (``policies.ahead.cycles`` has F, G and D̄). Given when orders are placed, a
line's way is a shortest path: only x and y need be whole, and the relaxation is strong; where later minimums tie ways,
z is whole too::

    min   Σ F_ijs x_ijs + Σ G_irs z_irs + Σ_t K_t y_t
    s.t.  Σ_js x_ijs = 1                                    every line takes one candidate and one next order
          Σ_j x_ijs + Σ_r z_irs = Σ_r z_isr                 what arrives at review s goes on from there
          Σ_{s, Q_ij > 0} x_ijs ≤ y_0,  Σ_r z_isr ≤ y_s     a line opens its supplier's order
          Σ u_i Q_ij x_ijs ≥ V_0 y_0                        minimums: value, units, weight u of a unit
          Σ u_i D̄_i(s, r) z_isr ≥ V y_s                     as far as later orders are expected to hold
          x, y binary, 0 ≤ z ≤ 1 (binary with V > 0)
"""

import math
from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.policies.milp.model import DOUBTED, EXACT, NEAR_ENOUGH, TIME_OUT, Solve, Solving
from stockcast.policies.milp.problem import Answer, Draft, Problem
from stockcast.policies.milp.solving import SOLVERS

MORE = 6  # larger candidates than the best that a minimum may ask for


@runtime_checkable
class Tables(Protocol):
    """What ``policies.ahead.Cycles`` has."""

    @property
    def quantity(self) -> Float[np.ndarray, "line candidate"]:
        """Give the candidates of each line."""
        ...

    @property
    def first(self) -> Float[np.ndarray, "line candidate next"]:
        """Give F."""
        ...

    @property
    def later(self) -> Float[np.ndarray, "line node node"]:
        """Give G."""
        ...

    @property
    def covers(self) -> Float[np.ndarray, "line node node"]:
        """Give D̄."""
        ...


@runtime_checkable
class WholeTerms(Protocol):
    """What ``policies.ahead.schedule.Terms`` has."""

    @property
    def header(self) -> float:
        """Give the order cost now."""
        ...

    @property
    def later_header(self) -> float:
        """Give that of later orders."""
        ...

    @property
    def now(self) -> Float[np.ndarray, " use"]:
        """Give the minimums now."""
        ...

    @property
    def later(self) -> Float[np.ndarray, " use"]:
        """Give those of later orders."""
        ...

    @property
    def use(self) -> Float[np.ndarray, "use line"]:
        """Give what a unit counts towards each."""
        ...


@final
@dataclass(frozen=True, slots=True)
class Ways:
    """A model's outcome: when orders are placed and what each line takes now; None where no solver gave a plan."""

    orders: Bool[np.ndarray, " review"] | None
    chosen: Int[np.ndarray, " line"] | None
    solves: tuple[Solve, ...]


@final
@dataclass(frozen=True, slots=True)
class AheadModel:
    """The program, and what its variables stand for: opening of each review, and (variable, candidate) of each line."""

    problem: Problem
    tables: Tables
    terms: WholeTerms
    opens: list[int]
    takes: list[list[tuple[int, int, int]]]
    goes: list[dict[tuple[int, int], int]]
    constant: float

    @classmethod
    def of(cls, name: str, tables: Tables, terms: WholeTerms) -> "AheadModel":
        """Write the model down; costs count from the least of each line."""
        n, last = len(tables.quantity), tables.first.shape[2]
        draft = Draft()
        opens = [draft.variable(terms.header if t == 0 else terms.later_header) for t in range(last)]
        tied, whole_ways = bool((terms.now > 0).any()), bool((terms.later > 0).any())
        base = np.where(np.isfinite(tables.first), tables.first, np.inf).min(axis=(1, 2))
        takes, goes = [], []
        for i in range(n):
            taken = [
                (draft.variable(float(tables.first[i, j, s - 1] - base[i])), j, s)
                for s in range(1, last + 1)
                for j in _kept(tables.quantity[i], tables.first[i, :, s - 1], more=tied)
            ]
            arcs = {
                (r, s): draft.variable(float(tables.later[i, r, s]), integer=whole_ways)
                for r in range(1, last)
                for s in range(r + 1, last + 1)
                if math.isfinite(tables.later[i, r, s])
            }
            draft.constrain([(x, 1.0) for x, _, _ in taken], low=1.0, high=1.0)
            ordered = [(x, -1.0) for x, j, _ in taken if tables.quantity[i, j] > 0]
            if ordered:
                draft.constrain([*ordered, (opens[0], 1.0)], low=0.0)
            for t in range(1, last):
                leaves = [(z, 1.0) for (r, _), z in arcs.items() if r == t]
                comes = [(x, -1.0) for x, _, s in taken if s == t]
                comes += [(z, -1.0) for (_, s), z in arcs.items() if s == t]
                if comes or leaves:
                    draft.constrain([*leaves, *comes], low=0.0, high=0.0)
                if leaves:
                    draft.constrain([*((z, -1.0) for z, _ in leaves), (opens[t], 1.0)], low=0.0)
            takes.append(taken)
            goes.append(arcs)
        _add_minimums(draft, tables, terms, opens, takes, goes)
        whole = sum(draft.integer)
        spread = float((np.where(np.isfinite(tables.first), tables.first, -np.inf).max(axis=(1, 2)) - base).sum())
        near = 1e-9 if whole <= EXACT else NEAR_ENOUGH * max(spread, 0.0) * 0.1
        floor = float(np.minimum(np.where(np.isfinite(tables.later), tables.later, 0.0), 0.0).sum())
        return cls(draft.problem(name, floor, near), tables, terms, opens, takes, goes, float(base.sum()))

    def read(self, answer: Answer) -> tuple[np.ndarray | None, np.ndarray | None, Solve]:
        """Read an answer as orders and candidates, and say how far it can be from the best."""
        name, nan = self.problem.name, math.nan
        decoded = None if answer.values is None else self._decode(answer.values)
        if decoded is None or answer.values is None:
            status = answer.status if answer.values is None else "rejected: not a plan"
            return None, None, Solve(name, answer.solver, status, nan, nan, nan, answer.seconds)
        objective = float(answer.values @ self.problem.cost) + self.constant
        bound = min(answer.bound + self.constant, objective)
        if answer.status == "optimal" and objective - bound <= 1e-6 * max(abs(objective), 1.0):
            bound = objective
        gap = (objective - bound) / max(abs(objective), 1.0)
        return *decoded, Solve(name, answer.solver, answer.status, objective, bound, gap, answer.seconds)

    def _decode(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Give what a solution says, or None where it is no plan: not whole, or a line without one way to the end."""
        if len(values) != len(self.problem.cost) or not np.isfinite(values).all():
            return None
        opened = values[self.opens]
        if (np.minimum(np.abs(opened), np.abs(opened - 1.0)) > 1e-5).any():
            return None
        orders, chosen = opened > 0.5, np.zeros(len(self.takes), dtype=np.int64)
        for i, (taken, arcs) in enumerate(zip(self.takes, self.goes, strict=True)):
            found = [(j, s) for x, j, s in taken if values[x] > 0.5]
            if len(found) != 1:
                return None
            j, s = found[0]
            if self.tables.quantity[i, j] > 0 and not orders[0]:
                return None
            if any(values[z] > 1e-5 and not orders[r] for (r, _), z in arcs.items()):
                return None
            chosen[i] = j
        return orders, chosen


def _kept(quantity: np.ndarray, cost: np.ndarray, *, more: bool) -> list[int]:
    """Give nothing, the best order, and with ``more`` the ones above it that a minimum may ask for."""
    able = np.flatnonzero(np.isfinite(cost))
    first = [int(at) for at in able[:1] if quantity[at] == 0]
    some = able[quantity[able] > 0]
    if not len(some):
        return first
    best = int(some[np.argmin(cost[some])])
    kept = [*first, best]
    if more:
        above = some[quantity[some] > quantity[best]]
        above = above[np.concatenate([[True], np.diff(quantity[above]) > 0])] if len(above) else above
        step = max(-(-len(above) // MORE), 1)
        kept += [int(at) for at in above[::-1][::step][::-1]]
    return kept


def _add_minimums(draft: Draft, tables: Tables, terms: WholeTerms, opens: list, takes: list, goes: list) -> None:
    for use, now, later in zip(terms.use, terms.now.tolist(), terms.later.tolist(), strict=True):
        if now > 0:
            held = [(x, float(use[i] * tables.quantity[i, j])) for i, taken in enumerate(takes) for x, j, _ in taken]
            draft.constrain([*held, (opens[0], -now)], low=0.0, scale=now)
        for t in range(1, len(opens)) if later > 0 else ():
            held = [
                (z, float(use[i] * tables.covers[i, r, s]))
                for i, arcs in enumerate(goes)
                for (r, s), z in arcs.items()
                if r == t
            ]
            draft.constrain([*held, (opens[t], -later)], low=0.0, scale=later)


def solve_ahead(name: str, tables: Tables, terms: WholeTerms, solving: Solving) -> Ways:
    """Solve the model with HiGHS, then with CBC where that gave none or is in doubt."""
    model = AheadModel.of(name, tables, terms)
    tried: list[Solve] = []
    best: tuple[np.ndarray, np.ndarray] | None = None
    least = math.inf
    for solver in SOLVERS:
        limit = solving.limit
        if limit <= 0:
            tried.append(Solve(name, solver, TIME_OUT, math.nan, math.nan, math.nan, 0.0))
            break
        orders, chosen, told = model.read(solving.solver.ask(solver, model.problem, limit))
        tried.append(told)
        if orders is not None and chosen is not None and told.objective < least:
            best, least = (orders, chosen), told.objective
        if told.status == "optimal" or (best is not None and told.gap <= DOUBTED):
            break
    orders, chosen = best or (None, None)
    return Ways(orders, chosen, tuple(tried))
