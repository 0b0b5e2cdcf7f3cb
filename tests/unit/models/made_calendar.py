"""Panels of which more is known: places that close, events, prices, promotions and covariates that move sales."""

from dataclasses import replace

import numpy as np
from made_panels import panel, retail

from stockcast.core.axes import TimeAxis
from stockcast.panel import Calendar, KnownFuture, Panel

AHEAD = 60


def closing(past: Panel, shut, *, events=None) -> Panel:
    """Give the panel of a place that closes in some periods of the known axis, which is AHEAD longer."""
    n = past.time.n
    shut = np.asarray(shut, dtype=bool)
    time = TimeAxis(past.time.start, len(shut), past.time.step)
    occurs = np.zeros((1, 0, len(shut)), dtype=bool) if events is None else np.asarray(events)[None]
    names = tuple(f"event {at}" for at in range(occurs.shape[1]))
    calendar = Calendar(time, ("main",), names, occurs, ~shut[None])
    sales = np.where(shut[:n], 0.0, past.sales)
    observed = past.observed & ~shut[:n]
    return replace(past, sales=sales, observed=observed, known=replace(past.known, calendar=calendar))


def every_seventh(past: Panel, of: int = 6):
    return (np.arange(past.time.n + AHEAD) % 7) == of


def told_panel(n=6, time=200, *, seed=3, step="day") -> Panel:
    """Sales that follow a price, promotions, a covariate and an event, at a place that closes now and then."""
    draw = np.random.default_rng(seed)
    past, long = retail(n, time, step=step, seed=seed), time + AHEAD
    promotion = (draw.random((n, long)) < 0.1).astype(float)
    price = np.where(promotion > 0, 4.0, 5.0)
    weather, event = draw.normal(0.0, 1.0, (n, long)), draw.random((2, long)) < 0.05
    lift = np.exp(0.7 * promotion + 0.3 * weather + 0.5 * event[0])[:, :time]
    sales = draw.poisson(lift * np.geomspace(1.0, 30.0, n)[:, None]).astype(float)
    made = panel(sales, step=step, observed=past.observed, in_stock=past.in_stock,
                 category=past.attributes.column("category"))  # fmt: skip
    known = KnownFuture(TimeAxis(made.time.start, long, step), price, promotion, time, {"weather": weather})
    shut = (np.arange(long) % 7 == 6) if step == "day" else (np.arange(long) % 13 == 12)
    return closing(replace(made, known=known), shut, events=event)


def scrambled_after(p: Panel, known: int, seed=5) -> Panel:
    """The same panel with all that is not known after ``known`` periods replaced: the calendar is, the plans are."""
    draw = np.random.default_rng(seed)
    shape = (len(p.series), p.time.n - known)
    sales, observed, in_stock = p.sales.copy(), p.observed.copy(), p.in_stock.copy()
    observed[:, known:] = draw.random(shape) < 0.8
    sales[:, known:] = np.where(observed[:, known:], 1000.0 * draw.random(shape), 0.0)
    in_stock[:, known:] = draw.random(shape).round(1)
    at, held = np.arange(p.known.time.n), {}
    for name, values in p.known.columns.items():
        unknown = at >= known + p.known.reach(name)[:, None]
        held[name] = np.where(unknown, 7.0 * draw.random(values.shape), values)
    further = {name: held[name] for name in p.known.covariates}
    other = KnownFuture(
        p.known.time, held["price"], held["promotion"], p.known.recorded, further, dict(p.known.ahead), p.known.calendar
    )
    return replace(p, sales=sales, observed=observed, in_stock=in_stock, known=other)
