"""Read every source: files to raw tables, with nothing converted yet."""

import hashlib
import shutil
import tempfile
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from stockcast.core.errors import DataError, ResourceError, UsageError, did_you_mean
from stockcast.ingest import database
from stockcast.ingest.delimited import CleanText, clean_text, no_rows, require_distinct
from stockcast.ingest.excel import read_sheet, save_otherwise
from stockcast.ingest.raw import Place, RawTable, RawTables
from stockcast.ingest.schema import COVARIATE_TABLES, TABLES, Table
from stockcast.ingest.spec import IngestSpec, SourceSpec

_OLD_WORKBOOKS = (".xls", ".xlsb")


def read(spec: IngestSpec, done: Callable[[int], None] = lambda count: None) -> RawTables:
    """Read every source of a config.

    Parameters
    ----------
    done
        Called with the number of sources read so far.

    Raises
    ------
    DataError
        If a file is missing or cannot be read, or lacks a required column.
    """
    if "sales" not in spec.sources:
        raise DataError("no sales: sources.sales is not given", code="SC-D001", help="name a file under sources.sales")
    tables = {}
    for at, name in enumerate(sorted(spec.sources)):
        covariates = spec.covariates if name in COVARIATE_TABLES else ()
        tables[name] = _read_unchanged(spec.sources[name], TABLES[name], covariates)
        done(at + 1)
    return RawTables(spec, tables)


def _digest(source: SourceSpec) -> str:
    try:
        with source.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        near = ""
        if source.path.parent.is_dir():
            near = did_you_mean(source.path.name, sorted(path.name for path in source.path.parent.iterdir()))
        raise DataError(
            f"{source.label}: no such file{near}",
            code="SC-D001",
            details=[f"named under sources.{source.name}.path"],
            help="check the path; it is relative to the config file",
        ) from None
    except OSError as error:
        raise ResourceError(
            f"{source.label}: {error.strerror or error}",
            code="SC-D001",
            details=[f"named under sources.{source.name}.path"],
            help="check that the file can be read",
        ) from None


def _read_unchanged(source: SourceSpec, table: Table, covariates: tuple[str, ...]) -> RawTable:
    """Read a source that nobody writes to meanwhile: half of one export and half of another is neither.

    A file is read more than once, and what was found the first time is relied on later: whatever goes wrong on a file
    that changed is told as that.
    """
    before = _stamp(source)
    try:
        found = _read_table(source, table, covariates)
    except Exception as error:
        if _stamp(source) != before:
            raise _changed(source) from error
        raise
    if _stamp(source) != before:
        raise _changed(source)
    return found


def _stamp(source: SourceSpec) -> tuple[int, ...]:
    try:
        known = source.path.stat()
    except OSError:
        return ()
    return known.st_ino, known.st_size, known.st_mtime_ns


def _changed(source: SourceSpec) -> DataError:
    return DataError(
        f"{source.label}: changed while it was read",
        code="SC-D006",
        details=[f"named under sources.{source.name}.path"],
        help="start again when the export is complete; let it write to another name first, and rename it then",
    )


def _read_table(source: SourceSpec, table: Table, covariates: tuple[str, ...]) -> RawTable:
    digest = _digest(source)
    if source.path.suffix.lower() in _OLD_WORKBOOKS:
        raise save_otherwise(source, f"{source.path.suffix.lower()} workbooks are not read")
    if source.kind is None:
        raise DataError(
            f"{source.label}: the suffix says nothing of the format",
            code="SC-D002",
            help=f"set sources.{source.name}.format to csv, parquet, excel or duckdb",
        )
    if source.path.stat().st_size == 0:
        raise no_rows(source)
    if source.kind == "excel":
        return _from_sheet(source, table, covariates, digest)
    with tempfile.TemporaryDirectory(prefix="stockcast-") as folder:
        return _from_database(_without_wildcards(source, Path(folder)), table, covariates, digest, Path(folder))


def _without_wildcards(source: SourceSpec, folder: Path) -> SourceSpec:
    """Copy a file whose path DuckDB would take for a pattern, which may match its neighbours too."""
    if not any(mark in str(source.path) for mark in "*?["):
        return source
    plain = folder / f"{source.name}{''.join(source.path.suffixes[-2:])}"
    if any(mark in plain.name for mark in "*?["):
        plain = folder / f"{source.name}{source.path.suffix}"
    shutil.copyfile(source.path, plain)
    return replace(source, path=plain, format=source.kind)


def _from_sheet(source: SourceSpec, table: Table, covariates: tuple[str, ...], digest: str) -> RawTable:
    names, columns, letters, line_of = read_sheet(source)
    mapped, ignored = _map_columns(source, table, covariates, names)
    fingerprint = None
    if not table.key:
        fingerprint = np.unique(
            np.stack([columns[name].codes for name in names], axis=1), axis=0, return_inverse=True
        )[1].ravel().astype(np.uint64)  # fmt: skip
    place = Place(line_of, "row", {canonical: letters[name] for canonical, name in mapped.items()})
    held = {canonical: columns[name] for canonical, name in mapped.items()}
    return RawTable(source, len(line_of), names, held, place, digest, fingerprint=fingerprint, ignored=ignored)


def _from_database(
    source: SourceSpec, table: Table, covariates: tuple[str, ...], digest: str, folder: Path
) -> RawTable:
    text: CleanText | None = None
    if source.kind == "csv":
        text = clean_text(source, folder)
        require_distinct(source, 1, text.header)
        connection = database.open_text(source, text)
    elif source.kind == "parquet":
        connection = database.open_parquet(source)
    else:
        connection = database.open_duckdb(source)
    with connection:
        relation = database.apply_query(source, connection)
        names = database.column_names(source, connection, relation)
        mapped, ignored = _map_columns(source, table, covariates, names)
        repeats = names if not table.key or table.key[0] == "order_id" else ()
        n, fetched, fingerprint = database.fetch(source, connection, relation, mapped.values(), repeats)
    columns = {canonical: fetched[name] for canonical, name in mapped.items()}
    if text is None or source.query is not None:
        place = Place(np.arange(1, n + 1), "row")
        refused = text.refused if text else ()
        return RawTable(source, n, names, columns, place, digest, refused, fingerprint, ignored=ignored)
    if n != len(text.line_of):
        raise DataError(
            f"{source.label}: {len(text.line_of)} records were counted, {n} were read",
            code="SC-D003",
            help="check quotes and newlines within fields",
        )
    return RawTable(
        source, n, names, columns, Place(text.line_of), digest, text.refused, fingerprint, text.unfinished, ignored
    )


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().strip("\ufeff").strip()


def _map_columns(
    source: SourceSpec, table: Table, covariates: tuple[str, ...], found: tuple[str, ...]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Find the file's column of each canonical name, and what is left over.

    Items keep every other column as an attribute; elsewhere only covariates that the config lists are held.
    """
    by_plain = {_plain(name): name for name in found}
    mapped: dict[str, str] = {}
    keeps_all = source.name in ("items", "item_locations", "locations")
    for canonical in source.columns:
        if canonical not in table.columns and canonical not in covariates and not keeps_all:
            raise UsageError(
                f"sources.{source.name}.columns: {canonical!r} is no column of {source.name}"
                f"{did_you_mean(canonical, table.columns)}",
                code="SC-D009",
                details=[f"columns: {', '.join(table.columns)}"],
            )
    for canonical in dict.fromkeys([*table.columns, *covariates, *source.columns]):
        wanted = source.columns.get(canonical, canonical)
        if _plain(wanted) in by_plain:
            mapped[canonical] = by_plain[_plain(wanted)]
        elif canonical in source.columns or (canonical in table.columns and table.columns[canonical].required):
            raise _missing_column(source, canonical, wanted, [_plain(name) for name in found])
    left = tuple(name for name in found if name not in mapped.values())
    if keeps_all:
        mapped.update({_plain(name): name for name in left if _plain(name) and _plain(name) not in mapped})
        left = ()
    return mapped, tuple(_plain(name) for name in left)


def _missing_column(source: SourceSpec, canonical: str, wanted: str, found: list[str]) -> DataError:
    by_fold = {name.casefold(): name for name in found}
    near = did_you_mean(wanted.casefold(), by_fold)
    for fold, name in by_fold.items():
        near = near.replace(fold, name)
    remedy = f"set sources.{source.name}.columns.{canonical} to the name that the file uses"
    if len(found) == 1 and source.kind == "csv":
        for delimiter in (";", "\t", "|"):
            if delimiter in found[0]:
                remedy = f'set sources.{source.name}.delimiter: "{delimiter}"'.replace("\t", "\\t")
    shown = ", ".join(found[:20]) + (f" and {len(found) - 20} more" if len(found) > 20 else "")
    return DataError(
        f"{source.label}: no column {wanted!r}{near}",
        code="SC-D009",
        details=[f"found columns: {shown}", f"sources.{source.name} needs {canonical}"],
        help=remedy,
    )
