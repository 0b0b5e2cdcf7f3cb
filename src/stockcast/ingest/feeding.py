"""Which series a warehouse feeds: nothing is bought for them, what they get comes by transfer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis
from stockcast.ingest.checked import CheckedTables
from stockcast.ingest.lookup import Lookup, name_some
from stockcast.ingest.origin import Origin
from stockcast.ingest.refusal import Findings
from stockcast.ingest.review import closures_of, future, order_days_of
from stockcast.inventory.lanes import Lanes
from stockcast.inventory.terms import SupplyTerms
from stockcast.inventory.timing import FAR, review_periods
from stockcast.panel import Panel
from stockcast.panel.attributes import SELLS_NOTHING, Attributes

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


def with_shipments(checked: CheckedTables, terms: SupplyTerms, origin: Origin) -> SupplyTerms:
    """Give the terms with the periods in which each warehouse can ship, as far as what its next order brings can wait.

    Those are its order days outside its closures. Nothing is added where all warehouses can ship in every period: goods
    go on in the period in which they come, for every run may send them.
    """
    feeder = terms.feeder
    fed = np.flatnonzero(feeder >= 0)
    if not len(fed):
        return terms
    time = future(checked.spec.step, origin)
    order_days, closures = order_days_of(checked), closures_of(checked)
    names, of = np.unique(terms.fed_by[fed], return_inverse=True)
    ships = np.array([
        review_periods(time, order_days.get(name, ""), closures.get(name, [])) for name in names.tolist()
    ])
    if ships.all():
        return terms
    known = np.sort(np.where(ships, np.arange(time.n), FAR), axis=1)
    shipments = np.full((len(feeder), time.n), FAR, dtype=np.int64)
    shipments[fed] = known[of]
    reach = (terms.protection_interval + np.ceil(3.0 * terms.lead_time_sd).astype(np.int64))[feeder[fed]]
    width = int(np.minimum((shipments[fed] < reach[:, None]).sum(axis=1) + 1, time.n).max())
    return terms.replace(shipments=shipments[:, :width])


def without_sales(panel: Panel, feeding: Feeding, warehouses: tuple[str, ...], findings: Findings) -> Panel:
    """Say of each series at a warehouse that never sold anything, of any item, that it sells nothing.

    It would be forecast like a new item of a new shop else, and its warehouse would order for sales of its own.
    """
    names, of = np.unique(panel.series.location, return_inverse=True)
    sold = np.bincount(of, weights=panel.sales.sum(axis=1), minlength=len(names))
    named = np.isin(names, [*warehouses, *feeding.warehouse[feeding.rows].tolist()])
    silent = (named & (sold == 0))[of]
    if not silent.any():
        return panel
    findings.notes.append(
        f"{int(silent.sum())} series at a warehouse are forecast as 0, for nothing was ever sold there: "
        f"{', '.join(names[named & (sold == 0)][:5].tolist())}"
    )
    column = {SELLS_NOTHING: np.where(silent, "warehouse", "")}
    return replace(panel, attributes=Attributes(panel.series, {**panel.attributes.columns, **column}))


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
