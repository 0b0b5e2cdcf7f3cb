"""The table ``calendar`` and public holidays, day by day: events, closed days and numbers of each place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.holidays import holidays_of
from stockcast.ingest.raw import excerpt
from stockcast.ingest.schema import TABLES
from stockcast.panel.calendar import Calendar

AHEAD_DAYS = 420  # beyond the origin: a forecast reaches a year at most unless forecast.horizon says more
LOOK = 31  # periods after the horizon in which a model looks for the next event
EVERYWHERE, NOWHERE = -1, -2


@final
@dataclass(frozen=True, slots=True)
class Days:
    """What is known of single days, from the first day of the first period on.

    Parameters
    ----------
    time
        The periods that the days make up.
    places
        The locations of all series, ascending.
    open
        Whether the place is open at all.
    events
        Names, ascending.
    occurs
        Place, event and day of each occurrence.
    covariates
        Numbers by name, NaN where none is told.
    """

    time: TimeAxis
    places: tuple[str, ...]
    open: Bool[np.ndarray, "place day"]
    events: tuple[str, ...]
    occurs: Int[np.ndarray, "occurrence 3"]
    covariates: Mapping[str, Float[np.ndarray, "place day"]]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, open=self.open, occurs=self.occurs)

    def calendar(self) -> Calendar:
        """Give the calendar by period: an event occurs in a week if one of its days does, which is open if one is."""
        shape = (len(self.places), len(self.events), self.time.n)
        occurs = np.zeros(shape, dtype=bool)
        place, event, day = self.occurs.T
        occurs[place, event, day // self.time.days] = True
        of_week = np.asarray(self.open.reshape(len(self.places), self.time.n, self.time.days).any(axis=2))
        return Calendar(self.time, self.places, self.events, occurs, of_week)

    def covariate(self, name: str) -> Float[np.ndarray, "place known"]:
        """Give a covariate by period: the mean of the days that tell it, NaN where none does."""
        daily = self.covariates[name].reshape(len(self.places), self.time.n, self.time.days)
        told = ~np.isnan(daily)
        total, count = np.where(told, daily, 0.0).sum(axis=2), told.sum(axis=2)
        mean: np.ndarray = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
        return mean

    def closed_on(self, place: str) -> np.ndarray:
        """Give the dates on which a place is closed; none where it is not known."""
        if place not in self.places:
            return np.empty(0, dtype="datetime64[D]")
        shut: np.ndarray = self.time.start + np.flatnonzero(~self.open[self.places.index(place)])
        return shut


def read_days(checked: CheckedTables, axis: SeriesAxis, history: TimeAxis) -> Days | None:
    """Read what is known of days at any time; None where no calendar and no country's holidays are given.

    A row with a location stands above one without it, value by value; its events come on top.

    Parameters
    ----------
    history
        The periods up to the origin; the days reach ``AHEAD_DAYS`` beyond it, or ``LOOK`` periods past the horizon.

    Raises
    ------
    UsageError, DataError
        If a country or region is not known.
    """
    spec, table = checked.spec, checked.tables.get("calendar")
    further = max(-(-AHEAD_DAYS // history.days), spec.horizon + LOOK)
    time = history.until(history.n + further)
    places = tuple(np.unique(axis.location).tolist())
    public = holidays_of(checked, places, time)
    if table is None and not public:
        return None
    shape = (len(places), time.n * time.days)
    if table is None:
        table = _nothing(checked)
    place, day = _place(checked, table, places), (table.dates("date") - time.start).astype(np.int64)
    _tell_of_dates(checked, table, day, time)
    there = table.take(np.flatnonzero((place != NOWHERE) & (day >= 0) & (day < shape[1])))
    place, day = (values[(place != NOWHERE) & (day >= 0) & (day < shape[1])] for values in (place, day))
    told_open = _by_place(there.numbers("open"), place, day, shape)
    further_columns = [name for name in spec.covariates if there.has(name) and name not in TABLES["calendar"].columns]
    events, occurs = _events(there, place, day, len(places), public)
    return Days(
        time,
        places,
        ~(told_open <= 0),  # NaN: not told, so open
        events,
        occurs,
        {name: _by_place(there.numbers(name), place, day, shape) for name in further_columns},
    )


def _nothing(checked: CheckedTables) -> CheckedTable:
    """Give an empty table where only public holidays are known."""
    sales = checked.tables["sales"]
    return CheckedTable(sales.source, {}, np.empty(0, dtype=np.int64), sales.place, sales.count)


def _place(checked: CheckedTables, table: CheckedTable, places: tuple[str, ...]) -> Int[np.ndarray, " row"]:
    """Give the place of each row, ``EVERYWHERE`` where it names none; rows of places without series are told."""
    column, at = table.coded("location"), {name: row for row, name in enumerate(places)}
    row_of = np.array([at.get(name, NOWHERE) for name in column.names.tolist()] + [EVERYWHERE], dtype=np.int64)
    place: np.ndarray = row_of[column.codes]
    unknown = np.unique(column.codes[place == NOWHERE])
    if len(unknown):
        shown = ", ".join(excerpt(name) for name in column.names[unknown[:5]].tolist())
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        count = int((place == NOWHERE).sum())
        checked.findings.warn(
            "SC-D041", "calendar",
            f"{table.source.label}: {count} rows are of locations without a series: {shown}{more}",
            "not used; check the names", count=count, column=table.source.columns.get("location", "location"),
        )  # fmt: skip
    return place


def _tell_of_dates(checked: CheckedTables, table: CheckedTable, day: np.ndarray, time: TimeAxis) -> None:
    early, late = int((day < 0).sum()), int((day >= time.n * time.days).sum())
    if early or late:
        last = time.date(time.n) - np.timedelta64(1, "D")
        checked.findings.inform(
            "SC-D091", "calendar",
            f"{table.source.label}: {early} rows lie before the first sales period ({time.start}), {late} after {last}",
            "not used", count=early + late, column=table.source.columns.get("date", "date"),
        )  # fmt: skip


def _by_place(
    values: Float[np.ndarray, " row"],
    place: Int[np.ndarray, " row"],
    day: Int[np.ndarray, " row"],
    shape: tuple[int, int],
) -> Float[np.ndarray, "place day"]:
    """Spread numbers over places and days; a place's own value stands above that of everywhere."""
    out, told = np.full(shape, np.nan), ~np.isnan(values)
    everywhere = told & (place == EVERYWHERE)
    out[:, day[everywhere]] = values[everywhere]
    own = told & (place >= 0)
    out[place[own], day[own]] = values[own]
    return out


def _events(
    table: CheckedTable, place: np.ndarray, day: np.ndarray, n: int, public: Mapping[str, np.ndarray]
) -> tuple[tuple[str, ...], Int[np.ndarray, "occurrence 3"]]:
    """Name all events, and give the place, event and day of each occurrence; ``public`` has place and day by name."""
    column = table.coded("event")
    named = column.codes >= 0
    used = column.names[np.unique(column.codes[named])].tolist()
    events = tuple(sorted({*used, *public}))
    at = {name: row for row, name in enumerate(events)}
    event_of = np.array([at.get(name, -1) for name in column.names.tolist()], dtype=np.int64)
    parts = [
        np.stack([where[:, 0], np.full(len(where), at[name]), where[:, 1]], axis=1) for name, where in public.items()
    ]
    everywhere, own = np.flatnonzero(named & (place == EVERYWHERE)), np.flatnonzero(named & (place >= 0))
    for rows, places in ((np.repeat(everywhere, n), np.tile(np.arange(n), len(everywhere))), (own, place[own])):
        parts.append(np.stack([places, event_of[column.codes[rows]], day[rows]], axis=1))
    return events, np.concatenate(parts).astype(np.int64).reshape(-1, 3)
