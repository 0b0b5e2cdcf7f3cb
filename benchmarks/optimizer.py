"""The plan of a night with every kind of term, and the same couplings as one plain PuLP model.

Demand is negative binomial by a gamma level a path; 500 paths are drawn chunk by chunk. Suppliers have minimums, trucks
and price breaks; the budget is 70 % of what the plan without it spends, and each location holds 90 % of what it wants.
"""

import time
import warnings
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.subject import Row, Setting, Subject, own_peak_mb

HORIZON = 21
PATHS = 500
FREE_SHARE = 0.7


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


def _night(n: int, suppliers: int):
    def measure(setting: Setting) -> list[Row]:
        from stockcast.policies import plan
        from stockcast.policies.lines import lines

        size = (400, 8) if setting.smoke else (n, suppliers)
        free = situation(*size)
        begin = time.perf_counter()
        found = lines(free, workers=2)
        alone = time.perf_counter() - begin
        tied = bound(free, found)
        del found
        reviews = np.full(size[0], np.datetime64("2026-02-01"))
        begin = time.perf_counter()
        made = plan("optimizer", tied, next_review=reviews, workers=2)
        whole = time.perf_counter() - begin
        models = [solve for solve in made.solves if solve.status != "analytic"]
        return [
            Row(f"plan of {size[0]} series, {size[1]} suppliers", whole, "s"),
            Row("of that the lines by themselves", alone, "s"),
            Row("peak memory of this process", own_peak_mb(), "MB"),
            Row("proven gap", 100 * made.gap, "%"),
            Row("models solved", len(models), ""),
            Row("lines planned without the solver", int((made.plan.fallback != "").sum()), ""),
        ]

    return measure


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
    for n in (120,) if setting.smoke else (500, 2000):
        free = situation(n, max(n // 100, 2))
        found = lines(free, workers=2)
        tied = bound(free, found)
        begin = time.perf_counter()
        made = decide(tied, found, joint=True, solving=[Solving(who) for who in kept(2)])
        mine = time.perf_counter() - begin
        cost = total_cost(found, made.every, made.final, Goods.of(tied.terms))
        rows += [Row(f"{n} series: stockcast, couplings only", mine, "s"), Row(f"{n} series: saving", -cost, "")]
        for solver in ("HiGHS", "CBC"):
            seconds, other, status = one_shot(tied, found, 20.0 if setting.smoke else 600.0, solver)
            rows.append(Row(f"{n} series: one model, {solver} ({status})", seconds, "s"))
            rows.append(Row(f"{n} series: saving of one model, {solver}", -other, ""))
    return rows


SUBJECTS = (
    Subject("optimizer", "the plan of a night with every kind of term", _night(30_000, 300)),
    Subject("optimizer_plain", "the couplings against one plain PuLP model", _plain),
)
