"""What couples the lines of one order: the suppliers' own terms and the budget."""

from collections.abc import Iterable

import numpy as np

from stockcast.ingest.checked import CheckedTables
from stockcast.ingest.orders import OpenOrders
from stockcast.inventory.terms import SharedTerms, SupplierTerms, SupplyTerms


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

    suppliers: Iterable[SupplierTerms] = (
        SupplierTerms(
            name,
            of_table("order_cost", base[name]),
            of_table("min_order_value", base[name]),
            of_table("min_order_units", base[name]),
            sum_of(quantity * cost, name),
            sum_of(quantity, name),
        )
        for name in sorted(base)
        if name
    )
    shared = SharedTerms(tuple(suppliers), spec.unmet_demand, spec.budget, float((quantity * cost).sum()))
    return terms.replace(supplier=names, ordered_now=ordered_now), shared
