"""A warehouse and its stores replayed: orders and shipments of the plan against a rule that looks at each place alone.

Both see the same paths, of the demand that is true, and the same weeks. The rule is what shops do without an echelon:
a store asks for what it lacks up to the p/(p + h R) quantile of its demand until the shipment after the next; the
warehouse sends it, in proportion where it has less, and orders up to the same quantile of all stores' demand over its
own lead time and review, by its own stock and open orders less what the stores still lack. The quantiles are also tried
until they are the best for the very weeks that are replayed, which nobody could know.
"""

import time
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.subject import Row, Setting, Subject

LEAD, LANE, HORIZON, WARMUP = 3, 1, 8, 10  # weeks
SOME = (0.5, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99)
STORED, HELD, MARGIN = 0.25 / 52, 0.32 / 52, 0.4  # of a unit's cost


@dataclass(frozen=True)
class World:
    """Skus at stores: unit cost by sku, mean weekly demand and its shape by sku and store."""

    cost: np.ndarray
    rate: np.ndarray
    shape: float = 1.5

    @classmethod
    def drawn(cls, skus: int, stores: int) -> "World":
        rng = np.random.default_rng(21)
        size = rng.lognormal(0.0, 0.5, stores)
        return cls(np.round(rng.lognormal(1.5, 0.6, skus), 2) + 0.5, rng.lognormal(1.2, 0.8, (skus, 1)) * size[None, :])

    def demand(self, rng: np.random.Generator, *count: int) -> np.ndarray:
        """Draw weeks; skus × stores × ``count``."""
        rate = self.rate.reshape(*self.rate.shape, *(1,) * len(count))
        return rng.poisson(rate * rng.gamma(self.shape, 1.0 / self.shape, (*self.rate.shape, *count))).astype(float)


@dataclass
class Stock:
    """What lies at the warehouse and the stores, and what is on its way to each."""

    warehouse: np.ndarray
    ordered: np.ndarray  # sku × week of arrival
    store: np.ndarray
    sent: np.ndarray  # sku × store


def replay(world: World, weeks: int, decide) -> np.ndarray:
    """Give the cost of each sku and week after the warm-up: holding at both, and lost sales."""
    mean = world.rate.sum(axis=1)
    now = Stock(
        np.round(2 * mean), np.repeat(np.round(mean)[:, None], LEAD, axis=1), np.round(2 * world.rate),
        np.zeros_like(world.rate),
    )  # fmt: skip
    demand = world.demand(np.random.default_rng(22), weeks)
    cost = np.zeros((len(mean), weeks))
    for week in range(weeks):
        now.warehouse = now.warehouse + now.ordered[:, 0]
        now.ordered = np.concatenate([now.ordered[:, 1:], np.zeros((len(mean), 1))], axis=1)
        now.store = now.store + now.sent
        ship, order = decide(week, now)
        now.warehouse = now.warehouse - ship.sum(axis=1)
        now.sent, now.ordered[:, -1] = ship, order
        left = np.maximum(now.store - demand[:, :, week], 0.0)
        lost = np.maximum(demand[:, :, week] - now.store, 0.0).sum(axis=1)
        now.store = left
        cost[:, week] = world.cost * (STORED * now.warehouse + HELD * left.sum(axis=1) + MARGIN * lost)
    return cost[:, WARMUP:]


def alone(world: World, stores: float = MARGIN / (MARGIN + HELD), warehouse: float = MARGIN / (MARGIN + STORED)):
    """Give the rule that looks at each place alone, with the quantiles that stores and warehouse order up to."""
    draws = world.demand(np.random.default_rng(23), 2_000, LEAD + 1)
    level = np.ceil(np.quantile(draws[:, :, :, : LANE + 1].sum(axis=3), stores, axis=2))
    top = np.ceil(np.quantile(draws.sum(axis=(1, 3)), warehouse, axis=1))

    def decide(_week: int, now: Stock) -> tuple[np.ndarray, np.ndarray]:
        wanted = np.maximum(level - now.store, 0.0)
        asked = wanted.sum(axis=1)
        share = np.minimum(now.warehouse / np.maximum(asked, 1.0), 1.0)
        ship = np.floor(wanted * share[:, None])
        position = now.warehouse + now.ordered.sum(axis=1) - asked
        return ship, np.maximum(top - position, 0.0)

    return decide


def planned(world: World, paths: int):
    """Give the plan's own transfers and orders."""
    from stockcast.policies import propose
    from stockcast.policies.lines import lines

    def decide(week: int, now: Stock) -> tuple[np.ndarray, np.ndarray]:
        night = evening(world, now, world.demand(np.random.default_rng([24, week]), paths, HORIZON))
        moved = propose(night)
        found = lines(replace(night, state=moved.state))
        shape = (len(world.cost), world.rate.shape[1] + 1)
        ship = moved.transfers.received.reshape(shape)[:, :-1]
        return ship, found.at(found.chosen).reshape(shape)[:, -1]

    return decide


def evening(world: World, now: Stock, draws: np.ndarray):
    """Give the situation of one evening, as the plan sees it."""
    from stockcast.core.axes import SeriesAxis, TimeAxis
    from stockcast.core.random import Stream
    from stockcast.demand import RecordedPaths, SampledForecast
    from stockcast.inventory import InventoryState, Lanes, SharedTerms, Situation, SupplyTerms
    from stockcast.panel import Attributes, KnownFuture, Panel

    skus, stores = world.rate.shape
    n, names = skus * (stores + 1), [*[f"S{at:02d}" for at in range(stores)], "W"]
    axis = SeriesAxis(np.repeat([f"i{at:03d}" for at in range(skus)], stores + 1), np.tile(names, skus))
    past = TimeAxis(np.datetime64("2026-01-05"), 4, "week")
    selling = np.tile(np.append(np.ones(stores), 0.0), skus)
    sales = np.repeat(selling[:, None], 4, axis=1)
    unknown = np.full((n, 4), np.nan)
    known = KnownFuture(past, unknown, np.zeros((n, 4)), 4)
    panel = Panel(axis, past, sales, np.ones((n, 4), dtype=bool), np.ones((n, 4)), known, Attributes(axis, {}))

    def both(store: np.ndarray, warehouse: np.ndarray) -> np.ndarray:
        return np.concatenate([store, warehouse[:, None]], axis=1).reshape(n, *store.shape[2:])

    ordered = now.ordered
    pipeline = np.zeros((n, HORIZON + 1))
    pipeline[stores :: stores + 1, 1:LEAD] = ordered[:, : LEAD - 1]
    paths = both(draws, np.zeros((skus, *draws.shape[2:])))
    store, cost = selling > 0, np.repeat(world.cost, stores + 1)
    zero, whole, one = np.zeros(n), np.ones(n, dtype=bool), np.ones(n, dtype=np.int64)
    terms = SupplyTerms(
        axis, np.where(store, "W", "a"), np.where(store, LANE, LEAD), zero, whole, np.zeros(n, dtype=np.int64), one,
        moq=zero, pack_size=zero, max_order=np.full(n, np.inf), min_stock=zero, unit_cost=cost, order_cost=zero,
        holding_cost=cost * np.where(store, HELD, STORED), shortage_cost=MARGIN * cost,
        objective=np.zeros(n, dtype=np.int64), target=zero, ordered_now=zero, orderable=~store,
        fed_by=np.where(store, "W", ""),
    )  # fmt: skip
    lanes = Lanes(
        np.full(stores, "W"), np.array(names[:-1]), np.full(stores, LANE), *(np.zeros(stores) for _ in range(3))
    )
    state = InventoryState(axis, both(now.store, now.warehouse), zero, pipeline)
    demand = SampledForecast(axis, past.after(HORIZON), RecordedPaths(paths), Stream(7, "paths"), draws.shape[2])
    return Situation(panel, state, demand, terms, SharedTerms(lanes=lanes))


def _measure(setting: Setting) -> list[Row]:
    skus, stores, weeks, paths = (2, 3, 22, 60) if setting.smoke else (20, 8, 80, 300)
    world = World.drawn(skus, stores)
    rule = replay(world, weeks, alone(world))
    every = [alone(world, s, w) for s in SOME for w in (0.05, 0.2, *SOME)]
    best = min(float(replay(world, weeks, one).sum(axis=0).mean()) for one in every)
    begin = time.perf_counter()
    mine = replay(world, weeks, planned(world, paths))
    seconds = (time.perf_counter() - begin) / weeks
    weekly = (mine - rule).sum(axis=0) / rule.sum(axis=0).mean()
    blocks = [weekly[at : at + 5].mean() for at in range(0, len(weekly) - 4, 5)]
    rng = np.random.default_rng(3)
    drawn = [float(np.mean(rng.choice(blocks, len(blocks)))) for _ in range(2_000)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return [
        Row("each place alone: cost a week", float(rule.sum(axis=0).mean()), "money"),
        Row("the same, at the quantiles best in hindsight", best, "money"),
        Row("with the echelon: cost a week", float(mine.sum(axis=0).mean()), "money"),
        Row("difference", 100 * float(weekly.mean()), "%"),
        Row("difference, low end of 95 %", 100 * float(low), "%"),
        Row("difference, high end of 95 %", 100 * float(high), "%"),
        Row("transfers and orders of one night", seconds, "s"),
    ]


SUBJECTS = (Subject("echelon", "1 warehouse, 8 stores, 20 skus, 70 weeks replayed", _measure),)
