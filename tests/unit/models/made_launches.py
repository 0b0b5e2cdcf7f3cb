"""A made shop whose items are launched along a known curve, at levels that their brand and description tell."""

import numpy as np

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.panel import Attributes, KnownFuture, Panel

BRANDS = {"alder": 2.0, "birch": 8.0, "cedar": 30.0}
WORDS = ("green tea", "olive oil", "dish soap")
WEEKDAYS = np.array([0.7, 0.7, 0.8, 1.0, 1.2, 1.6, 1.0])
PLACES = {"oslo": 1.0, "bergen": 0.5}


def curve(age, week=7):
    """Half as much at first, all of it after eight weeks."""
    return np.where(age < 0, 0.0, np.minimum(1.0, 0.5 + 0.5 * age / (8.0 * week)))


def shop(
    n=60, time=420, *, step="day", places=("oslo",), launched=0.5, seed=3, dated=True, noise=0.15, **more
) -> Panel:
    """``n`` items of three brands at each place; a share is launched within the panel, in no order of their names.

    ``more`` are columns of attributes by sku: ``{"end_date": {"i003": "2024-05-01"}}``.
    """
    draw = np.random.default_rng(seed)
    week = 7 if step == "day" else 1
    brand = np.array(list(BRANDS))[draw.permutation(n) % 3]
    start = np.where(draw.random(n) < launched, draw.integers(5 * week, max(6 * week, time - 9 * week), n), -1)
    level = np.array([BRANDS[name] for name in brand]) * np.exp(draw.normal(0.0, noise, n))
    sku = np.repeat([f"i{at:03d}" for at in range(n)], len(places))
    place = np.tile(sorted(places), n)
    item = np.repeat(np.arange(n), len(places))
    axis, axis_time = SeriesAxis(sku, place), TimeAxis(np.datetime64("2024-01-01"), time, step)
    age = np.arange(time) - start[item, None]
    mean = level[item, None] * np.array([PLACES[name] for name in place])[:, None]
    mean = mean * np.where(start[item, None] >= 0, curve(age, week), 1.0)
    if step == "day":
        mean = mean * WEEKDAYS[np.arange(time) % 7]
    sales = draw.poisson(mean).astype(float)
    observed = age >= 0
    observed[start[item] < 0] = True
    nothing = np.full(sales.shape, np.nan)
    columns = {
        "category": np.array(["all"] * len(sku)),
        "brand": brand[item],
        "colour": np.array(["red", "blue", "green"])[draw.integers(0, 3, n)][item],
        "description": np.array([f"{name.title()} {WORDS[at % 3]} {at}" for at, name in enumerate(brand)])[item],
    }
    if dated:
        begins = ["" if at < 0 else str(axis_time.date(int(at))) for at in start]
        columns["launch_date"] = np.array(begins)[item]
    for name, by in more.items():
        given = columns.get(name, np.full(len(sku), "", dtype="<U20")).astype("<U20")
        columns[name] = np.array([by.get(one, old) for one, old in zip(sku.tolist(), given.tolist(), strict=True)])
    return Panel(
        axis, axis_time, np.where(observed, sales, 0.0), observed, np.ones(sales.shape),
        KnownFuture(axis_time, nothing, nothing, time), Attributes(axis, columns),
    )  # fmt: skip


def hidden(p: Panel, rows) -> Panel:
    """The panel without the history of some series."""
    observed = p.observed.copy()
    observed[rows] = False
    return Panel(p.series, p.time, np.where(observed, p.sales, 0.0), observed, p.in_stock, p.known, p.attributes)


def renamed(p: Panel, **more) -> Panel:
    """The panel with some columns of attributes replaced, or left out where they are None."""
    columns = {name: values for name, values in {**p.attributes.columns, **more}.items() if values is not None}
    return Panel(p.series, p.time, p.sales, p.observed, p.in_stock, p.known, Attributes(p.series, columns))
