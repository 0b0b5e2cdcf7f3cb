"""Sales rows to the panel: one number a series and period, with what is not known kept as a mask."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.axes import SeriesAxis, TimeAxis, first_day_of_period
from stockcast.core.errors import DataError
from stockcast.core.findings import RowCount
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.origin import Origin
from stockcast.panel.known import KnownFuture

MAX_FUTURE_DAYS = 800  # of known_future


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


@final
@dataclass(frozen=True, slots=True)
class History:
    """What the sales say of each series and period; ``known`` reaches on where prices and promotions are planned."""

    time: TimeAxis
    sales: Float[np.ndarray, "series time"]
    observed: Bool[np.ndarray, "series time"]
    in_stock: Float[np.ndarray, "series time"]
    known: KnownFuture


def build_history(checked: CheckedTables, sales: CheckedTable, axis: SeriesAxis, origin: Origin) -> History:
    """Sum sales rows into periods, and fill the gaps as the config says.

    Raises
    ------
    DataError
        If a quantity is negative and ``returns: error`` forbids it.
    """
    spec, findings = checked.spec, checked.findings
    first = first_day_of_period(sales.dates("date").min()[None], spec.step, spec.week_start)[0]
    days = 7 if spec.step == "week" else 1
    time = TimeAxis(first, int((origin.first_day - first).astype(np.int64)) // days + 1, spec.step)
    is_return = _returns(checked, sales)
    sold = sales.take(np.flatnonzero(~is_return))
    series, period = series_of(sold, axis), time.index(sold.dates("date"))
    quantity, price, promotion = sold.numbers("quantity"), _prices(checked, sold), sold.numbers("promotion")
    key = series * time.n + period
    groups = Groups.of(key, promotion, price, quantity)
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
    observed = recorded if sales.source.gaps == "missing" else begun
    gaps = int(begun.sum() - recorded.sum())
    if gaps:
        meaning = "are not known" if sales.source.gaps == "missing" else "count as zero sales"
        findings.notes.append(f"{gaps} periods without a record, after a series' first, {meaning}")
    in_stock = _in_stock(checked, sold, axis, time)
    known = _known(
        checked,
        axis,
        time,
        _spread(groups.key, groups.mean(price, np.maximum(quantity, 0.0)), shape, np.nan),
        _spread(groups.key, groups.largest(promotion), shape, np.nan),
    )
    return History(time, units, observed, in_stock, known)


def _spread(key: np.ndarray, values: np.ndarray, shape: tuple[int, int], empty: float) -> np.ndarray:
    out = np.full(shape, empty)
    out.ravel()[key] = values
    return out


def _count(checked: CheckedTables, sales: CheckedTable, groups: int, returned: int) -> None:
    count = sales.count
    checked.findings.rows["sales"] = RowCount(
        count.read, groups, count.kept - returned - groups, returned, count.quarantined, count.left_out
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


def _known(
    checked: CheckedTables, axis: SeriesAxis, time: TimeAxis, price: np.ndarray, promotion: np.ndarray
) -> KnownFuture:
    """Join recorded prices and promotions with the planned ones after the origin."""
    table = checked.tables.get("known_future")
    if table is None or not len(table):
        return KnownFuture(time, price, promotion, time.n)
    period = time.index(table.dates("date"))
    beyond = int((period >= time.n + MAX_FUTURE_DAYS // time.days).sum())
    if beyond:
        checked.findings.warn(
            "SC-D017", "known_future", f"{table.source.label}: {beyond} rows lie over {MAX_FUTURE_DAYS} days ahead",
            "not used", count=beyond,
        )  # fmt: skip
    ahead = (period >= time.n) & (period < time.n + MAX_FUTURE_DAYS // time.days)
    later = table.take(np.flatnonzero(ahead))
    if not len(later):
        return KnownFuture(time, price, promotion, time.n)
    longer = time.until(int(period[ahead].max()) + 1)
    wide_price = np.full((len(axis), longer.n), np.nan)
    wide_promotion = wide_price.copy()
    wide_price[:, : time.n], wide_promotion[:, : time.n] = price, promotion
    everywhere = later.coded("location").codes < 0
    for rows in (np.flatnonzero(everywhere), np.flatnonzero(~everywhere)):  # a location's own row stands above
        _plan_ahead(later.take(rows), axis, longer, wide_price, wide_promotion)
    return KnownFuture(longer, wide_price, wide_promotion, time.n)


def _plan_ahead(
    table: CheckedTable, axis: SeriesAxis, time: TimeAxis, price: np.ndarray, promotion: np.ndarray
) -> None:
    by_sku: dict[str, list[int]] = {}
    for at, sku in enumerate(axis.sku.tolist()):
        by_sku.setdefault(sku, []).append(at)
    if (table.coded("location").codes < 0).all():
        matches = [np.array(by_sku.get(sku, []), dtype=np.int64) for sku in table.texts("sku").tolist()]
    else:
        found = series_of(table, axis)
        matches = [found[at : at + 1][found[at : at + 1] >= 0] for at in range(len(table))]
    row = np.repeat(np.arange(len(table)), [len(match) for match in matches])
    if not len(row):
        return
    key = np.concatenate(matches) * time.n + time.index(table.dates("date"))[row]
    prices, promotions = table.numbers("price")[row], table.numbers("promotion")[row]
    groups = Groups.of(key, promotions, prices)
    for values, target in ((groups.mean(prices), price), (groups.largest(promotions), promotion)):
        told = ~np.isnan(values)
        target.ravel()[groups.key[told]] = values[told]
