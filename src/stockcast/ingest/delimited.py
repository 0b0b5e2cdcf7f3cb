"""Delimited text: encodings, compression and broken records, down to a file that DuckDB reads without guessing."""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from stockcast.core.errors import DataError
from stockcast.core.findings import Issue
from stockcast.ingest.raw import excerpt
from stockcast.ingest.scan import OpenQuoteError, Structure, positions, scan
from stockcast.ingest.spec import SourceSpec

MAX_RECORD = 2_000_000  # bytes
MAX_COLUMNS = 10_000
MAX_RATIO = 500  # of a compressed file: real exports shrink 5 to 50 times
MAX_UNPACKED = 16 << 30
_STEP = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@final
@dataclass(frozen=True, slots=True)
class CleanText:
    """A text whose every record has as many fields as the header, in UTF-8.

    Parameters
    ----------
    path, skip
        The file to read, and the number of lines before its first record.
    delimiter
        Between fields.
    header
        The column names.
    line_of
        The physical line of each record in the user's file.
    refused
        Issues of the records that were left out.
    unfinished
        Whether the last record has no newline.
    """

    path: Path
    skip: int
    delimiter: str
    header: tuple[str, ...]
    line_of: np.ndarray
    refused: tuple[Issue, ...]
    unfinished: bool


def too_large(label: str, what: str) -> DataError:
    """Make the error of a file that would not fit."""
    return DataError(f"{label}: {what}", code="SC-D008", help="check how the file was written, or split it")


def unpack(source: SourceSpec, folder: Path) -> Path:
    """Expand a gzip file into ``folder``, giving up where it grows beyond reason."""
    limit = min(max(source.path.stat().st_size * MAX_RATIO, 1 << 20), MAX_UNPACKED)
    target = folder / f"{source.name}.unpacked"
    written = 0
    try:
        with gzip.open(source.path) as packed, target.open("wb") as out:
            while block := packed.read(_STEP):
                written += len(block)
                if written > limit:
                    raise too_large(source.label, f"expands to more than {MAX_RATIO} times its size")
                out.write(block)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{source.label}: not a whole gzip file ({error})", code="SC-D003", help="export it again"
        ) from None
    return target


def _transcode(source: SourceSpec, path: Path, encoding: str, skip: int, folder: Path) -> Path:
    """Write the text anew in UTF-8; bytes that do not decode become the byte 0xFF, which no UTF-8 text holds."""
    target = folder / f"{source.name}.utf8"
    try:
        decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    except LookupError:
        raise DataError(
            f"{source.label}: unknown encoding {encoding!r}",
            code="SC-D004",
            help=f"set sources.{source.name}.encoding to utf-8, utf-16, cp1252, …",
        ) from None
    with path.open("rb") as text, target.open("wb") as out:
        text.seek(skip)
        try:
            while block := text.read(_STEP):
                out.write(decoder.decode(block).encode("utf-8", "surrogateescape"))
            out.write(decoder.decode(b"", final=True).encode("utf-8", "surrogateescape"))
        except UnicodeError as error:
            raise DataError(
                f"{source.label}: cannot be read as {encoding} ({error.reason if hasattr(error, 'reason') else error})",
                code="SC-D004",
                help=f"set sources.{source.name}.encoding, or save the file as UTF-8",
            ) from None
    return target


def _in_utf8(source: SourceSpec, path: Path, folder: Path) -> tuple[Path, int]:
    """Give a UTF-8 file and the number of bytes before its text."""
    with path.open("rb") as text:
        head = text.read(512)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            if encoding == "utf-8":
                return path, len(mark)
            return _transcode(source, path, encoding, len(mark), folder), 0
    declared = (source.encoding or "utf-8").lower().replace("_", "-")
    if declared not in ("utf-8", "utf8", "utf-8-sig", "ascii"):
        return _transcode(source, path, declared, 0, folder), 0
    if len(head) > 3 and (head[1::2].count(0) > len(head) // 4 or head[0::2].count(0) > len(head) // 4):
        raise DataError(
            f"{source.label}: the text looks like UTF-16 without a mark",
            code="SC-D004",
            help=f"set sources.{source.name}.encoding: utf-16-le",
        )
    return path, 0


def _undecodable(data: np.ndarray, found: Structure) -> np.ndarray:
    """Give the records that are not UTF-8."""
    bad: list[int] = []
    group = np.searchsorted(found.begin, np.arange(0, len(data) + _STEP, _STEP))
    for first, last in zip(group[:-1].tolist(), group[1:].tolist(), strict=True):
        if first == last:
            continue
        try:
            codecs.decode(data[found.begin[first] : found.end[last - 1]].tobytes(), "utf-8")
        except UnicodeDecodeError:
            for record in range(first, last):
                try:
                    codecs.decode(data[found.begin[record] : found.end[record]].tobytes(), "utf-8")
                except UnicodeDecodeError:
                    bad.append(record)
    return np.array(bad, dtype=np.int64)


def _header(source: SourceSpec, record: bytes, delimiter: str) -> tuple[str, ...]:
    try:
        text = record.decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(
            f"{source.label} line 1: the header is not UTF-8",
            code="SC-D004",
            help=f"set sources.{source.name}.encoding, e.g. cp1252",
        ) from None
    return tuple(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), []))


def _broken_records(
    source: SourceSpec, data: np.ndarray, found: Structure, wanted: int, head: int
) -> tuple[np.ndarray, tuple[Issue, ...]]:
    """Give the records that cannot be read as rows (header and blank lines apart), and an issue for each."""
    short = np.flatnonzero((found.fields != wanted) & ~found.blank)
    with_nul = np.unique(np.searchsorted(found.begin, positions(data, 0), side="right") - 1)
    undecodable = _undecodable(data, found)
    issues: dict[int, Issue] = {}
    for code, records in (("SC-D019", undecodable), ("SC-D013", with_nul), ("SC-D011", short)):
        for record in records.tolist():
            if record == head or record in issues:
                continue
            value = excerpt(data[found.begin[record] : found.end[record]][:200].tobytes().decode("utf-8", "replace"))
            what = {
                "SC-D019": "bytes that are not UTF-8",
                "SC-D013": "a NUL character",
                "SC-D011": f"expected {wanted} fields, found {found.fields[record]}",
            }[code]
            line = int(found.line[record])
            issues[record] = Issue(
                "error",
                code,
                source.name,
                f"{source.label} line {line}: {what}",
                "row left out",
                line=line,
                value=value,
            )
    return np.array(sorted(issues), dtype=np.int64), tuple(issues[record] for record in sorted(issues))


def _delimiter(source: SourceSpec, data: np.ndarray) -> str:
    if source.delimiter:
        return "\t" if source.delimiter in ("\\t", "tab") else source.delimiter
    suffixes = [suffix.lower() for suffix in source.path.suffixes]
    first = data[: 1 << 16].tobytes().split(b"\n", 1)[0]
    if ".tsv" in suffixes or (".csv" not in suffixes and b"\t" in first and b"," not in first):
        return "\t"
    return ","


def clean_text(source: SourceSpec, folder: Path) -> CleanText:
    """Make a text readable: expand it, bring it to UTF-8, and take out the records that are no rows.

    Parameters
    ----------
    folder
        A temporary folder for what has to be written anew; a clean file is read where it lies.

    Raises
    ------
    DataError
        If the file as a whole cannot be read: truncated, a quote left open, too large, another encoding, no rows.
    """
    path = unpack(source, folder) if source.path.suffix.lower() == ".gz" else source.path
    path, offset = _in_utf8(source, path, folder)
    whole = np.fromfile(path, dtype=np.uint8)
    data = whole[offset:]
    delimiter = _delimiter(source, data)
    try:
        found = scan(data, ord(delimiter))
    except OpenQuoteError as error:
        where = f"; it runs on to line {error.closed_badly_on}" if error.closed_badly_on else "; it is never closed"
        raise DataError(
            f"{source.label} line {error.line}: a quoted field opened here is not closed{where}",
            code="SC-D007",
            help='close the quote, or double it ("") where it belongs to the text',
        ) from None
    if not len(found.begin) or bool(found.blank.all()):
        raise no_rows(source)
    if int(found.fields[0]) > MAX_COLUMNS:
        raise too_large(source.label, f"the header has {int(found.fields[0])} columns, at most {MAX_COLUMNS} are read")
    longest = int((found.end - found.begin).argmax())
    if int(found.end[longest] - found.begin[longest]) > MAX_RECORD:
        raise too_large(source.label, f"line {found.line[longest]} is longer than {MAX_RECORD} bytes")
    head = int(np.flatnonzero(~found.blank)[0])
    header = _header(source, data[found.begin[head] : found.end[head]].tobytes(), delimiter)
    last = len(found.begin) - 1
    if not found.terminated and int(found.fields[last]) < len(header) and last > head:
        raise truncated(
            source,
            int(found.line[last]),
            excerpt(data[found.begin[last] : found.end[last]].tobytes().decode("utf-8", "replace")),
        )
    broken, refused = _broken_records(source, data, found, len(header), head)
    good = ~found.blank
    good[head] = False
    good[broken] = False
    simple = not len(broken) and found.plain_newlines and not found.blank.any() and head == 0 and offset == 0
    if simple and int(found.line[1] if last else 2) == 2:
        return CleanText(path, 1, delimiter, header, found.line[good], (), not found.terminated)
    target = folder / f"{source.name}.clean"
    _write_records(data, found, good, target)
    return CleanText(target, 0, delimiter, header, found.line[good], refused, not found.terminated)


def _write_records(data: np.ndarray, found: Structure, good: np.ndarray, target: Path) -> None:
    """Write the good records, run by run, with LF for every newline."""
    edges = np.flatnonzero(np.diff(good.astype(np.int8), prepend=0, append=0))
    with target.open("wb") as out:
        for first, stop in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
            block = data[found.begin[first] : found.end[stop - 1]].tobytes()
            out.write(block.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + b"\n")


def no_rows(source: SourceSpec) -> DataError:
    """Make the error of a file without rows."""
    return DataError(
        f"{source.label}: 0 data rows",
        code="SC-D005",
        details=[f"named under sources.{source.name}"],
        help="check that the export was complete",
    )


def require_distinct(source: SourceSpec, line: int, names: Iterable[str]) -> None:
    """Raise where two columns of a header have one name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(
                f"{source.label} line {line}: two columns are named {name!r}", code="SC-D009", help="rename one of them"
            )
        seen.add(name)


def truncated(source: SourceSpec, line: int, value: str) -> DataError:
    """Make the error of a file whose last line breaks off."""
    return DataError(
        f"{source.label} line {line}: the file looks truncated, its last line breaks off: {value!r}",
        code="SC-D006",
        help="copy or export the file again; a complete last line ends with a newline",
    )
