"""The calendar: what is known of any date, and the events and closed days of each place."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.axes import TimeAxis, weekday
from stockcast.features.block import ALWAYS, Column, Made
from stockcast.panel import Calendar, Panel

CODED = 30  # events with a code of their own, the commonest
FREQUENT = 0.05  # share of periods from which an event has a column of its own: it would hide all others
OWN = 8  # columns of frequent events at most
FAR = 30  # periods to an event beyond which no one looks


def iso_week(dates: np.ndarray) -> Int[np.ndarray, " time"]:
    """Give the ISO week of each date, 1 to 53: the week that holds the Thursday, counted from the year's first.

    Examples
    --------
    >>> iso_week(np.array(["2026-12-31", "2027-01-03", "2027-01-04"], dtype="datetime64[D]")).tolist()
    [53, 53, 1]
    """
    thursday = dates - weekday(dates).astype("timedelta64[D]") + np.timedelta64(3, "D")
    first = thursday.astype("datetime64[Y]").astype("datetime64[D]")
    return (thursday - first).astype(np.int64) // 7 + 1


def dates(panel: Panel, horizon: int) -> Iterator[Made]:
    """Give what any date tells; of a week, what its first day tells."""
    n = len(panel.series)
    axis = panel.time.until(panel.time.n + horizon)
    days = axis.dates()
    month = days.astype("datetime64[M]")
    day = (days - month.astype("datetime64[D]")).astype(np.int64)
    left = ((month + 1).astype("datetime64[D]") - days).astype(np.int64) - 1
    parts: dict[str, tuple[np.ndarray, str]] = {
        "day_of_month": (day + 1, "day of the month, 1 to 31"),
        "days_left_in_month": (left, "days left in the month"),
        "week_of_month": (day // 7 + 1, "week of the month, 1 to 5"),
        "month": (month.astype(np.int64) % 12 + 1, "month, 1 to 12"),
        "iso_week": (iso_week(days), "ISO week, 1 to 53"),
        "years": ((days - panel.time.start).astype(np.int64) / 365.25, "years since the first period"),
    }
    if panel.time.step == "day":
        parts = {"weekday": (weekday(days), "weekday, 0 for Monday")} | parts
    for name, (value, what) in parts.items():
        column = Column(name, "target", False, what, family="calendar")
        yield Made(column, np.broadcast_to(value.astype(float), (n, axis.n)), ALWAYS)


def split_events(calendar: Calendar) -> tuple[list[int], list[int]]:
    """Give the frequent events, which have a column each, and the others, the commonest first."""
    count = calendar.occurs.sum(axis=(0, 2))
    order = sorted(range(len(count)), key=lambda at: (-count[at], calendar.events[at]))
    often = [at for at in order if count[at] > FREQUENT * max(1, calendar.open.size)][:OWN]
    return often, [at for at in order if at not in often and count[at] > 0]


def distances(happens: Bool[np.ndarray, "place known"]) -> tuple[np.ndarray, np.ndarray]:
    """Give the periods to the next event and since the last, 0 on its day, ``FAR`` at most.

    Examples
    --------
    >>> to, since = distances(np.array([[False, False, True, False]]))
    >>> to.tolist(), since.tolist()
    ([[2, 1, 0, 30]], [[30, 30, 0, 1]])
    """
    at = np.arange(happens.shape[1])
    last = np.maximum.accumulate(np.where(happens, at, -FAR), axis=1)
    following = np.minimum.accumulate(np.where(happens, at, at[-1:] + FAR)[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(following - at, FAR), np.minimum(at - last, FAR)


def events(calendar: Calendar, location: np.ndarray, axis: TimeAxis) -> Iterator[Made]:
    """Give the events and closed days of each series' place; NaN where the calendar does not know the place.

    Where several events meet, the code is of the rarest, which tells most.
    """
    often, rest = split_events(calendar)
    place = calendar.place(location)

    def made(name: str, value: np.ndarray, what: str, codes: int = 0) -> Made:
        wide: Float[np.ndarray, "place known"] = np.full((len(calendar.places) + 1, axis.n), np.nan)
        width = min(axis.n, value.shape[1])
        wide[:-1, :width] = value[:, :width]  # the last row: a place that is not known
        column = Column(name, "target", False, what, bool(codes), codes, "calendar")
        return Made(column, wide[place], ALWAYS)

    if often or rest:
        code = np.zeros(calendar.open.shape)
        for rank, at in enumerate(rest):  # a rarer one overwrites a commoner one
            code[calendar.occurs[:, at]] = min(rank, CODED) + 1
        codes = min(len(rest), CODED + 1) + 1
        yield made("event", code, f"event: 0 for none, the commonest {CODED} by code, then all others", codes)
        yield made("events", calendar.occurs.sum(axis=1), "number of events")
        to, since = distances(np.any(calendar.occurs[:, rest], axis=1, keepdims=True)[:, 0])
        yield made("periods_to_event", to, f"periods to the next event, at most {FAR}")
        yield made("periods_since_event", since, f"periods since the last event, at most {FAR}")
    for at in often:
        yield made(f"event_{calendar.events[at]}", calendar.occurs[:, at], f"whether {calendar.events[at]!r} occurs")
    shut = ~calendar.open
    if shut.any():
        nothing = np.full((len(shut), 1), np.nan)
        yield made("open", calendar.open, "whether the place is open")
        yield made("closed_before", np.hstack([nothing, shut[:, :-1]]), "whether it was closed in the period before")
        yield made("closed_after", np.hstack([shut[:, 1:], nothing]), "whether it is closed in the period after")
