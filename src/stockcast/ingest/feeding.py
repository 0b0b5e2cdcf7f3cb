"""Which series a warehouse feeds: nothing is bought for them, what they get comes by transfer."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Int

from stockcast.core.axes import SeriesAxis
from stockcast.ingest.checked import CheckedTables
from stockcast.ingest.terms import Lookup, name_some
from stockcast.inventory.lanes import Lanes
from stockcast.inventory.terms import SupplyTerms

LONGEST_DAYS = 371  # a lane that takes longer reaches beyond any forecast


def feed(
    checked: CheckedTables,
    lookup: Lookup,
    terms: SupplyTerms,
    lanes: Lanes,
    has_stock: Bool[np.ndarray, " series"],
) -> SupplyTerms:
    """Give the terms with the series that a warehouse feeds: nothing is bought for them, they are reached by its lane.

    A series is fed by W if the supplier of its item there is the location W; or if ``locations.warehouse`` names W for
    its place, and ``item_locations`` no supplier of its own. W must carry the sku, its stock be known, and a lane lead
    to the place. One that cannot be fed goes on buying, and is told (``SC-D125``). There is one level: a warehouse that
    is fed itself is an ordinary place.

    Its lead time becomes the lane's; the review period runs to the next shipment, the next review of its own calendar.
    """
    axis = terms.series
    wanted = _wanted(checked, lookup, axis)
    some = np.flatnonzero((wanted != "") & terms.orderable)
    if not len(some):
        return terms
    feeder = np.full(len(axis), -1, dtype=np.int64)
    feeder[some] = axis.locate(axis.sku[some], wanted[some])
    lane = _lanes_between(lanes, wanted, axis.location)
    far = np.append(lanes.lead_time, 0)[lane] * (7 if checked.spec.step == "week" else 1) > LONGEST_DAYS
    known = np.append(lookup.has_item & has_stock, False)[feeder]
    told: list[tuple[str, Callable[[], np.ndarray]]] = [
        ("the warehouse does not carry the item", lambda: feeder < 0),
        ("the stock of the warehouse is not known", lambda: ~known),
        ("no lane leads there from the warehouse", lambda: lane < 0),
        (f"the lane takes longer than {LONGEST_DAYS} days", lambda: far),
        ("the warehouse is fed by another one", lambda: np.append(left, False)[feeder]),
    ]
    left = np.isin(np.arange(len(axis)), some)
    for why, fails in told:
        gone = np.flatnonzero(left & fails())
        left = left & ~fails()
        if len(gone):
            checked.findings.warn(
                "SC-D125", "locations", f"{len(gone)} series are not fed by their warehouse, {why}: "
                f"{name_some(axis, gone)}", "bought from the supplier of the item as before", count=len(gone),
                column="warehouse",
            )  # fmt: skip
    return _fed(checked, terms, lanes, np.flatnonzero(left), wanted, lane)


def _fed(
    checked: CheckedTables,
    terms: SupplyTerms,
    lanes: Lanes,
    rows: Int[np.ndarray, " fed"],
    wanted: np.ndarray,
    lane: np.ndarray,
) -> SupplyTerms:
    if not len(rows):
        return terms
    names, count = np.unique(wanted[rows], return_counts=True)
    shown = ", ".join(f"{many} by {name}" for name, many in zip(names[:5].tolist(), count[:5].tolist(), strict=True))
    checked.findings.inform(
        "SC-D124", "locations", f"{len(rows)} series are fed by a warehouse: {shown}",
        "nothing is bought for them: the warehouse's orders are for all that it feeds, transfers share them out",
        count=len(rows), column="warehouse",
    )  # fmt: skip
    columns = {name: getattr(terms, name).copy() for name in (
        "lead_time", "lead_time_sd", "first_review", "review_period", "at_review", "moq", "pack_size", "order_cost",
        "orderable",
    )}  # fmt: skip
    first, away = terms.first_review[rows], lane[rows]
    columns["lead_time"][rows] = lanes.lead_time[away]
    columns["review_period"][rows] = np.where(first > 0, first, terms.review_period[rows])
    columns["pack_size"][rows] = lanes.pack_size[away]
    columns["at_review"][rows] = True
    columns["orderable"][rows] = False
    for name in ("lead_time_sd", "first_review", "moq", "order_cost"):
        columns[name][rows] = 0
    supplier = terms.supplier.astype(np.result_type(terms.supplier.dtype, wanted.dtype))
    supplier[rows] = wanted[rows]
    fed_by = np.zeros(len(supplier), dtype=wanted.dtype)
    fed_by[rows] = wanted[rows]
    return terms.replace(supplier=supplier, fed_by=fed_by, **columns)


def _wanted(checked: CheckedTables, lookup: Lookup, axis: SeriesAxis) -> np.ndarray:
    """Give the location that should feed each series, empty where none is named."""
    places = sorted(set(axis.location.tolist()))
    by_supplier = np.where(np.isin(lookup.supplier, places), lookup.supplier, "")
    table = checked.tables.get("locations")
    pairs: dict[str, str] = {}
    if table is not None and table.has("warehouse"):
        pairs = dict(zip(table.texts("location").tolist(), table.texts("warehouse").tolist(), strict=True))
    named = np.array([pairs.get(place, "") for place in axis.location.tolist()], dtype=np.str_)
    named = np.where(lookup.supplier_here == "", named, "")
    found = np.where(by_supplier != "", by_supplier, named)
    return np.where(found == axis.location, "", found)


def _lanes_between(lanes: Lanes, begin: np.ndarray, end: np.ndarray) -> Int[np.ndarray, " series"]:
    """Give the lane that leads from one place to another, −1 where there is none."""
    ends = zip(lanes.from_location.tolist(), lanes.to_location.tolist(), strict=True)
    lane_of = {pair: at for at, pair in enumerate(ends)}
    pairs = zip(begin.tolist(), end.tolist(), strict=True)
    return np.array([lane_of.get(pair, -1) for pair in pairs], dtype=np.int64)
