"""Series with a history that lend it to one without: their recent demand, and what each location does to a level."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis, Step, weekday
from stockcast.models.history import ABSURD, mean_of
from stockcast.models.launches import dates
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

WINDOW: dict[Step, int] = {"day": 56, "week": 13}  # latest periods that a level is the mean of
ENOUGH: dict[Step, int] = {"day": 28, "week": 8}  # of them with evidence
MOST = 5_000  # donors; of more, those whose keys are smallest
CHUNK = 1024
DEFAULT_SD = 0.5  # of the log level of an item at another location, where that cannot be learnt
FEWEST = 8  # items at several locations, from which it can
PLACES = 3.0  # items at a location that weigh as much as a location like any other


@final
@dataclass(frozen=True, slots=True)
class Donors:
    """Recent demand of series with a history.

    Parameters
    ----------
    values, used
        The latest ``WINDOW`` periods, days turned so that Monday comes first; and whether each tells anything.
    level
        Mean demand of a period with evidence.
    most
        The largest value.
    general
        Whether it may be an analogue of any series; else only its successor's.
    weeks
        The window in weeks.
    effect
        By location, the logarithm of how much more an item sells there than elsewhere.
    sd
        Standard deviation of an item's log level between locations, that apart.
    """

    series: SeriesAxis
    values: Float[np.ndarray, "donor window"]
    used: Bool[np.ndarray, "donor window"]
    level: Float[np.ndarray, " donor"]
    most: Float[np.ndarray, " donor"]
    general: Bool[np.ndarray, " donor"]
    weeks: int
    places: np.ndarray
    effect: Float[np.ndarray, " place"]
    sd: float

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}
        freeze(self, **{name: value for name, value in held.items() if isinstance(value, np.ndarray)})


def level_at(donors: Donors, some: Int[np.ndarray, " donor"], location: str) -> Float[np.ndarray, " donor"]:
    """Give what some donors would sell at a location; at one like any other where it is not known."""
    effect = dict(zip(donors.places.tolist(), donors.effect.tolist(), strict=True))
    theirs = np.array([effect[place] for place in donors.series.location[some].tolist()])
    return donors.level[some] * np.exp(effect.get(location, 0.0) - theirs)


def predecessors(panel: Panel, short: Int[np.ndarray, " short"]) -> list[Int[np.ndarray, " before"]]:
    """Give the rows whose item names that of each short series as its successor; those at its own place, if any."""
    successor = panel.attributes.column("successor")
    by: dict[str, list[int]] = {}
    for row in np.flatnonzero((successor != "") & (successor != panel.series.sku)).tolist():
        by.setdefault(str(successor[row]), []).append(row)
    out = []
    for row in short.tolist():
        some = np.array(by.get(str(panel.series.sku[row]), []), dtype=np.int64)
        here = some[panel.series.location[some] == panel.series.location[row]]
        out.append(here if len(here) else some)
    return out


def gather_donors(
    panel: Panel,
    periods: Int[np.ndarray, " series"],
    launched: Int[np.ndarray, " series"],
    short: Int[np.ndarray, " short"],
    before: Sequence[np.ndarray],
) -> tuple[Donors, Int[np.ndarray, " donor"]]:
    """Gather the donors of a panel, and the row of each.

    A donor has settled (launched two windows ago or before), tells something of enough recent periods, has sold in
    them, and has not ended; a predecessor need not be any of it, and lends the periods up to its last sale.
    """
    size, step = WINDOW[panel.time.step], panel.time.step
    ended = dates(panel, "end_date")
    gone = ~np.isnat(ended) & (panel.time.index(np.where(np.isnat(ended), panel.origin, ended)) < panel.time.n - 1)
    settled = (launched <= panel.time.n - 2 * size) & (periods >= ENOUGH[step]) & ~gone
    rows = np.flatnonzero(settled)
    if len(rows) > MOST:
        rows = rows[np.argsort(panel.series.keys[rows], kind="stable")]
        asked = np.isin(panel.series.sku[rows], panel.series.sku[short])  # the same item at other locations first
        same = rows[asked][: MOST // 2]
        rows = np.sort(np.concatenate([same, rows[~asked][: MOST - len(same)]]))
    wanted = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *before]))
    wanted = np.setdiff1d(wanted, short)
    rows = np.union1d(rows, wanted)
    values, used = np.zeros((len(rows), size), dtype=np.float32), np.zeros((len(rows), size), dtype=bool)
    level, most = np.zeros(len(rows)), np.zeros(len(rows))
    for begin in range(0, len(rows), CHUNK):
        some = rows[begin : begin + CHUNK]
        told = evidence(panel.take(some))
        sold = told.used & (told.values > 0)
        last = np.where(sold.any(axis=1), panel.time.n - 1 - sold[:, ::-1].argmax(axis=1), -1)
        end = np.where(np.isin(some, wanted), last + 1, panel.time.n)
        at = end[:, None] - size + np.arange(size)
        here = slice(begin, begin + len(some))
        mine = np.take_along_axis(told.used, np.maximum(at, 0), axis=1) & (at >= 0)
        seen = np.where(mine, np.take_along_axis(told.values, np.maximum(at, 0), axis=1), 0.0)
        with np.errstate(over="ignore"):  # a poisoned one is left out below
            level[here], most[here] = mean_of(seen, mine.sum(axis=1)), seen.max(axis=1)
            if step == "day":  # a whole number of weeks, turned so that Monday comes first
                day = weekday(panel.time.start + at[:, 0].astype("timedelta64[D]"))
                turn = (np.arange(size) - day[:, None]) % size
                seen, mine = np.take_along_axis(seen, turn, axis=1), np.take_along_axis(mine, turn, axis=1)
            values[here], used[here] = seen, mine
    count = used.sum(axis=1)
    follows = np.isin(rows, wanted)
    fine = (level > 0) & (most < ABSURD) & ((count >= ENOUGH[step]) | (follows & (count > 0)))
    keep = np.flatnonzero(fine)
    rows, level = rows[keep], level[keep]
    series = panel.series.take(rows)
    general = np.isin(rows, np.flatnonzero(settled)) & (count[keep] >= ENOUGH[step])
    places, effect, sd = _places(series, level, general)
    weeks = size // 7 if step == "day" else size
    return Donors(series, values[keep], used[keep], level, most[keep], general, weeks, places, effect, sd), rows


def _places(
    series: SeriesAxis, level: Float[np.ndarray, " donor"], general: Bool[np.ndarray, " donor"]
) -> tuple[np.ndarray, Float[np.ndarray, " place"], float]:
    """Learn what each location does to a level, from items that are sold at several; shrunk towards nothing."""
    places, place = np.unique(series.location, return_inverse=True)
    sku = np.unique(series.sku, return_inverse=True)[1]
    many = general & (np.bincount(sku, weights=general)[sku] > 1) if len(sku) else general
    rows = np.flatnonzero(many)
    if not len(rows):
        return places, np.zeros(len(places)), DEFAULT_SD
    log, sku, place = np.log(level[rows]), sku[rows], place[rows]
    size = np.bincount(sku)
    centred = log - (np.bincount(sku, weights=log) / np.maximum(size, 1))[sku]
    at = np.bincount(place, minlength=len(places))
    effect = np.bincount(place, weights=centred, minlength=len(places)) / (at + PLACES)
    items = int((size > 0).sum())
    if items < FEWEST:
        return places, effect, DEFAULT_SD
    # what is left of n values after a mean for each item
    sd = float(np.sqrt(((centred - effect[place]) ** 2).sum() / (len(rows) - items)))
    return places, effect, sd
