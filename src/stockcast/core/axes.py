"""The two axes that everything stands on: the series, and the periods of one regular step."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal, final

import numpy as np
from jaxtyping import Int, Shaped, UInt64

from stockcast.core.arrays import freeze
from stockcast.core.errors import AlignmentError, UsageError

Text = np.ndarray  # of dtype <U: ids are text always
Step = Literal["day", "week"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONDAY = np.datetime64("1970-01-05", "D")


def weekday(dates: np.ndarray) -> np.ndarray:
    """Give the day of the week of each date, 0 for Monday.

    Examples
    --------
    >>> weekday(np.array(["2026-12-28"], dtype="datetime64[D]"))
    array([0])
    """
    return (dates.astype("datetime64[D]") - _MONDAY).astype(np.int64) % 7


@final
@dataclass(frozen=True, slots=True)
class SeriesAxis:
    """The series of a panel: unique (sku, location) pairs, sorted by them.

    Parameters
    ----------
    sku, location
        One text each a series. Sorting is by code point, so that it is the same under any locale.

    Raises
    ------
    AlignmentError
        If the pairs are not unique and sorted; use :meth:`of` to sort them.
    """

    sku: Shaped[np.ndarray, " series"] = field(compare=False)
    location: Shaped[np.ndarray, " series"] = field(compare=False)
    keys: UInt64[np.ndarray, " series"] = field(init=False, repr=False, compare=False)
    digest: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check order and uniqueness; derive a stable key for each series."""
        sku, location = self.sku.astype(np.str_), self.location.astype(np.str_)
        if sku.shape != location.shape or sku.ndim != 1:
            raise AlignmentError(f"sku and location differ in shape: {sku.shape} and {location.shape}")
        later = (sku[1:] > sku[:-1]) | ((sku[1:] == sku[:-1]) & (location[1:] > location[:-1]))
        if not later.all():
            at = int(np.flatnonzero(~later)[0]) + 1
            raise AlignmentError(
                f"series are not unique and sorted at row {at}: ({sku[at]!r}, {location[at]!r})",
                help="use SeriesAxis.of(sku, location)",
            )
        names = [f"{s}\x1f{place}".encode() for s, place in zip(sku.tolist(), location.tolist(), strict=True)]
        keys = np.frombuffer(b"".join(hashlib.blake2b(n, digest_size=8).digest() for n in names), dtype="<u8")
        digest = hashlib.blake2b(b"\x1e".join(names), digest_size=16).hexdigest()
        freeze(self, sku=sku, location=location, keys=keys.astype(np.uint64))
        object.__setattr__(self, "digest", digest)

    @classmethod
    def of(cls, sku: np.ndarray, location: np.ndarray) -> tuple["SeriesAxis", Int[np.ndarray, " row"]]:
        """Make the axis of the distinct pairs among rows, and give the series of each row.

        Examples
        --------
        >>> axis, row = SeriesAxis.of(np.array(["b", "a", "b"]), np.array(["x", "x", "x"]))
        >>> axis.sku.tolist(), row.tolist()
        (['a', 'b'], [1, 0, 1])
        """
        _, sku_of = np.unique(sku.astype(np.str_), return_inverse=True)
        _, place_of = np.unique(location.astype(np.str_), return_inverse=True)
        pair = sku_of.astype(np.int64) * (int(place_of.max(initial=0)) + 1) + place_of
        _, first, row = np.unique(pair, return_index=True, return_inverse=True)
        return cls(sku[first], location[first]), row

    def __len__(self) -> int:
        """Give the number of series."""
        return len(self.sku)

    def take(self, rows: np.ndarray) -> "SeriesAxis":
        """Give the axis of some rows, which must be ascending; this one itself for all of them."""
        if rows.dtype.kind in "iu" and np.array_equal(rows, np.arange(len(self))):
            return self  # its names are hashed already
        return SeriesAxis(self.sku[rows], self.location[rows])

    def locate(self, sku: np.ndarray, location: np.ndarray) -> Int[np.ndarray, " row"]:
        """Give the position of each pair on this axis, −1 where it is not there.

        Examples
        --------
        >>> axis = SeriesAxis(np.array(["a", "b"]), np.array(["x", "x"]))
        >>> axis.locate(np.array(["b", "c"]), np.array(["x", "x"])).tolist()
        [1, -1]
        """
        here = {pair: at for at, pair in enumerate(zip(self.sku.tolist(), self.location.tolist(), strict=True))}
        pairs = zip(sku.tolist(), location.tolist(), strict=True)
        return np.array([here.get(pair, -1) for pair in pairs], dtype=np.int64)

    def require(self, other: "SeriesAxis", what: str = "the two objects") -> None:
        """Raise unless the other axis has the same series in the same order (convention, rule 4)."""
        if self.digest == other.digest:
            return
        mine = set(zip(self.sku.tolist(), self.location.tolist(), strict=True))
        theirs = set(zip(other.sku.tolist(), other.location.tolist(), strict=True))
        left, right = sorted(mine - theirs), sorted(theirs - mine)
        example = (left or right)[0]
        raise AlignmentError(
            f"{what} differ: {len(left)} series only in the first, {len(right)} only in the second, e.g. {example}",
            help="use .take(rows) to bring both to one series axis",
        )


@final
@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Regular periods without holes: ``n`` steps from ``start``, each named by its first day.

    Examples
    --------
    >>> weeks = TimeAxis(np.datetime64("2026-12-21"), 3, "week")
    >>> weeks.dates().astype(str).tolist()
    ['2026-12-21', '2026-12-28', '2027-01-04']
    >>> weeks.index(np.array(["2026-12-31"], dtype="datetime64[D]")).tolist()
    [1]
    """

    start: np.datetime64
    n: int
    step: Step

    def __post_init__(self) -> None:
        """Hold the start as a day."""
        object.__setattr__(self, "start", self.start.astype("datetime64[D]"))
        if self.n < 0 or self.step not in ("day", "week"):
            raise UsageError(f"not a time axis: {self.n} periods of {self.step}", code="SC-B003")

    @property
    def days(self) -> int:
        """Give the length of a period in days."""
        return 7 if self.step == "week" else 1

    @property
    def last(self) -> np.datetime64:
        """Give the first day of the last period."""
        return self.date(self.n - 1)

    def date(self, index: int) -> np.datetime64:
        """Give the first day of a period, which may lie outside the axis."""
        return self.start + np.timedelta64(index * self.days, "D")

    def dates(self) -> np.ndarray:
        """Give the first day of every period, as datetime64[D]."""
        return self.start + np.arange(self.n) * np.timedelta64(self.days, "D")

    def index(self, dates: np.ndarray) -> Int[np.ndarray, " row"]:
        """Give the period that holds each date; it may be negative or beyond the end."""
        return (dates.astype("datetime64[D]") - self.start).astype(np.int64) // self.days

    def until(self, n: int) -> "TimeAxis":
        """Give the first ``n`` periods."""
        return TimeAxis(self.start, n, self.step)

    def after(self, horizon: int) -> "TimeAxis":
        """Give the ``horizon`` periods that follow this axis."""
        return TimeAxis(self.date(self.n), horizon, self.step)


def first_day_of_period(dates: np.ndarray, step: Step, week_start: int = 0) -> np.ndarray:
    """Give the first day of the period that holds each date.

    Parameters
    ----------
    dates
        Dates as datetime64[D].
    step
        ``day`` or ``week``.
    week_start
        The weekday on which a week begins, 0 for Monday.

    Examples
    --------
    >>> first_day_of_period(np.array(["2027-01-03"], dtype="datetime64[D]"), "week").astype(str).tolist()
    ['2026-12-28']
    """
    days = dates.astype("datetime64[D]")
    if step == "day":
        return days
    return days - ((weekday(days) - week_start) % 7).astype("timedelta64[D]")
