"""The plan of a night with every kind of term, and the same couplings as one plain PuLP model.

Demand is negative binomial by a gamma level a path; 500 paths are drawn chunk by chunk. Suppliers have minimums, trucks
and price breaks; the budget is 70 % of what the plan without it spends, and each location holds 90 % of what it wants.
`--series` sets another size. Seconds of wall say little on a machine that others use: CPU seconds stand beside them.
"""

import time
import warnings
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.subject import Row, Setting, Subject, Watch

HORIZON = 21
PATHS = 500
FREE_SHARE = 0.7
LIMIT = 600.0  # seconds that the plain model may take


@dataclass(frozen=True)
class Levels:
    """Poisson demand around a gamma level of each path: correlated over time, two numbers a series."""

    rate: np.ndarray
    shape: np.ndarray

    def draw(self, rows, keys, stream, n_paths, horizon):
        out = np.empty((len(rows), n_paths, horizon))
        for at, (row, key) in enumerate(zip(rows.tolist(), keys.tolist(), strict=True)):
            rng = np.random.default_rng(int(key))
            level = rng.gamma(self.shape[row], self.rate[row] / self.shape[row], n_paths)
            out[at] = rng.poisson(level[:, None], (n_paths, horizon))
        return out

    def take(self, rows):
        return Levels(self.rate[rows], self.shape[rows])


def situation(n: int, n_suppliers: int, n_locations: int = 10):
    """Draw a night of ``n`` series, free of budget and storage."""
    from stockcast.core.axes import SeriesAxis, TimeAxis
    from stockcast.core.random import Stream
    from stockcast.demand import SampledForecast
    from stockcast.inventory import InventoryState, PriceBreak, SharedTerms, Situation, SupplierTerms, SupplyTerms
    from stockcast.panel import Attributes, KnownFuture, Panel

    rng = np.random.default_rng(5)
    places = np.arange(n) % n_locations
    axis = SeriesAxis(np.char.mod("i%07d", np.arange(n) // n_locations), np.char.mod("l%02d", places))
    past = TimeAxis(np.datetime64("2026-01-05"), 8, "day")
    unknown = np.broadcast_to(np.nan, (n, 8))
    sales = np.ones((n, 8))
    panel = Panel(
        axis, past, sales, sales > 0, sales, KnownFuture(past, unknown, unknown, 8), Attributes(axis, {})
    )  # fmt: skip
    rate = rng.lognormal(0.0, 1.2, n)
    pack = rng.choice([1.0, 1, 4, 6, 12], n)
    cost = np.round(rng.lognormal(1.5, 0.8, n), 2) + 0.05
    names = np.char.mod("v%03d", np.arange(n) // n_locations % n_suppliers)
    zero, whole = np.zeros(n), np.ones(n, dtype=bool)
    review = rng.choice([3, 7], n_suppliers)[np.arange(n) // n_locations % n_suppliers]
    terms = SupplyTerms(
        axis, names, rng.integers(1, 7, n), zero, whole, np.zeros(n, dtype=np.int64), review,
        moq=pack * rng.choice([0, 0, 2], n), pack_size=pack, max_order=np.full(n, np.inf), min_stock=zero,
        unit_cost=cost,
        order_cost=zero, holding_cost=0.25 * cost / 365, shortage_cost=0.4 * cost,
        objective=np.zeros(n, dtype=np.int64), target=zero, ordered_now=zero, orderable=whole,
        volume=rng.integers(1, 40, n) / 1000, weight=rng.integers(1, 60, n) / 20,
    )  # fmt: skip
    need = rate * review
    suppliers = []
    for name in sorted(set(names.tolist())):
        mine = names == name
        value, volume, weight, units = (
            float((need * use)[mine].sum()) for use in (cost, terms.volume, terms.weight, 1.0)
        )
        suppliers.append(
            SupplierTerms(
                name, order_cost=float(rng.choice([0, 10, 40])), min_order_value=value * rng.choice([0, 0.5, 1.1]),
                min_order_units=units * rng.choice([0, 0, 0.9]), min_order_weight=weight * rng.choice([0, 0, 0.9]),
                truck_volume=volume * rng.choice([0, 0.4, 0.8]), truck_weight=weight * rng.choice([0, 0.6]),
                truck_cost=0.01 * value, truck_min_fill=float(rng.choice([0, 0.5])),
                price_breaks=(PriceBreak(value, 0.01), PriceBreak(1.6 * value, 0.02)) if rng.random() < 0.4 else (),
            )
        )  # fmt: skip
    pipeline = np.zeros((n, HORIZON + 1))
    state = InventoryState(axis, np.floor(rate * rng.uniform(0, 9, n)), zero, pipeline)
    demand = SampledForecast(axis, past.after(HORIZON), Levels(rate, rng.uniform(1, 6, n)), Stream(3, "paths"), PATHS)
    return Situation(panel, state, demand, terms, SharedTerms(tuple(suppliers)))


def bound(free, found):
    """Give the same night with a budget and rooms that bind."""
    from stockcast.policies.coupling import Goods

    wish, goods = found.at(found.chosen), Goods.of(free.terms)
    held = found.held * goods.volume
    storage = {}
    for place in sorted(set(free.terms.series.location.tolist())):
        here = free.terms.series.location == place
        storage[place] = float(held[here].sum() + 0.9 * (wish * goods.volume)[here].sum())
    budget = float(np.round(FREE_SHARE * float(wish @ goods.cost), 2))
    return replace(free, shared=replace(free.shared, budget=budget, storage=storage))


def _drawn(part) -> float:
    """Draw the paths of one piece, as the plan does."""
    from stockcast.policies.projection import batches

    begin = time.perf_counter()
    for rows in batches(part):
        part.demand.paths(rows)
    return time.perf_counter() - begin


def drawing(free, workers: int) -> Watch:
    """Draw all paths once and drop them: what a plan spends on its forecast before it plans."""
    from stockcast.core.parallel import map_pieces
    from stockcast.policies.lines import PIECE
    from stockcast.policies.projection import Part

    n = len(free.past.series)
    parts = [Part.of(free, np.arange(begin, min(begin + PIECE, n))) for begin in range(0, n, PIECE)]
    with Watch() as watch:
        map_pieces(_drawn, parts, workers=workers)
    return watch


def _night(setting: Setting) -> list[Row]:
    from stockcast.policies import plan
    from stockcast.policies.decision import decide
    from stockcast.policies.lines import lines
    from stockcast.policies.milp import Solving
    from stockcast.policies.milp.worker import kept

    n = 400 if setting.smoke else setting.series or 30_000
    suppliers = max(n // 100, 8)
    free = situation(n, suppliers)
    drawn = drawing(free, 2)
    with Watch() as alone:
        found = lines(free, workers=2)
    tied = bound(free, found)
    with Watch() as couplings:
        decide(tied, found, joint=True, solving=[Solving(who) for who in kept(2)])
    del found
    reviews = np.full(n, np.datetime64("2026-02-01"))
    with Watch() as whole:
        made = plan("optimizer", tied, next_review=reviews, workers=2)
    models = [solve for solve in made.solves if solve.solver in ("HiGHS", "CBC")]
    return [
        Row(f"plan of {n} series, {suppliers} suppliers", whole.wall, "s"),
        Row("the same, CPU of all processes", whole.cpu, "s"),
        Row("drawing the paths, by itself", drawn.wall, "s"),
        Row("the same, CPU of all processes", drawn.cpu, "s"),
        Row("the lines by themselves, paths drawn", alone.wall, "s"),
        Row("the same, CPU of all processes", alone.cpu, "s"),
        Row("the couplings by themselves", couplings.wall, "s"),
        Row("the same, CPU of all processes", couplings.cpu, "s"),
        Row("peak memory of all processes together", whole.peak_mb, "MB"),
        Row("proven gap", 100 * made.gap, "%"),
        Row("answers of solvers", len(models), ""),
        Row("lines planned without the solver", int((made.plan.fallback != "").sum()), ""),
    ]


def given_quantiles(free, horizon: int):
    """Give the same night with a forecast that a user might hand in: ten quantiles of each day, and how days hang
    together."""
    from stockcast.core.random import Stream
    from stockcast.demand import QuantileForecast
    from stockcast.demand.convert import to_paths

    levels = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995)
    score = np.array([-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 1.96, 2.326, 2.576])
    rate = free.demand.source.rate
    values = np.maximum(np.round(rate[:, None] + np.sqrt(1.5 * rate)[:, None] * score), 0.0)
    n = len(rate)
    shape = (n, horizon, len(levels))
    time_axis = free.past.time.after(horizon)
    given = QuantileForecast(
        free.past.series, time_axis, levels, np.broadcast_to(values[:, None, :], shape).copy(),
        np.broadcast_to(rate[:, None], shape[:2]).copy(),
    )  # fmt: skip
    return replace(free, demand=to_paths(given, correlation=0.2, stream=Stream(3, "paths"), n_paths=PATHS))


def _million(setting: Setting) -> list[Row]:
    from stockcast.inventory import SharedTerms
    from stockcast.policies import plan

    n = 2_000 if setting.smoke else setting.series or 1_000_000
    free = given_quantiles(replace(situation(n, max(n // 100, 8)), shared=SharedTerms()), 14)
    reviews = np.full(n, np.datetime64("2026-02-01"))
    drawn = drawing(free, 2)
    with Watch() as whole:
        made = plan("optimizer", free, next_review=reviews, workers=2)
    return [
        Row(f"plan of {n} series without couplings", whole.wall, "s"),
        Row("the same, CPU of all processes", whole.cpu, "s"),
        Row("drawing the paths, by itself", drawn.wall, "s"),
        Row("the same, CPU of all processes", drawn.cpu, "s"),
        Row("peak memory of all processes together", whole.peak_mb, "MB"),
        Row("lines ordered", int((made.plan.order_quantity > 0).sum()), ""),
    ]


def one_shot(tied, found, limit: float, solver: str) -> tuple[float, float, str]:
    """Build and solve all couplings as one plain PuLP model, as one would write it; give seconds, cost and status."""
    from stockcast.policies.coupling import Goods, limits, orders, total_cost
    from stockcast.policies.milp import Model
    from stockcast.policies.milp.solving import answer

    goods = Goods.of(tied.terms)
    every = orders(tied.terms, tied.shared, found.at(found.chosen) > 0)
    begin = time.perf_counter()
    model = Model.of("plain", found, every, goods, limits(tied, found))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = answer(solver, model.problem, limit)
    seconds = time.perf_counter() - begin
    chosen, told = model.read(said)
    if chosen is None:
        return seconds, float("nan"), told.status
    out = np.zeros(len(found.chosen), dtype=np.int64)
    out[model.rows] = chosen
    return seconds, total_cost(found, every, out, goods), told.status


def _plain(setting: Setting) -> list[Row]:
    from stockcast.policies.coupling import Goods, total_cost
    from stockcast.policies.decision import decide
    from stockcast.policies.lines import lines
    from stockcast.policies.milp import Solving
    from stockcast.policies.milp.worker import kept

    rows: list[Row] = []
    full = (setting.series,) if setting.series else (500, 2_000, 5_000)
    for n in (120,) if setting.smoke else full:
        free = situation(n, max(n // 100, 2))
        found = lines(free, workers=2)
        tied = bound(free, found)
        with Watch() as mine:
            made = decide(tied, found, joint=True, solving=[Solving(who) for who in kept(2)])
        cost = total_cost(found, made.every, made.final, Goods.of(tied.terms))
        rows += [
            Row(f"{n} series: stockcast, couplings only", mine.wall, "s"),
            Row(f"{n} series: saving", -cost, ""),
            Row(f"{n} series: proven gap", 100 * made.gap, "%"),
        ]
        for solver in ("HiGHS", "CBC"):
            seconds, other, status = one_shot(tied, found, 20.0 if setting.smoke else LIMIT, solver)
            rows += [
                Row(f"{n} series: one model, {solver} ({status})", seconds, "s"),
                Row(f"{n} series: saving of one model, {solver}", -other, ""),
                Row(f"{n} series: its cost above ours", 100 * (other - cost) / abs(cost), "%"),
                Row(f"{n} series: its time in times of ours", seconds / mine.wall, ""),
            ]
    return rows


SUBJECTS = (
    Subject("optimizer", "the plan of a night with every kind of term", _night),
    Subject("optimizer_million", "a million series from given quantiles, without couplings", _million),
    Subject("optimizer_plain", "the couplings against one plain PuLP model", _plain),
)
