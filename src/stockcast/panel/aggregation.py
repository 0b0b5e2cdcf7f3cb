"""Groups of series as series of their own: a hierarchy of nodes, and the panel of their sums."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis
from stockcast.core.errors import UsageError, did_you_mean
from stockcast.panel.attributes import Attributes
from stockcast.panel.known import KnownFuture
from stockcast.panel.panel import Panel

CHUNK = 1024  # series whose histories are held filled at once
TELLING = 0.5  # share of a node's expected sales that must have been told for its period to be evidence
TOTAL = "total"
ALWAYS = ("sku", "location", "category")  # columns that may be named though no item has a value in them


@final
@dataclass(frozen=True, slots=True)
class Filled:
    """What some series add to their nodes: demand without holes, and how much of it was told.

    Parameters
    ----------
    values
        Demand in units; an expectation where the period told nothing, 0 before the first record.
    told
        Whether the value is evidence.
    expected
        What was expected of the period before it came: the weight of a hole.
    """

    values: Float[np.ndarray, "series time"]
    told: Bool[np.ndarray, "series time"]
    expected: Float[np.ndarray, "series time"]


@final
@dataclass(frozen=True, slots=True)
class Nodes:
    """The groups of a hierarchy, as an axis of their own, and who belongs to them.

    Parameters
    ----------
    series
        One entry a node: its name as ``sku`` (``category=FOODS|location=CA_1``), its level's name as ``location``.
    levels
        Names of the levels, the finest first; ``total`` holds all series.
    member
        The node of each series at each level, −1 where it belongs to none. Nodes of one level share no series.
    chain
        Columns of ``member`` that lie one within the other, from the coarsest to the finest.
    """

    series: SeriesAxis
    levels: tuple[str, ...]
    member: Int[np.ndarray, "series level"]
    chain: tuple[int, ...]

    def __post_init__(self) -> None:
        """Freeze the memberships."""
        freeze(self, member=self.member)

    def __len__(self) -> int:
        """Give the number of nodes."""
        return len(self.series)

    def keep(self, those: Bool[np.ndarray, " node"]) -> "Nodes":
        """Leave the other nodes out."""
        place = np.append(np.where(those, np.cumsum(those) - 1, -1), -1)
        return Nodes(self.series.take(np.flatnonzero(those)), self.levels, place[self.member], self.chain)


def sets(hierarchy: Sequence[str]) -> list[tuple[str, ...]]:
    """Give the columns of each level: all of them, each shorter prefix down to none (the total), each one by itself.

    Examples
    --------
    >>> sets(["category", "location"])
    [('category', 'location'), ('category',), (), ('location',)]
    """
    names = list(dict.fromkeys(hierarchy))
    prefixes = [tuple(names[:n]) for n in range(len(names), -1, -1)]
    return prefixes + [(name,) for name in names[1:]]


def require_columns(panel: Panel, hierarchy: Sequence[str]) -> None:
    """Raise unless series can be grouped by every column of a hierarchy.

    Raises
    ------
    UsageError
        If there is no such column (SC-M020).
    """
    known = dict.fromkeys((*ALWAYS, *panel.attributes.columns))
    for name in hierarchy:
        if name not in known:
            raise UsageError(
                f"forecast.hierarchy: no column {name!r} to group the series by{did_you_mean(name, known)}",
                code="SC-M020",
                details=[f"there are: {', '.join(sorted(known))}"],
                help="name columns of items, location, or sku",
            )


def nodes_of(panel: Panel, hierarchy: Sequence[str]) -> Nodes:
    """Build the nodes of a hierarchy above the series of a panel.

    A series without a value in one of a level's columns belongs to no node of that level. A node of one series is left
    out, and one with the members of an earlier node (:func:`sets` gives the order): it would tell nothing new.

    Parameters
    ----------
    hierarchy
        Names of item attributes, ``location`` or ``sku``, the coarsest first.

    Raises
    ------
    UsageError
        If there is no such column (SC-M020).
    """
    require_columns(panel, hierarchy)
    n = len(panel.series)
    names: list[np.ndarray] = []
    places: list[np.ndarray] = []
    kept: list[tuple[str, ...]] = []
    seen: set[tuple[int, int]] = set()
    levels = sets(hierarchy)
    for level in levels:
        of, text = _groups(panel, level)
        size = np.bincount(of[of >= 0], minlength=len(text))
        # the wrapping sum of the series' keys tells one set of members from another
        sums = np.zeros(len(text), dtype=np.uint64)
        np.add.at(sums, of[of >= 0], panel.series.keys[of >= 0])
        marks = list(zip(size.tolist(), sums.tolist(), strict=True))
        fresh = np.array([mark[0] > 1 and mark not in seen for mark in marks], dtype=bool)
        seen.update(marks)
        if not fresh.any():
            continue
        place = np.append(np.where(fresh, np.cumsum(fresh) - 1, -1), -1)
        kept.append(level)
        places.append(place[of])
        names.append(text[fresh])
    titles = ["|".join(level) or TOTAL for level in kept]
    if not kept:
        return Nodes(panel.series.take(np.arange(0)), (), np.zeros((n, 0), dtype=np.int64), ())
    flat = np.concatenate(names)
    axis, row = SeriesAxis.of(flat, np.repeat(titles, [len(part) for part in names]))
    begin = np.cumsum([0, *(len(part) for part in names)])
    member = np.stack([np.append(row[begin[at] : begin[at + 1]], -1)[place] for at, place in enumerate(places)], axis=1)
    prefixes = levels[: len(levels) - max(0, len(set(hierarchy)) - 1)]
    chain = tuple(at for at, level in reversed(list(enumerate(kept))) if level in prefixes)
    return Nodes(axis, tuple(titles), member, chain)


def _groups(panel: Panel, level: tuple[str, ...]) -> tuple[Int[np.ndarray, " series"], np.ndarray]:
    """Give each series' group of one level, −1 where a value is not known, and the groups' names."""
    n = len(panel.series)
    of, text = np.zeros(n, dtype=np.int64), np.array([""])
    for name in level:
        column = getattr(panel.series, name) if name in ALWAYS[:2] else panel.attributes.column(name)
        values, place = np.unique(column, return_inverse=True)
        pair = np.where((of < 0) | (column == ""), -1, of * len(values) + place)
        here = np.unique(pair[pair >= 0])
        # what joins the parts of a name stays the only one of its kind in it
        plain = [f"{name}={value}" for value in np.char.replace(np.char.replace(values, "\\", "\\\\"), "|", "\\|")]
        text = np.array([
            "|".join(filter(None, (str(text[at // len(values)]), plain[at % len(values)]))) for at in here.tolist()
        ], dtype=np.str_)  # fmt: skip
        of = np.where(pair >= 0, np.searchsorted(here, pair), -1)
    return of, text if level else np.array([TOTAL])


def aggregate(panel: Panel, nodes: Nodes, demand: Callable[[Panel], Filled]) -> Panel:
    """Add the demand of the members up: the panel of the nodes, which any forecaster can be fitted on.

    A hole of a member (a stockout, a gap) is filled with what was expected of it, for a sum without it would be a
    lower bound only, and among a hundred members one is always out of stock. A node's period is ``observed`` where at
    least half of what was expected of its members was told; elsewhere the sum would be an echo of the expectations.

    Parameters
    ----------
    demand
        Gives the filled demand of a chunk of series (``models.uncensor.filled``; only that turns sales into demand,
        rule 5).
    """
    shape = (len(nodes), panel.time.n)
    sales, told, live = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    any_told = np.zeros(shape, dtype=bool)
    for rows in panel.chunks(CHUNK):
        part = demand(panel.take(rows))
        weight = np.where(part.told, part.expected, 0.0)
        for at, row in enumerate(rows.tolist()):
            # one after the other, so that no bit of a sum depends on where a chunk ends
            for node in nodes.member[row].tolist():
                if node >= 0:
                    sales[node] += part.values[at]
                    told[node] += weight[at]
                    live[node] += part.expected[at]
                    any_told[node] |= part.told[at]
    observed = any_told & (told >= TELLING * live)
    nothing = np.full(shape, np.nan)
    return Panel(
        nodes.series,
        panel.time,
        np.where(observed, sales, 0.0),
        observed,
        np.ones(shape),
        KnownFuture(panel.time, nothing, nothing, panel.time.n),
        Attributes(nodes.series, {}),
    )
