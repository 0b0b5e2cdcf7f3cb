"""Training on sales, on masks and on estimates of demand: FreshRetail, judged on days that were fully in stock (the
only ones of which demand is known), and the generated shop, judged on what was really asked for on every day.

44 % of the days of that data set have some hour without stock. Each model is fitted on four readings of the same past:
sales taken as demand; the evidence, with partly stocked days masked (what all models do); the estimates in place of
what was sold in them; and those estimates only where their standard deviation is at most half of them.
"""

from dataclasses import replace

import numpy as np

from benchmarks.subject import Row, Setting, Subject

MODELS = ("moving_average", "tsb", "ets")
FOLDS, PATHS, EVERY = 3, 200, 4  # every 4th series is forecast; all of them are estimated
SURE = 0.5  # standard deviation of an estimate, as a share of it


def panel(setting: Setting):
    """Read sales and the share of the 16 hours in stock, by product × store."""
    import duckdb

    from stockcast.core.axes import SeriesAxis

    with duckdb.connect() as db:
        told = db.execute(
            "select product_id::varchar sku, store_id::varchar place, first_category_id::varchar category, dt, "
            "sale_amount, 1 - stockout_hours_6_22 / 16.0 share from read_parquet(?) order by sku, place, dt",
            [str(setting.data / "freshretail_303_stores.parquet")],
        ).fetchnumpy()
    days = len(np.unique(told["dt"]))
    sku, place, category = (np.asarray(told[name])[::days].astype(str) for name in ("sku", "place", "category"))
    sales, share = (np.asarray(told[name], dtype=float).reshape(-1, days) for name in ("sale_amount", "share"))
    return made_panel(SeriesAxis(sku, place), sales.round(4), np.ones(sales.shape, dtype=bool), share, category)


def readings(past):
    """Give the past as each way of training reads it."""
    from stockcast.models.uncensor import estimate

    told = estimate(past)
    whole = np.ones(past.sales.shape)
    sure = np.where(told.sd <= SURE * told.values, 1.0, 0.0)
    return {
        "sales": replace(past, in_stock=whole),
        "masks": past,
        "estimates": replace(past, sales=told.values, in_stock=whole),
        "sure estimates": replace(past, sales=told.values, in_stock=sure),
    }


def made(seed: int = 7, days: int = 400):
    """Give the generated shop of `stockcast init --demo` as a panel, and what was really asked for."""
    from stockcast.core.axes import SeriesAxis
    from stockcast.runs.demo.catalogue import AS_OF, CATEGORIES, make_catalogue
    from stockcast.runs.demo.shop import live, make_rules
    from stockcast.runs.demo.truth import WARM_UP, make_truth

    catalogue = make_catalogue(40, 3, days, seed)
    places = [name for name, _ in catalogue.locations]
    axis = SeriesAxis(np.repeat(catalogue.sku, len(places)), np.tile(places, len(catalogue.sku)))
    truth = make_truth(catalogue, AS_OF - np.timedelta64(days - 1, "D"), days, seed)
    past = live(make_rules(catalogue, axis, truth, seed), truth)
    category = np.repeat([CATEGORIES[at].name for at in catalogue.category], len(places))
    sold, share, asked, listed = (
        each[:, WARM_UP:] for each in (past.sold, past.in_stock, truth.demand, truth.on_sale)
    )  # fmt: skip
    whole = made_panel(axis, sold * listed, listed, np.where(listed, share, 1.0), category)
    return whole, asked


def made_panel(axis, sales: np.ndarray, observed: np.ndarray, in_stock: np.ndarray, category: np.ndarray):
    from stockcast.core.axes import TimeAxis
    from stockcast.panel import Attributes, KnownFuture, Panel

    time = TimeAxis(np.datetime64("2024-01-01"), sales.shape[1], "day")
    unknown = np.broadcast_to(np.nan, sales.shape)
    known = KnownFuture(time, unknown, unknown, time.n)
    return Panel(axis, time, sales, observed, in_stock, known, Attributes(axis, {"category": category}))


def trained(whole, rows: np.ndarray, horizon: int, actual: np.ndarray, used: np.ndarray, what: str) -> list[Row]:
    """Fit every model on every reading at rolling origins, and judge all origins together."""
    from stockcast.evaluation import metrics
    from stockcast.models.catalogue import make
    from stockcast.models.ladder import Ladder

    forecasts: dict[tuple[str, str], list[np.ndarray]] = {}
    windows = [slice(whole.time.n - horizon * (fold + 1), whole.time.n - horizon * fold) for fold in range(FOLDS)]
    for window in windows:
        for reading, past in readings(whole.until(window.start)).items():
            some = past.take(rows)
            for name in MODELS:
                demand = Ladder(make(name)).fit(some, seed=1).predict(some, horizon, seed=1, n_paths=PATHS)
                mean = np.concatenate([demand.paths(part).mean(axis=1) for part in demand.chunks()])
                forecasts.setdefault((name, reading), []).append(mean)
    came, judged = (np.concatenate([values[rows, window] for window in windows]) for values in (actual, used))
    out = []
    for (name, reading), parts in forecasts.items():
        mean = np.concatenate(parts)
        out.append(Row(f"{what}: {name} on {reading}: WAPE", metrics.wape(mean, came, judged), ""))
        out.append(Row(f"{what}: {name} on {reading}: bias", metrics.bias(mean, came, judged), ""))
    return sorted(out, key=lambda row: row.what)


def measure(setting: Setting) -> list[Row]:
    fresh = panel(setting)
    rows = trained(fresh, np.arange(0, len(fresh.series), EVERY), 7, fresh.sales, fresh.fully_in_stock, "fresh")
    shop, asked = made()
    return rows + trained(shop, np.arange(len(shop.series)), 28, asked, shop.observed, "demo, true demand")


SUBJECT = Subject(
    "censored", "training on sales, masks, and estimates of demand: FreshRetail, demo", measure, needs_data=True
)
