"""Sales rows to the panel: one number a series and period, with what is not known kept as a mask."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import SeriesAxis, TimeAxis, first_day_of_period
from stockcast.core.errors import DataError
from stockcast.ingest.calendar import Days
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.closed import without_closed
from stockcast.ingest.known import build_known
from stockcast.ingest.lost import lost_periods
from stockcast.ingest.origin import Origin
from stockcast.ingest.records import Groups, series_of
from stockcast.ingest.spec import IngestSpec
from stockcast.panel.known import PRICE, PROMOTION, KnownFuture


@final
@dataclass(frozen=True, slots=True)
class History:
    """What the sales say of each series and period; ``known`` reaches on where prices and promotions are planned."""

    time: TimeAxis
    sales: Float[np.ndarray, "series time"]
    observed: Bool[np.ndarray, "series time"]
    in_stock: Float[np.ndarray, "series time"]
    known: KnownFuture


def periods_of(sales: CheckedTable, origin: Origin, spec: IngestSpec) -> TimeAxis:
    """Give the periods from the first sale to the origin."""
    first = first_day_of_period(sales.dates("date").min()[None], spec.step, spec.week_start)[0]
    days = 7 if spec.step == "week" else 1
    return TimeAxis(first, int((origin.first_day - first).astype(np.int64)) // days + 1, spec.step)


def build_history(
    checked: CheckedTables, sales: CheckedTable, axis: SeriesAxis, time: TimeAxis, days: Days | None
) -> History:
    """Sum sales rows into periods, and fill the gaps as the config says.

    Parameters
    ----------
    time
        The periods of the history (:func:`periods_of`).
    days
        What is known of days at any time, if anything is.

    Raises
    ------
    DataError
        If a quantity is negative and ``returns: error`` forbids it.
    """
    findings = checked.findings
    is_return = _returns(checked, sales)
    sold = sales.take(np.flatnonzero(~is_return))
    series, period = series_of(sold, axis), time.index(sold.dates("date"))
    quantity, price, promotion = sold.numbers("quantity"), _prices(checked, sold), sold.numbers("promotion")
    key = series * time.n + period
    covariates = {
        name: sold.numbers(name)
        for name in dict.fromkeys(checked.spec.covariates)
        if sold.has(name) and name not in (PRICE, PROMOTION)
    }
    groups = Groups.of(key, *covariates.values(), promotion, price, quantity)
    total = groups.total(quantity)
    _count(checked, sales, len(groups.begin), int(is_return.sum()))
    if (total < 0).any():
        findings.warn(
            "SC-D025", "sales", f"{sales.source.label}: returns exceed sales in {int((total < 0).sum())} periods",
            "sales taken as 0 there", count=int((total < 0).sum()),
        )  # fmt: skip
    shape = (len(axis), time.n)
    units = _spread(groups.key, np.maximum(total, 0.0), shape, 0.0)
    recorded = _spread(groups.key, np.ones(len(groups.key)), shape, 0.0) > 0
    begun = np.maximum.accumulate(recorded, axis=1)
    lost = lost_periods(checked, axis, time, recorded)
    observed = recorded if sales.source.gaps == "missing" else begun & ~lost
    calendar = None if days is None else days.calendar()
    observed = without_closed(checked, axis, time, units, observed, calendar)
    shut = np.zeros(shape, dtype=bool) if calendar is None else calendar.closed(axis.location, 0, time.n)
    gaps = int((begun & ~recorded & ~lost & ~shut).sum())
    if gaps:
        meaning = "are not known" if sales.source.gaps == "missing" else "count as zero sales"
        findings.notes.append(f"{gaps} periods without a record, after a series' first, {meaning}")
    in_stock = _in_stock(checked, sold, axis, time)
    by_name = {
        PRICE: groups.mean(price, np.maximum(quantity, 0.0)),
        PROMOTION: groups.largest(promotion),
        **{name: groups.mean(values) for name, values in covariates.items()},
    }
    told = {name: _spread(groups.key, values, shape, np.nan) for name, values in by_name.items()}
    known = build_known(checked, axis, time, told, days, calendar)
    return History(time, units, observed, in_stock, known)


def _spread(key: np.ndarray, values: np.ndarray, shape: tuple[int, int], empty: float) -> np.ndarray:
    out = np.full(shape, empty)
    out.ravel()[key] = values
    return out


def _count(checked: CheckedTables, sales: CheckedTable, groups: int, returned: int) -> None:
    count = sales.count
    checked.findings.rows["sales"] = replace(
        count, kept=groups, merged=count.kept - returned - groups, returned=returned
    )


def _returns(checked: CheckedTables, sales: CheckedTable) -> np.ndarray:
    """Tell which rows are returns that stay out of demand."""
    negative = sales.numbers("quantity") < 0
    n, source, findings = int(negative.sum()), sales.source, checked.findings
    column = np.nansum(sales.numbers("returned"))
    if column > 0:
        findings.notes.append(f"{column:g} units in the column returned are kept out of demand")
    if not n:
        return negative
    units = -float(sales.numbers("quantity")[negative].sum())
    if source.returns == "error":
        lines = sales.place.line_of[sales.row[negative]][:5].tolist()
        raise DataError(
            f"{source.label}: {n} negative quantities, and sources.sales.returns is error",
            code="SC-D025",
            details=[f"first at {sales.place.word} {', '.join(map(str, lines))}"],
            help="set sources.sales.returns to separate or net",
        )
    if source.returns == "net":
        findings.inform(
            "SC-D025", "sales", f"{source.label}: {n} returns, {units:g} units", "netted in their period", count=n
        )
        return np.zeros_like(negative)
    first = sales.place.say(int(sales.row[int(negative.argmax())]), "quantity")
    findings.inform(
        "SC-D025", "sales", f"{source.label}: {n} negative quantities are returns, {units:g} units, first at {first}",
        "kept out of demand, counted", count=n, column=source.columns.get("quantity", "quantity"),
    )  # fmt: skip
    findings.notes.append(f"{n} returns, {units:g} units, are kept out of demand")
    return negative


def _prices(checked: CheckedTables, sold: CheckedTable) -> np.ndarray:
    price = sold.numbers("price")
    free = price == 0
    if free.any():
        checked.findings.inform(
            "SC-D045", "sales", f"{sold.source.label}: {int(free.sum())} rows have price 0", "price taken as not known",
            count=int(free.sum()), column="price",
        )  # fmt: skip
    return np.where(free, np.nan, price)


def _in_stock(checked: CheckedTables, sold: CheckedTable, axis: SeriesAxis, time: TimeAxis) -> np.ndarray:
    """Give the share of each period in stock: as recorded with the sales, else from ``stock_history``, else 1."""
    history = checked.tables.get("stock_history")
    if sold.has("in_stock"):
        if history is not None:
            checked.findings.inform(
                "SC-D041", "stock_history", f"{history.source.label}: sales has its own in_stock", "not used"
            )
        table, share = sold, np.where(np.isnan(sold.numbers("in_stock")), 1.0, sold.numbers("in_stock"))
    elif history is not None:
        table, share = history, (history.numbers("on_hand") > 0).astype(float)
    else:
        return np.ones((len(axis), time.n))
    series, dates = series_of(table, axis), table.dates("date")
    period = time.index(dates)
    inside = (series >= 0) & (period >= 0) & (period < time.n)
    series, dates, period, share = series[inside], dates[inside], period[inside], share[inside]
    # by day first: a day with many tills weighs no more than one with few
    day = (dates - time.start).astype(np.int64)
    by_day = Groups.of(series * (time.n * time.days) + day, share)
    daily, at = by_day.mean(share), by_day.order[by_day.begin]
    by_period = Groups.of(series[at] * time.n + period[at], daily)
    spread = _spread(by_period.key, by_period.mean(daily), (len(axis), time.n), 1.0)
    bounded: np.ndarray = np.clip(spread, 0.0, 1.0)
    return bounded
