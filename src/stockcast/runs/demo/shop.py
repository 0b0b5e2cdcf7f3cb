"""The shop's past: a plausible min/max policy, stepped day by day against true demand."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.random import Stream
from stockcast.inventory import InventoryState, SupplyTerms
from stockcast.inventory.timing import review_periods
from stockcast.runs.demo.catalogue import CLOSURES, Catalogue, Supplier
from stockcast.runs.demo.truth import WARM_UP, Truth
from stockcast.simulation import step

MEMORY = 28  # days of sales that the shop's planner looks back on
TARGET = 0.10  # share of days out of stock that the past is calibrated to
PROBE = 150  # series on which it is calibrated, at most


@final
@dataclass(frozen=True, slots=True)
class Orders:
    """Every order line of the past, in the order in which they were placed; days count from the warm-up's first."""

    series: Int[np.ndarray, " line"]
    quantity: Float[np.ndarray, " line"]
    placed: Int[np.ndarray, " line"]
    expected: Int[np.ndarray, " line"]
    arrived: Int[np.ndarray, " line"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})


@final
@dataclass(frozen=True, slots=True)
class Past:
    """What happened: sales, stock at the end of each day, receipts, and the share of the day in stock."""

    sold: Float[np.ndarray, "series day"]
    on_hand: Float[np.ndarray, "series day"]
    received: Float[np.ndarray, "series day"]
    in_stock: Float[np.ndarray, "series day"]
    orders: Orders

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{n: getattr(self, n) for n in ("sold", "on_hand", "received", "in_stock")})


@final
@dataclass(frozen=True, slots=True)
class Rules:
    """What the shop's planner goes by, one entry a series; ``safety`` scales the buffer of all."""

    terms: SupplyTerms
    reviews: Bool[np.ndarray, "series day"]
    late: Int[np.ndarray, "series day"]
    interval: Float[np.ndarray, " series"]
    buyer: Int[np.ndarray, " series"]
    minimum: Float[np.ndarray, " series"]
    first_guess: Float[np.ndarray, " series"]

    def take(self, rows: np.ndarray) -> "Rules":
        """Give some series."""
        columns = {name: getattr(self, name)[rows] for name in self.__dataclass_fields__ if name != "terms"}
        return Rules(self.terms.take(rows), **columns)


def order_days(supplier: Supplier, dates: np.ndarray, days: int) -> Bool[np.ndarray, " day"]:
    """Tell on which of the past's days an order went to a supplier; the day after the past is one where it may be."""
    shut = [(np.datetime64(a, "D"), np.datetime64(z, "D")) for name, a, z in CLOSURES if name == supplier.name]
    open_days = review_periods(TimeAxis(dates[0], days, "day"), supplier.order_days, shut)
    if supplier.review_period_days:
        open_days = open_days & ((days - np.arange(days)) % supplier.review_period_days == 0)
    return open_days


def min_order_values(catalogue: Catalogue) -> Float[np.ndarray, " supplier"]:
    """Give each supplier's minimum order value: a third of a usual order, in round figures."""
    weekly = catalogue.rate * catalogue.unit_cost * catalogue.scale.sum() * 7.0
    value = np.bincount(catalogue.supplier, weekly, len(catalogue.suppliers))
    per_week = np.array([_orders_per_week(supplier) for supplier in catalogue.suppliers])
    minimum: np.ndarray = np.round(value / per_week / 3.0 / 50.0) * 50.0
    return minimum


def _orders_per_week(supplier: Supplier) -> float:
    if supplier.review_period_days:
        return 7.0 / supplier.review_period_days
    words = supplier.order_days.split(",")
    return len(words) * (0.23 if words[0][0].isdigit() else 1.0)


def make_rules(catalogue: Catalogue, series: SeriesAxis, truth: Truth, seed: int) -> Rules:
    """Set out the terms and the calendar of every series."""
    places = len(catalogue.scale)
    days = truth.demand.shape[1]
    supplier = np.repeat(catalogue.supplier, places)
    lead = np.array([s.lead_time_days for s in catalogue.suppliers])[supplier]
    spread = np.array([s.lead_time_sd_days for s in catalogue.suppliers])[supplier]
    calendar = np.array([order_days(s, truth.dates, days) for s in catalogue.suppliers])
    gap = np.array([7.0 / _orders_per_week(s) for s in catalogue.suppliers])[supplier]

    # most deliveries come on the day; where the lead time varies, a quarter is a day or more late
    draw = Stream(seed, "demo/late").generator()
    n_suppliers = len(catalogue.suppliers)
    delay = np.where(draw.random((n_suppliers, days)) < 0.25, 1 + draw.poisson(1.0, (n_suppliers, days)), 0)
    late = np.minimum(delay, np.ceil(2 * np.array([s.lead_time_sd_days for s in catalogue.suppliers]))[:, None])

    n = len(series)
    zero = np.zeros(n)
    unit_cost = np.repeat(catalogue.unit_cost, places)
    terms = SupplyTerms(
        series,
        supplier=np.array([s.name for s in catalogue.suppliers])[supplier],
        lead_time=lead.astype(np.int64),
        lead_time_sd=spread.astype(float),
        at_review=calendar[supplier, 0],
        first_review=np.zeros(n, dtype=np.int64),
        review_period=np.maximum(np.round(gap), 1).astype(np.int64),
        moq=np.repeat(catalogue.moq, places).astype(float),
        pack_size=np.repeat(catalogue.pack_size, places).astype(float),
        max_order=np.full(n, np.inf),
        min_stock=zero,
        unit_cost=unit_cost,
        order_cost=np.repeat(catalogue.order_cost, places),
        holding_cost=0.25 * unit_cost / 365.0,
        shortage_cost=np.repeat(catalogue.price - catalogue.unit_cost, places),
        objective=np.zeros(n, dtype=np.int64),
        target=zero,
        ordered_now=zero,
        orderable=np.ones(n, dtype=bool),
    )
    return Rules(
        terms=terms,
        reviews=calendar[supplier],
        late=late.astype(np.int64)[supplier],
        interval=lead + gap,
        buyer=supplier,
        minimum=min_order_values(catalogue)[supplier],
        first_guess=np.repeat(catalogue.rate, places) * np.tile(catalogue.scale, len(catalogue.sku)),
    )


def live(rules: Rules, truth: Truth) -> Past:
    """Find the safety factor that leaves a tenth of the days out of stock, and step the whole past with it."""
    n = len(rules.terms.series)
    rows = np.unique(np.linspace(0, n - 1, min(n, PROBE)).astype(np.int64))
    low, high = -2.0, 4.0
    probe = rules.take(rows)
    for _ in range(6):
        safety = (low + high) / 2.0
        past = _step_all(probe, truth.demand[rows], truth.on_sale[rows], safety)
        share = out_of_stock(past.in_stock[:, WARM_UP:], truth.on_sale[rows][:, WARM_UP:])
        low, high = (safety, high) if share > TARGET else (low, safety)
    return _step_all(rules, truth.demand, truth.on_sale, (low + high) / 2.0)


def out_of_stock(in_stock: Float[np.ndarray, "series day"], on_sale: Bool[np.ndarray, "series day"]) -> float:
    """Give the share of the listed days that were out of stock, wholly or for a part."""
    return float((in_stock[on_sale] < 1.0).mean())


def _step_all(rules: Rules, demand: np.ndarray, on_sale: np.ndarray, safety: float) -> Past:
    """Step every day: a planner who looks at the mean of the last four weeks' sales, and orders up to a maximum."""
    n, days = demand.shape
    terms = rules.terms
    width = int(terms.lead_time.max() + rules.late.max()) + 1
    usual = rules.first_guess * np.where(on_sale[:, 0], 1.0, 0.0)
    first_fill = np.ceil(usual * (terms.lead_time + 2.0 * rules.interval))
    state = InventoryState(terms.series, first_fill, np.zeros(n), np.zeros((n, width)))
    sold, on_hand, received, in_stock = (np.zeros((n, days)) for _ in range(4))
    lines: list[tuple[np.ndarray, ...]] = []
    seen_sales = np.zeros(n)
    seen_days = np.zeros(n)
    for day in range(days):
        rate = (seen_sales + 3.0 * rules.first_guess) / (seen_days + 3.0)
        # a planner lists an item as soon as it may be sold, and stops buying three weeks before it ends
        soon = np.minimum(day + terms.lead_time, days - 1)
        listed = on_sale[np.arange(n), soon] & on_sale[:, min(day + 21, days - 1)]
        order = _min_max(rules, state, rate, safety) * (rules.reviews[:, day] & listed)
        value = np.bincount(rules.buyer, order * terms.unit_cost)
        order *= value[rules.buyer] >= rules.minimum
        arrival = terms.lead_time + rules.late[:, day]
        before = state.on_hand
        state, costs = step(state, order, arrival, demand[:, day], terms, "lost")
        sold[:, day], on_hand[:, day], received[:, day] = costs.sold, state.on_hand, costs.received
        available = before + costs.received
        served = np.divide(costs.sold, demand[:, day], out=np.ones(n), where=demand[:, day] > 0)
        share = np.where(costs.lost > 0, np.minimum(np.round(served, 2), 0.99), 1.0)
        in_stock[:, day] = np.where(available > 0, share, 0.0)
        full = in_stock[:, day] >= 1.0
        seen_sales = np.where(full, seen_sales * (1 - 1 / MEMORY) + costs.sold, seen_sales)
        seen_days = np.where(full & on_sale[:, day], seen_days * (1 - 1 / MEMORY) + 1.0, seen_days)
        placed = np.flatnonzero(order > 0)
        here = np.full(len(placed), day)
        lines.append((placed, order[placed], here, here + terms.lead_time[placed], here + arrival[placed]))
    series, quantity, *moments = (np.concatenate(column) for column in zip(*lines, strict=True))
    return Past(sold, on_hand, received, in_stock, Orders(series, quantity, *moments))


def _min_max(rules: Rules, state: InventoryState, rate: np.ndarray, safety: float) -> np.ndarray:
    """Order up to the maximum where the position is at the minimum or below, in packs and at least the MOQ."""
    terms = rules.terms
    expected = rate * rules.interval
    minimum = np.maximum(expected + safety * np.sqrt(1.5 * expected + 0.02 * expected**2), 0.0)
    position = state.inventory_position
    need = np.where(position <= minimum, minimum + rate * 2.0 - position, 0.0)
    need = np.where(need > 0, np.maximum(need, terms.moq), 0.0)
    order: np.ndarray = np.ceil(need / terms.pack_size - 1e-9) * terms.pack_size
    return order
