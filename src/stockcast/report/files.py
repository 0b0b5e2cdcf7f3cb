"""Column tables to CSV and Parquet: the same bytes on every run.

A table is an ordered mapping from column to array, all of one length. Its arrays' kinds say how they are written:

* text as it is: ids keep every character (``007``, ``NA``, ``=1+1``). A value with a comma, a quote or a line break is
  quoted, nothing else is. These files are read by programs, so there is no defence against spreadsheet formulas in
  them: it would change the ids. Import them as text.
* dates as ISO dates, a NaT blank;
* whole numbers in full; other numbers with six significant digits, where they are whole in full too (so that a
  quantity stays a multiple of its pack), or in all their digits where sums have to come out; NaN and infinity blank.
"""

import io
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Float

from stockcast.core.errors import InvariantError
from stockcast.report.disk import write_file

Table = Mapping[str, np.ndarray]
DIGITS = 6
ROWS_AT_ONCE = 1 << 17
_EXACT = 22  # powers of ten up to 10²² are doubles without error


def round_significant(values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Round to six significant digits; whole numbers stay as they are.

    What comes out is the double nearest to the decimal, so that its shortest text has six digits at most.

    Examples
    --------
    >>> round_significant(np.array([0.1 + 0.2, 1234567.0, 12345.678, np.nan])).tolist()
    [0.3, 1234567.0, 12345.7, nan]
    """
    flat = values.astype(np.float64).ravel()
    out = flat + 0.0  # −0 becomes 0
    odd = np.isfinite(flat) & (flat != np.rint(flat))
    some = flat[odd]
    shift = DIGITS - 1 - np.floor(np.log10(np.abs(some))).astype(np.int64)
    near = (shift >= 0) & (shift <= _EXACT)  # whole from 10⁶ on is no promise: 1234567.5 has shift −1
    rounded = np.empty_like(some)
    scale = 10.0 ** shift[near].astype(np.float64)
    rounded[near] = np.rint(some[near] * scale) / scale
    rounded[~near] = [float(f"{value:.{DIGITS}g}") for value in some[~near].tolist()]
    out[odd] = rounded + 0.0
    return out.reshape(values.shape)


def to_arrow(table: Table, exact: Collection[str] = ()) -> pa.Table:
    """Give a table as Arrow columns, rounded as it is written; the columns named ``exact`` are not.

    Raises
    ------
    InvariantError
        If the columns differ in length.
    """
    columns = {}
    for name, values in table.items():
        match values.dtype.kind:
            case "M":
                columns[name] = pa.array(values.astype("datetime64[D]"), pa.date32())
            case "f":
                rounded = values + 0.0 if name in exact else round_significant(values)
                columns[name] = pa.array(rounded, pa.float64(), mask=~np.isfinite(rounded))
            case "i" | "u":
                columns[name] = pa.array(values.astype(np.int64), pa.int64())
            case "b":
                columns[name] = pa.array(values)
            case _:
                columns[name] = pa.array(values.astype(np.str_), pa.string())
    if len({len(column) for column in columns.values()}) > 1:
        lengths = {name: len(column) for name, column in columns.items()}
        raise InvariantError(f"columns of one table differ in length: {lengths}", code="SC-B010")
    return pa.table(columns)


def _quoted(text: pa.Array) -> pa.Array:
    awkward = pc.match_substring_regex(text, '[",\r\n]')
    if not pc.any(awkward).as_py():
        return text
    doubled = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(awkward, doubled, text)


def _lines(table: pa.Table) -> bytes:
    columns = []
    for column in table.columns:
        plain = column.combine_chunks()
        text = _quoted(plain) if pa.types.is_string(plain.type) else pc.cast(plain, pa.string())
        columns.append(pc.fill_null(text, ""))
    last = pc.binary_join_element_wise(columns[-1], "", "\n")
    joined = pc.cast(pc.binary_join_element_wise(*columns[:-1], last, ","), pa.large_string())
    start, end = np.frombuffer(joined.buffers()[1], dtype=np.int64)[[joined.offset, joined.offset + len(joined)]]
    return bytes(memoryview(joined.buffers()[2])[int(start) : int(end)])


def to_csv(table: pa.Table) -> list[bytes]:
    r"""Give the CSV text of a table in pieces: UTF-8, LF, a header line always.

    Examples
    --------
    >>> b"".join(to_csv(to_arrow({"sku": np.array(["007", 'a,"b']), "mean": np.array([1.0, np.nan])})))
    b'sku,mean\n007,1\n"a,""b",\n'
    """
    header = ",".join(_quoted(pa.array(table.column_names, pa.string())).to_pylist())
    pieces = [f"{header}\n".encode()]
    for begin in range(0, table.num_rows, ROWS_AT_ONCE):
        pieces.append(_lines(table.slice(begin, ROWS_AT_ONCE)))
    return pieces


def to_parquet(table: pa.Table) -> memoryview:
    """Give the Parquet file of a table; it holds no time and no name of a machine."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, version="2.6", compression="zstd", compression_level=3, row_group_size=1 << 20)
    return memoryview(sink.getvalue())


def write_table(folder: Path, name: str, table: Table, exact: Collection[str] = ()) -> None:
    """Write ``name.csv`` and ``name.parquet`` into a folder; the columns named ``exact`` in all their digits.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    columns = to_arrow(table, exact)
    write_file(folder / f"{name}.csv", *to_csv(columns))
    write_file(folder / f"{name}.parquet", to_parquet(columns))


def array_bytes(array: np.ndarray) -> bytes:
    """Give the ``.npy`` file of an array; objects are refused."""
    out = io.BytesIO()
    np.lib.format.write_array(out, np.ascontiguousarray(array), allow_pickle=False)
    return out.getvalue()
