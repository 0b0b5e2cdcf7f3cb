"""The files of the demo as columns: what the retailer's systems would export, and the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from stockcast.core.axes import SeriesAxis
from stockcast.core.random import Stream
from stockcast.runs.demo.catalogue import AS_OF, CATEGORIES, CLOSURES, Catalogue
from stockcast.runs.demo.shop import Past, min_order_values
from stockcast.runs.demo.truth import WARM_UP, Truth

Table = tuple[Sequence[str], Sequence[Sequence[object]]]
RETURNS = 5e-4  # returns by row of sales


@final
@dataclass(frozen=True, slots=True)
class Made:
    """Everything that the files are made of."""

    catalogue: Catalogue
    series: SeriesAxis
    truth: Truth
    past: Past
    days: int
    seed: int


def tables(made: Made) -> dict[str, Table]:
    """Give every file by its name: header and columns."""
    return {
        "data/sales.csv": _sales(made),
        "data/inventory.csv": _inventory(made),
        "data/open_orders.csv": _open_orders(made),
        "data/items.csv": _items(made),
        "data/item_locations.csv": _item_locations(made),
        "data/locations.csv": _locations(made),
        "data/suppliers.csv": _suppliers(made),
        "data/supplier_closures.csv": (("supplier", "from", "to"), list(zip(*CLOSURES, strict=True))),
        "data/known_future.csv": _known_future(made),
        "truth/demand.csv": _true_demand(made),
        "truth/orders.csv": _true_orders(made),
    }


def _sales(made: Made) -> Table:
    """Give a row for every day on which a series was listed, by date, and the returns right after their day's row."""
    places = len(made.catalogue.locations)
    # day first: an export of each night, one after the other
    day, series = np.nonzero(made.truth.on_sale[:, WARM_UP:].T)
    day = day + WARM_UP
    sold = made.past.sold[series, day].astype(np.int64)
    draw = Stream(made.seed, "demo/returns").generator()
    bought = np.flatnonzero(sold > 0)
    count = min(max(1, round(RETURNS * len(sold))), len(bought))
    back = np.sort(draw.choice(bought, count, replace=False)) if count else bought
    quantity = np.insert(sold, back + 1, -np.minimum(sold[back], draw.integers(1, 3, count)))
    row = np.insert(np.arange(len(sold)), back + 1, back)
    day, series = day[row], series[row]
    item = series // places
    columns = (
        made.truth.dates[day].astype(str).tolist(),
        made.series.sku[series].tolist(),
        made.series.location[series].tolist(),
        quantity.tolist(),
        _numbers(made.past.in_stock[series, day]),
        _money(made.truth.price[item, day]),
        made.truth.promotion[item, day].astype(np.int64).tolist(),
    )
    return ("date", "sku", "location", "quantity", "in_stock", "price", "promotion"), columns


def _inventory(made: Made) -> Table:
    n = len(made.series)
    on_hand = made.past.on_hand[:, -1].astype(np.int64).tolist()
    columns = (made.series.sku.tolist(), made.series.location.tolist(), on_hand, [str(AS_OF)] * n)
    return ("sku", "location", "on_hand", "date"), columns


def _order_ids(made: Made) -> np.ndarray:
    """Give each line its order's number: one for each supplier and day, in the order in which they were placed."""
    places = len(made.catalogue.locations)
    orders = made.past.orders
    pair = orders.placed * len(made.catalogue.suppliers) + made.catalogue.supplier[orders.series // places]
    _, number = np.unique(pair, return_inverse=True)
    return np.array([f"PO-{10_000 + at}" for at in number.tolist()], dtype=np.str_)


def _open_orders(made: Made) -> Table:
    orders = made.past.orders
    today = WARM_UP + made.days - 1
    waiting = np.flatnonzero(orders.arrived > today)
    series, expected = orders.series[waiting], orders.expected[waiting]
    supplier = made.catalogue.supplier[series // len(made.catalogue.locations)]
    names = np.array([s.name for s in made.catalogue.suppliers])
    fresh = orders.placed[waiting] >= today - 1
    status = np.where(expected <= today + 2, "in_transit", np.where(fresh, "sent", "confirmed"))
    columns = (
        _order_ids(made)[waiting].tolist(),
        made.truth.dates[orders.placed[waiting]].astype(str).tolist(),
        _day_texts(made, expected),
        names[supplier].tolist(),
        made.series.sku[series].tolist(),
        made.series.location[series].tolist(),
        orders.quantity[waiting].astype(np.int64).tolist(),
        status.tolist(),
    )
    header = ("order_id", "order_date", "expected_date", "supplier", "sku", "location", "quantity", "status")
    return header, columns


def _items(made: Made) -> Table:
    c = made.catalogue
    first = made.truth.dates[WARM_UP]
    columns = (
        c.sku,
        c.description,
        [CATEGORIES[at].name for at in c.category],
        [c.suppliers[at].name for at in c.supplier],
        _money(c.unit_cost),
        _money(c.price),
        _money(c.price - c.unit_cost),
        c.pack_size.tolist(),
        c.moq.tolist(),
        _numbers(c.order_cost),
        [str(first + np.timedelta64(int(day), "D")) if day >= 0 else "" for day in c.launch],
        [str(first + np.timedelta64(int(day), "D")) if day < made.days + 1_000 else "" for day in c.end],
    )
    header = ("sku", "description", "category", "supplier", "unit_cost", "price", "shortage_cost", "pack_size", "moq")
    return (*header, "order_cost", "launch_date", "end_date"), columns


def _item_locations(made: Made) -> Table:
    """Give a display stock in the first place to every tenth item that is still on sale."""
    c = made.catalogue
    shown = [at for at in range(0, len(c.sku), 10) if c.end[at] >= made.days]
    columns = (
        [c.sku[at] for at in shown],
        [c.locations[0][0]] * len(shown),
        [int(c.pack_size[at]) for at in shown],
    )
    return ("sku", "location", "min_stock"), columns


def _locations(made: Made) -> Table:
    names, regions = zip(*made.catalogue.locations, strict=True)
    return ("location", "country", "region"), (names, ["FR"] * len(names), regions)


def _suppliers(made: Made) -> Table:
    suppliers = made.catalogue.suppliers
    columns = (
        [s.name for s in suppliers],
        [s.lead_time_days for s in suppliers],
        [f"{s.lead_time_sd_days:g}" for s in suppliers],
        ["" if s.review_period_days is None else s.review_period_days for s in suppliers],
        [s.order_days for s in suppliers],
        [f"{s.order_cost:g}" for s in suppliers],
        _numbers(min_order_values(made.catalogue)),
    )
    header = ("supplier", "lead_time_days", "lead_time_sd_days", "review_period_days", "order_days", "order_cost")
    return (*header, "min_order_value"), columns


def _known_future(made: Made) -> Table:
    """Give the planned prices and promotions of the weeks to come, the same everywhere."""
    c = made.catalogue
    past = made.truth.demand.shape[1]
    ahead = np.arange(past, len(made.truth.dates))
    day, item = np.nonzero(c.end[None, :] >= (ahead - WARM_UP)[:, None])
    columns = (
        made.truth.dates[ahead[day]].astype(str).tolist(),
        [c.sku[at] for at in item.tolist()],
        _money(made.truth.price[item, ahead[day]]),
        made.truth.promotion[item, ahead[day]].astype(np.int64).tolist(),
    )
    return ("date", "sku", "price", "promotion"), columns


def _true_demand(made: Made) -> Table:
    n = len(made.series)
    shown = slice(WARM_UP, None)
    demand, sold = made.truth.demand[:, shown], made.past.sold[:, shown]
    columns = (
        np.repeat(made.truth.dates[WARM_UP : WARM_UP + made.days].astype(str), n).tolist(),
        np.tile(made.series.sku, made.days).tolist(),
        np.tile(made.series.location, made.days).tolist(),
        demand.T.ravel().astype(np.int64).tolist(),
        [f"{value:.4g}" for value in made.truth.mean[:, shown].T.ravel().tolist()],
        (demand - sold).T.ravel().astype(np.int64).tolist(),
        made.past.received[:, shown].T.ravel().astype(np.int64).tolist(),
        made.past.on_hand[:, shown].T.ravel().astype(np.int64).tolist(),
    )
    return ("date", "sku", "location", "demand", "mean", "lost", "received", "on_hand"), columns


def _true_orders(made: Made) -> Table:
    orders = made.past.orders
    columns = (
        _order_ids(made).tolist(),
        _day_texts(made, orders.placed),
        _day_texts(made, orders.expected),
        _day_texts(made, orders.arrived),
        made.series.sku[orders.series].tolist(),
        made.series.location[orders.series].tolist(),
        orders.quantity.astype(np.int64).tolist(),
    )
    return ("order_id", "order_date", "expected_date", "arrival_date", "sku", "location", "quantity"), columns


def _day_texts(made: Made, days: np.ndarray) -> list[str]:
    return list((made.truth.dates[0] + days.astype("timedelta64[D]")).astype(str).tolist())


def _money(values: np.ndarray) -> list[str]:
    return [f"{value:.2f}" for value in values.tolist()]


def _numbers(values: np.ndarray) -> list[str]:
    return [f"{value:g}" for value in values.tolist()]
