"""Which series a warehouse feeds: nothing is bought for them, what they get comes by transfer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis
from stockcast.ingest.checked import CheckedTables
from stockcast.ingest.terms import Lookup, name_some
from stockcast.inventory.lanes import Lanes
from stockcast.inventory.terms import SupplyTerms

LONGEST_DAYS = 371  # a lane that takes longer reaches beyond any forecast


@final
@dataclass(frozen=True, slots=True)
class Feeding:
    """Who is fed: the warehouse of each series, empty where none feeds it, and the lane that leads there, else −1."""

    warehouse: np.ndarray
    lane: Int[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, warehouse=self.warehouse, lane=self.lane)

    @property
    def rows(self) -> Int[np.ndarray, " fed"]:
        """Give the series that are fed."""
        return np.flatnonzero(self.warehouse != "")


def find_fed(
    checked: CheckedTables,
    lookup: Lookup,
    orderable: Bool[np.ndarray, " series"],
    lanes: Lanes,
    has_stock: Bool[np.ndarray, " series"],
) -> Feeding:
    """Find the series that a warehouse feeds.

    A series is fed by W if the supplier of its item there is the location W; or if ``locations.warehouse`` names W for
    its place, and ``item_locations`` no supplier of its own. W must carry the sku, its stock be known, and a lane lead
    to the place. One that cannot be fed goes on buying, and is told (``SC-D125``). There is one level: a warehouse that
    is fed itself is an ordinary place.
    """
    axis = lookup.axis
    wanted = _wanted(checked, lookup, axis)
    some = np.flatnonzero((wanted != "") & orderable)
    if not len(some):
        return Feeding(np.full(len(axis), ""), np.full(len(axis), -1, dtype=np.int64))
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
    if left.any():
        names, count = np.unique(wanted[left], return_counts=True)
        pairs = zip(names[:5].tolist(), count[:5].tolist(), strict=True)
        checked.findings.inform(
            "SC-D124", "locations", f"{int(left.sum())} series are fed by a warehouse: "
            f"{', '.join(f'{many} by {name}' for name, many in pairs)}",
            "nothing is bought for them: the warehouse's orders are for all that it feeds, transfers share them out",
            count=int(left.sum()), column="warehouse",
        )  # fmt: skip
    return Feeding(np.where(left, wanted, ""), np.where(left, lane, -1))


def feed(terms: SupplyTerms, lanes: Lanes, feeding: Feeding) -> SupplyTerms:
    """Give the terms with nothing bought for what is fed: it is reached by its lane, in the lane's packs.

    Its reviews are the shipments of its warehouse already (``ingest.terms``).
    """
    rows = feeding.rows
    if not len(rows):
        return terms
    columns = {name: getattr(terms, name).copy() for name in (
        "lead_time", "lead_time_sd", "moq", "pack_size", "order_cost", "orderable",
    )}  # fmt: skip
    away = feeding.lane[rows]
    columns["lead_time"][rows] = lanes.lead_time[away]
    columns["pack_size"][rows] = lanes.pack_size[away]
    columns["orderable"][rows] = False
    for name in ("lead_time_sd", "moq", "order_cost"):
        columns[name][rows] = 0
    supplier = np.where(feeding.warehouse == "", terms.supplier, feeding.warehouse)
    return terms.replace(supplier=supplier, fed_by=feeding.warehouse.astype(np.str_), **columns)


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
