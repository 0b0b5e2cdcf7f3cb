"""The catalogue of stable codes, a module for each family: what ``stockcast explain --code`` tells."""

import importlib
from collections.abc import Iterator

from stockcast.core.codes.entry import Code
from stockcast.core.errors import UsageError, did_you_mean

FAMILIES = {
    "B": "bug",
    "C": "config",
    "D": "data",
    "E": "environment",
    "M": "forecast",
    "P": "plan",
    "G": "guard",
    "X": "exceptions",
}

__all__ = ["FAMILIES", "Code", "every_code", "find_code"]


def every_code() -> Iterator[Code]:
    """Give all codes, family by family."""
    for module in FAMILIES.values():
        yield from importlib.import_module(f"stockcast.core.codes.{module}").CODES


def find_code(name: str) -> Code:
    """Give the entry of a code such as ``SC-D014``.

    Raises
    ------
    UsageError
        If there is no such code.
    """
    known = {code.name: code for code in every_code()}
    if name.upper() not in known:
        raise UsageError(f"no code {name!r}{did_you_mean(name.upper(), known)}", code="SC-C013")
    return known[name.upper()]
