"""Values that are kept and doubted: far out of a series' own range, or in parts where only whole units make sense."""

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.findings import Issue
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.records import series_of
from stockcast.panel.attributes import Attributes
from stockcast.panel.outliers import FEWEST, outliers

PRICE_JUMP = 50.0  # times, or one part of, the median price
MOST_TOLD = 20  # one by one
_TRUE = ("1", "true", "yes", "y")


def price_jumps(series: Int[np.ndarray, " record"], price: Float[np.ndarray, " record"]) -> Int[np.ndarray, " jump"]:
    """Find the records whose price is 50 times the median price of their series, or one part in 50 of it.

    Examples
    --------
    >>> price_jumps(np.zeros(9, dtype=np.int64), np.array([2.0, 2, 2, 2, 200, 2, 2, 2, 2])).tolist()
    [4]
    """
    told = np.flatnonzero(price > 0)
    n = int(series.max(initial=-1)) + 1
    low, high = np.full(n, np.inf), np.zeros(n)
    np.minimum.at(low, series[told], price[told])
    np.maximum.at(high, series[told], price[told])
    likely = (high >= PRICE_JUMP * low) & (np.bincount(series[told], minlength=n) >= FEWEST)
    told = told[likely[series[told]]]
    order = told[np.lexsort((price[told], series[told]))]
    names, begin, count = np.unique(series[order], return_index=True, return_counts=True)
    median = np.ones(n)
    median[names] = price[order[begin + (count - 1) // 2]]
    ratio = price[told] / median[series[told]]
    return np.sort(told[(ratio >= PRICE_JUMP) | (ratio <= 1 / PRICE_JUMP)])


def tell_of_outliers(
    checked: CheckedTables,
    sold: CheckedTable,
    axis: SeriesAxis,
    time: TimeAxis,
    key: Int[np.ndarray, " record"],
    units: Float[np.ndarray, " record"],
    price: Float[np.ndarray, " record"],
    expected: Bool[np.ndarray, " record"],
) -> None:
    """Flag the periods whose sales or price are far out of their series' range; they are kept.

    Models read such sales as the largest other value of the series (:func:`stockcast.panel.calmed`).

    Sales under a promotion or an event are no doubt however high they are; how many there are is told.

    Parameters
    ----------
    sold
        The rows of sales.
    key
        The series and period of each record, as one number: series × periods + period.
    units, price
        What each record sold, and at which mean price.
    expected
        Whether a promotion or an event gives a reason to sell more.
    """
    findings, series = checked.findings, key // time.n
    found, median = outliers(series, units)
    excused = expected[found]
    if excused.any():
        findings.inform(
            "SC-D082", "sales",
            f"{sold.source.label}: {len(found)} periods are far above the usual of their series, "
            f"{int(excused.sum())} of them under promotions or events", "kept, and those not doubted",
            count=int(excused.sum()), column="quantity",
        )  # fmt: skip
    found, median = found[~excused], median[~excused]
    farthest = np.argsort(-units[found] / median, kind="stable")[:MOST_TOLD]
    for record, usual in zip(found[farthest].tolist(), median[farthest].tolist(), strict=True):
        rows = _rows_of(sold, axis, time, int(key[record]))
        row = int(rows[sold.numbers("quantity")[rows].argmax()])
        findings.issues.append(
            _issue(
                sold, row, "quantity", "SC-D082", f"{units[record]:g}",
                f"sold {units[record]:g}, usual {usual:g}: an outlier of {_named(axis, time, int(key[record]))} "
                "(usual is the median of its periods with sales)",
                "kept, and read as the largest other by models; check it",
            )
        )  # fmt: skip
    if len(found) > MOST_TOLD:
        findings.warn(
            "SC-D082", "sales", f"{sold.source.label}: {len(found) - MOST_TOLD} more periods are outliers",
            "kept, and read as the largest other by models; check them", column="quantity",
            count=len(found) - MOST_TOLD,
        )  # fmt: skip
    jumps = price_jumps(series, price)
    if len(jumps):
        first = int(jumps[0])
        row = int(_rows_of(sold, axis, time, int(key[first]))[0])
        findings.issues.append(
            _issue(
                sold, row, "price", "SC-D083", f"{price[first]:g}",
                f"{len(jumps)} prices are {PRICE_JUMP:g} times the usual of their item, or a {PRICE_JUMP:g}th: the "
                f"first, {_named(axis, time, int(key[first]))}, is {price[first]:g}", "kept; check its unit",
                count=len(jumps),
            )
        )  # fmt: skip


def _named(axis: SeriesAxis, time: TimeAxis, key: int) -> str:
    series, period = divmod(key, time.n)
    return f"{axis.sku[series]}@{axis.location[series]} of {time.date(period)}"


def _rows_of(sold: CheckedTable, axis: SeriesAxis, time: TimeAxis, key: int) -> Int[np.ndarray, " row"]:
    """Give the rows that make up one record."""
    series, period = divmod(key, time.n)
    near = np.flatnonzero(time.index(sold.dates("date")) == period)
    rows: np.ndarray = near[series_of(sold.take(near), axis) == series]
    return rows


def _issue(
    table: CheckedTable, row: int, column: str, code: str, value: str, message: str, action: str, count: int = 1
) -> Issue:
    at, shown = int(table.row[row]), table.source.columns.get(column, column)
    cell = table.place.cell(at, column)
    line = None if cell else int(table.place.line_of[at])
    said = f"{table.source.label} {table.place.say(at, column)}, column {shown}: {message}"
    return Issue("warning", code, table.source.name, said, action, line, cell, shown, value, count)


def tell_of_parts(checked: CheckedTables, axis: SeriesAxis, attributes: Attributes) -> None:
    """Warn of quantities in parts of items whose attribute ``must_be_whole`` is set (1, true, yes)."""
    if "must_be_whole" not in attributes.columns:
        return
    whole = np.append(np.isin(np.char.lower(attributes.column("must_be_whole")), _TRUE), False)
    for name, column in (("sales", "quantity"), ("inventory", "on_hand"), ("open_orders", "quantity")):
        table = checked.tables.get(name)
        if table is None or not len(table):
            continue
        values = table.numbers(column)
        rows = np.flatnonzero(whole[series_of(table, axis)] & (values != np.round(values)))
        if len(rows):
            row = int(rows[0])
            checked.findings.issues.append(
                _issue(
                    table, row, column, "SC-D084", f"{values[row]:g}",
                    f"{len(rows)} values are not whole, of items that must_be_whole: the first is {values[row]:g} of "
                    f"{table.texts('sku')[row]}", "used as they are", count=len(rows),
                )
            )  # fmt: skip
