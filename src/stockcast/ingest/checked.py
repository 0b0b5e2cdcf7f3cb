"""A table that has been checked: typed columns of the rows that stand, and the count of those that do not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int

from stockcast.core.findings import RowCount
from stockcast.ingest.convert import Coded
from stockcast.ingest.raw import Place
from stockcast.ingest.refusal import Findings
from stockcast.ingest.spec import IngestSpec, SourceSpec


@final
@dataclass(frozen=True, slots=True)
class CheckedTable:
    """The rows of one source that stand.

    Parameters
    ----------
    columns
        Typed columns by canonical name: float64 (NaN blank), datetime64[D] (NaT blank), or texts.
    row
        The position of each row in the file, for :attr:`place`.
    count
        What became of all rows of the file.
    """

    source: SourceSpec
    columns: Mapping[str, np.ndarray | Coded]
    row: Int[np.ndarray, " row"]
    place: Place
    count: RowCount

    def __len__(self) -> int:
        """Give the number of rows."""
        return len(self.row)

    def has(self, name: str) -> bool:
        """Tell whether the file has a column."""
        return name in self.columns

    def coded(self, name: str) -> Coded:
        """Give a text column; all blank where the file has none of that name."""
        column = self.columns.get(name)
        if isinstance(column, Coded):
            return column
        return Coded(np.full(len(self), -1, dtype=np.int64), np.empty(0, dtype="<U1"))

    def texts(self, name: str) -> np.ndarray:
        """Give a text column as one text a row."""
        return self.coded(name).texts()

    def numbers(self, name: str) -> np.ndarray:
        """Give a number column; NaN where the file has none of that name."""
        column = self.columns.get(name)
        return column if isinstance(column, np.ndarray) else np.full(len(self), np.nan)

    def dates(self, name: str) -> np.ndarray:
        """Give a date column; NaT where the file has none of that name."""
        column = self.columns.get(name)
        if isinstance(column, np.ndarray):
            return column
        return np.full(len(self), np.datetime64("NaT"), dtype="datetime64[D]")

    def take(self, rows: np.ndarray, count: RowCount | None = None) -> "CheckedTable":
        """Give some rows."""
        columns = {
            name: column.take(rows) if isinstance(column, Coded) else column[rows]
            for name, column in self.columns.items()
        }
        return CheckedTable(self.source, columns, self.row[rows], self.place, count or self.count)


@final
@dataclass(frozen=True, slots=True)
class CheckedTables:
    """All sources, checked, with what there is to tell so far.

    ``lost_sales`` holds the refused rows of sales of which series and date can be read.
    """

    spec: IngestSpec
    tables: Mapping[str, CheckedTable]
    hashes: Mapping[str, str]
    findings: Findings
    lost_sales: CheckedTable | None = None
