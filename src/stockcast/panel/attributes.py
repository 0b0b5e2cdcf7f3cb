"""What is known of a series besides its history: category, price class, any text of the item master."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np

from stockcast.core.arrays import read_only
from stockcast.core.axes import SeriesAxis
from stockcast.core.errors import AlignmentError

SELLS_NOTHING = "sells_nothing"  # the column that says why nothing is ever sold of a series; empty where it is


@final
@dataclass(frozen=True, slots=True)
class Attributes:
    """Named text columns on a series axis; an empty text says that the value is not known.

    Examples
    --------
    >>> axis = SeriesAxis(np.array(["a", "b"]), np.array(["x", "x"]))
    >>> Attributes(axis, {"category": np.array(["food", ""])}).column("category").tolist()
    ['food', '']
    """

    series: SeriesAxis
    columns: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        """Check the lengths and freeze the columns."""
        held = {}
        for name in sorted(self.columns):
            column = self.columns[name].astype(np.str_)
            if column.shape != (len(self.series),):
                raise AlignmentError(f"attribute {name!r} has {column.shape} values for {len(self.series)} series")
            held[name] = read_only(column)
        object.__setattr__(self, "columns", MappingProxyType(held))

    def column(self, name: str) -> np.ndarray:
        """Give one column, or all-empty texts where there is none of that name."""
        if name in self.columns:
            return self.columns[name]
        return read_only(np.zeros(len(self.series), dtype="<U1"))

    def take(self, rows: np.ndarray, series: SeriesAxis | None = None) -> "Attributes":
        """Give the attributes of some rows; ``series`` is their axis, where it is made already."""
        return Attributes(
            series or self.series.take(rows), {name: column[rows] for name, column in self.columns.items()}
        )

    def __reduce__(self) -> tuple[type, tuple[SeriesAxis, dict[str, np.ndarray]]]:
        """Pickle without the read-only proxy."""
        return Attributes, (self.series, dict(self.columns))
