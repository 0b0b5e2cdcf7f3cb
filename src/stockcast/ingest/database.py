"""CSV, Parquet and DuckDB files through one locked-down DuckDB: no downloads, no network, no other file."""

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from stockcast.core.errors import DataError, did_you_mean
from stockcast.ingest.delimited import CleanText
from stockcast.ingest.raw import RawColumn
from stockcast.ingest.spec import SourceSpec

_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


def quote_name(name: str) -> str:
    """Write a name as SQL wants it.

    Examples
    --------
    >>> quote_name('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Write a text as SQL wants it."""
    return "'" + text.replace("'", "''") + "'"


def connect(*paths: Path, attach: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open a database in memory that can read the given files and nothing else.

    Parameters
    ----------
    paths
        The files that queries may name.
    attach
        A DuckDB file to attach as ``file``, read-only, before the door is shut.
    """
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    if attach is not None:
        connection.execute(f"ATTACH {quote_text(str(attach))} AS file (READ_ONLY)")
    connection.execute("SET TimeZone = 'UTC'")  # never that of the machine
    allowed = ", ".join(quote_text(str(path)) for path in paths)
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def open_text(source: SourceSpec, text: CleanText) -> duckdb.DuckDBPyConnection:
    """Make the view ``source`` of a clean text: every column as text, nothing guessed."""
    connection = connect(text.path)
    types = ", ".join(f"{quote_text(name)}: 'VARCHAR'" for name in text.header)
    connection.execute(
        f"CREATE VIEW source AS SELECT * FROM read_csv({quote_text(str(text.path))}, auto_detect = false, "
        f"header = false, skip = {text.skip}, delim = {quote_text(text.delimiter)}, quote = '\"', escape = '\"', "
        f"columns = {{{types}}}, max_line_size = 4000000)"
    )
    return connection


def _broken(source: SourceSpec, error: duckdb.Error) -> DataError:
    first = str(error).splitlines()[0]
    return DataError(f"{source.label}: cannot be read: {first}", code="SC-D003", help="export the file again")


def open_parquet(source: SourceSpec) -> duckdb.DuckDBPyConnection:
    """Make the view ``source`` of a Parquet file."""
    connection = connect(source.path)
    try:
        connection.execute(f"CREATE VIEW source AS SELECT * FROM read_parquet({quote_text(str(source.path))})")
    except duckdb.Error as error:
        raise _broken(source, error) from None
    return connection


def open_duckdb(source: SourceSpec) -> duckdb.DuckDBPyConnection:
    """Make the view ``source`` of a table in a DuckDB file; with a query, of all its tables by their own names too."""
    try:
        connection = connect(source.path, attach=source.path)
        rows = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'file' "
            "UNION SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = 'file' AND NOT internal "
            "ORDER BY ALL"
        ).fetchall()
    except duckdb.Error as error:
        raise _broken(source, error) from None
    tables = {name: f"file.{quote_name(schema)}.{quote_name(name)}" for schema, name in rows}
    wanted = source.table or (source.name if source.name in tables else next(iter(tables)) if len(tables) == 1 else "")
    if wanted in tables:
        connection.execute(f"CREATE VIEW source AS SELECT * FROM {tables[wanted]}")
    elif source.query is None or source.table:
        what = f"has no table {wanted!r}{did_you_mean(wanted, tables)}" if wanted else f"has {len(tables)} tables"
        raise DataError(
            f"{source.label} {what}",
            code="SC-D009",
            details=[f"found: {', '.join(tables) or 'none'}"],
            help=f"set sources.{source.name}.table",
        )
    if source.query is not None:
        connection.execute("USE file")
    return connection


def apply_query(source: SourceSpec, connection: duckdb.DuckDBPyConnection) -> str:
    """Give the relation to read: the view ``source``, or the user's query over it.

    Raises
    ------
    DataError
        If the query is not one SELECT that DuckDB can run.
    """
    if source.query is None:
        return "source"
    query = source.query.strip().rstrip(";")
    help_line = f"see sources.{source.name}.query; the file is the view `source`"
    try:
        statements = connection.extract_statements(query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise DataError(f"{source.label}: the query is not one SELECT", code="SC-D044", help=help_line)
        if "file" in [row[0] for row in connection.execute("SELECT current_database()").fetchall()]:
            query = re.sub(r"(?i)\b(from|join)\s+source\b", r"\1 memory.main.source", query)
        connection.execute(f"CREATE TEMP TABLE asked AS {query}")
    except duckdb.Error as error:
        raise DataError(
            f"{source.label}: the query fails: {str(error).splitlines()[0]}", code="SC-D044", help=help_line
        ) from None
    return "temp.asked"


def column_names(source: SourceSpec, connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[str, ...]:
    """Give the columns of a relation, without the index that pandas leaves in a Parquet file."""
    try:
        rows = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    except duckdb.Error as error:
        raise _broken(source, error) from None
    return tuple(row[0] for row in rows if not _PANDAS_INDEX.fullmatch(row[0]))


def _held(value: pa.Scalar) -> object:
    try:
        return value.as_py()
    except (OverflowError, ValueError):
        return f"{value.type} {value.value}"


def _encode(column: pa.ChunkedArray) -> RawColumn:
    """Give a column as codes into its distinct values."""
    if pa.types.is_null(column.type):
        return RawColumn(np.full(len(column), -1, dtype=np.int64), [])
    if pa.types.is_nested(column.type):
        column = pa.chunked_array([pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())])
    coded = column.combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        coded = pa.concat_arrays(coded.chunks)
    coded = coded.dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    values = coded.dictionary
    if pa.types.is_floating(values.type):
        return RawColumn(codes, values.to_numpy(zero_copy_only=False).astype(np.float64))
    if pa.types.is_decimal(values.type) or pa.types.is_binary(values.type):
        return RawColumn(codes, [str(value) for value in values.to_pylist()])
    try:
        return RawColumn(codes, values.to_pylist())
    except (OverflowError, ValueError):  # a date that Python cannot hold: its number stands in, and is refused
        return RawColumn(codes, [_held(value) for value in values])


def fetch(
    source: SourceSpec,
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    wanted: Iterable[str],
    fingerprint: Iterable[str] = (),
) -> tuple[int, dict[str, RawColumn], np.ndarray | None]:
    """Read columns of a relation, in the order of its rows.

    Parameters
    ----------
    wanted
        The columns to hold.
    fingerprint
        The columns of which each row gets a hash; none for no hash.

    Returns
    -------
    rows, columns, hash
    """
    names = list(dict.fromkeys(wanted))
    hashed = ", ".join(quote_name(name) for name in fingerprint)
    parts = [quote_name(name) for name in names] + ([f'hash({hashed}) AS "\x01"'] if hashed else [])
    try:
        table = connection.sql(f"SELECT {', '.join(parts)} FROM {relation}").to_arrow_table()
    except duckdb.Error as error:
        raise _broken(source, error) from None
    columns = {name: _encode(table.column(at)) for at, name in enumerate(names)}
    hashes = table.column(len(names)).to_numpy() if hashed else None
    return table.num_rows, columns, hashes
