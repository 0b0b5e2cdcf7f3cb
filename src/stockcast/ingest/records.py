"""Rows of a table by series and by key: what sums and means over a period are made of."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.axes import SeriesAxis
from stockcast.ingest.checked import CheckedTable


def pairs_of(table: CheckedTable) -> tuple[np.ndarray, np.ndarray, Int[np.ndarray, " row"]]:
    """Give the distinct (sku, location) pairs of a table, and the pair of each row."""
    sku, place = table.coded("sku"), table.coded("location")
    key = sku.codes * (len(place.names) + 1) + place.codes
    distinct, first, of_row = np.unique(key, return_index=True, return_inverse=True)
    del distinct
    return sku.names[sku.codes[first]], place.names[place.codes[first]], of_row.ravel().astype(np.int64)


def series_of(table: CheckedTable, axis: SeriesAxis) -> Int[np.ndarray, " row"]:
    """Give the series of each row, −1 where it is not on the axis."""
    if not len(table):
        return np.empty(0, dtype=np.int64)
    sku, place, of_row = pairs_of(table)
    series: np.ndarray = axis.locate(sku, place)[of_row]
    return series


@final
@dataclass(frozen=True, slots=True)
class Groups:
    """Rows in the order of a key, and where each group begins.

    Rows of one key are ordered by their values, so that sums do not depend on the order of the file.
    """

    order: Int[np.ndarray, " row"]
    begin: Int[np.ndarray, " group"]
    key: Int[np.ndarray, " group"]

    @classmethod
    def of(cls, key: Int[np.ndarray, " row"], *values: np.ndarray) -> "Groups":
        """Group rows by key."""
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        fresh = np.append(True, ordered[1:] != ordered[:-1]) if len(key) else np.empty(0, dtype=bool)
        if not fresh.all():
            order = np.lexsort((*values, key))
        begin = np.flatnonzero(fresh)
        return cls(order.astype(np.int64), begin.astype(np.int64), ordered[begin])

    def total(self, values: Float[np.ndarray, " row"]) -> Float[np.ndarray, " group"]:
        """Add up the values of each group."""
        return np.add.reduceat(values[self.order], self.begin) if len(self.begin) else np.empty(0)

    def largest(self, values: Float[np.ndarray, " row"]) -> Float[np.ndarray, " group"]:
        """Give the largest value of each group, NaN where all are."""
        return np.fmax.reduceat(values[self.order], self.begin) if len(self.begin) else np.empty(0)

    def mean(
        self, values: Float[np.ndarray, " row"], weights: Float[np.ndarray, " row"] | None = None
    ) -> Float[np.ndarray, " group"]:
        """Give the mean of the values that are not NaN (NaN where all are); a plain one where all weights are 0."""
        known = ~np.isnan(values)
        plain = _ratio(self.total(np.where(known, values, 0.0)), self.total(known.astype(float)))
        if weights is None:
            return plain
        weight = np.where(known, weights, 0.0)
        by_weight = _ratio(self.total(np.where(known, values * weight, 0.0)), self.total(weight))
        return np.where(np.isnan(by_weight), plain, by_weight)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return ratio
