"""From the made-up past to the files that a planner would have, and the truth beside them."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from stockcast.core.axes import SeriesAxis
from stockcast.core.errors import UsageError
from stockcast.runs.demo.catalogue import AS_OF, make_catalogue
from stockcast.runs.demo.shop import live, make_rules, out_of_stock
from stockcast.runs.demo.tables import Made, tables
from stockcast.runs.demo.truth import WARM_UP, make_truth

LIMITS = {"skus": (1, 50_000), "locations": (1, 1_000), "days": (28, 3_650)}


@final
@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What was written, for the screen of ``init`` and for tests.

    Shares are of all listed (series, day) pairs or of the items.
    """

    skus: int
    locations: int
    series: int
    days: int
    first: str
    as_of: str
    suppliers: int
    sales_rows: int
    return_rows: int
    open_orders: int
    out_of_stock_share: float
    intermittent_share: float
    promotion_share: float
    lost_share: float
    moq_above_month: int
    new_items: int
    ending_items: int


def write(folder: Path, *, skus: int = 40, locations: int = 3, days: int = 730, seed: int = 7) -> DemoSummary:
    """Write ``data/*.csv``, and what really happened as ``truth/*.csv``; the same arguments give the same bytes.

    Parameters
    ----------
    folder
        The project folder; it is made where it is missing.
    skus, locations, days
        Items, places (every item at every place) and days of history, which ends on 2026-11-22.

    Raises
    ------
    UsageError
        If a number is out of range.
    """
    for name, value in (("skus", skus), ("locations", locations), ("days", days)):
        low, high = LIMITS[name]
        if not low <= value <= high:
            raise UsageError(
                f"--{name} {value} is out of range; allowed: a whole number from {low:,} to {high:,}", code="SC-C008"
            )
    first = AS_OF - np.timedelta64(days - 1, "D")
    catalogue = make_catalogue(skus, locations, days, seed)
    places = [name for name, _ in catalogue.locations]
    series = SeriesAxis(np.repeat(catalogue.sku, locations), np.tile(places, skus))
    truth = make_truth(catalogue, first, days, seed)
    past = live(make_rules(catalogue, series, truth, seed), truth)
    made = Made(catalogue, series, truth, past, days, seed)
    rows = {name: _write_table(folder / name, *table) for name, table in tables(made).items()}
    return _summary(made, rows)


def _write_table(file: Path, header: Sequence[str], columns: Iterable[Sequence[object]]) -> int:
    """Write a table of columns; give the number of its rows."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        rows = list(zip(*columns, strict=True))
        writer.writerows(rows)
    return len(rows)


def _summary(made: Made, rows: Mapping[str, int]) -> DemoSummary:
    catalogue, truth, past = made.catalogue, made.truth, made.past
    skus, places = len(catalogue.sku), len(catalogue.locations)
    history = slice(WARM_UP, None)
    on_sale, demand = truth.on_sale[:, history], truth.demand[:, history]
    listed = np.maximum(on_sale.sum(axis=1), 1)
    asked_on = ((demand > 0).sum(axis=1) / listed).reshape(skus, places).mean(axis=1)
    month = (30.0 * demand.sum(axis=1) / listed).reshape(skus, places).max(axis=1)
    promotion = np.repeat(truth.promotion[:, : truth.demand.shape[1]], places, axis=0)[:, history]
    return DemoSummary(
        skus=skus,
        locations=places,
        series=len(made.series),
        days=made.days,
        first=str(truth.dates[WARM_UP]),
        as_of=str(AS_OF),
        suppliers=len(catalogue.suppliers),
        sales_rows=rows["data/sales.csv"],
        return_rows=rows["data/sales.csv"] - int(on_sale.sum()),
        open_orders=rows["data/open_orders.csv"],
        out_of_stock_share=out_of_stock(past.in_stock[:, history], on_sale),
        # Syntetos & Boylan 2005: intermittent where demand comes less often than every 1.32 days
        intermittent_share=float((asked_on < 1 / 1.32).mean()),
        promotion_share=float(promotion[on_sale].mean()),
        lost_share=float(1.0 - past.sold[:, history].sum() / max(demand.sum(), 1.0)),
        moq_above_month=int((catalogue.moq > month).sum()),
        new_items=int((catalogue.launch >= 0).sum()),
        ending_items=int((catalogue.end < made.days + 1_000).sum()),
    )
