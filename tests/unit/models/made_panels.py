"""Panels for the tests of the models."""

import numpy as np

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.panel import Attributes, KnownFuture, Panel


def panel(sales, *, step="day", observed=None, in_stock=None, category=None, names=None) -> Panel:
    sales = np.asarray(sales, dtype=float)
    n, time = sales.shape
    names = np.array([f"s{at:04d}" for at in range(n)]) if names is None else np.asarray(names)
    axis, axis_time = SeriesAxis(names, np.full(n, "main")), TimeAxis(np.datetime64("2024-01-01"), time, step)
    observed = np.ones((n, time), dtype=bool) if observed is None else np.asarray(observed)
    in_stock = np.ones((n, time)) if in_stock is None else np.asarray(in_stock, dtype=float)
    nothing = np.full((n, time), np.nan)
    columns = {} if category is None else {"category": np.asarray(category)}
    return Panel(
        axis, axis_time, np.where(observed, sales, 0.0), observed, in_stock,
        KnownFuture(axis_time, nothing, nothing, time), Attributes(axis, columns),
    )  # fmt: skip


def retail(n=12, time=200, *, step="day", seed=1) -> Panel:
    """Low and high volumes, a season, gaps, late starts, stockouts."""
    draw = np.random.default_rng(seed)
    level = np.geomspace(0.1, 40.0, n)[:, None]
    m = 7 if step == "day" else 52
    season = 1.0 + 0.5 * np.sin(2 * np.pi * np.arange(time) / m)
    sales = draw.poisson(level * season).astype(float)
    observed = np.arange(time) >= (draw.integers(0, time // 2, n) * (np.arange(n) % 3 == 0))[:, None]
    in_stock = np.where(draw.random((n, time)) < 0.1, draw.random((n, time)).round(2), 1.0)
    return panel(sales, step=step, observed=observed, in_stock=in_stock, category=np.array(["a", "b"] * n)[:n])


def scrambled(p: Panel, known: int, seed=5) -> Panel:
    """The same panel with everything after ``known`` periods replaced."""
    draw = np.random.default_rng(seed)
    shape = (len(p.series), p.time.n - known)
    sales, observed, in_stock = p.sales.copy(), p.observed.copy(), p.in_stock.copy()
    price, promotion = p.known.price.copy(), p.known.promotion.copy()
    observed[:, known:] = draw.random(shape) < 0.8
    sales[:, known:] = np.where(observed[:, known:], 1000.0 * draw.random(shape), 0.0)
    in_stock[:, known:] = draw.random(shape).round(1)
    price[:, known:], promotion[:, known:] = draw.random(shape), 1.0
    return Panel(
        p.series, p.time, sales, observed, in_stock, KnownFuture(p.known.time, price, promotion, p.time.n), p.attributes
    )
