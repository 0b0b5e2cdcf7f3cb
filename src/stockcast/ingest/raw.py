"""A table as it was read: every column as codes into its distinct values, and where each row stands in its file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.findings import Issue
from stockcast.ingest.spec import IngestSpec, SourceSpec

EXCERPT = 80  # characters of a value that a message shows


@final
@dataclass(frozen=True, slots=True)
class RawColumn:
    """One column: the distinct values, and which of them each row has (−1 where it is blank).

    Conversions work on the distinct values, in plain Python and exactly, however many rows there are.
    """

    codes: Int[np.ndarray, " row"]
    values: Sequence[object] | Float[np.ndarray, " distinct"]


@final
@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: a physical line of a text, a row number, or the row of a sheet.

    ``line_of`` holds the line or row number of each row; with ``letters`` (by canonical column) it is a sheet, and a
    cell has an address. ``word`` names what is counted, for messages.
    """

    line_of: Int[np.ndarray, " row"]
    word: str = "line"
    letters: Mapping[str, str] = field(default_factory=dict)

    def cell(self, row: int, column: str | None) -> str | None:
        """Give the address of a cell on a sheet."""
        letter = self.letters.get(column or "")
        return f"{letter}{self.line_of[row]}" if letter else None

    def say(self, row: int, column: str | None) -> str:
        """Name the place in words.

        Examples
        --------
        >>> Place(np.array([2, 5])).say(1, "quantity")
        'line 5'
        """
        cell = self.cell(row, column)
        return f"cell {cell}" if cell else f"{self.word} {self.line_of[row]}"


@final
@dataclass(frozen=True, slots=True)
class RawTable:
    """One source as it was read.

    Parameters
    ----------
    found
        The column names of the file, in its order.
    columns
        By canonical name, for the schema's columns that the file has, and by their own name for others that are held.
    refused
        Issues of rows that are no records at all (ragged, undecodable); they are not among the ``n`` rows.
    fingerprint
        A hash of all columns of each row; None where rows may not repeat anyway.
    unfinished
        Whether the last row has no newline, so that a bad value in it means a truncated file.
    ignored
        Columns of the file that nothing reads.
    """

    source: SourceSpec
    n: int
    found: tuple[str, ...]
    columns: Mapping[str, RawColumn]
    place: Place
    digest: str
    refused: tuple[Issue, ...] = ()
    fingerprint: np.ndarray | None = None
    unfinished: bool = False
    ignored: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class RawTables:
    """All sources as they were read."""

    spec: IngestSpec
    tables: Mapping[str, RawTable]


def excerpt(value: object) -> str:
    r"""Show a value in a message, shortened and without control characters.

    Examples
    --------
    >>> excerpt("a\0b")
    'a\\x00b'
    """
    text = value if isinstance(value, str) else str(value)
    text = text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
