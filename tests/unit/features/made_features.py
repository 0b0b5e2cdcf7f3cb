"""Panels with everything that a feature can be made of, for the tests of the features."""

import numpy as np

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.features import Groups, Spec, build
from stockcast.panel import Attributes, Calendar, KnownFuture, Panel

HORIZON = 16


def full_panel(step="day", n_sku=5, places=("east", "north", "west"), time=420, seed=1, start="2023-11-20") -> Panel:
    """Gaps, stockouts, late starts, prices with holes, plans that reach differently far, events, closed days, covariates."""
    draw = np.random.default_rng(seed)
    n = n_sku * len(places)
    sku = np.repeat([f"sku{at}" for at in range(n_sku)], len(places))
    axis, _ = SeriesAxis.of(sku, np.tile(places, n_sku))
    days = TimeAxis(np.datetime64(start), time, step)
    longer = days.until(time + HORIZON)
    sales = draw.poisson(np.geomspace(0.2, 30.0, n)[:, None], (n, time)).astype(float)
    observed = np.arange(time) >= (draw.integers(0, time // 2, n) * (np.arange(n) % 3 == 0))[:, None]
    observed &= draw.random((n, time)) > 0.03
    in_stock = np.where(draw.random((n, time)) < 0.1, draw.random((n, time)).round(2), 1.0)
    ahead = np.where(np.arange(n) % 4 == 3, 0, np.where(np.arange(n) % 4 == 2, 5, HORIZON))
    known = np.arange(longer.n) < time + ahead[:, None]

    def planned(values: np.ndarray, holes: float) -> np.ndarray:
        return np.where(known & (draw.random(known.shape) >= holes), values, np.nan)

    price = np.round(draw.choice([1.99, 2.49, 9.0], (n, longer.n // 20 + 1)).repeat(20, axis=1)[:, : longer.n], 2)
    occurs = draw.random((len(places) - 1, 4, longer.n)) < np.array([0.01, 0.02, 0.02, 0.3])[:, None]
    calendar = Calendar(
        longer, places[:-1], ("harvest", "midsummer", "new year", "payday"), occurs,
        draw.random((len(places) - 1, longer.n)) > 0.05,
    )  # fmt: skip
    covariates = {"footfall": planned(100 * draw.random(known.shape), 0.1)}
    promotion = planned((draw.random(known.shape) < 0.2).astype(float), 0.0)
    columns = {
        "category": np.array(["dairy", "dry", "dry", "", "dairy"])[np.arange(n) // len(places) % 5],
        "brand": np.array(["own", "named"])[np.arange(n) // len(places) % 2],
        "description": sku,
    }
    return Panel(
        axis, days, np.where(observed, sales, 0.0), observed, in_stock,
        KnownFuture(longer, planned(price, 0.1), promotion, time, covariates, None, calendar), Attributes(axis, columns),
    )  # fmt: skip


def told(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Demand of fully stocked periods, and rubbish elsewhere, which no feature may read."""
    return np.where(panel.fully_in_stock, panel.sales, -99.0), panel.fully_in_stock


def whole_block(panel: Panel, spec: Spec | None = None, demand=told):
    spec = spec or Spec.of(panel)
    return build(panel, *demand(panel), HORIZON, spec, Groups.fit(panel, demand))


def scrambled(panel: Panel, known: int, seed=5) -> Panel:
    """The same panel with all that was not known after ``known`` periods replaced; plans within reach stay."""
    draw = np.random.default_rng(seed)
    shape = (len(panel.series), panel.time.n - known)
    sales, observed, in_stock = panel.sales.copy(), panel.observed.copy(), panel.in_stock.copy()
    observed[:, known:] = draw.random(shape) < 0.8
    sales[:, known:] = np.where(observed[:, known:], 1000.0 * draw.random(shape), 0.0)
    in_stock[:, known:] = draw.random(shape).round(1)
    at = np.arange(panel.known.time.n)
    columns = {
        name: np.where(at >= known + panel.known.reach(name)[:, None], 1000.0 * draw.random(values.shape), values)
        for name, values in panel.known.columns.items()
    }
    future = KnownFuture(
        panel.known.time, columns.pop("price"), columns.pop("promotion"), panel.known.recorded, columns,
        panel.known.ahead, panel.known.calendar,
    )  # fmt: skip
    return Panel(panel.series, panel.time, sales, observed, in_stock, future, panel.attributes)
