"""From what a file says to ids, numbers and dates: exact rules on the distinct values of a column."""

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final
from zoneinfo import ZoneInfo

import numpy as np
from jaxtyping import Int

from stockcast.ingest.raw import RawColumn, excerpt

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+,\d+|\d{1,3}(\.\d{3})+,\d+)", re.ASCII)
_ISO = re.compile(
    r"(\d{4})([-/]?)(\d{2})\2(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}(\1\d{3})*", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4}|\d{2})(?:[T ].*)?", re.ASCII)
_NOT_FINITE = {"nan", "inf", "+inf", "-inf", "infinity", "-infinity", "+infinity", "#n/a", "#div/0!", "#value!"}
_FLAGS = {"true": 1.0, "yes": 1.0, "y": 1.0, "false": 0.0, "no": 0.0, "n": 0.0}
_EARLIEST, _LATEST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)


@final
@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value is refused."""

    code: str
    message: str


@final
@dataclass(frozen=True, slots=True)
class Coded:
    """A column of texts: the distinct ones, sorted, and which of them each row has (−1 for a blank).

    Examples
    --------
    >>> Coded(np.array([1, -1, 0]), np.array(["a", "b"])).texts().tolist()
    ['b', '', 'a']
    """

    codes: Int[np.ndarray, " row"]
    names: np.ndarray

    def texts(self) -> np.ndarray:
        """Give one text a row; a blank is an empty text."""
        texts: np.ndarray = np.append(self.names, "")[self.codes]
        return texts

    def take(self, rows: np.ndarray) -> "Coded":
        """Give some rows."""
        return Coded(self.codes[rows], self.names)


@final
@dataclass(frozen=True, slots=True)
class Converted:
    """A converted column: the value of each row (or texts), and the fault of each distinct raw value that has one."""

    values: np.ndarray | Coded
    faults: dict[int, Fault]
    raw: RawColumn
    changed: int = 0  # rows whose text was trimmed or normalised
    from_number: int = 0  # rows whose text was a number in the file
    skipped_hour: int = 0  # rows whose time is one that the declared zone's clocks skip
    offset: int = 0  # rows whose time has an offset, where no zone is declared
    grouped: str = ""  # a number of the column, where every one with a decimal mark may hold thousands marks instead

    def faulty_rows(self) -> np.ndarray:
        """Give the rows whose value is refused."""
        if not self.faults:
            return np.empty(0, dtype=np.int64)
        bad = np.zeros(len(self.raw.values) + 1, dtype=bool)
        bad[list(self.faults)] = True
        return np.flatnonzero(bad[self.raw.codes])


def clean(text: str) -> str:
    r"""Trim a text, no-break spaces included, and bring it to NFC.

    Examples
    --------
    >>> clean("\u00a0007 ")
    '007'
    """
    return unicodedata.normalize("NFC", text).strip().strip("\ufeff\u200b").strip()


def _whole(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _whole(float(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return clean(str(value))


def to_texts(raw: RawColumn) -> Converted:
    """Convert to ids or texts: trimmed and normalised, never guessed at (``NA``, ``null`` and ``007`` stay)."""
    texts = np.array([_as_text(value) for value in raw.values] or [""], dtype=np.str_)
    names, place = np.unique(texts, return_inverse=True)
    blank = names == ""
    shift = int(blank[:1].sum())
    faults: dict[int, Fault] = {}
    for at, text in enumerate(texts.tolist()):
        if any(unicodedata.category(c) == "Cc" for c in text):
            faults[at] = Fault("SC-D013", f"{excerpt(text)!r} holds a control character")
    touched = np.array(
        [isinstance(v, str) and v != t for v, t in zip(raw.values, texts.tolist(), strict=False)] + [False]
    )
    numeric = np.array([isinstance(v, float) for v in raw.values] + [False])
    codes = np.where(raw.codes < 0, -1, place[raw.codes] - shift)
    return Converted(
        Coded(codes.astype(np.int64), names[shift:]),
        faults,
        raw,
        int(touched[raw.codes].sum()),
        int(numeric[raw.codes].sum()),
    )


def _number(text: str, decimal: str, flag: bool) -> float | Fault:
    trimmed = text.strip().strip("\u00a0\u202f").strip()
    if not trimmed:
        return math.nan
    if flag and trimmed.casefold() in _FLAGS:
        return _FLAGS[trimmed.casefold()]
    written = trimmed
    if decimal != ".":
        written = trimmed.replace(decimal, ".") if "." not in trimmed else ""
    if not _NUMBER.fullmatch(written):
        if trimmed.casefold() in _NOT_FINITE:
            return Fault("SC-D015", f'"{excerpt(text)}" is not a finite number')
        return Fault("SC-D014", f'"{excerpt(text)}" is not a number')
    value = float(written)
    return value if math.isfinite(value) else Fault("SC-D015", f'"{excerpt(text)}" is not a finite number')


def looks_like_decimal_comma(value: object) -> bool:
    """Tell whether a value would be a number with a decimal comma.

    Examples
    --------
    >>> looks_like_decimal_comma("12,5"), looks_like_decimal_comma("1.204,50"), looks_like_decimal_comma("x")
    (True, True, False)
    """
    return isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value.strip()) is not None


def may_be_grouped(value: object) -> bool:
    """Tell whether the marks of a number may stand between thousands.

    Examples
    --------
    >>> [may_be_grouped(text) for text in ("1,204", "1.204", "0.204", "12,5", "1204")]
    [True, True, False, False, False]
    """
    return isinstance(value, str) and _GROUPED.fullmatch(value.strip()) is not None


def to_numbers(raw: RawColumn, *, decimal: str = ".", flag: bool = False, blank_nan: bool = False) -> Converted:
    """Convert to float64, NaN for a blank.

    Parameters
    ----------
    decimal
        The decimal mark of texts; no thousands marks are read.
    flag
        Whether true/false, yes/no count as 1 and 0.
    blank_nan
        Whether a NaN that the file itself holds (not the word) is a blank; else it is refused.
    """
    faults: dict[int, Fault] = {}
    values = np.empty(len(raw.values) + 1)
    values[-1] = math.nan
    if isinstance(raw.values, np.ndarray):
        values[:-1] = raw.values
        bad = ~np.isfinite(values[:-1])
        if blank_nan:
            bad &= ~np.isnan(values[:-1])
        faults = {int(at): Fault("SC-D015", f"{values[at]} is not a finite number") for at in np.flatnonzero(bad)}
    else:
        for at, value in enumerate(raw.values):
            result: float | Fault
            if isinstance(value, str):
                result = _number(value, decimal, flag)
            elif isinstance(value, (bool, int, float)) and math.isfinite(value):
                result = float(value)
            else:
                result = Fault("SC-D014", f'"{excerpt(value)}" is not a number')
            if isinstance(result, Fault):
                faults[at] = result
                values[at] = math.nan
            else:
                values[at] = result
    marked = [value for value in raw.values if isinstance(value, str) and decimal in value]
    doubted = excerpt(marked[0]) if marked and all(may_be_grouped(value) for value in marked) else ""
    return Converted(values[raw.codes], faults, raw, grouped=doubted)


def both_readings(text: str) -> str:
    """Say what a date with slashes may mean.

    Examples
    --------
    >>> both_readings("03/04/2024")
    '2024-04-03 (day first) or 2024-03-04 (month first)'
    >>> both_readings("13/04/2024")
    '2024-04-13 (day first)'
    """
    found = _SLASHED.fullmatch(text.strip())
    if not found:
        return "no date"
    first, second, year = int(found[1]), int(found[3]), int(found[4]) + (2000 if len(found[4]) == 2 else 0)
    readings = []
    for day, month, name in ((first, second, "day first"), (second, first, "month first")):
        try:
            readings.append(f"{dt.date(year, month, day).isoformat()} ({name})")
        except ValueError:
            continue
    return " or ".join(readings) or "no date"


def date_formats(texts: Sequence[str]) -> list[str]:
    """Give the ``date_format`` patterns under which all of these dates with slashes are dates."""
    found = [_SLASHED.fullmatch(text.strip()) for text in texts]
    parts = [match for match in found if match]
    if not parts:
        return []
    mark, year = parts[0][2], "%Y" if len(parts[0][4]) == 4 else "%y"
    patterns = []
    if all(int(match[1]) <= 31 and int(match[3]) <= 12 for match in parts):
        patterns.append(f"%d{mark}%m{mark}{year}")
    if all(int(match[1]) <= 12 and int(match[3]) <= 31 for match in parts):
        patterns.append(f"%m{mark}%d{mark}{year}")
    return patterns


def _offset(text: str) -> dt.timezone:
    if text == "Z":
        return dt.UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    span = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return dt.timezone(-span if text[0] == "-" else span)


def _iso_moment(found: re.Match[str]) -> dt.date:
    day = dt.date(int(found[1]), int(found[3]), int(found[4]))
    if found[5] is None:
        return day
    time = dt.time(int(found[5]), int(found[6]), min(int(found[7] or 0), 59))
    return dt.datetime.combine(day, time, _offset(found[8]) if found[8] else None)


def _moment(value: object, pattern: str | None) -> dt.date | Fault | None:
    """Read a date, or a timestamp with the offset that it is written with."""
    if isinstance(value, dt.date):
        return value
    text = str(value).strip().strip("\u00a0")
    if not text:
        return None
    fault = Fault("SC-D017", f'"{excerpt(value)}" is not a date')
    try:
        if pattern:
            return dt.datetime.strptime(text, pattern)
        found = _ISO.fullmatch(text)
        if found:
            return _iso_moment(found)
    except (ValueError, OverflowError):
        return fault
    if _SLASHED.fullmatch(text) and both_readings(text) != "no date":
        return Fault("SC-D018", f'"{excerpt(value)}" is ambiguous: {both_readings(text)}')
    return fault


def day_in_zone(moment: dt.datetime, zone: ZoneInfo) -> tuple[dt.date, bool]:
    """Give the day of a moment on the clocks of a zone, and whether those clocks skip the time as it is written.

    A time without an offset is a time of the zone. One that its clocks skip in spring is moved past the gap, by the
    length of the gap; of one that they show twice the day is the same both times.

    Examples
    --------
    >>> day_in_zone(dt.datetime(2026, 3, 29, 2, 30), ZoneInfo("Europe/Paris"))
    (datetime.date(2026, 3, 29), True)
    >>> day_in_zone(dt.datetime(2011, 12, 30, 12), ZoneInfo("Pacific/Apia"))
    (datetime.date(2011, 12, 31), True)
    """
    if moment.tzinfo is not None:
        return moment.astimezone(zone).date(), False
    shown = moment.replace(tzinfo=zone).astimezone(dt.UTC).astimezone(zone)
    return shown.date(), shown.replace(tzinfo=None, fold=0) != moment


def to_dates(raw: RawColumn, *, pattern: str | None = None, zone: ZoneInfo | None = None) -> Converted:
    """Convert to datetime64[D], NaT for a blank.

    Parameters
    ----------
    pattern
        A ``strptime`` pattern; without it only ISO dates and timestamps are read.
    zone
        Where given, a timestamp is taken to the day that it has there; else to the day that is written.
    """
    faults: dict[int, Fault] = {}
    days = np.full(len(raw.values) + 1, np.datetime64("NaT"), dtype="datetime64[D]")
    skipped, offset = np.zeros(len(days), dtype=bool), np.zeros(len(days), dtype=bool)
    for at, value in enumerate(raw.values):
        day = _moment(value, pattern)
        if isinstance(day, dt.datetime):
            offset[at] = day.tzinfo is not None and zone is None
            try:
                day, skipped[at] = day_in_zone(day, zone) if zone else (day.date(), False)
            except OverflowError:
                day = Fault("SC-D017", f'"{excerpt(value)}" is not a date')
        if isinstance(day, dt.date) and not _EARLIEST <= day <= _LATEST:
            day = Fault("SC-D017", f'"{excerpt(value)}" is not a date between {_EARLIEST.year} and {_LATEST.year}')
        if isinstance(day, Fault):
            faults[at] = day
        elif day is not None:
            days[at] = np.datetime64(day, "D")
    count, with_offset = int(skipped[raw.codes].sum()), int(offset[raw.codes].sum())
    return Converted(days[raw.codes], faults, raw, skipped_hour=count, offset=with_offset)
