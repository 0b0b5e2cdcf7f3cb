"""Checked tables to arrays: the panel, the stock, the terms of supply and what couples them."""

from dataclasses import replace

import numpy as np

from stockcast.core.axes import SeriesAxis
from stockcast.core.errors import DataError
from stockcast.core.findings import Alert
from stockcast.ingest.calendar import read_days
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.doubts import tell_of_outliers, tell_of_parts
from stockcast.ingest.feeding import feed, find_fed, with_shipments, without_sales
from stockcast.ingest.freshness import hold_missing_locations, tell_of_few_rows
from stockcast.ingest.history import History, build_history, periods_of
from stockcast.ingest.lanes import read_lanes, read_warehouses, without_transfers
from stockcast.ingest.lookup import Lookup
from stockcast.ingest.memory import require_memory
from stockcast.ingest.orders import pipeline_of, read_orders, sent_now_of
from stockcast.ingest.origin import choose_origin, leave_out_later
from stockcast.ingest.outlook import read_outlook
from stockcast.ingest.records import pairs_of
from stockcast.ingest.refusal import RefusedInput
from stockcast.ingest.schema import HELD_ATTRIBUTES, ITEM_COLUMNS
from stockcast.ingest.select import select
from stockcast.ingest.shared import share_terms
from stockcast.ingest.spec import Inputs
from stockcast.ingest.stock import read_stock
from stockcast.ingest.terms import may_be_ordered, resolve_terms
from stockcast.inventory.state import InventoryState
from stockcast.panel.attributes import Attributes
from stockcast.panel.known import KnownFuture
from stockcast.panel.outliers import excused
from stockcast.panel.panel import Panel


def build(checked: CheckedTables) -> Inputs:
    """Build the arrays that everything inside works on.

    Raises
    ------
    RefusedInput
        If the tables do not fit together: no known period, an unknown order status, a term that is needed and known
        nowhere.
    UsageError
        If ``select`` matches nothing.
    ResourceError
        If the panel would not fit into memory.
    """
    try:
        return _build(checked)
    except RefusedInput:
        raise
    except DataError as error:
        raise checked.findings.refuse(error.message, code=error.code, details=error.details, help=error.help) from None


def _build(checked: CheckedTables) -> Inputs:
    spec, findings = checked.spec, checked.findings
    origin = choose_origin(checked)
    sales = leave_out_later(checked.tables["sales"], origin)
    if sales.count.left_out:
        findings.notes.append(f"{sales.count.left_out} sales rows after {origin.last_day} are not read")
    axis = _axis(checked, sales)
    require_memory(sales, axis, origin, spec.step, spec.week_start, covariates=len(spec.covariates))
    time = periods_of(sales, origin, spec)
    days = read_days(checked, axis, time)
    tell_of_few_rows(checked, sales, days)
    held = hold_missing_locations(checked, sales, axis, days)
    history = build_history(checked, sales, axis, time, days)
    lookup = Lookup.of(checked, axis)
    panel = Panel(
        axis,
        history.time,
        history.sales,
        history.observed,
        history.in_stock,
        history.known,
        _attributes(checked, lookup),
    )
    _doubt(checked, sales, history, panel)
    stock = read_stock(checked, axis, origin)
    lanes = read_lanes(checked, axis, origin)
    orderable = may_be_ordered(checked, lookup, origin, stock.has_stock & ~held)
    feeding = find_fed(checked, lookup, orderable, lanes, stock.has_stock)
    last_price = _last_price(history.known)
    resolved = resolve_terms(checked, lookup, origin, orderable, last_price, feeding.warehouse)
    fed = with_shipments(checked, feed(resolved.terms, lanes, feeding), origin)
    orders = without_transfers(checked, read_orders(checked, axis, resolved.terms, origin), fed, lanes)
    _tell_of_held(checked, lookup, stock.has_stock)
    _tell_of_items_not_planned(checked, axis)
    terms, shared = share_terms(checked, fed, orders)
    shared = replace(shared, lanes=lanes, warehouses=read_warehouses(checked, lanes, axis))
    panel = without_sales(panel, feeding, shared.warehouses, findings)
    outlook = read_outlook(checked, terms, resolved.terms.supplier, lookup.number("review_period_days"), origin)
    reach = terms.reach
    if outlook is not None:
        reach = np.maximum(reach, outlook.end() + terms.lead_time)
    width = int(reach.max(initial=0)) + 2
    comes = pipeline_of(orders, len(axis), width), sent_now_of(orders, len(axis), width)
    state = InventoryState(axis, stock.on_hand, stock.backorders, *comes)
    rows = np.arange(len(axis))
    if spec.select is not None:
        rows = np.flatnonzero(select(panel, resolved.terms.supplier, spec.select, spec.root))
        whole = np.union1d(rows, np.flatnonzero(np.isin(terms.feeder, rows)))
        if len(whole) > len(rows):
            findings.notes.append(
                f"{len(whole) - len(rows)} series were added: a warehouse of the selection feeds them"
            )
        rows = whole
    _tell_of_locations(checked)
    keep = {(str(axis.sku[at]), str(axis.location[at])) for at in rows.tolist()}
    return Inputs(
        panel.take(rows),
        state.take(rows),
        terms.take(rows),
        shared,
        tuple(findings.issues),
        tuple(alert for alert in findings.alerts if not alert.sku or (alert.sku, alert.location) in keep),
        dict(sorted(findings.rows.items())),
        dict(sorted(checked.hashes.items())),
        tuple(findings.notes),
        resolved.reviews.date[rows],
        lookup.has_item[rows],
        stock.has_stock[rows],
        held[rows],
        None if outlook is None else outlook.take(rows),
    )


def _doubt(checked: CheckedTables, sales: CheckedTable, history: History, panel: Panel) -> None:
    """Tell of values that are kept and doubted."""
    n = history.time.n
    key = np.flatnonzero(history.sales.ravel() > 0).astype(np.int64)
    price = history.known.price[:, :n].ravel()[key]
    sold = sales.take(np.flatnonzero(sales.numbers("quantity") > 0))
    units, expected = history.sales.ravel()[key], excused(panel).ravel()[key]
    tell_of_outliers(checked, sold, panel.series, history.time, key, units, price, expected)
    tell_of_parts(checked, panel.series, panel.attributes)


def _tell_of_items_not_planned(checked: CheckedTables, axis: SeriesAxis) -> None:
    """Tell of items that no series is planned for."""
    items = checked.tables.get("items")
    if items is None:
        return
    names = items.texts("sku")
    rest = np.sort(names[~np.isin(names, axis.sku)]).tolist()
    if rest:
        shown = ", ".join(rest[:5]) + (f" and {len(rest) - 5} more" if len(rest) > 5 else "")
        checked.findings.inform(
            "SC-D041", "items", f"{items.source.label}: no sales and no stock of {shown}",
            "not planned; add a row to inventory, with 0 if empty, to order them", count=len(rest), column="sku",
        )  # fmt: skip


def _axis(checked: CheckedTables, sales: CheckedTable) -> SeriesAxis:
    """Give the axis of the series planned: those of sales, inventory and item_locations together."""
    tables = [sales, *(checked.tables[name] for name in ("inventory", "item_locations") if name in checked.tables)]
    pairs = [pairs_of(table)[:2] for table in tables if len(table)]
    sku = np.concatenate([pair[0] for pair in pairs])
    location = np.concatenate([pair[1] for pair in pairs])
    return SeriesAxis.of(sku, location)[0]


def _attributes(checked: CheckedTables, lookup: Lookup) -> Attributes:
    """Give the texts of the item master, of its further columns, and of the locations."""
    names = dict.fromkeys(HELD_ATTRIBUTES)
    for table, _ in lookup.levels:
        names.update(dict.fromkeys(name for name in table.columns if name not in (*ITEM_COLUMNS, "sku", "location")))
    columns = {name: lookup.text(name) for name in names}
    places = checked.tables.get("locations")
    if places is not None and len(places):
        row_of = {name: at for at, name in enumerate(places.texts("location").tolist())}
        row = np.array([row_of.get(name, -1) for name in lookup.axis.location.tolist()], dtype=np.int64)
        for name in places.columns:
            if name not in ("location", "volume", *columns):
                columns[name] = np.append(places.texts(name), "")[row]
    return Attributes(lookup.axis, {name: column for name, column in columns.items() if (column != "").any()})


def _last_price(known: KnownFuture) -> np.ndarray:
    """Give the last recorded price of each series, NaN where none was."""
    price = known.price[:, : known.recorded]
    told = ~np.isnan(price)
    last = known.recorded - 1 - told[:, ::-1].argmax(axis=1)
    return np.where(told.any(axis=1), price[np.arange(len(price)), last], np.nan)


def _tell_of_held(checked: CheckedTables, lookup: Lookup, has_stock: np.ndarray) -> None:
    """Give an exception for every series that is forecast but cannot be ordered."""
    axis, alerts, tables = lookup.axis, checked.findings.alerts, checked.tables
    for name, told, has, code, what, whole, remedy in (
        (
            "items", "items" in tables or "item_locations" in tables, lookup.has_item, "SC-D065",
            "no row in items: forecast, not ordered", "no source items: every series is forecast, none is ordered",
            "add it to items",
        ),
        (
            "inventory", "inventory" in tables, has_stock, "SC-D066",
            "no stock row: held, not ordered", "no source inventory: the stock of no series is known, all are held",
            "add it to inventory, with 0 if empty",
        ),
    ):  # fmt: skip
        if not told:
            alerts.append(Alert("warning", code, whole, f"name sources.{name}"))
            continue
        for at in np.flatnonzero(~has).tolist():
            alerts.append(
                Alert(
                    "warning", code, what, remedy, str(axis.sku[at]), str(axis.location[at]), str(lookup.supplier[at])
                )
            )


def _tell_of_locations(checked: CheckedTables) -> None:
    """Warn where tables do not speak of the same places."""
    sales = checked.tables["sales"]
    sold_at = set(sales.coded("location").names.tolist())
    places = checked.tables.get("locations")
    if places is not None:
        unknown = sorted(sold_at - set(places.texts("location").tolist()))
        if unknown:
            checked.findings.warn(
                "SC-D041", "locations", f"{places.source.label}: no row for {', '.join(unknown[:5])}",
                "planned all the same", count=len(unknown), column="location",
            )  # fmt: skip
    stock = checked.tables.get("inventory")
    if stock is not None and not sold_at & set(stock.coded("location").names.tolist()):
        checked.findings.warn(
            "SC-D041", "inventory", f"{stock.source.label}: no location in common with {sales.source.label}",
            "every series is held; give both the same locations, or leave the column out of both", column="location",
        )  # fmt: skip
