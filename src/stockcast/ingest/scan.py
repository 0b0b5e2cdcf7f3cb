"""The physical structure of a delimited text: where each record begins, on which line, and with how many fields.

A parser that only hands out values cannot say on which line a record stood once a quoted field held a newline, nor
where a quote was left open. So the structure is found first, on the positions of quotes, newlines and delimiters
(RFC 4180; a quote inside an unquoted field is literal), and the values are left to DuckDB.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Int

LF, CR, QUOTE = 10, 13, 34
_CHUNK = 1 << 24


@final
@dataclass(frozen=True, slots=True)
class Structure:
    """The records of a text.

    Parameters
    ----------
    begin, end
        Byte offsets of each record, without its newline.
    line
        The physical line on which each record begins, counted from 1.
    fields
        The number of fields of each record.
    blank
        Whether a record is an empty line.
    terminated
        Whether the last record ends with a newline.
    plain_newlines
        Whether all newlines are of one kind, LF or CR LF.
    """

    begin: Int[np.ndarray, " record"]
    end: Int[np.ndarray, " record"]
    line: Int[np.ndarray, " record"]
    fields: Int[np.ndarray, " record"]
    blank: Bool[np.ndarray, " record"]
    terminated: bool
    plain_newlines: bool


class OpenQuoteError(ValueError):
    """A quoted field is not closed as it should be; ``offset`` is the byte of the quote that opened it."""

    def __init__(self, offset: int, line: int, closed_badly_on: int | None) -> None:
        super().__init__(f"quote opened on line {line}")
        self.offset = offset
        self.line = line
        self.closed_badly_on = closed_badly_on


def positions(data: np.ndarray, byte: int) -> np.ndarray:
    """Give the offsets of one byte in a text.

    Examples
    --------
    >>> positions(np.frombuffer(b"a,b,", dtype=np.uint8), ord(",")).tolist()
    [1, 3]
    """
    found = [np.flatnonzero(data[at : at + _CHUNK] == byte) + at for at in range(0, len(data), _CHUNK)]
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _quoted_spans(data: np.ndarray, quotes: np.ndarray, delimiter: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the offsets of the quotes that open and close each span of quoted text (doubled quotes split a span)."""
    edges = np.array([delimiter, LF, CR, QUOTE], dtype=np.uint8)
    opens, closes = quotes[0::2], quotes[1::2]
    before = data[np.maximum(opens - 1, 0)]
    after = data[np.minimum(closes + 1, len(data) - 1)]
    tidy = (
        len(quotes) % 2 == 0
        and bool((np.isin(before, edges) | (opens == 0)).all())
        and bool((np.isin(after, edges) | (closes == len(data) - 1)).all())
    )
    return (opens, closes) if tidy else _walk_quotes(data, quotes, delimiter)


def _walk_quotes(data: np.ndarray, quotes: np.ndarray, delimiter: int) -> tuple[np.ndarray, np.ndarray]:
    edges = {delimiter, LF, CR}
    opened: list[int] = []
    closed: list[int] = []
    inside, skip = False, -1
    size = len(data)
    for at in quotes.tolist():
        if at == skip:
            continue
        if not inside:
            if at == 0 or int(data[at - 1]) in edges:
                opened.append(at)
                inside = True
        elif at + 1 < size and int(data[at + 1]) == QUOTE:
            skip = at + 1
        elif at + 1 == size or int(data[at + 1]) in edges:
            closed.append(at)
            inside = False
        else:
            raise OpenQuoteError(opened[-1], _line_of(data, opened[-1]), _line_of(data, at))
    if inside:
        raise OpenQuoteError(opened[-1], _line_of(data, opened[-1]), None)
    return np.array(opened, dtype=np.int64), np.array(closed, dtype=np.int64)


def _newlines(data: np.ndarray) -> tuple[np.ndarray, bool]:
    """Give the last byte of every newline (LF, CR LF, or CR alone), and whether they are all alike and not CR."""
    line_feeds, returns = positions(data, LF), positions(data, CR)
    alone = returns[data[np.minimum(returns + 1, len(data) - 1)] != LF] if len(returns) else returns
    if len(returns) and returns[-1] == len(data) - 1 and (not len(alone) or alone[-1] != returns[-1]):
        alone = np.append(alone, returns[-1])
    paired = len(returns) - len(alone)
    plain = len(alone) == 0 and paired in (0, len(line_feeds))
    return (np.union1d(line_feeds, alone) if len(alone) else line_feeds), plain


def _line_of(data: np.ndarray, offset: int) -> int:
    return 1 + int(np.searchsorted(_newlines(data)[0], offset))


def scan(data: np.ndarray, delimiter: int) -> Structure:
    r"""Find the records of a text.

    Parameters
    ----------
    data
        The bytes of the text, as uint8.
    delimiter
        The byte between fields.

    Raises
    ------
    OpenQuoteError
        If a quoted field is never closed, or closed in the middle of a field.

    Examples
    --------
    >>> found = scan(np.frombuffer(b'a,b\n1,"x\ny"\n2,z\n', dtype=np.uint8), ord(","))
    >>> found.line.tolist(), found.fields.tolist()
    ([1, 2, 4], [2, 2, 2])
    """
    newlines, plain = _newlines(data)
    delimiters = positions(data, delimiter)
    quotes = positions(data, QUOTE)
    ends = newlines
    if len(quotes):
        opens, closes = _quoted_spans(data, quotes, delimiter)

        def outside(at: np.ndarray) -> np.ndarray:
            kept: np.ndarray = at[np.searchsorted(opens, at) == np.searchsorted(closes, at)]
            return kept

        ends, delimiters = outside(newlines), outside(delimiters)
    terminated = len(data) == 0 or (len(ends) > 0 and int(ends[-1]) == len(data) - 1)
    stops = ends if terminated else np.append(ends, len(data))
    begin = np.concatenate([[0], stops[:-1] + 1]).astype(np.int64) if len(stops) else np.empty(0, dtype=np.int64)
    line = 1 + np.searchsorted(newlines, begin)
    fields = 1 + np.diff(np.searchsorted(delimiters, stops), prepend=0)
    end = stops.astype(np.int64)
    after_return = (end > begin) & (end < len(data))
    after_return[after_return] = (data[end[after_return]] == LF) & (data[end[after_return] - 1] == CR)
    end = end - after_return
    return Structure(begin, end, line.astype(np.int64), fields.astype(np.int64), end == begin, terminated, plain)
