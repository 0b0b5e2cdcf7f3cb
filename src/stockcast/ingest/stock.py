"""Inventory rows to stock on hand and backorders."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import SeriesAxis
from stockcast.core.findings import Issue
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.origin import Origin
from stockcast.ingest.records import series_of


@final
@dataclass(frozen=True, slots=True)
class Stock:
    """Stock at the end of the origin: net of reserved; ``has_stock`` where a row says so."""

    on_hand: Float[np.ndarray, " series"]
    backorders: Float[np.ndarray, " series"]
    has_stock: Bool[np.ndarray, " series"]


def read_stock(checked: CheckedTables, axis: SeriesAxis, origin: Origin) -> Stock:
    """Place every inventory row on its series; what is negative is clamped and told."""
    table = checked.tables.get("inventory")
    on_hand, backorders, has_stock = np.zeros(len(axis)), np.zeros(len(axis)), np.zeros(len(axis), dtype=bool)
    if table is None or not len(table):
        return Stock(on_hand, backorders, has_stock)
    _tell_of_dates(checked, table, origin)
    series = series_of(table, axis)
    counted = table.numbers("on_hand")
    owed = np.nan_to_num(table.numbers("backorders"))
    negative = counted < 0
    if checked.spec.unmet_demand == "backorder":
        owed = np.where(negative, np.maximum(owed, -counted), owed)
        _clamp(checked, table, negative, counted, "on_hand", "SC-D039", "negative stock", "taken as backorders")
    else:
        _clamp(checked, table, negative, counted, "on_hand", "SC-D039", "negative stock", "taken as 0")
    counted = np.maximum(counted, 0.0)
    reserved = np.nan_to_num(table.numbers("reserved"))
    over = reserved > counted
    _clamp(checked, table, over, reserved, "reserved", "SC-D038", "more is reserved than on hand", "stock taken as 0")
    on_hand[series] = np.maximum(counted - reserved, 0.0)
    backorders[series] = owed
    has_stock[series] = True
    return Stock(on_hand, backorders, has_stock)


def _clamp(
    checked: CheckedTables,
    table: CheckedTable,
    rows: np.ndarray,
    values: np.ndarray,
    column: str,
    code: str,
    what: str,
    action: str,
) -> None:
    source = table.source
    shown = source.columns.get(column, column)
    sku, location = table.texts("sku"), table.texts("location")
    for row in np.flatnonzero(rows).tolist():
        at = int(table.row[row])
        cell = table.place.cell(at, column)
        checked.findings.issues.append(
            Issue(
                "warning", code, source.name,
                f"{source.label} {table.place.say(at, column)}, column {shown}: {what} for {sku[row]}@{location[row]}",
                action, line=None if cell else int(table.place.line_of[at]), cell=cell, column=shown,
                value=f"{values[row]:g}",
            )
        )  # fmt: skip


def _tell_of_dates(checked: CheckedTables, table: CheckedTable, origin: Origin) -> None:
    dates = table.dates("date")
    told = ~np.isnat(dates)
    off = told & ((dates < origin.first_day) | (dates > origin.last_day + np.timedelta64(1, "D")))
    if off.any():
        checked.findings.warn(
            "SC-D048", "inventory",
            f"{table.source.label}: {int(off.sum())} rows were counted on another day ({dates[off].min()} … "
            f"{dates[off].max()}) than the end of {origin.last_day}",
            "used as the stock of that evening; set --as-of to the day of the count",
            count=int(off.sum()), column="date",
        )  # fmt: skip
