"""The lanes between locations, and which open orders travel along them."""

from dataclasses import replace

import numpy as np

from stockcast.core.axes import SeriesAxis
from stockcast.core.findings import Issue
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.keys import MAX_TOLD
from stockcast.ingest.orders import OpenOrders
from stockcast.ingest.origin import Origin
from stockcast.ingest.review import first_reviews
from stockcast.inventory.lanes import Lanes
from stockcast.inventory.terms import SupplyTerms
from stockcast.inventory.timing import periods_of_days


def read_lanes(checked: CheckedTables, axis: SeriesAxis, origin: Origin) -> Lanes:
    """Give the lanes between places for which something is planned, sorted; the others are told.

    A place that is among the suppliers too sends on its order days, outside its closures.

    Raises
    ------
    DataError
        If order days cannot be read.
    """
    table = checked.tables.get("lanes")
    if table is None or not len(table):
        return Lanes()
    table = _of_known_places(checked, table, axis)
    begin, end = table.texts("from_location"), table.texts("to_location")
    order = np.lexsort((end, begin))
    days = table.numbers("lead_time_days")[order]
    untold = int(np.isnan(days).sum())
    if untold:
        checked.findings.warn(
            "SC-D122", "lanes", f"{table.source.label}: {untold} lanes have no lead_time_days",
            "taken as 0: what is sent is there before the next demand", count=untold, column="lead_time_days",
        )  # fmt: skip
    step, length = checked.spec.step, 7 if checked.spec.step == "week" else 1
    days = np.nan_to_num(days)
    periods = periods_of_days(days, step)
    added = int((periods * length > days + 1e-9).sum())
    if added:
        checked.findings.inform(
            "SC-D089", "lanes", f"{table.source.label}: lead_time_days is no whole number of {step}s on {added} lanes",
            f"rounded up to whole {step}s, which adds days", count=added, column="lead_time_days",
        )  # fmt: skip
    return Lanes(
        begin[order],
        end[order],
        periods,
        np.nan_to_num(table.numbers("unit_cost"))[order],
        np.nan_to_num(table.numbers("order_cost"))[order],
        np.nan_to_num(table.numbers("pack_size"))[order],
        first_reviews(checked, begin[order], origin),
    )


def _of_known_places(checked: CheckedTables, table: CheckedTable, axis: SeriesAxis) -> CheckedTable:
    known, keep, source = set(axis.location.tolist()), np.ones(len(table), dtype=bool), table.source
    ends = {name: table.texts(name).tolist() for name in ("from_location", "to_location")}
    told = 0
    for row in range(len(table)):
        strange = [name for name in ends if ends[name][row] not in known]
        if not strange:
            continue
        keep[row] = False
        told += 1
        if told > MAX_TOLD:
            continue
        column, at = strange[0], int(table.row[row])
        cell, shown = table.place.cell(at, column), source.columns.get(column, column)
        checked.findings.issues.append(
            Issue(
                "warning", "SC-D121", source.name,
                f"{source.label} {table.place.say(at, column)}, column {shown}: nothing is planned at "
                f"{ends[column][row]}",
                "no effect: nothing is moved along this lane", line=None if cell else int(table.place.line_of[at]),
                cell=cell, column=shown, value=ends[column][row],
            )
        )  # fmt: skip
    if told > MAX_TOLD:
        more = told - MAX_TOLD
        checked.findings.warn(
            "SC-D121", source.name, f"{source.label}: {more} more lanes end where nothing is planned", "no effect",
            count=more,
        )  # fmt: skip
    return table.take(np.flatnonzero(keep))


def read_warehouses(checked: CheckedTables, lanes: Lanes, axis: SeriesAxis) -> tuple[str, ...]:
    """Give the locations that are the warehouse of another and have a lane to it; the others are told."""
    table = checked.tables.get("locations")
    if table is None or not table.has("warehouse"):
        return ()
    here = set(axis.location.tolist())
    told = zip(table.texts("warehouse").tolist(), table.texts("location").tolist(), strict=True)
    pairs = {(begin, end) for begin, end in told if begin and begin != end and end in here}
    if not pairs:
        return ()
    joined = pairs & set(zip(lanes.from_location.tolist(), lanes.to_location.tolist(), strict=True))
    source = table.source
    apart = sorted(pairs - joined)
    if apart:
        shown = ", ".join(f"{begin} → {end}" for begin, end in apart[:5])
        checked.findings.warn(
            "SC-D121", "locations", f"{source.label}: no lane leads from the warehouse to its place: {shown}",
            "nothing is moved there; name it in lanes", count=len(apart), column="warehouse",
        )  # fmt: skip
    return tuple(sorted({begin for begin, _ in joined}))


def without_transfers(checked: CheckedTables, orders: OpenOrders, terms: SupplyTerms, lanes: Lanes) -> OpenOrders:
    """Give the open orders with transfers taken out of what is ordered in this period.

    A transfer is an open order whose supplier is a location with a lane to the order's, and not the line's own supplier
    unless that feeds it: it is supply, and counts to no minimum, maximum, truck or budget, for nobody buys it.
    """
    pairs = set(zip(lanes.from_location.tolist(), lanes.to_location.tolist(), strict=True))
    told = zip(orders.supplier.tolist(), terms.series.location[orders.series].tolist(), strict=True)
    moved = np.array([pair in pairs for pair in told], dtype=bool)
    own = (orders.supplier == terms.supplier[orders.series]) & (terms.fed_by[orders.series] != orders.supplier)
    moved &= ~own
    if moved.any():
        checked.findings.inform(
            "SC-D123", "open_orders", f"{int(moved.sum())} open orders are transfers between locations",
            "counted as supply, not as bought", count=int(moved.sum()), column="supplier",
        )  # fmt: skip
    return replace(orders, placed_now=orders.placed_now & ~moved, sent_now=orders.placed_now & moved)
