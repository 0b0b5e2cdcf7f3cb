"""Rows that stand twice, and ids that are nearly one another."""

import re
from dataclasses import replace

import numpy as np

from stockcast.core.errors import DataError
from stockcast.core.findings import Issue
from stockcast.ingest.checked import CheckedTable
from stockcast.ingest.convert import Coded
from stockcast.ingest.raw import excerpt
from stockcast.ingest.refusal import Findings

_DAMAGE = re.compile(r"\d+([.,]\d+)?E[+-]?\d+|\d{1,2}-[A-Z][a-z]{2}", re.ASCII)
_SHOWN = 3
MAX_TOLD = 1000  # rows that are kept and told one by one


def _as_numbers(column: np.ndarray | Coded) -> np.ndarray:
    """Give whole numbers that are equal where the values are; a blank equals a blank."""
    if isinstance(column, Coded):
        return column.codes
    bits = column.astype("datetime64[D]").view(np.int64) if column.dtype.kind == "M" else column + 0.0
    return np.unique(bits, return_inverse=True)[1].ravel()


def groups_of(columns: list[np.ndarray]) -> np.ndarray:
    """Give a number to each distinct combination of some columns of whole numbers, one a row."""
    group = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        distinct = np.unique(column, return_inverse=True)[1].ravel().astype(np.int64)
        group = np.unique(group * (int(distinct.max(initial=0)) + 1) + distinct, return_inverse=True)[1].ravel()
    return group


def repeated_rows(table: CheckedTable, fingerprint: np.ndarray, findings: Findings) -> None:
    """Flag rows that equal an earlier row in every column; they are kept, for two like sales are normal."""
    source = table.source
    if source.name == "open_orders" and table.has("order_id"):
        return
    order = np.argsort(fingerprint, kind="stable")
    same = np.flatnonzero(fingerprint[order][1:] == fingerprint[order][:-1]) + 1
    found = np.sort(order[same])
    if len(found) > MAX_TOLD:
        findings.inform(
            "SC-D020", source.name,
            f"{source.label}: {len(found) - MAX_TOLD} more rows are possible_duplicate, equal to an earlier row",
            "kept", count=len(found) - MAX_TOLD,
        )  # fmt: skip
    for row in found[:MAX_TOLD].tolist():
        line = int(table.place.line_of[table.row[row]])
        findings.issues.append(
            Issue(
                "info",
                "SC-D020",
                source.name,
                f"{source.label} {table.place.word} {line}: possible_duplicate, equal to an earlier row",
                "kept",
                line=line,
            )
        )


def unique_rows(table: CheckedTable, key: tuple[str, ...], findings: Findings) -> CheckedTable:
    """Merge rows that say the same of one key; rows in which all is equal, where ``key`` is all of the columns.

    Raises
    ------
    DataError
        If two rows say different things of one key; it names the first five keys.
    """
    if key[0] == "order_id" and not table.has("order_id"):
        return table  # orders without a number may be alike
    parts = [_as_numbers(table.columns[name]) for name in key if table.has(name)]
    if key[0] == "order_id":
        parts[0] = np.where(parts[0] < 0, -1 - np.arange(len(table)), parts[0])  # no number: each row its own
    group = groups_of(parts)
    first = np.unique(group, return_index=True)[1]
    if len(first) == len(group):
        return table
    whole = groups_of([_as_numbers(column) for column in table.columns.values()])
    differs = whole != whole[first][group]
    if differs.any():
        conflicts = np.unique(group[differs])
        source = table.source
        details = []
        for at in conflicts[:5].tolist():
            rows = np.flatnonzero(group == at)[:_SHOWN]
            named = ", ".join(f"{name} {_shown(table.columns[name], int(rows[0]))}" for name in key if table.has(name))
            lines = ", ".join(str(table.place.line_of[table.row[row]]) for row in rows)
            details.append(f"{named}: {table.place.word}s {lines}")
        said = "1 key stands" if len(conflicts) == 1 else f"{len(conflicts)} keys stand"
        raise DataError(
            f"{source.label}: {said} on rows that differ",
            code="SC-D021",
            details=details,
            help="keep one row for each " + ", ".join(name for name in key if table.has(name)),
        )
    merged = len(group) - len(first)
    findings.inform(
        "SC-D040", table.source.name, f"{table.source.label}: {merged} rows equal another", "merged", count=merged
    )
    count = table.count
    return table.take(np.sort(first), replace(count, kept=len(first), merged=count.merged + merged))


def require_agreement(table: CheckedTable, key: tuple[str, ...]) -> None:
    """Raise where rows of one key give two numbers for one column; a blank says nothing.

    Raises
    ------
    DataError
        It names the column and the first five keys.
    """
    parts = [_as_numbers(table.columns[name]) for name in key if table.has(name)]
    group = groups_of(parts)
    n = int(group.max(initial=-1)) + 1
    for name, column in table.columns.items():
        if isinstance(column, Coded) or column.dtype.kind == "M":
            continue
        low, high = np.full(n, np.inf), np.full(n, -np.inf)
        told = ~np.isnan(column)
        np.minimum.at(low, group[told], column[told])
        np.maximum.at(high, group[told], column[told])
        conflicts = np.flatnonzero(low < high)
        if not len(conflicts):
            continue
        details = []
        for at in conflicts[:5].tolist():
            rows = np.flatnonzero((group == at) & told)
            named = ", ".join(f"{part} {_shown(table.columns[part], int(rows[0]))}" for part in key if table.has(part))
            lines = ", ".join(str(table.place.line_of[table.row[row]]) for row in rows[:_SHOWN])
            values = ", ".join(f"{column[row]:g}" for row in rows[:_SHOWN])
            details.append(f"{named}: {table.place.word}s {lines} say {values}")
        said = "1 key stands" if len(conflicts) == 1 else f"{len(conflicts)} keys stand"
        raise DataError(
            f"{table.source.label}: {said} on rows that differ in {table.source.columns.get(name, name)}",
            code="SC-D021",
            details=details,
            help="give one value for each " + ", ".join(part for part in key if table.has(part)),
        )


def _shown(column: np.ndarray | Coded, row: int) -> str:
    if isinstance(column, Coded):
        return excerpt(column.texts()[row])
    return str(column[row])


def near_equal_ids(table: CheckedTable, name: str, findings: Findings) -> None:
    """Warn once of ids that differ in case only: they stay apart."""
    column = table.coded(name)
    folded: dict[str, list[str]] = {}
    for text in column.names[np.unique(column.codes[column.codes >= 0])].tolist():
        folded.setdefault(text.casefold(), []).append(text)
    near = [sorted(texts) for texts in folded.values() if len(texts) > 1]
    if near:
        shown = "; ".join(" and ".join(excerpt(text) for text in texts) for texts in sorted(near)[:5])
        findings.warn(
            "SC-D022", table.source.name,
            f"{table.source.label}: {len(near)} ids of {name} differ in case only: {shown}",
            "kept apart", count=len(near), column=name,
        )  # fmt: skip


def damaged_ids(table: CheckedTable, name: str, findings: Findings) -> None:
    """Warn once of ids that look as a spreadsheet leaves them (``1E+05``, ``2-Mar``); they are kept as they are."""
    column = table.coded(name)
    used = column.names[np.unique(column.codes[column.codes >= 0])].tolist()
    odd = [text for text in used if _DAMAGE.fullmatch(text)]
    if odd:
        findings.warn(
            "SC-D024", table.source.name,
            f"{table.source.label}: {len(odd)} ids of {name} look like a number or date that a spreadsheet made: "
            + ", ".join(odd[:5]),
            "kept as they are; check the export", count=len(odd), column=name,
        )  # fmt: skip
