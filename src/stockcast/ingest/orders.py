"""Open orders to the pipeline, and what of them counts against tonight's minimums and budget."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.axes import SeriesAxis, first_day_of_period
from stockcast.core.errors import DataError
from stockcast.core.findings import Alert, Issue
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.origin import Origin
from stockcast.ingest.records import series_of
from stockcast.ingest.schema import COUNTED_STATUSES, ENDED_STATUSES
from stockcast.inventory.terms import SupplyTerms


@final
@dataclass(frozen=True, slots=True)
class OpenOrders:
    """The rows that are supply: one entry an order line.

    Parameters
    ----------
    arrival
        The future period at whose start it arrives, counted from 0.
    placed_now
        Whether it was placed in the plan's own order period.
    supplier
        Its own supplier, else that of its item.
    sent_now
        Whether it is a transfer of the plan's own order period.
    """

    series: Int[np.ndarray, " line"]
    quantity: Float[np.ndarray, " line"]
    arrival: Int[np.ndarray, " line"]
    placed_now: np.ndarray
    supplier: np.ndarray
    sent_now: np.ndarray


def read_orders(checked: CheckedTables, axis: SeriesAxis, terms: SupplyTerms, origin: Origin) -> OpenOrders:
    """Place every open order on its series and period.

    Raises
    ------
    DataError
        If a status is not one of the interface's and is not mapped.
    """
    table = checked.tables.get("open_orders")
    if table is None or not len(table):
        nothing = np.empty(0)
        return OpenOrders(
            nothing.astype(np.int64), nothing, nothing.astype(np.int64), nothing > 0, nothing.astype(str), nothing > 0
        )
    counts = _counts_as_supply(table)
    table = _of_known_series(checked, table, axis, counts)
    table = table.take(np.flatnonzero(_counts_as_supply(table)))
    series = series_of(table, axis)
    quantity = _quantities(checked, table)
    next_day = origin.last_day + np.timedelta64(1, "D")
    expected, ordered = table.dates("expected_date"), table.dates("order_date")
    length = 7 if checked.spec.step == "week" else 1
    period = first_day_of_period(ordered, checked.spec.step, checked.spec.week_start)
    guessed = period + terms.lead_time[series] * np.timedelta64(length, "D")
    when = np.where(np.isnat(expected), guessed, expected)
    arrival = np.where(np.isnat(when), 0, (when - next_day).astype(np.int64) // length)
    told = table.texts("supplier")
    orders = OpenOrders(
        series,
        quantity,
        np.maximum(arrival, 0),
        ~np.isnat(ordered) & (period == next_day),
        np.where(told == "", terms.supplier[series], told),
        np.zeros(len(series), dtype=bool),
    )
    _tell_of_overdue(checked, table, axis, orders, expected, arrival, terms.unit_cost)
    _tell_of_guessed(checked, table, axis, orders, expected, next_day)
    return orders


def _counts_as_supply(table: CheckedTable) -> np.ndarray:
    """Tell which rows count as supply; a blank status does."""
    column, source = table.coded("status"), table.source
    mapped = {theirs.strip().casefold(): ours for theirs, ours in source.status.items()}
    meaning = []
    for text in column.names.tolist():
        own = text.casefold().replace(" ", "_").replace("-", "_")
        meaning.append(mapped.get(text.casefold(), own))
    known = np.array([word in (*COUNTED_STATUSES, *ENDED_STATUSES) for word in meaning] + [True], dtype=bool)
    unknown = np.flatnonzero(~known[column.codes])
    if len(unknown):
        names, counts = np.unique(column.texts()[unknown], return_counts=True)
        first = int(table.row[unknown[0]])
        said = ", ".join(
            f"{name!r} ({count} rows)" for name, count in zip(names.tolist(), counts.tolist(), strict=True)
        )
        raise DataError(
            f"{source.label} {table.place.say(first, 'status')}: unknown order status {said}",
            code="SC-D032",
            details=[
                f"counted as supply: {', '.join(COUNTED_STATUSES)}",
                f"not counted: {', '.join(ENDED_STATUSES)}",
            ],
            help=f"map it under sources.open_orders.status, e.g. {{{names[0]}: confirmed}}",
        )
    counts_as = np.array([word in COUNTED_STATUSES for word in meaning] + [True], dtype=bool)
    counted: np.ndarray = counts_as[column.codes]
    return counted


def _of_known_series(checked: CheckedTables, table: CheckedTable, axis: SeriesAxis, counts: np.ndarray) -> CheckedTable:
    """Quarantine orders of series that nothing else knows of."""
    series = series_of(table, axis)
    strangers = np.flatnonzero((series < 0) & counts)
    if not len(strangers):
        return table.take(np.flatnonzero(series >= 0))
    sku, location, source = table.texts("sku"), table.texts("location"), table.source
    for row in strangers.tolist():
        at = int(table.row[row])
        cell = table.place.cell(at, "sku")
        checked.findings.issues.append(
            Issue(
                "error", "SC-D037", source.name,
                f"{source.label} {table.place.say(at, 'sku')}: an order of {sku[row]}@{location[row]}, which neither "
                "sales, inventory nor item_locations know",
                "row left out", line=None if cell else int(table.place.line_of[at]), cell=cell, column="sku",
                value=str(sku[row]),
            )
        )  # fmt: skip
    count = table.count
    refused = count.quarantined + len(strangers)
    after = replace(count, kept=count.kept - len(strangers), quarantined=refused)
    checked.findings.rows["open_orders"] = after
    if refused > checked.spec.max_bad_rows * count.read:
        raise DataError(
            f"{source.label}: {refused} of {count.read} rows are refused, limits.max_bad_rows allows "
            f"{checked.spec.max_bad_rows:g}",
            code="SC-D010",
            details=[f"{len(strangers)} orders are of series that neither sales, inventory nor item_locations know"],
            help="add the series to inventory, correct the orders, or raise limits.max_bad_rows",
        )
    return table.take(np.flatnonzero(series >= 0), after)


def _quantities(checked: CheckedTables, table: CheckedTable) -> np.ndarray:
    quantity, source = table.numbers("quantity"), table.source
    for row in np.flatnonzero(quantity < 0).tolist():
        at = int(table.row[row])
        cell = table.place.cell(at, "quantity")
        checked.findings.issues.append(
            Issue(
                "warning", "SC-D046", source.name,
                f"{source.label} {table.place.say(at, 'quantity')}: negative quantity on order",
                "taken as 0", line=None if cell else int(table.place.line_of[at]), cell=cell,
                column=source.columns.get("quantity", "quantity"), value=f"{quantity[row]:g}",
            )
        )  # fmt: skip
    clamped: np.ndarray = np.maximum(quantity, 0.0)
    return clamped


def _tell_of_overdue(
    checked: CheckedTables,
    table: CheckedTable,
    axis: SeriesAxis,
    orders: OpenOrders,
    expected: np.ndarray,
    arrival: np.ndarray,
    unit_cost: np.ndarray,
) -> None:
    numbers = table.texts("order_id")
    undated = np.isnat(expected) & np.isnat(table.dates("order_date"))
    for row in np.flatnonzero((arrival < 0) | undated).tolist():
        at = int(orders.series[row])
        value = float(np.nan_to_num(orders.quantity[row] * unit_cost[at]))
        due = "without an expected date" if np.isnat(expected[row]) else f"was expected on {expected[row]}"
        named = f"order {numbers[row]}" if numbers[row] else "an open order"
        checked.findings.alerts.append(
            Alert(
                "warning", "SC-D064", f"overdue: {named} of {orders.quantity[row]:g} units {due}",
                "ask the supplier; it is counted as arriving in the first period",
                str(axis.sku[at]), str(axis.location[at]), str(orders.supplier[row]), value,
            )
        )  # fmt: skip


def _tell_of_guessed(
    checked: CheckedTables,
    table: CheckedTable,
    axis: SeriesAxis,
    orders: OpenOrders,
    expected: np.ndarray,
    next_day: np.datetime64,
) -> None:
    """Tell of orders without an expected date, which are taken to need the lead time from their order date on."""
    numbers, length = table.texts("order_id"), 7 if checked.spec.step == "week" else 1
    guessed = np.isnat(expected) & ~np.isnat(table.dates("order_date"))
    for row in np.flatnonzero(guessed).tolist():
        at, due = int(orders.series[row]), next_day + np.timedelta64(int(orders.arrival[row]) * length, "D")
        named = f"order {numbers[row]}" if numbers[row] else "an open order"
        checked.findings.alerts.append(
            Alert(
                "info", "SC-D085", f"undated: {named} of {orders.quantity[row]:g} units has no expected date",
                f"ask the supplier; by its order date and lead time it is counted as arriving on {due}",
                str(axis.sku[at]), str(axis.location[at]), str(orders.supplier[row]),
            )
        )  # fmt: skip


def pipeline_of(orders: OpenOrders, n: int, width: int) -> Float[np.ndarray, "series arrival"]:
    """Add the orders up by series and arrival; the last of ``width`` columns holds everything later."""
    return _by_arrival(orders, np.arange(len(orders.series)), n, width)


def sent_now_of(orders: OpenOrders, n: int, width: int) -> Float[np.ndarray, "series arrival"] | None:
    """Add up the transfers of the plan's own period among them; None where there are none."""
    rows = np.flatnonzero(orders.sent_now)
    return _by_arrival(orders, rows, n, width) if len(rows) else None


def _by_arrival(orders: OpenOrders, rows: np.ndarray, n: int, width: int) -> Float[np.ndarray, "series arrival"]:
    pipeline = np.zeros((n, width))
    np.add.at(pipeline, (orders.series[rows], np.minimum(orders.arrival[rows], width - 1)), orders.quantity[rows])
    return pipeline
