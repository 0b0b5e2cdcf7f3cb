"""Single rows of a run's published tables, read back: what ``explain`` tells comes from nowhere else."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stockcast.report.disk import reaching

Row = Mapping[str, Any]


def rows_of(folder: Path, table: str, **where: str) -> list[Row]:
    """Give the rows of a run's table in which some text columns hold some values; none where it has no such table.

    What is blank in the file is None.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    import pyarrow.parquet as pq

    path = folder / f"{table}.parquet"
    if not path.is_file():
        return []
    with reaching(path, "read"):
        found: list[Row] = pq.read_table(
            path, filters=[(name, "=", value) for name, value in where.items()] or None
        ).to_pylist()
    return found


def columns_of(folder: Path, table: str, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Give some columns of a run's table, row by row; nothing where it has no such table.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    import pyarrow.parquet as pq

    path = folder / f"{table}.parquet"
    if not path.is_file():
        return []
    with reaching(path, "read"):
        columns = pq.read_table(path, columns=list(names))
    return list(zip(*(columns.column(name).to_pylist() for name in names), strict=True))
