"""What to read, and what comes out: the two sides of the ingest layer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, final

import numpy as np
from jaxtyping import Bool

from stockcast.core.arrays import freeze
from stockcast.core.axes import Step
from stockcast.core.findings import Alert, Issue, RowCount
from stockcast.inventory.outlook import Outlook
from stockcast.inventory.state import InventoryState
from stockcast.inventory.terms import Objective, SharedTerms, SupplyTerms, UnmetDemand
from stockcast.panel.panel import Panel

Format = Literal["csv", "parquet", "excel", "duckdb"]
FORMATS: Mapping[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".ods": "excel",
    ".duckdb": "duckdb",
    ".db": "duckdb",
}


@final
@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One input file and how to read it.

    Parameters
    ----------
    name
        The table that it holds, a key of ``schema.TABLES``.
    label
        The path as the user wrote it, for messages.
    columns
        From canonical names to those of the file.
    format
        Read off the suffix when None.
    delimiter, decimal, encoding
        Of a text file; None for the default (comma, or tab in ``.tsv``; UTF-8, or UTF-16 by its mark).
    date_format
        A ``strptime`` pattern; None for ISO dates.
    timezone
        The zone in which a timestamp's day is taken.
    sheet, table, query
        The sheet of a workbook; the table of a DuckDB file; SQL over the file, which it sees as the view ``source``.
    gaps
        What a missing day of a series is: a zero sale, or unknown.
    returns
        Negative sales: kept apart, netted in their period, or refused.
    status
        From the user's order statuses to those of the interface.
    """

    name: str
    path: Path
    label: str
    columns: Mapping[str, str] = field(default_factory=dict)
    format: Format | None = None
    delimiter: str | None = None
    decimal: str = "."
    encoding: str | None = None
    date_format: str | None = None
    timezone: str | None = None
    sheet: str | None = None
    table: str | None = None
    query: str | None = None
    gaps: Literal["zero", "missing"] = "zero"
    returns: Literal["separate", "net", "error"] = "separate"
    status: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> Format | None:
        """Give the format, by suffix where it is not declared; None for a suffix that says nothing."""
        suffixes = [suffix.lower() for suffix in self.path.suffixes]
        if suffixes and suffixes[-1] == ".gz":
            suffixes.pop()
        return self.format or (FORMATS.get(suffixes[-1]) if suffixes else None)


@final
@dataclass(frozen=True, slots=True)
class IngestSpec:
    """All that turning files into arrays depends on.

    Parameters
    ----------
    sources
        By table name.
    step, week_start
        The length of a period, and the weekday on which a week begins (0 for Monday).
    as_of
        A day of the last known period; None for the newest that is complete.
    max_bad_rows
        The share of a source's rows that may be quarantined.
    select
        A ``--select`` expression, or None.
    root
        The folder of the config, for ``@file``.
    defaults
        ``plan.defaults``: any term of an item, and ``holding_rate``.
    objective, target
        The config's objective and its service level (0 under ``cost``).
    covariates
        Columns of sales, known_future and calendar beyond the schema that the forecast uses.
    country, region
        Whose public holidays count where ``locations`` names none.
    horizon
        Periods that the config asks to forecast; 0 where it leaves that open.
    storage
        The volume that each location can hold; over what ``locations`` says.
    reviews_ahead
        Reviews that a plan looks at, this one included.
    orders
        Whether orders are to come of it, so that a cost which they need and nobody gives ends the reading.
    """

    sources: Mapping[str, SourceSpec]
    step: Step = "day"
    week_start: int = 0
    as_of: np.datetime64 | None = None
    max_bad_rows: float = 0.05
    select: str | None = None
    root: Path = Path()
    defaults: Mapping[str, object] = field(default_factory=dict)
    objective: Objective = "cost"
    target: float = 0.0
    unmet_demand: UnmetDemand = "lost"
    budget: float | None = None
    order_scope: Literal["supplier", "supplier_location"] = "supplier"
    covariates: tuple[str, ...] = ()
    country: str | None = None
    region: str | None = None
    horizon: int = 0
    storage: Mapping[str, float] = field(default_factory=dict)
    reviews_ahead: int = 1
    orders: bool = True


@final
@dataclass(frozen=True, slots=True)
class Inputs:
    """The checked inputs as arrays, and everything that has to be told about them.

    Parameters
    ----------
    rows, hashes
        What became of each source's rows; the SHA-256 of each source file.
    notes
        Sentences for the summary.
    next_review
        First day of the period of each series' first review (datetime64[D]); NaT where none is known.
    has_item, has_stock
        Whether a series has a row in the item master, and in the inventory.
    held
        Whether a series is held because the sales of its location are missing from the newest days.
    outlook
        The reviews to look at and what a unit costs then; None where a plan looks at the next one alone.
    """

    panel: Panel
    state: InventoryState
    terms: SupplyTerms
    shared: SharedTerms
    issues: tuple[Issue, ...]
    alerts: tuple[Alert, ...]
    rows: Mapping[str, RowCount]
    hashes: Mapping[str, str]
    notes: tuple[str, ...]
    next_review: np.ndarray
    has_item: Bool[np.ndarray, " series"]
    has_stock: Bool[np.ndarray, " series"]
    held: Bool[np.ndarray, " series"]
    outlook: Outlook | None = None

    def __post_init__(self) -> None:
        """Freeze the arrays and hold the parts to one series axis."""
        self.panel.series.require(self.state.series, "panel and state")
        self.panel.series.require(self.terms.series, "panel and terms")
        freeze(self, next_review=self.next_review, has_item=self.has_item, has_stock=self.has_stock, held=self.held)

    @property
    def movable(self) -> Bool[np.ndarray, " series"]:
        """Tell whose stock is known and has terms, so that it may be moved between locations."""
        return self.has_item & self.has_stock & ~self.held
