"""Features as one block of arrays, and how a value is read for a row so that nothing past the origin is seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from jaxtyping import Float, Float32, Int

from stockcast.core.arrays import freeze
from stockcast.core.errors import AlignmentError

Read = Literal["origin", "target", "season"]
ALWAYS = 2**31 - 1  # reach of what is known of any period
BATCH = 65536  # rows read column by column, so that a column stays in the cache
TURNED = 2048  # of them, those turned into rows at once


@final
@dataclass(frozen=True, slots=True)
class Column:
    """One feature.

    Parameters
    ----------
    name
        Unique in its block.
    read
        ``origin``: the value at the origin. ``target``: the value of the period that is forecast, as far ahead as it is
        known. ``season``: the value at the latest period up to the origin that has the target's place in the season.
    units
        Whether it is an amount of sales, which a model with a scaled target divides like the target.
    what
        One line for the reader.
    categorical
        Whether values are codes 0 … ``codes`` − 1 rather than amounts.
    codes
        How many codes there are; 0 where the column is not categorical.
    family
        The family that makes it.
    """

    name: str
    read: Read
    units: bool
    what: str
    categorical: bool = False
    codes: int = 0
    family: str = ""


@final
@dataclass(frozen=True, slots=True)
class Made:
    """A column with its values, on its way into a block; values end with the history, or reach past it."""

    column: Column
    values: Float[np.ndarray, "series known"]
    reach: Int[np.ndarray, " series"] | int = 0


@final
@dataclass(frozen=True, slots=True)
class Block:
    """All features of some series, at every period of the history and, where known, of the horizon after it.

    Parameters
    ----------
    columns
        What each feature is.
    values
        NaN where a value is not known. A value of period t is made of what is known once t is over (demand up to t)
        or, of target reads, of what was planned for periods up to t.
    reach
        Periods after an origin that a target read is known for; beyond, its last known value is read.
    season
        The number of periods of a season read.
    """

    columns: tuple[Column, ...]
    values: Float32[np.ndarray, "feature series time"]
    reach: Int[np.ndarray, "feature series"]
    season: int = 7

    def __post_init__(self) -> None:
        """Check the shapes and freeze."""
        if self.values.shape[:2] != (len(self.columns), self.reach.shape[1]) or len(self.reach) != len(self.columns):
            raise AlignmentError(f"{len(self.columns)} columns, values {self.values.shape}, reach {self.reach.shape}")
        if len(set(self.names)) != len(self.columns):
            raise AlignmentError(
                f"columns of the same name: {sorted({n for n in self.names if self.names.count(n) > 1})}"
            )
        freeze(self, values=self.values, reach=self.reach)

    @property
    def names(self) -> tuple[str, ...]:
        """Give the names of the columns."""
        return tuple(column.name for column in self.columns)


def assemble(made: Iterable[Made], series: int, time: int, season: int) -> Block:
    """Put columns into one block, as they are made; what overflows is not known (NaN), and stays in its own row.

    Each column is let go once it is in the block, so that no column is held twice.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        held: list[Made | None] = [Made(m.column, m.values.astype(np.float32, copy=False), m.reach) for m in made]
    columns = tuple(m.column for m in held if m is not None)
    values = np.empty((len(held), series, time), dtype=np.float32)
    reach = np.zeros((len(held), series), dtype=np.int64)
    for at, one in enumerate(held):
        assert one is not None
        width = one.values.shape[1]
        values[at, :, :width] = one.values
        values[at, :, width:] = np.nan
        values[at][np.isinf(values[at])] = np.nan
        reach[at] = one.reach
        held[at] = None
    return Block(columns, values, reach, season)


def gather(
    block: Block,
    series: Int[np.ndarray, " row"],
    origin: Int[np.ndarray, " row"],
    step: Int[np.ndarray, " row"],
    out: Float32[np.ndarray, "row feature"] | None = None,
) -> Float32[np.ndarray, "row feature"]:
    r"""Read the features of rows: of a series s, seen from the origin o, for the period t = o + h.

    A column is read at the period

    .. math:: o, \qquad o + \min(h, \text{reach}_s), \qquad o + h - m \lceil h / m \rceil

    if its read is ``origin``, ``target`` or ``season`` of length m; the last is NaN before the first period.

    Parameters
    ----------
    series, origin, step
        Row of the block, index of the origin's period, and h ≥ 1.
    out
        Where to write; a new array if left out.

    Raises
    ------
    IndexError
        If a row lies outside the block.

    Examples
    --------
    >>> sold = np.array([[[1.0, 2.0, 3.0, 4.0, np.nan, np.nan]]], dtype=np.float32)
    >>> block = Block((Column("last", "season", True, "sold in that place"),), sold, np.zeros((1, 1), dtype=int), 2)
    >>> gather(block, np.zeros(3, dtype=int), np.array([3, 3, 3]), np.array([1, 2, 1])).ravel().tolist()
    [3.0, 4.0, 3.0]
    """
    n_columns, n, time = block.values.shape
    if len(series) and not (
        (series >= 0).all() and (series < n).all() and (origin >= 0).all() and (step >= 1).all()
        and int((origin + step).max()) < time
    ):  # fmt: skip
        raise IndexError(f"rows reach outside {n} series and {time} periods of the block, or a step is below 1")
    out = np.empty((len(series), n_columns), dtype=np.float32) if out is None else out
    flat = block.values.reshape(n_columns, n * time)
    of = {read: [at for at, column in enumerate(block.columns) if column.read == read] for read in ("origin", "season")}
    targets: dict[bytes, list[int]] = {}
    for at, column in enumerate(block.columns):
        if column.read == "target":
            targets.setdefault(block.reach[at].tobytes(), []).append(at)
    held = np.empty((n_columns, min(BATCH, len(series))), dtype=np.float32)
    for begin in range(0, len(series), BATCH):
        rows = slice(begin, begin + BATCH)
        s, o, h = (a[rows].astype(np.int64, copy=False) for a in (series, origin, step))
        some, base = held[:, : len(s)], s * time
        _read(flat, of["origin"], base + o, some)
        for columns in targets.values():
            _read(flat, columns, base + o + np.minimum(h, block.reach[columns[0]][s]), some)
        place = o + h + block.season * (-h // block.season)
        _read(flat, of["season"], base + np.maximum(place, 0), some)
        early = np.flatnonzero(place < 0)
        if len(early):
            some[np.array(of["season"], dtype=np.int64)[:, None], early] = np.nan
        for at in range(0, len(s), TURNED):
            out[begin + at : begin + min(at + TURNED, len(s))] = some[:, at : at + TURNED].T
    return out


def _read(flat: np.ndarray, columns: list[int], place: np.ndarray, out: np.ndarray) -> None:
    """Read some columns at flat places, which lie inside."""
    for column in columns:
        flat[column].take(place, out=out[column], mode="clip")
