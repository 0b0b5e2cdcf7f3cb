"""Rows to learn from: which periods of which series, from how far ahead, and their features and targets.

A row is a series s, an origin o and a step h; its target is the demand of the period o + h, and its features are what
was known at o. Which rows are taken hangs on the series' own key: the same ones in any order of the series.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from stockcast.core.random import Stream
from stockcast.features import ALWAYS, Block, Column, Groups, Spec, build, gather
from stockcast.models.pooled import told
from stockcast.panel import Panel

CHUNK = 256  # series whose features are held at once
MOST = 1_000_000  # rows
ENOUGH = 60_000  # rows up to which a period is seen from several distances
SEVERAL = 4
SHORT, LONG = {"day": "ewm_28", "week": "ewm_4"}, {"day": "mean_112", "week": "mean_26"}
SCALE = Column("scale", "origin", False, "the recent level of sales, in units", family="scale")
STEP = Column("step", "target", False, "periods from the origin to the one that is forecast", family="step")
YEAR, YEARS = 364, 3  # periods (of weeks as many: their histories are shorter), and how many there must be
BLOCKS = 12
LEAST = 0.1  # of the mean size of a demand: no series' scale is taken for smaller


@final
@dataclass(frozen=True, slots=True)
class Features:
    """What features are made, learnt on the whole panel once."""

    spec: Spec
    groups: Groups

    @classmethod
    def of(cls, panel: Panel) -> "Features":
        """Learn the groups of a panel."""
        return cls(Spec.of(panel), Groups.fit(panel, told))

    def seen_from(self, panel: Panel) -> "Features":
        """Give the same features of a panel of the same series that reaches further or less far."""
        return Features(self.spec, Groups.fit(panel, told, like=self.groups))

    def chunk(self, part: Panel, horizon: int) -> "Chunk":
        """Make the features of some series, up to ``horizon`` periods after their history, and their scales."""
        values, used = told(part)
        block = build(part, values, used, horizon, self.spec, self.groups)
        return Chunk(block, values, used, scales(block, used, values, part.time.step))


@final
@dataclass(frozen=True, slots=True)
class Chunk:
    """Some series: their features, what is told of their demand, and their scale at every origin."""

    block: Block
    demand: Float[np.ndarray, "series time"]
    used: Bool[np.ndarray, "series time"]
    scale: Float[np.ndarray, "series time"]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Give what the columns are that are read."""
        return (*self.block.columns, SCALE, STEP)

    @property
    def categorical(self) -> tuple[int, ...]:
        """Give the columns that are codes."""
        return tuple(at for at, column in enumerate(self.columns) if column.categorical)

    def read(
        self,
        s: Int[np.ndarray, " row"],
        o: Int[np.ndarray, " row"],
        h: Int[np.ndarray, " row"],
        learnt: int,
    ) -> Float32[np.ndarray, "row feature"]:
        """Read the features of rows, amounts of sales over the scale at the origin; last, the scale and the step ahead.

        Parameters
        ----------
        s, o, h
            Row of the chunk, index of the origin's period, and the step ahead.
        learnt
            The farthest step that is learnt: a step beyond it counts as this one.
        """
        x = np.empty((len(s), len(self.block.columns) + 2), dtype=np.float32)
        gather(self.block, s, o, h, out=x[:, :-2])
        by = self.scale[s, o]
        x[:, -2], x[:, -1] = by, np.minimum(h, learnt)
        with np.errstate(all="ignore"):  # a poisoned series, in its own rows
            for at, column in enumerate(self.block.columns):
                if column.units:
                    x[:, at] /= by
        x[np.isinf(x)] = np.nan
        return x


def first_origin(n: int) -> int:
    """Give the first origin to learn from: the features of the first year know no year before, where there are more."""
    return YEAR if n >= YEARS * YEAR else 0


@final
@dataclass(frozen=True, slots=True)
class Halves:
    """The past cut into alternate blocks: what is learnt from one half has not seen the other.

    Parameters
    ----------
    length
        Periods of a block.

    Examples
    --------
    >>> Halves(3).of(np.arange(8)).tolist()
    [0, 0, 0, 1, 1, 1, 0, 0]
    """

    length: int

    @classmethod
    def cut(cls, n: int, learnt: int) -> "Halves":
        """Cut ``n`` periods into blocks no shorter than a window, a dozen or more where there are enough."""
        return cls(max(learnt, min(n // BLOCKS, 3 * learnt)))

    def of(self, period: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
        """Give the half, 0 or 1, of each period."""
        return np.asarray(period // self.length % 2)


def in_order(panel: Panel) -> Iterator[Int[np.ndarray, " row"]]:
    """Give chunks of series in the order of their keys, each chunk ascending."""
    order = np.argsort(panel.series.keys, kind="stable")
    for begin in range(0, len(order), CHUNK):
        yield np.sort(order[begin : begin + CHUNK])


def by_key(panel: Panel, series: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
    """Give the order of rows by their series' keys, a stable one."""
    return np.argsort(panel.series.keys[series], kind="stable")


def scales(
    block: Block, used: Bool[np.ndarray, "series time"], demand: Float[np.ndarray, "series time"], step: str
) -> Float[np.ndarray, "series time"]:
    """Give what each series' sales are divided by: its recent level, at every origin; NaN before there is one.

    It is the mean of a smoothed level (half-life of 28 days or 4 weeks) and of a trailing mean (112 days, 26 weeks), at
    least a tenth of the mean size of a demand so far. Where the trailing window tells nothing, after a long time out of
    stock, the smoothed level alone counts: it is what demand was when there was stock.
    """
    at = {name: place for place, name in enumerate(block.names)}
    time = demand.shape[1]
    short, long = (block.values[at[name[step]], :, :time].astype(float) for name in (SHORT, LONG))
    level = np.where(np.isnan(long), short, np.where(np.isnan(short), long, 0.5 * short + 0.5 * long))
    sold = used & (demand > 0)
    size = np.cumsum(np.where(sold, demand, 0.0), axis=1) / np.maximum(np.cumsum(sold, axis=1), 1)
    floor = LEAST * size
    return np.where(floor > 0, np.fmax(level, floor), np.nan)


@final
@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to learn from.

    Parameters
    ----------
    x, y
        Features and targets, divided by the scale of their series at the origin where they are amounts.
    scale
        In units.
    target
        The index of the target's period.
    categorical
        Columns of ``x`` that are codes.
    columns, reach
        What each column of ``x`` is, and the periods past an origin that it is known for, at most over the series.
    offered
        How many rows there would have been with room for all.
    """

    x: Float32[np.ndarray, "row feature"]
    y: Float[np.ndarray, " row"]
    scale: Float[np.ndarray, " row"]
    target: Int[np.ndarray, " row"]
    categorical: tuple[int, ...]
    columns: tuple[Column, ...]
    reach: Int[np.ndarray, " feature"]
    offered: int


def offered(panel: Panel, horizon: int) -> tuple[int, int]:
    """Give the periods with evidence and from how many distances each is seen: the rows there are, multiplied."""
    count = sum(int(told(panel.take(rows))[1].sum()) for rows in panel.chunks(CHUNK))
    return count, int(np.clip(ENOUGH // max(count, 1), 1, min(SEVERAL, horizon)))


def take(panel: Panel, features: Features, horizon: int, most: int, *, seed: int) -> Rows:
    """Take the rows to learn from: every period with evidence, from a random distance; a sample where they are many.

    Parameters
    ----------
    most
        Rows at most, about; how many there is room for.
    """
    count, times = offered(panel, horizon)
    share = min(1.0, most / max(count * times, 1))
    stream = Stream(seed, "boosting/rows")
    parts, reach = [], np.zeros(1, dtype=np.int64)
    for rows in in_order(panel):
        part = panel.take(rows)
        chunk = features.chunk(part, horizon)
        demand, used, scale = chunk.demand, chunk.used, chunk.scale
        drawn = stream.uniform(part.series.keys, (part.time.n, 1 + times), single=True)
        s, t = np.nonzero(used & (drawn[:, :, 0] < share))
        # distances apart from one another: one out of each part of the horizon
        far = np.arange(times)[None, :] + drawn[s, t, 1:]
        h = 1 + np.minimum((far * horizon / times).astype(np.int64), horizon - 1)
        s, t, h = np.repeat(s, times), np.repeat(t, times), h.ravel()
        seen = t - h >= first_origin(part.time.n)
        seen[seen] = np.isfinite(scale[s[seen], (t - h)[seen]])
        s, t, h = s[seen], t[seen], h[seen]
        order = by_key(part, s)
        s, t, h = s[order], t[order], h[order]
        by = scale[s, t - h]
        parts.append((chunk.read(s, t - h, h, horizon), demand[s, t] / by, by, t))
        columns, codes = chunk.columns, chunk.categorical
        reach = np.maximum(reach, np.append(chunk.block.reach.max(axis=1), [0, ALWAYS]))
    if not parts:
        no, none = np.zeros(0), np.zeros(0, dtype=np.int64)
        return Rows(np.zeros((0, 0), dtype=np.float32), no, no, none, (), (), none, 0)
    x, y, scale, target = (np.concatenate([part[at] for part in parts]) for at in range(4))
    return Rows(x, y, scale, target, codes, columns, reach, count * times)
