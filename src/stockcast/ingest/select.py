"""``--select``: which series a command is about.

Terms of one kind are joined by *or*, kinds by *and*: ``sku:A1* sku:B7 location:LYON`` is (A1… or B7) in LYON.
``@file`` holds one ``sku`` or ``sku@location`` a line. ``*`` and ``?`` stand for any text.
"""

import difflib
import fnmatch
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from stockcast.core.errors import UsageError, did_you_mean
from stockcast.panel.panel import Panel

KINDS = ("sku", "location", "supplier", "abc", "category")
_CODE = "SC-D050"


def abc_classes(panel: Panel) -> np.ndarray:
    """Class the skus of a panel by sales value: A up to 80 % of the whole, B up to 95 %, C the rest.

    The value is units times the recorded price; units alone where no price is recorded at all.

    Returns
    -------
    class
        One letter a series, that of its sku over all locations.
    """
    price = panel.known.price[:, : panel.time.n]
    worth = panel.sales.sum(axis=1)
    if not np.isnan(price).all():
        worth = (panel.sales * np.nan_to_num(price)).sum(axis=1)
    skus, of_series = np.unique(panel.series.sku, return_inverse=True)
    total = np.bincount(of_series, weights=worth)
    order = np.lexsort((skus, -total))
    before = np.cumsum(total[order]) - total[order]
    whole = max(float(total.sum()), 1e-300)
    letters = np.empty(len(skus), dtype="<U1")
    letters[order] = np.where(before < 0.8 * whole, "A", np.where(before < 0.95 * whole, "B", "C"))
    return letters[of_series]


def _matching(column: np.ndarray, patterns: list[str]) -> np.ndarray:
    names, place = np.unique(column, return_inverse=True)
    tests: list[Callable[[str], object]] = [
        re.compile(fnmatch.translate(pattern.replace("[", "[[]"))).match for pattern in patterns
    ]
    return np.array([any(test(name) for test in tests) for name in names.tolist()], dtype=bool)[place]


def _file(panel: Panel, name: str, root: Path) -> np.ndarray:
    path = root / name
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--select @{name}: cannot be read ({error})", code=_CODE) from None
    wanted = {line for line in lines if line and not line.startswith("#")}
    pairs = zip(panel.series.sku.tolist(), panel.series.location.tolist(), strict=True)
    return np.array([sku in wanted or f"{sku}@{place}" in wanted for sku, place in pairs], dtype=bool)


def select(panel: Panel, supplier: np.ndarray, expression: str, root: Path) -> Bool[np.ndarray, " series"]:
    """Tell which series an expression names.

    Parameters
    ----------
    supplier
        The supplier of each series.
    root
        The folder from which ``@file`` is looked up.

    Raises
    ------
    UsageError
        If a term is not known, or nothing matches.
    """
    try:
        words = shlex.split(expression)
    except ValueError as error:
        raise UsageError(f"--select {expression!r}: {error}", code=_CODE) from None
    asked: dict[str, list[str]] = {}
    for word in words:
        kind, colon, value = word.partition(":")
        if word.startswith("@"):
            asked.setdefault("@", []).append(word[1:])
        elif colon and kind in KINDS and value:
            asked.setdefault(kind, []).append(value)
        else:
            raise UsageError(
                f"--select: unknown term {word!r}{did_you_mean(kind, KINDS)}",
                code=_CODE,
                details=["terms: " + " ".join(f"{kind}:…" for kind in KINDS) + " @file"],
            )
    if not asked:
        raise UsageError("--select is empty", code=_CODE, help="leave it out to take every series")
    columns = {
        "sku": panel.series.sku,
        "location": panel.series.location,
        "supplier": supplier,
        "category": panel.attributes.column("category"),
        "abc": abc_classes(panel),
    }
    chosen = np.ones(len(panel.series), dtype=bool)
    for kind, values in asked.items():
        if kind == "@":
            chosen &= np.logical_or.reduce([_file(panel, name, root) for name in values])
        else:
            chosen &= _matching(columns[kind], values)
    if not chosen.any():
        raise _nothing(panel, expression, asked, columns)
    return chosen


def _nothing(panel: Panel, expression: str, asked: dict[str, list[str]], columns: dict[str, np.ndarray]) -> UsageError:
    items = f"{len(np.unique(panel.series.sku)):,}".replace(",", " ")
    near = []
    for kind in [kind for kind in asked if kind != "@"]:
        names = np.unique(columns[kind]).tolist()
        for value in asked[kind]:
            if not _matching(columns[kind], [value]).any():
                close = difflib.get_close_matches(value, names, n=3, cutoff=0.4) or names[:3]
                near.append(f"{kind}:{value} is not there; nearest: {', '.join(close)}")
    return UsageError(f"--select {expression!r} matches 0 of {items} items", code="SC-D051", details=near)
