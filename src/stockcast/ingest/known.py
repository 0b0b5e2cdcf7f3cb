"""What is known ahead of each series: recorded prices, promotions and covariates, joined with what is planned."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.ingest.calendar import Days
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.records import Groups, series_of
from stockcast.panel.calendar import Calendar
from stockcast.panel.known import PRICE, PROMOTION, KnownFuture

MAX_FUTURE_DAYS = 800  # of known_future
CHOSEN = {PRICE: Groups.mean, PROMOTION: Groups.largest}  # of several values of a period; of covariates the mean


@final
@dataclass(frozen=True, slots=True)
class Plans:
    """The rows of ``known_future`` that lie on the panel's axes, matched to series.

    Parameters
    ----------
    table
        The rows that are used.
    row, key
        The row of each match, and its series and period as one number: series × periods + period.
    everywhere
        Whether the row of a match names no location: it stands below one that does.
    time
        The periods up to the last that is planned, at least those of the history.
    """

    table: CheckedTable
    row: Int[np.ndarray, " match"]
    key: Int[np.ndarray, " match"]
    everywhere: np.ndarray
    time: TimeAxis

    def values(self, name: str, series: int) -> Float[np.ndarray, "series known"]:
        """Give what is planned of one column, NaN where nothing is."""
        out = np.full((series, self.time.n), np.nan)
        column = self.table.numbers(name)[self.row]
        for rows in (np.flatnonzero(self.everywhere), np.flatnonzero(~self.everywhere)):
            groups = Groups.of(self.key[rows], column[rows])
            values = CHOSEN.get(name, Groups.mean)(groups, column[rows])
            told = ~np.isnan(values)
            out.ravel()[groups.key[told]] = values[told]
        return out

    def spans(self, series: int) -> tuple[Int[np.ndarray, " series"], Int[np.ndarray, " series"]]:
        """Give the first and the last planned period of each series; last is −1 where nothing is planned."""
        first, last = np.full(series, self.time.n), np.full(series, -1)
        of, period = np.divmod(self.key, self.time.n)
        np.minimum.at(first, of, period)
        np.maximum.at(last, of, period)
        return first, last

    def end_in_promotion(self, series: int, history: TimeAxis) -> bool:
        """Tell whether the plans of a series end with the axis, and in a promotion."""
        if not self.table.has(PROMOTION) or self.time.n <= history.n:
            return False
        return bool((self.values(PROMOTION, series)[:, -1] > 0).any())


def read_plans(checked: CheckedTables, axis: SeriesAxis, history: TimeAxis) -> Plans | None:
    """Match the rows of ``known_future`` to series; rows outside the axes are told. None where there are none."""
    table = checked.tables.get("known_future")
    if table is None or not len(table):
        return None
    label, findings = table.source.label, checked.findings
    period, most = history.index(table.dates("date")), history.n + MAX_FUTURE_DAYS // history.days
    beyond, early = int((period >= most).sum()), int((period < 0).sum())
    if beyond:
        findings.warn(
            "SC-D017", "known_future", f"{label}: {beyond} rows lie over {MAX_FUTURE_DAYS} days ahead",
            "not used", count=beyond,
        )  # fmt: skip
    if early:
        findings.inform(
            "SC-D091", "known_future", f"{label}: {early} rows lie before the first sales period ({history.start})",
            "not used", count=early,
        )  # fmt: skip
    inside = np.flatnonzero((period >= 0) & (period < most))
    used, period = table.take(inside), period[inside]
    row, series = matches(used, axis)
    unmatched = len(used) - len(np.unique(row))
    if unmatched:
        findings.inform(
            "SC-D041", "known_future", f"{label}: {unmatched} rows are of items or locations without a series",
            "not used", count=unmatched,
        )  # fmt: skip
    time = history.until(max(history.n, int(period[row].max(initial=-1)) + 1))
    key = series * time.n + period[row]
    return Plans(used, row, key, used.coded("location").codes[row] < 0, time)


def matches(table: CheckedTable, axis: SeriesAxis) -> tuple[np.ndarray, np.ndarray]:
    """Give row and series of each match: the one series of a row with a location, those of all places of another."""
    if not len(table):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    skus, of = np.unique(axis.sku, return_inverse=True)
    order = np.argsort(of, kind="stable")
    begin, count = np.searchsorted(of[order], np.arange(len(skus))), np.bincount(of, minlength=len(skus))
    column = table.coded("sku")
    at = np.searchsorted(skus, column.names)
    known = (at < len(skus)) & (skus[np.minimum(at, len(skus) - 1)] == column.names)
    place = np.where(known, at, -1)[column.codes]
    everywhere = table.coded("location").codes < 0
    rows = np.flatnonzero(everywhere & (place >= 0))
    times = count[place[rows]]
    step = np.arange(int(times.sum())) - np.repeat(np.cumsum(times) - times, times)
    of_all = order[np.repeat(begin[place[rows]], times) + step]
    own = np.flatnonzero(~everywhere)
    found = series_of(table.take(own), axis)
    own, found = own[found >= 0], found[found >= 0]
    return np.concatenate([np.repeat(rows, times), own]), np.concatenate([of_all, found]).astype(np.int64)


def build_known(
    checked: CheckedTables,
    axis: SeriesAxis,
    history: TimeAxis,
    recorded: Mapping[str, Float[np.ndarray, "series time"]],
    days: Days | None,
    calendar: Calendar | None,
) -> KnownFuture:
    """Join what was recorded with what was planned, for the past and for the periods ahead.

    Sales stand above plans, plans above the calendar: up to the origin a value is the recorded one, else the planned
    one, else that of the place's day. Where nothing but the calendar tells a covariate, it is known at any time, as
    long as it is told of any period after the origin: a column that ends there was recorded, not known ahead.

    Parameters
    ----------
    recorded
        Price, promotion and covariates by name, as the sales tell them; NaN where they don't.
    days, calendar
        What is known of days at any time, and by period; None where there is nothing.
    """
    plans, n = read_plans(checked, axis, history), len(axis)
    of_calendar = {} if days is None else {name: days.covariate(name) for name in days.covariates}
    wanted = [name for name in dict.fromkeys(checked.spec.covariates) if name not in (PRICE, PROMOTION)]
    has_plans = [name for name in wanted if plans is not None and plans.table.has(name)]
    names = [PRICE, PROMOTION, *(name for name in wanted if name in (*recorded, *has_plans, *of_calendar))]
    told_until = [
        int(np.flatnonzero(~np.isnan(values).all(axis=0)).max(initial=-1)) + 1 for values in of_calendar.values()
    ]
    planned_until = 0 if plans is None else plans.time.n + int(plans.end_in_promotion(n, history))
    time = history.until(max(history.n, planned_until, *told_until))
    held, always = {}, {}
    place = np.searchsorted(np.array(days.places), axis.location) if days is not None else np.zeros(n, dtype=np.int64)
    for name in names:
        values = np.full((n, time.n), np.nan)
        if name in recorded:
            values[:, : history.n] = recorded[name]
        given = of_calendar[name][:, : time.n][place] if name in of_calendar else None
        if plans is not None and plans.table.has(name):
            planned = plans.values(name, n)
            _tell_of_filled(checked, name, planned, values, history)
            _fill(values, planned)
            if name == PROMOTION:
                _no_promotion(checked, plans, values, history)
        if given is not None:
            if name not in recorded and name not in has_plans:
                ahead = ~np.isnan(given[:, history.n :]).all(axis=1)
                always[name] = np.where(ahead, time.n, 0)
                _tell_of_ends(checked, "calendar tells nothing", name, ahead)
            _fill(values, given)
        held[name] = values
    further = {name: held[name] for name in names if name not in (PRICE, PROMOTION)}
    known = KnownFuture(time, held[PRICE], held[PROMOTION], history.n, further, None, calendar)
    for name, values in further.items():
        if name not in always and not np.isnan(values).all():
            _tell_of_ends(checked, "no plan tells", name, known.reach(name) > 0)
    if not always:
        return known
    ahead_of = dict(known.ahead or {}) | always
    return KnownFuture(time, held[PRICE], held[PROMOTION], history.n, further, ahead_of, calendar)


def _fill(values: np.ndarray, others: np.ndarray) -> None:
    """Put others in the place of what is not known, in place."""
    part = values[:, : others.shape[1]]
    part[:] = np.where(np.isnan(part), others, part)


def _tell_of_filled(
    checked: CheckedTables, name: str, planned: np.ndarray, values: np.ndarray, history: TimeAxis
) -> None:
    """Tell how many values of the past no sale tells, and a plan does."""
    filled = int((np.isnan(values[:, : history.n]) & ~np.isnan(planned[:, : history.n])).sum())
    if filled:
        checked.findings.notes.append(
            f"{filled} values of {name} up to the origin are those planned in known_future: no sale tells them"
        )


def _no_promotion(checked: CheckedTables, plans: Plans, values: np.ndarray, history: TimeAxis) -> None:
    """Take blanks within a series' planned span as no promotion: what is not planned is none.

    The span begins with the first planned period and ends with the last: what comes between the origin and a plan that
    begins later is not known. A promotion that ends the span is over with it, so that nobody carries it on.
    """
    first, last = plans.spans(len(values))
    at, notes = np.arange(values.shape[1]), checked.findings.notes
    ends = (last >= history.n) & (values[np.arange(len(values)), np.maximum(last, 0)] > 0)
    blank = np.isnan(values)
    within = blank & (at >= first[:, None]) & (at <= last[:, None])
    over = blank & (at == (last + 1)[:, None]) & ends[:, None]
    before = blank & (at >= history.n) & (at < first[:, None]) & (last >= history.n)[:, None]
    values[within | over] = 0.0
    if within.any():
        notes.append(
            f"{int(within.sum())} periods within the plans of known_future name no promotion: they count as without one"
        )
    if over.any():
        notes.append(
            f"the plans of {int(over.sum())} series in known_future end in a promotion: it counts as over after them"
        )
    if before.any():
        notes.append(
            f"{int(before.sum())} periods after the origin lie before the first that known_future plans for their "
            "series: whether they have a promotion is not known"
        )


def _tell_of_ends(checked: CheckedTables, who: str, name: str, ahead: np.ndarray) -> None:
    """Tell how many series a covariate is not known ahead for."""
    if not ahead.all():
        checked.findings.notes.append(
            f"{who} of {name} after the origin for {int((~ahead).sum())} series: there it counts as "
            "recorded, not as known ahead"
        )
