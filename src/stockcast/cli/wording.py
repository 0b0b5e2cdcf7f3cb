"""How text is set: small tables, short paths, and nothing that could move the cursor."""

import re
from collections.abc import Sequence
from pathlib import Path

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Make control characters visible, so that no input can move the cursor or turn the writing.

    Examples
    --------
    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape", "backslashreplace").decode(), text)


def shortest(path: Path) -> str:
    """Give a path as short as it can be said from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Set a small table in columns, numbers to the right.

    Examples
    --------
    >>> print(aligned(("model", "series"), [("ets", "9"), ("tsb", "120")]))
      model  series
      ets         9
      tsb       120
    """
    table = [[str(cell) for cell in row] for row in (header, *rows)]
    columns = list(zip(*table, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    right = [all(re.fullmatch(r"[-+]?[\d,.]+%?", cell) for cell in column[1:] if cell) for column in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(row, widths, right, strict=True)
        )
        for row in table
    ]
    return "\n".join(f"  {line.rstrip()}" for line in lines)
