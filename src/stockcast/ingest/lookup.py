"""Where each series' terms stand: ``item_locations``, then ``items``, then ``suppliers``, then the defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.axes import SeriesAxis
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.schema import TABLES

_OF_SUPPLIERS = ("lead_time_days", "lead_time_sd_days", "review_period_days")
_NAMED = 5


@final
@dataclass(frozen=True, slots=True)
class Lookup:
    """Where each series' terms stand: its row in each table, −1 where it has none.

    Parameters
    ----------
    levels
        (table, row of each series), the highest first.
    supplier_row
        The row in ``suppliers``.
    """

    axis: SeriesAxis
    levels: tuple[tuple[CheckedTable, Int[np.ndarray, " series"]], ...]
    suppliers: CheckedTable | None
    supplier_row: Int[np.ndarray, " series"]
    supplier: np.ndarray
    defaults: Mapping[str, object]
    has_item: Bool[np.ndarray, " series"]

    @classmethod
    def of(cls, checked: CheckedTables, axis: SeriesAxis) -> "Lookup":
        """Find each series' rows."""
        levels = []
        for name in ("item_locations", "items"):
            table = checked.tables.get(name)
            if table is None or not len(table):
                continue
            rows: dict[tuple[str, ...], int] = {}
            key = [table.texts(column).tolist() for column in (("sku", "location") if name != "items" else ("sku",))]
            rows = {ids: at for at, ids in enumerate(zip(*key, strict=True))}
            wanted = [axis.sku.tolist(), axis.location.tolist()][: len(key)]
            levels.append((table, np.array([rows.get(ids, -1) for ids in zip(*wanted, strict=True)], dtype=np.int64)))
        has_item = np.zeros(len(axis), dtype=bool)
        supplier = np.zeros(len(axis), dtype="<U1")
        for table, row in reversed(levels):
            has_item |= row >= 0
            told = np.append(table.texts("supplier"), "")[row]
            supplier = np.where(told == "", supplier, told)
        suppliers = checked.tables.get("suppliers")
        supplier_row = _rows_of(suppliers, supplier)
        if suppliers:
            unknown = sorted(
                set(supplier[(supplier_row < 0) & (supplier != "")].tolist()) - _places_with_lanes(checked)
            )
            if unknown:
                checked.findings.warn(
                    "SC-D041", "suppliers", f"{suppliers.source.label}: no row for {', '.join(unknown[:_NAMED])}",
                    "no terms of these suppliers are known", count=len(unknown), column="supplier",
                )  # fmt: skip
        return cls(axis, tuple(levels), suppliers, supplier_row, supplier, checked.spec.defaults, has_item)

    def supplied_by(self, supplier: np.ndarray) -> "Lookup":
        """Give the same with other suppliers: their rows are what stands below those of the items."""
        return replace(self, supplier=supplier, supplier_row=_rows_of(self.suppliers, supplier))

    @property
    def supplier_here(self) -> np.ndarray:
        """Give the supplier that ``item_locations`` names for each series; empty where it names none."""
        for table, row in self.levels:
            if table.source.name == "item_locations":
                return np.asarray(np.append(table.texts("supplier"), "")[row])
        return np.zeros(len(self.axis), dtype="<U1")

    def number(self, name: str, default: float = np.nan) -> Float[np.ndarray, " series"]:
        """Give a term of each series: the first level that has it."""
        given = self.defaults.get(name)
        out = np.full(len(self.axis), default if given is None else float(str(given)))
        if name in _OF_SUPPLIERS and self.suppliers is not None:
            out = _over(self.suppliers.numbers(name), self.supplier_row, out)
        for table, row in reversed(self.levels):
            out = _over(table.numbers(name), row, out)
        return out

    def date(self, name: str) -> np.ndarray:
        """Give a date of each series, NaT where none is given."""
        out = np.full(len(self.axis), np.datetime64("NaT"), dtype="datetime64[D]")
        for table, row in reversed(self.levels):
            told = np.append(table.dates(name), np.datetime64("NaT"))[row]
            out = np.where(np.isnat(told), out, told)
        return out

    def text(self, name: str) -> np.ndarray:
        """Give a text of each series, empty where none is given; dates as ISO dates."""
        out = np.zeros(len(self.axis), dtype="<U1")
        for table, row in reversed(self.levels):
            if TABLES["items"].columns.get(name, None) is not None and TABLES["items"].columns[name].kind == "date":
                texts = np.where(np.isnat(table.dates(name)), "", table.dates(name).astype(str))
            else:
                texts = table.texts(name)
            told = np.append(texts, "")[row]
            out = np.where(told == "", out, told)
        return out


def _rows_of(suppliers: CheckedTable | None, supplier: np.ndarray) -> Int[np.ndarray, " series"]:
    row_of = {name: at for at, name in enumerate(suppliers.texts("supplier").tolist())} if suppliers else {}
    return np.array([row_of.get(name, -1) for name in supplier.tolist()], dtype=np.int64)


def _places_with_lanes(checked: CheckedTables) -> set[str]:
    """Give the places that may feed others: as suppliers they need no row of their own."""
    lanes = checked.tables.get("lanes")
    return set() if lanes is None else set(lanes.texts("from_location").tolist())


def _over(values: np.ndarray, row: np.ndarray, below: np.ndarray) -> np.ndarray:
    told = np.append(values, np.nan)[row]
    return np.where(np.isnan(told), below, told)


def name_some(axis: SeriesAxis, rows: np.ndarray) -> str:
    """Name the first few of some series, for a message."""
    shown = ", ".join(f"{axis.sku[at]}@{axis.location[at]}" for at in rows[:_NAMED].tolist())
    return shown + (f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else "")
