"""Panels for the subjects: generated sales, and the M5 series tiled with noise where they are at hand."""

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
