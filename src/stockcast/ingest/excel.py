"""Excel and OpenDocument sheets through calamine: values with the address of their cell, no macros, no links."""

import zipfile
from collections.abc import Sequence

import numpy as np
import python_calamine as calamine

from stockcast.core.errors import DataError, did_you_mean
from stockcast.ingest.delimited import MAX_RATIO, MAX_UNPACKED, no_rows, require_distinct, too_large
from stockcast.ingest.raw import RawColumn
from stockcast.ingest.spec import SourceSpec

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of .xls, and of a workbook with a password


def column_letters(index: int) -> str:
    """Name a column of a sheet, counted from 0.

    Examples
    --------
    >>> column_letters(0), column_letters(27)
    ('A', 'AB')
    """
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def save_otherwise(source: SourceSpec, what: str) -> DataError:
    """Make the error of a workbook that is not read."""
    return DataError(f"{source.label}: {what}", code="SC-D002", help="save as .xlsx or .csv")


def _open(source: SourceSpec) -> calamine.CalamineWorkbook:
    with source.path.open("rb") as file:
        head = file.read(8)
    if head == _OLE:
        raise save_otherwise(source, "an old .xls workbook, or one with a password, is not read")
    try:
        with zipfile.ZipFile(source.path) as parts:
            sizes = [(part.file_size, part.compress_size) for part in parts.infolist()]
        unpacked, packed = sum(size for size, _ in sizes), sum(size for _, size in sizes)
        if unpacked > MAX_UNPACKED or (unpacked > 1 << 20 and unpacked > MAX_RATIO * max(packed, 1)):
            raise too_large(source.label, f"expands to {unpacked} bytes, {unpacked // max(packed, 1)} times its size")
        return calamine.CalamineWorkbook.from_path(str(source.path))
    except calamine.PasswordError:
        raise save_otherwise(source, "the workbook has a password") from None
    except (zipfile.BadZipFile, calamine.CalamineError) as error:
        raise DataError(
            f"{source.label}: not a readable workbook ({error})", code="SC-D003", help="save as .xlsx or .csv"
        ) from None


def _sheet(source: SourceSpec, book: calamine.CalamineWorkbook) -> calamine.CalamineSheet:
    visible = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == calamine.SheetTypeEnum.WorkSheet and sheet.visible == calamine.SheetVisibleEnum.Visible
    ]
    name = source.sheet or (visible[0] if visible else "")
    if name not in book.sheet_names:
        raise DataError(
            f"{source.label} has no sheet {name!r}{did_you_mean(name, book.sheet_names)}",
            code="SC-D009",
            details=[f"found: {', '.join(book.sheet_names)}"],
            help=f"set sources.{source.name}.sheet",
        )
    return book.get_sheet_by_name(name)


def _column(cells: Sequence[object]) -> RawColumn:
    seen: dict[tuple[type, object], int] = {}
    codes = np.empty(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        blank = cell is None or (isinstance(cell, str) and not cell)
        codes[row] = -1 if blank else seen.setdefault((type(cell), cell), len(seen))
    return RawColumn(codes, [value for _, value in seen])


def read_sheet(source: SourceSpec) -> tuple[tuple[str, ...], dict[str, RawColumn], dict[str, str], np.ndarray]:
    """Read a sheet whose first row that is not empty holds the column names.

    Returns
    -------
    names, columns by name, letters by name, sheet row of each row

    Raises
    ------
    DataError
        If the workbook is of a kind that is not read, broken, or has no such sheet or no rows.
    """
    try:
        rows = _sheet(source, _open(source)).to_python(skip_empty_area=False)
    except calamine.CalamineError as error:
        raise DataError(
            f"{source.label}: not a readable sheet ({error})", code="SC-D003", help="save as .xlsx or .csv"
        ) from None
    filled = [at for at, row in enumerate(rows) if any(cell not in ("", None) for cell in row)]
    if not filled:
        raise no_rows(source)
    header = rows[filled[0]]
    require_distinct(source, filled[0] + 1, [str(cell).strip() for cell in header if cell not in ("", None)])
    names = {str(cell).strip(): at for at, cell in enumerate(header) if cell not in ("", None)}
    body = filled[1:]
    columns = {name: _column([rows[row][at] for row in body]) for name, at in names.items()}
    letters = {name: column_letters(at) for name, at in names.items()}
    return tuple(names), columns, letters, np.array(body, dtype=np.int64) + 1
