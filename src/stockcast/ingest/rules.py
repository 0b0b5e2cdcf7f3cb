"""The rules that refuse rows, one function each: a table's columns in, the refused rows and why out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from stockcast.ingest.convert import Coded, Converted, Fault
from stockcast.ingest.raw import excerpt
from stockcast.ingest.schema import Column, Table

LONE_GAP_DAYS = 366  # between a lone date and the rest of the history
LONE_SHARE = 0.01  # of the rows, at most, may be called lone
AHEAD_GAP_DAYS = 35  # between the history and a few rows after it
AHEAD_SHARE = 0.1  # of the rows of a usual day, at most, may be called lone after such a gap


@final
@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused row: the canonical column, what is wrong, and the value as it stood."""

    row: int
    column: str
    fault: Fault
    value: str


Columns = Mapping[str, Converted]


def _raw_value(column: Converted, row: int) -> str:
    code = int(column.raw.codes[row])
    return "" if code < 0 else excerpt(column.raw.values[code])


def unreadable_values(table: Table, columns: Columns) -> Iterator[Refusal]:
    """Refuse rows with a value that is not of its column's type."""
    for name, column in columns.items():
        for row in column.faulty_rows().tolist():
            yield Refusal(row, name, column.faults[int(column.raw.codes[row])], _raw_value(column, row))


def blanks(table: Table, columns: Columns) -> Iterator[Refusal]:
    """Refuse rows without a value that they need."""
    for name, column in columns.items():
        schema = table.columns.get(name)
        if schema is None or not schema.refuses_blank:
            continue
        values = column.values
        if isinstance(values, Coded):
            empty = values.codes < 0
        elif np.issubdtype(values.dtype, np.datetime64):
            empty = np.isnat(values)
        else:
            empty = np.isnan(values)
        empty = empty.copy()
        empty[column.faulty_rows()] = False
        for row in np.flatnonzero(empty).tolist():
            yield Refusal(row, name, Fault("SC-D012", f"{name} is blank"), "")


def _said_range(schema: Column) -> str:
    if schema.open_range:
        return f"must lie between {schema.low:g} and {schema.high:g}"
    return (
        f"must be at least {schema.low:g}"
        if np.isinf(schema.high)
        else f"must lie in {schema.low:g} to {schema.high:g}"
    )


def out_of_range(table: Table, columns: Columns) -> Iterator[Refusal]:
    """Refuse rows with a number outside its column's range."""
    for name, column in columns.items():
        schema = table.columns.get(name)
        if schema is None or schema.kind not in ("number", "flag") or isinstance(column.values, Coded):
            continue
        values = column.values
        if schema.open_range:
            bad = (values <= schema.low) | (values >= schema.high)
        else:
            bad = (values < schema.low) | (values > schema.high)
        for row in np.flatnonzero(bad).tolist():
            hint = ""
            if schema.open_range and 1 < values[row] < 100:
                hint = f" (did you mean {values[row] / 100:g}?)"
            fault = Fault("SC-D016", f"{values[row]:g} is out of range: {_said_range(schema)}{hint}")
            yield Refusal(row, name, fault, _raw_value(column, row))


def reversed_intervals(table: Table, columns: Columns) -> Iterator[Refusal]:
    """Refuse intervals that end before they begin."""
    if "from" not in columns or "to" not in columns:
        return
    begin, end = columns["from"].values, columns["to"].values
    if isinstance(begin, Coded) or isinstance(end, Coded):
        return
    for row in np.flatnonzero(end < begin).tolist():
        yield Refusal(
            row, "to", Fault("SC-D016", f"ends on {end[row]}, before it begins on {begin[row]}"), str(end[row])
        )


def lanes_to_themselves(table: Table, columns: Columns) -> Iterator[Refusal]:
    """Refuse lanes that lead to where they begin."""
    if "from_location" not in columns or "to_location" not in columns:
        return
    begin, end = columns["from_location"].values, columns["to_location"].values
    if not isinstance(begin, Coded) or not isinstance(end, Coded):
        return
    names = begin.texts()
    for row in np.flatnonzero((names == end.texts()) & (names != "")).tolist():
        yield Refusal(row, "to_location", Fault("SC-D120", f"the lane leads from {names[row]} to itself"), names[row])


def lone_dates(table: Table, columns: Columns) -> Iterator[Refusal]:
    """Refuse the few rows whose dates lie far from all others: they would stretch every series.

    A wrong century or a placeholder (1970-01-01), more than a year off, is not part of a history; nor are rows that
    follow it after more than 35 days and are, together, less than a tenth of a usual day: a reopened shop sells more.
    """
    if "quantity" not in columns or "date" not in columns or isinstance(columns["date"].values, Coded):
        return
    dates = columns["date"].values
    known = ~np.isnat(dates)
    days, counts = np.unique(dates[known], return_counts=True)
    if len(days) < 3:
        return
    gaps = np.flatnonzero(np.diff(days).astype(np.int64) > LONE_GAP_DAYS)
    share = np.cumsum(counts) / counts.sum()
    early = [at for at in gaps.tolist() if share[at] <= LONE_SHARE]
    late = [at for at in gaps.tolist() if 1 - share[at] <= LONE_SHARE]
    few = AHEAD_SHARE * float(np.median(counts))
    ahead = np.flatnonzero(np.diff(days).astype(np.int64) > AHEAD_GAP_DAYS)
    late += [at for at in ahead.tolist() if counts[at + 1 :].sum() <= few]
    first = days[early[-1] + 1] if early else days[0]
    last = days[min(late)] if late else days[-1]
    for row in np.flatnonzero(known & ((dates < first) | (dates > last))).tolist():
        gap = int(max(dates[row] - last, first - dates[row]).astype(np.int64))
        fault = Fault("SC-D028", f"{dates[row]} lies {gap} days from all other sales ({first} … {last})")
        yield Refusal(row, "date", fault, str(dates[row]))


RULES = (unreadable_values, blanks, out_of_range, reversed_intervals, lanes_to_themselves, lone_dates)
