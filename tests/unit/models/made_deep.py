"""Panels with everything that a deep model reads, and a budget that a test can afford."""

from dataclasses import replace

import numpy as np

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.models.catalogue import make
from stockcast.models.tft import Budget, Size, Tft
from stockcast.panel import Attributes, Calendar, KnownFuture, Panel


def shop(n=9, time=260, *, further=40, seed=3, step="day", out=0.08) -> Panel:
    """Two places, prices known ahead for some series and some periods, a promotion, a covariate, events, stockouts."""
    draw = np.random.default_rng(seed)
    names = np.array([f"s{at // 2:04d}" for at in range(n)])
    places = np.array(["lyon", "oslo"] * n)[:n]
    axis, days = SeriesAxis(names, places), TimeAxis(np.datetime64("2024-01-01"), time, step)
    whole = TimeAxis(days.start, time + further, step)
    level = np.geomspace(0.3, 30.0, n)[:, None]
    promotion = (draw.random((n, time + further)) < 0.08).astype(float)
    season = 1.0 + 0.5 * np.sin(2 * np.pi * np.arange(time) / 7)
    sales = draw.poisson(level * season * (1.0 + promotion[:, :time])).astype(float)
    observed = np.arange(time) >= (draw.integers(0, time // 4, n) * (np.arange(n) % 3 == 0))[:, None]
    in_stock = np.where(draw.random((n, time)) < out, draw.random((n, time)).round(2), 1.0)
    price = np.repeat(draw.choice([0.8, 0.9, 1.0, 1.2], (n, -(-(time + further) // 10))), 10, axis=1)[
        :, : time + further
    ]
    reach = np.array([0, 5, 40] * n)[:n]
    price[np.arange(time + further) >= time + reach[:, None]] = np.nan
    temperature = draw.normal(10.0, 5.0, (n, time + further))
    temperature[:, time:] = np.nan
    ahead = {"price": reach, "promotion": np.full(n, further), "temp.max": np.zeros(n, dtype=int)}
    events = ("christmas", "sale")
    occurs = draw.random((1, 2, time + further)) < np.array([0.01, 0.04])[None, :, None]
    calendar = Calendar(whole, ("oslo",), events, occurs, draw.random((1, time + further)) < 0.95)
    known = KnownFuture(whole, price, promotion, time, {"temp.max": temperature}, ahead, calendar)
    attributes = Attributes(
        axis, {"category": np.array(["a", "b", "c"] * n)[:n], "supplier": np.array(["u", "v"] * n)[:n]}
    )
    return Panel(axis, days, np.where(observed, sales, 0.0), observed, in_stock, known, attributes)


SMALL = Budget(least=100, share=0.1, few=160, most=320, batch=16, size=Size(hidden=8, heads=2, number=4))


def small(name):
    """The forecaster of a name; a network learns for a few steps only, from as few windows as a test has."""
    return Tft(budget=replace(SMALL, least=1)) if name == "tft" else make(name)
