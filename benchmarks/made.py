"""Panels for the subjects: generated sales, the M5 series tiled with noise, and real panels with all that is known."""

import resource
from pathlib import Path

import numpy as np

from benchmarks.subject import own_peak_mb


def panel(sales: np.ndarray, observed: np.ndarray | None = None, *, in_stock: np.ndarray | None = None):
    """Give a daily panel of some sales, all known and in stock unless told; what says so is a view of one value."""
    from stockcast.core.axes import SeriesAxis, TimeAxis
    from stockcast.panel import Attributes, KnownFuture, Panel

    n, time = sales.shape
    axis = SeriesAxis(np.char.mod("s%07d", np.arange(n)), np.full(n, "main"))
    days = TimeAxis(np.datetime64("2011-01-29"), time, "day")
    unknown = np.broadcast_to(np.nan, (n, time))
    observed = np.broadcast_to(True, (n, time)) if observed is None else observed
    in_stock = np.broadcast_to(1.0, (n, time)) if in_stock is None else in_stock
    return Panel(axis, days, sales, observed, in_stock, KnownFuture(days, unknown, unknown, time), Attributes(axis, {}))


def m5(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the M5 sample: units (series × day), and where an item was on offer (from its first price on)."""
    import duckdb

    with duckdb.connect() as db:
        told = db.execute(
            "select item_id, store_id, value, sell_price is not null as offered from read_parquet(?) "
            "order by item_id, store_id, date",
            [str(file)],
        ).fetchnumpy()
    n = len(set(zip(told["item_id"].tolist(), told["store_id"].tolist(), strict=True)))
    sales, offered = (np.asarray(told[name]).reshape(n, -1) for name in ("value", "offered"))
    return sales.astype(float), np.maximum.accumulate(offered.astype(bool), axis=1)


def m5_panel(file: Path, *, planned: bool = False):
    """Give the M5 sample as one whole panel, of which ``until`` gives what was known at an origin.

    Prices are as recorded, and known ahead only if ``planned``; events and snap days are known at any time.
    """
    from stockcast.core.axes import SeriesAxis, TimeAxis
    from stockcast.panel import Attributes, Calendar, KnownFuture, Panel

    sales, offered = m5(file)
    told = _columns(
        file, "item_id, store_id, date",
        "item_id, store_id, state_id, cat_id, dept_id, date, sell_price, snap, event_name_1, event_name_2",
    )  # fmt: skip
    n, days = sales.shape
    grid = {name: column.reshape(n, days) for name, column in told.items()}
    first = {name: column[:, 0].astype(np.str_) for name, column in grid.items() if name.endswith("_id")}
    axis = SeriesAxis(first["item_id"], first["store_id"])
    time = TimeAxis(grid["date"][0, 0].astype("datetime64[D]"), days, "day")
    attributes = Attributes(
        axis, {"category": first["cat_id"], "department": first["dept_id"], "state": first["state_id"]}
    )
    events = np.stack([grid[name][0].astype(np.str_) for name in ("event_name_1", "event_name_2")])
    names = tuple(sorted(set(events.ravel().tolist()) - {"", "nan", "None", "NA"}))
    places = tuple(sorted(set(axis.location.tolist())))
    occurs = np.broadcast_to(
        np.stack([(events == name).any(axis=0) for name in names]), (len(places), len(names), days)
    ).copy()
    calendar = Calendar(time, places, names, occurs, np.ones((len(places), days), dtype=bool))
    price = grid["sell_price"].astype(float)
    none, always = np.zeros(n, dtype=np.int64), np.full(n, days)
    known = KnownFuture(
        time, price, np.full((n, days), np.nan), days, {"snap": grid["snap"].astype(float)},
        {"price": always if planned else none, "promotion": none, "snap": always}, calendar,
    )  # fmt: skip
    return Panel(axis, time, sales, offered, np.ones((n, days)), known, attributes)


def fresh_panel(file: Path, every: int = 8):
    """Give every so-manieth series of FreshRetail, by (product, store); what was planned is known ahead.

    A day is out of stock for its share of the 16 hours from 6 to 22. Discount, holiday and activity count as planned,
    the weather does not.
    """
    from stockcast.core.axes import SeriesAxis, TimeAxis
    from stockcast.panel import Attributes, KnownFuture, Panel

    groups = ("city_id", "management_group_id", "first_category_id", "second_category_id", "third_category_id")
    told = _columns(
        file, "product_id, store_id, dt",
        f"product_id, store_id, dt, {', '.join(groups)}, sale_amount, stockout_hours_6_22, discount, holiday_flag, "
        "activity_flag",
    )  # fmt: skip
    days = len(np.unique(told["dt"]))
    grid = {name: column.reshape(-1, days)[::every] for name, column in told.items()}
    n = len(grid["dt"])
    text = {name: np.char.mod("%05d", grid[name][:, 0]) for name in ("product_id", "store_id", *groups)}
    axis = SeriesAxis(text["product_id"], text["store_id"])
    time = TimeAxis(grid["dt"][0, 0].astype("datetime64[D]"), days, "day")
    names = ("city", "management", "category", "second_category", "third_category")
    attributes = Attributes(axis, {name: text[group] for name, group in zip(names, groups, strict=True)})
    covariates = {
        "discount": grid["discount"].astype(float),
        "holiday": grid["holiday_flag"].astype(float),
        "activity": grid["activity_flag"].astype(float),
    }
    none, always = np.zeros(n, dtype=np.int64), np.full(n, days)
    unknown = np.full((n, days), np.nan)
    ahead = {"price": none, "promotion": none} | dict.fromkeys(covariates, always)
    known = KnownFuture(time, unknown, unknown.copy(), days, covariates, ahead)
    in_stock = 1.0 - grid["stockout_hours_6_22"].astype(float) / 16.0
    sales = grid["sale_amount"].astype(float)
    return Panel(axis, time, sales, np.ones((n, days), dtype=bool), in_stock, known, attributes)


def _columns(file: Path, order: str, columns: str) -> dict[str, np.ndarray]:
    """Read columns of a table, in an order; what is null becomes NaN, '' in a text."""
    import duckdb

    with duckdb.connect() as db:
        told = db.execute(f"select {columns} from read_parquet(?) order by {order}", [str(file)]).fetchnumpy()
    return {
        name: np.ma.filled(values, "" if values.dtype.kind in "OSU" else np.nan) if np.ma.isMA(values)
        else np.asarray(values)
        for name, values in told.items()
    }  # fmt: skip


def tiled(n: int, days: int, file: Path | None) -> np.ndarray:
    """Give sales of ``n`` series: the M5 series again and again with noise, or generated ones without the file."""
    draw = np.random.default_rng(1)
    if file is not None and file.is_file():
        source = m5(file)[0][:, :days]
    else:
        rate = np.geomspace(0.1, 40.0, 280)[:, None] * (1.0 + 0.4 * np.sin(2 * np.pi * np.arange(days) / 7))
        source = draw.poisson(rate).astype(float)
    out = np.empty((n, days))
    for begin in range(0, n, len(source)):
        part = source[: min(len(source), n - begin)]
        out[begin : begin + len(part)] = np.floor(part * draw.lognormal(0.0, 0.1, part.shape) + draw.random(part.shape))
    return out


def held_mb() -> float:
    """Give the memory that this process holds now (on Linux; its peak elsewhere)."""
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[1]) * resource.getpagesize() / 2**20 if pages.exists() else own_peak_mb()
