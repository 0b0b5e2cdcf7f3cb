"""A forecast that the user brings (``plan --forecast FILE``): joint samples, or quantiles with a stated dependence."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from jaxtyping import Float, Int, Shaped

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import DataError, did_you_mean
from stockcast.core.random import Stream
from stockcast.demand import Marginals, RecordedPaths, SampledForecast

CORRELATION = 0.2
MODEL = "user"
_LEVEL = re.compile(r"q(0?\.\d+)")


@final
@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of the file that lie on the axes."""

    file: str
    table: pa.Table
    at: Int[np.ndarray, " row"]  # the row of the file, from 0
    series: Int[np.ndarray, " row"]
    period: Int[np.ndarray, " row"]

    def where(self, row: int) -> str:
        return f"{self.file} row {int(self.at[row]) + 1}"


def read_user_forecast(
    path: Path,
    series: SeriesAxis,
    time: TimeAxis,
    periods: Int[np.ndarray, " series"],
    stream: Stream,
    *,
    n_paths: int = 500,
    correlation: float = CORRELATION,
) -> tuple[SampledForecast, Shaped[np.ndarray, " series"], Shaped[np.ndarray, " series"]]:
    """Read a user's forecast (CSV or Parquet) of these series over these future periods.

    The file has ``sku, date`` and, where there is more than one location, ``location``; besides them either
    ``sample, value`` (joint paths: the rows of one sample belong together over time) or at least two columns ``q…``
    such as ``q0.05``. A date belongs to the period that holds it; rows of other series or periods are not read.

    From quantiles, paths are drawn with a Gaussian copula of one shared factor, any two periods correlated by
    ``correlation`` (0.2: weak; errors of forecasts of one item tend to share a sign), linear between the levels and
    flat beyond the outermost. A ``mean`` column is checked, and the mean used is that of the paths. Periods after
    the file's last one, beyond the protection interval, repeat it. Each is said in the ``fallback`` of the series.

    Parameters
    ----------
    periods
        For each series, the leading periods that must be there (its protection interval); 0 where none must.
    n_paths
        Paths to draw from quantiles; samples are taken as many as they are.

    Returns
    -------
    demand, model, fallback
        ``model`` is ``user``.

    Raises
    ------
    DataError
        If the file cannot be read, columns or rows are missing or doubled, or a value is not finite, negative, or
        quantiles decrease.
    """
    rows = _on_axes(_read(path), str(path), series, time)
    names = rows.table.column_names
    said = np.full(len(series), "", dtype=object)
    if "sample" in names and "value" in names:
        values = _samples(rows, series, time, periods, said)
        demand = SampledForecast(series, time, RecordedPaths(values), stream, values.shape[1])
    else:
        levels, quantiles = _quantiles(rows, series, time, periods, said)
        law = f"user quantiles: Gaussian copula, correlation {correlation:g}, flat tails"
        said[:] = [f"{law}; {text}" if text else law for text in said]
        source = Marginals(levels, quantiles, np.full(len(series), correlation))
        demand = SampledForecast(series, time, source, stream, n_paths)
    return demand, np.full(len(series), MODEL), said.astype(np.str_)


def _read(path: Path) -> pa.Table:
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pq.read_table(path)
        text = _every_column_as_text(path)
        return pyarrow.csv.read_csv(path, convert_options=text)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file", code="SC-D070", help="name a CSV or Parquet file") from None
    except (OSError, pa.ArrowInvalid) as error:
        cause = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read as a table", code="SC-D070", details=[cause]) from error


def _every_column_as_text(path: Path) -> pyarrow.csv.ConvertOptions:
    with pyarrow.csv.open_csv(path, read_options=pyarrow.csv.ReadOptions(block_size=1 << 20)) as reader:
        names = reader.schema.names
    return pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)


def _on_axes(table: pa.Table, file: str, series: SeriesAxis, time: TimeAxis) -> _Rows:
    names = table.column_names
    for needed in ("sku", "date"):
        if needed not in names:
            near = did_you_mean(needed, names)
            raise DataError(
                f"{file}: no column {needed}{near}", code="SC-D071", details=[f"columns: {', '.join(names)}"]
            )
    sku = _ids(table.column("sku"))
    if "location" in names:
        location = _ids(table.column("location"))
    elif len(np.unique(series.location)) <= 1:
        location = np.full(len(sku), series.location[0] if len(series) else "")
    else:
        raise DataError(f"{file}: no column location, and there are several", code="SC-D071")
    pairs, pair = SeriesAxis.of(sku, location)
    row = series.locate(pairs.sku, pairs.location)[pair]
    period = time.index(_dates(table.column("date"), file))
    inside = np.flatnonzero((row >= 0) & (period >= 0) & (period < time.n))
    return _Rows(file, table.take(pa.array(inside)), inside, row[inside], period[inside])


def _ids(column: pa.ChunkedArray) -> np.ndarray:
    codes = column.combine_chunks().cast(pa.string()).fill_null("").dictionary_encode()
    clean = [unicodedata.normalize("NFC", text).strip() for text in codes.dictionary.to_pylist()]
    return np.array(clean, dtype=np.str_)[codes.indices.to_numpy()] if clean else np.zeros(0, dtype="<U1")


def _dates(column: pa.ChunkedArray, file: str) -> np.ndarray:
    if pa.types.is_temporal(column.type):
        dates: np.ndarray = column.cast(pa.date32(), safe=False).combine_chunks().to_numpy(zero_copy_only=False)
        return dates.astype("datetime64[D]")
    codes = column.combine_chunks().cast(pa.string()).fill_null("").dictionary_encode()
    texts = codes.dictionary.to_pylist()
    out = np.empty(len(texts), dtype="datetime64[D]")
    for at, text in enumerate(texts):
        try:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ]00:00(:00(\.0+)?)?)?", text.strip()):
                raise ValueError
            out[at] = np.datetime64(text.strip()[:10], "D")
        except ValueError:
            row = int(np.flatnonzero(codes.indices.to_numpy() == at)[0]) + 1
            raise DataError(
                f"{file} row {row}, column date: {text!r} is not a date",
                code="SC-D072",
                help="write dates as YYYY-MM-DD",
            ) from None
    return out[codes.indices.to_numpy()] if len(texts) else np.zeros(0, dtype="datetime64[D]")


def _numbers(rows: _Rows, name: str) -> Float[np.ndarray, " row"]:
    column = rows.table.column(name).combine_chunks()
    try:
        values: np.ndarray = pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    except pa.ArrowInvalid:
        values = np.array([_number(text) for text in column.cast(pa.string()).to_pylist()])
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(bad):
        shown = column[int(bad[0])].as_py()
        raise DataError(
            f"{rows.where(int(bad[0]))}, column {name}: {shown!r} is not a number from 0 on",
            code="SC-D072",
            details=[f"{len(bad)} such rows"],
        )
    return values


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return np.nan


def _refuse_doubles(rows: _Rows, key: Int[np.ndarray, " row"], what: str) -> None:
    order = np.argsort(key, kind="stable")
    again = order[1:][np.diff(key[order]) == 0]
    if len(again):
        places = ", ".join(rows.where(int(row)) for row in np.sort(again)[:5])
        raise DataError(
            f"{rows.file}: {len(again)} rows repeat a {what}",
            code="SC-D073",
            details=[f"first: {places}"],
            help="give each one once, a row a period",
        )


def _require(
    given: np.ndarray, series: SeriesAxis, time: TimeAxis, periods: Int[np.ndarray, " series"], file: str
) -> None:
    """Raise where one of the leading periods is missing; ``given`` is Bool (series, period)."""
    if (periods > time.n).any():
        raise DataError(f"the forecast covers {time.n} periods, the plan needs {periods.max()}", code="SC-D074")
    needed = np.arange(time.n)[None, :] < periods[:, None]
    missing = np.argwhere(needed & ~given)
    if len(missing):
        first = [f"{series.sku[s]} at {series.location[s]}, {time.date(int(t))}" for s, t in missing[:5].tolist()]
        raise DataError(
            f"{file}: {len(missing)} periods are missing up to the end of the protection intervals",
            code="SC-D074",
            details=[f"first: {key}" for key in first],
            help="forecast every series up to the arrival of the order after this one",
        )


def _carried(
    given: np.ndarray, time: TimeAxis, said: Shaped[np.ndarray, " series"]
) -> Int[np.ndarray, "series period"]:
    """Give for each period the period to take the values from: itself, or the last given one before; −1 for none."""
    source = np.maximum.accumulate(np.where(given, np.arange(time.n)[None, :], -1), axis=1)
    for row in np.flatnonzero(~given.all(axis=1)).tolist():
        first = int(np.flatnonzero(~given[row])[0])
        repeats = "last period repeated" if (source[row] >= 0).all() else "zero where none is given"
        said[row] = f"user forecast has no {time.date(first)}: {repeats}"
    return source


def _samples(
    rows: _Rows,
    series: SeriesAxis,
    time: TimeAxis,
    periods: Int[np.ndarray, " series"],
    said: Shaped[np.ndarray, " series"],
) -> Float[np.ndarray, "series path period"]:
    value = _numbers(rows, "value")
    labels = rows.table.column("sample").combine_chunks().cast(pa.string()).fill_null("").dictionary_encode()
    texts = labels.dictionary.to_pylist()
    place = {text: at for at, text in enumerate(sorted(texts, key=lambda text: (len(text), text)))}
    rank = np.array([place[text] for text in texts], dtype=np.int64)
    sample = rank[labels.indices.to_numpy()] if texts else np.zeros(0, dtype=np.int64)
    n = max(len(texts), 1)
    cell = rows.series * time.n + rows.period
    _refuse_doubles(rows, cell * n + sample, "sku, location, date and sample")
    count = np.bincount(cell, minlength=len(series) * time.n).reshape(len(series), time.n)
    partial = np.argwhere((count > 0) & (count < n))
    if len(partial):
        s, t = partial[0].tolist()
        raise DataError(
            f"{rows.file}: {series.sku[s]} at {series.location[s]}, {time.date(t)} has {count[s, t]} of {n} samples",
            code="SC-D074",
            details=[f"{len(partial)} periods are incomplete"],
            help="give every sample for every period: a path goes on over all of them",
        )
    given = count == n
    _require(given, series, time, periods, rows.file)
    values = np.zeros((len(series), n, time.n))
    values[rows.series, sample, rows.period] = value
    source = _carried(given, time, said)
    taken = np.take_along_axis(values, np.maximum(source, 0)[:, None, :], axis=2)
    return np.where(source[:, None, :] >= 0, taken, 0.0)


def _quantiles(
    rows: _Rows,
    series: SeriesAxis,
    time: TimeAxis,
    periods: Int[np.ndarray, " series"],
    said: Shaped[np.ndarray, " series"],
) -> tuple[Float[np.ndarray, " level"], Float[np.ndarray, "series period level"]]:
    found = sorted((float(m[1]), name) for name in rows.table.column_names if (m := _LEVEL.fullmatch(name)))
    levels = np.array([level for level, _ in found])
    if len(found) < 2 or (np.diff(levels) <= 0).any():
        raise DataError(
            f"{rows.file}: neither sample and value, nor two different quantiles among its columns",
            code="SC-D071",
            details=[f"columns: {', '.join(rows.table.column_names)}"],
            help="give sample and value, or columns such as q0.05, q0.5 and q0.95",
        )
    if "mean" in rows.table.column_names:
        _numbers(rows, "mean")
    columns = np.stack([_numbers(rows, name) for _, name in found], axis=1)
    falls = np.flatnonzero((np.diff(columns, axis=1) < 0).any(axis=1))
    if len(falls):
        raise DataError(
            f"{rows.where(int(falls[0]))}: the quantiles decrease as the level grows",
            code="SC-D072",
            details=[f"{len(falls)} such rows"],
        )
    _refuse_doubles(rows, rows.series * time.n + rows.period, "sku, location and date")
    given = np.zeros((len(series), time.n), dtype=bool)
    given[rows.series, rows.period] = True
    _require(given, series, time, periods, rows.file)
    values = np.zeros((len(series), time.n, len(found)))
    values[rows.series, rows.period] = columns
    source = _carried(given, time, said)
    taken = np.take_along_axis(values, np.maximum(source, 0)[:, :, None], axis=1)
    return levels, np.where(source[:, :, None] >= 0, taken, 0.0)
