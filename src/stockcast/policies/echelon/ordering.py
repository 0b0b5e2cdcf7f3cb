"""What a warehouse buys for the places that it feeds: an ordinary line with a cost table of its own.

On each path the pool z = pool + Q is shared out by the marginal values that the places expect
(``policies.echelon.sharing``): nobody knows the path yet. What it costs is counted on the path itself, so that a path
on which all places sell well is one on which the pool ran down early too::

    C(Q) = E Σ_i [h_i Σ_k (u_i − N_ik)⁺ + p_i (N_i,end − u_i)⁺ + h_W w_i u_i] + h_W R (z − Σ_i u_i)

with u_i = u_i(pool + Q) (backorders: p_i Σ_k (N_ik − u_i)⁺). A unit that stays costs the warehouse's h_W for the R
periods up to the shipment that the next order can go with; one that goes on costs that for the w_i periods until it is
sent, then the place's h_i: what decides is the difference, the echelon holding cost of Clark and Scarf (1960), whose
optimum this is for one place and one period between orders.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream
from stockcast.demand import RecordedPaths, SampledForecast
from stockcast.inventory import InventoryState, Situation
from stockcast.policies.costs import CostCurve
from stockcast.policies.echelon.feeding import Group, groups, implied, shipped
from stockcast.policies.echelon.nodes import Nodes, nodes
from stockcast.policies.echelon.sharing import Sharing
from stockcast.policies.ladder import Ladder
from stockcast.policies.newsvendor import Aim, settled
from stockcast.policies.projection import AT_ONCE, Part, Projection
from stockcast.policies.tabled import TabledCurve

POINTS = 48  # of a place's curve, evenly among its kinks, to share out by
COARSE, FINE = 19, 9  # quantities at which C is valued: over all, then twice around the best


@final
@dataclass(frozen=True, slots=True)
class Bought:
    """The lines of some warehouses: their rows, what they aim at, and what lies where.

    Parameters
    ----------
    elsewhere
        Units at the places and on the way to them, less what they owe.
    held
        Units expected at the warehouse itself when its order arrives, without it.
    """

    rows: Int[np.ndarray, " warehouse"]
    aim: Aim
    elsewhere: Float[np.ndarray, " warehouse"]
    held: Float[np.ndarray, " warehouse"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, rows=self.rows, elsewhere=self.elsewhere, held=self.held)


def bought(situation: Situation) -> Iterator[Bought]:
    """Give the lines of all warehouses that feed places, some at a time."""
    every = groups(situation)
    if not every:
        return
    seen, _ = shipped(situation)
    shortage = np.zeros(len(situation.terms.series))
    rows = np.concatenate([group.members for group in every])
    rows = np.unique(rows)
    shortage[rows] = implied(seen, rows)
    size = max(1, AT_ONCE // (situation.demand.n_paths * situation.demand.horizon))
    for begin in range(0, len(every), size):
        yield _bought(situation, every[begin : begin + size], shortage)


def _bought(situation: Situation, some: tuple[Group, ...], shortage: np.ndarray) -> Bought:
    stream = Stream(situation.demand.stream.seed, "policies/lead_time")
    backorder = situation.shared.unmet_demand == "backorder"
    past = situation.past
    found, curves, paths, short = [], [], [], []
    for group in some:
        members = group.members
        own = situation.demand.take(members).paths()
        node = nodes(
            situation.state.take(members), situation.terms.take(members), own, stream,
            first=group.first, backorder=backorder,
        )  # fmt: skip
        holding = situation.terms.holding_cost[members]
        sales, stock = past.sales[members], situation.state.on_hand[members]
        whole = bool((sales == np.floor(sales)).all() and (stock == np.floor(stock)).all())
        means = own.mean(axis=(1, 2))
        weight = means / means.sum() if means.sum() > 0 else np.full(len(members), 1.0 / len(members))
        short.append(float(weight @ shortage[members]))
        cost = Pooled.of(node, holding, shortage[members], backorder=backorder, whole=whole)
        cost.begin()
        curves.append(cost)
        found.append(node)
        paths.append(own.sum(axis=0))
    rows = np.array([group.warehouse for group in some], dtype=np.int64)
    part = _part(situation, some, np.stack(paths), np.array(short))
    projection = _projection(found)
    worst = Ladder.of(projection.last[1])
    for _ in range(3):
        curve = TabledCurve.of([(one.units, one.cost) for one in curves], part.terms.shortage_cost)
        aimed = settled(part, projection, worst, curve, curve.optimum(), part.terms.shortage_cost)
        beyond = np.flatnonzero(aimed.units != aimed.free)
        if not len(beyond):
            break
        for at in beyond.tolist():  # an order cost or a minimum stock aims where the first looks were coarse
            curves[at].closer(float(aimed.units[at]))
    position = part.state.inventory_position - situation.state.inventory_position[rows]
    return Bought(rows, aimed, position, np.array([node.own.mean() for node in found]))


@final
@dataclass(slots=True)
class Pooled:
    """C of one group at the quantities looked at so far, ascending: the mutable thing of this module."""

    node: Nodes
    sharing: Sharing
    holding: Float[np.ndarray, " member"]
    shortage: Float[np.ndarray, " member"]
    backorder: bool
    whole: bool
    units: Float[np.ndarray, " quantity"] = field(default_factory=lambda: np.zeros(0))
    cost: Float[np.ndarray, " quantity"] = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(
        cls,
        node: Nodes,
        holding: Float[np.ndarray, " member"],
        shortage: Float[np.ndarray, " member"],
        *,
        backorder: bool,
        whole: bool,
    ) -> "Pooled":
        """Share the pool out, and look at nothing yet."""
        sharing = share_out(node, holding, shortage, backorder=backorder)
        return cls(node, sharing, holding, shortage, backorder, whole)

    def begin(self) -> None:
        """Look at all quantities that matter, then twice around the best."""
        breaks, pool = self.sharing.breaks, self.node.pool
        low, high = float(breaks[0] - pool.max()), float(breaks[-1] - pool.min())
        least = 1.0 if self.whole else 1e-6 * max(abs(high), abs(low), 1.0)
        wide = max((high - low) / (COARSE - 1), least)
        self.look(_grid(low - wide, high + wide, COARSE + 2, whole=self.whole))
        for _ in range(2):
            self.closer(float(self.units[np.argmin(self.cost)]))

    def closer(self, at: float) -> None:
        """Look between the quantities that lie on both sides of one."""
        right = int(np.clip(np.searchsorted(self.units, at, side="right"), 1, len(self.units) - 1))
        left = max(int(np.searchsorted(self.units, at)) - 1, 0)
        self.look(_grid(float(self.units[left]), float(self.units[right]), FINE, whole=self.whole))

    def look(self, units: Float[np.ndarray, " quantity"]) -> None:
        """Value quantities that are not known yet."""
        new = np.setdiff1d(units, self.units)
        found = cost_of(self.node, self.sharing, self.holding, self.shortage, new, backorder=self.backorder)
        every, cost = np.concatenate([self.units, new]), np.concatenate([self.cost, found])
        order = np.argsort(every)
        self.units, self.cost = every[order], cost[order]


def _grid(low: float, high: float, count: int, *, whole: bool) -> np.ndarray:
    found = np.linspace(low, high, count)
    if whole and high - low > 2.0:
        found = np.concatenate([[np.floor(low)], np.rint(found[1:-1]), [np.ceil(high)]])
    return np.unique(found)


def share_out(
    node: Nodes, holding: Float[np.ndarray, " member"], shortage: Float[np.ndarray, " member"], *, backorder: bool
) -> Sharing:
    """Give how a pool is shared out by the costs that the members expect."""
    m, n_paths, width = node.need.shape
    held = Ladder.of(np.where(node.inside, node.need, np.inf).reshape(m, n_paths * width))
    unmet = held if backorder else Ladder.of(node.end)
    curve = CostCurve(
        held, unmet, holding / n_paths, shortage / n_paths, held.rungs[:, 0], node.end.max(axis=1), np.zeros(m)
    )
    at = np.rint(np.linspace(0.0, 1.0, POINTS)[None, :] * np.maximum(held.count[:, None] - 1, 0)).astype(np.int64)
    units = np.take_along_axis(held.rungs, at, axis=1)
    units = np.where(np.isfinite(units), units, 0.0)  # a place that no period is decided about
    stored, periods = float(holding[node.first]), node.inside.sum(axis=2).mean(axis=1)
    waits = stored * node.waits.mean(axis=1)
    lack = np.where(periods > 0, waits - shortage * (periods if backorder else 1.0), -np.inf)  # no period, no lack
    cost = curve.cost(units) + waits[:, None] * units
    return Sharing.of(units, cost, lack, waits + holding * periods, stored * float(node.stays.mean()))


def cost_of(
    node: Nodes,
    sharing: Sharing,
    holding: Float[np.ndarray, " member"],
    shortage: Float[np.ndarray, " member"],
    quantity: Float[np.ndarray, " quantity"],
    *,
    backorder: bool,
) -> Float[np.ndarray, " quantity"]:
    """Give C of some quantities."""
    if not len(quantity):
        return np.zeros(0)
    pool = node.pool[:, None] + quantity[None, :]
    units = sharing.at(pool)
    out, over, held = np.zeros_like(pool), np.empty_like(pool), np.empty_like(pool)
    stored = float(holding[node.first])
    for i, here in enumerate(units):
        held[:] = 0.0  # one member at a time: what is worked on stays near the processor
        inside, need, end, h, p = node.inside[i], node.need[i], node.end[i], float(holding[i]), float(shortage[i])
        if node.waits[i].any():
            out += stored * node.waits[i][:, None] * here
        if not end.any():  # a warehouse that sells nothing itself
            out += h * inside.sum(axis=1)[:, None] * np.maximum(here, 0.0)
            out += p * np.maximum(-here, 0.0) * (inside.sum(axis=1)[:, None] if backorder else 1.0)
            continue
        whole = bool(inside.all())
        for k in range(need.shape[1]):
            np.subtract(here, need[:, k, None], out=over)
            np.maximum(over, 0.0, out=over)
            if not whole:
                over *= inside[:, k, None]
            held += over
        out += h * held
        if backorder:  # Σ (N − u)⁺ = Σ (u − N)⁺ + Σ (N − u)
            waits = np.where(inside, need, 0.0).sum(axis=1)[:, None] - inside.sum(axis=1)[:, None] * here
            out += p * (held + waits)
        else:
            np.subtract(end[:, None], here, out=over)
            out += p * np.maximum(over, 0.0)
    out += stored * node.stays[:, None] * (pool - units.sum(axis=0))
    return np.asarray(out.mean(axis=0))


def _part(situation: Situation, some: tuple[Group, ...], paths: np.ndarray, short: np.ndarray) -> Part:
    """Give the warehouses' lines with the stock and the demand of all that they feed."""
    rows = np.array([group.warehouse for group in some], dtype=np.int64)
    state, demand = situation.state, situation.demand
    sums = [
        np.stack([values[group.members].sum(axis=0) for group in some])
        for values in (state.on_hand, state.backorders, state.pipeline)
    ]
    axis = state.series.take(rows)
    terms = situation.terms.take(rows)
    least = np.array([situation.terms.min_stock[group.members].sum() for group in some])
    n = len(rows)
    terms = terms.replace(
        objective=np.zeros(n, dtype=np.int64), target=np.zeros(n), shelf_life=np.full(n, np.inf), shortage_cost=short,
        min_stock=least,
    )  # fmt: skip
    sales, stock = situation.past.sales, state.on_hand
    whole = np.array([
        bool((sales[g.members] == np.floor(sales[g.members])).all() and (stock[g.members] % 1 == 0).all()) for g in some
    ])
    pooled = SampledForecast(axis, demand.time, RecordedPaths(paths), demand.stream, demand.n_paths)
    return Part(InventoryState(axis, *sums), pooled, terms, situation.shared.unmet_demand == "backorder", whole)


def _projection(found: list[Nodes]) -> Projection:
    """Give the groups as if each were one place: its pool, and the need of all."""
    pool = np.stack([node.pool for node in found])
    need = np.stack([node.end.sum(axis=0) for node in found]) - pool
    demand = np.stack([node.demand for node in found])
    nothing = np.zeros_like(pool)
    return Projection(
        stock=pool,
        need=need[:, :, None],
        peak=need[:, :, None],
        inside=np.ones((*pool.shape, 1), dtype=bool),
        window=demand[:, :, None],
        unmet_before=np.stack([node.unmet for node in found]),
        unmet_before_open=nothing,
        later=np.stack([node.later for node in found]),
        demand=demand,
        total=np.stack([node.total for node in found]),
        rate=np.array([node.rate for node in found]),
        mine=np.array([node.mine for node in found]),
        life=np.full_like(pool, np.inf),
        in_time=np.full_like(pool, np.inf),
        last=(need, need.copy()),
    )
