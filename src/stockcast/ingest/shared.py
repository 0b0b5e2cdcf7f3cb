"""What couples the lines of one order: the suppliers' own terms and the budget."""

from collections.abc import Mapping

import numpy as np

from stockcast.ingest.checked import CheckedTables
from stockcast.ingest.lookup import name_some
from stockcast.ingest.orders import OpenOrders
from stockcast.inventory.terms import PriceBreak, SharedTerms, SupplierTerms, SupplyTerms


def order_names(supplier: np.ndarray, location: np.ndarray, scope: str) -> np.ndarray:
    """Name the whole order that each line belongs to: its supplier, or supplier and location.

    Examples
    --------
    >>> order_names(np.array(["acme", ""]), np.array(["LYON", "LYON"]), "supplier_location").tolist()
    ['acme @ LYON', '']
    """
    if scope == "supplier":
        return supplier.astype(np.str_)
    pairs = zip(supplier.tolist(), location.tolist(), strict=True)
    return np.array([f"{name} @ {place}" if name else "" for name, place in pairs], dtype=np.str_)


def share_terms(checked: CheckedTables, terms: SupplyTerms, orders: OpenOrders) -> tuple[SupplyTerms, SharedTerms]:
    """Give the suppliers' terms with what open orders of this period already hold, and the lines with theirs.

    With ``order_scope: supplier_location`` the supplier of a line, and the name of the supplier's terms, is
    ``supplier @ location``: each is a whole order of its own.
    """
    spec, axis = checked.spec, terms.series
    now = orders.placed_now
    series, quantity = orders.series[now], orders.quantity[now]
    ordered_now = np.bincount(series, weights=quantity, minlength=len(axis)) if len(series) else np.zeros(len(axis))
    cost = np.nan_to_num(terms.unit_cost[series])
    volume, weight = terms.volume[series], terms.weight[series]
    uncosted = int(np.isnan(terms.unit_cost[series]).sum())
    if uncosted:
        checked.findings.notes.append(f"{uncosted} orders of this period have no unit_cost: they count 0 to the budget")
    names = order_names(terms.supplier, axis.location, spec.order_scope)
    committed = order_names(orders.supplier[now], axis.location[series], spec.order_scope)
    base = dict(zip(names.tolist(), terms.supplier.tolist(), strict=True))
    base.update(zip(committed.tolist(), orders.supplier[now].tolist(), strict=True))
    table = checked.tables.get("suppliers")
    if table is not None and spec.order_scope == "supplier":
        base.update({name: name for name in table.texts("supplier").tolist()})
    rows = {name: at for at, name in enumerate(table.texts("supplier").tolist())} if table is not None else {}

    def of_table(column: str, supplier: str) -> float:
        if table is None or supplier not in rows:
            return 0.0
        return float(np.nan_to_num(table.numbers(column)[rows[supplier]]))

    def sum_of(values: np.ndarray, wanted: str) -> float:
        return float(values[committed == wanted].sum())

    breaks = _price_breaks(checked)
    suppliers = tuple(
        SupplierTerms(
            name,
            of_table("order_cost", base[name]),
            of_table("min_order_value", base[name]),
            of_table("min_order_units", base[name]),
            sum_of(quantity * cost, name),
            sum_of(quantity, name),
            of_table("min_order_weight", base[name]),
            of_table("truck_volume", base[name]),
            of_table("truck_weight", base[name]),
            of_table("truck_cost", base[name]),
            of_table("truck_min_fill", base[name]),
            price_breaks=breaks.get(base[name], ()),
            committed_weight=sum_of(quantity * weight, name),
            committed_volume=sum_of(quantity * volume, name),
        )
        for name in sorted(base)
        if name
    )
    storage = _storage(checked, terms)
    used = float((quantity * cost).sum())
    terms = terms.replace(supplier=names, ordered_now=ordered_now)
    _tell_of_sizes(checked, terms, suppliers, storage)
    return terms, SharedTerms(suppliers, spec.unmet_demand, spec.budget, used, storage)


def _price_breaks(checked: CheckedTables) -> dict[str, tuple[PriceBreak, ...]]:
    """Give each supplier's price breaks, ascending; one that takes off no more than a smaller one is left out."""
    table = checked.tables.get("price_breaks")
    if table is None:
        return {}
    columns = (
        table.texts("supplier").tolist(),
        table.numbers("min_value").tolist(),
        table.numbers("discount").tolist(),
    )
    found: dict[str, list[PriceBreak]] = {}
    needless = 0
    for name, value, discount in sorted(zip(*columns, strict=True)):
        tiers = found.setdefault(name, [])
        if discount <= (tiers[-1].discount if tiers else 0.0):
            needless += 1
            continue
        tiers.append(PriceBreak(float(value), float(discount)))
    if needless:
        checked.findings.warn(
            "SC-D111", "price_breaks",
            f"{table.source.label}: {needless} rows take off no more than a smaller order of the same supplier gets",
            "left out: the larger discount holds", count=needless, column="discount",
        )  # fmt: skip
    large = sum(tier.discount > 0.5 for tiers in found.values() for tier in tiers)
    if large:
        checked.findings.warn(
            "SC-D111", "price_breaks", f"{table.source.label}: {large} discounts are above one half",
            "used as they are: 0.05 takes off 5 %", count=large, column="discount",
        )  # fmt: skip
    return {name: tuple(tiers) for name, tiers in found.items()}


def _storage(checked: CheckedTables, terms: SupplyTerms) -> dict[str, float]:
    """Give the volume of each location that has one: of the config, else of ``locations``."""
    places, found = checked.tables.get("locations"), {}
    if places is not None and len(places):
        room = places.numbers("volume")
        told = zip(places.texts("location").tolist(), room.tolist(), strict=True)
        found = {name: volume for name, volume in told if np.isfinite(volume)}
    found |= dict(checked.spec.storage)
    here = set(terms.series.location.tolist())
    unknown = sorted(set(checked.spec.storage) - here)
    if unknown:
        checked.findings.warn(
            "SC-D112", "", f"plan.storage names no location that is planned: {', '.join(unknown[:5])}",
            "no effect on the plan", count=len(unknown),
        )  # fmt: skip
    return {name: room for name, room in sorted(found.items()) if name in here}


def _tell_of_sizes(
    checked: CheckedTables, terms: SupplyTerms, suppliers: tuple[SupplierTerms, ...], storage: Mapping[str, float]
) -> None:
    """Tell of lines whose volume or weight a limit needs and nobody gives: they count 0 to it."""
    by_name = {one.supplier: one for one in suppliers}
    needs = {"volume": np.isin(terms.series.location, list(storage)), "weight": np.zeros(len(terms.series), dtype=bool)}
    names = np.unique(terms.supplier).tolist()
    trucks = {name for name in names if name in by_name and by_name[name].truck_volume > 0}
    by_weight = {one.supplier for one in suppliers if one.truck_weight > 0 or one.min_order_weight > 0}
    weighed = {name for name in names if name in by_weight}
    needs["volume"] |= np.isin(terms.supplier, sorted(trucks))
    needs["weight"] |= np.isin(terms.supplier, sorted(weighed))
    for column, needed in needs.items():
        lacking = np.flatnonzero(needed & terms.orderable & (getattr(terms, column) == 0))
        if len(lacking):
            checked.findings.warn(
                "SC-D113", "items",
                f"{column} is not known for {len(lacking)} series that trucks, a minimum or storage need it of: "
                f"{name_some(terms.series, lacking)}", "counts 0 to them", count=len(lacking), column=column,
            )  # fmt: skip
