"""The arrays that windows are read from: of each series, and of each place, at every period."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import weekday
from stockcast.features.calendar import distances
from stockcast.features.covariates import covariates, promotions
from stockcast.features.price import prices
from stockcast.features.static import column_of
from stockcast.models.pooled import told
from stockcast.models.tft.recipe import FAR, FIXED, RECENT, YEAR, Recipe
from stockcast.panel import Panel

CHUNK = 128  # series read at once: their columns stay in the cache
SMALLEST = 0.1  # of the mean size of a demand: no series' scale is taken for smaller


@final
@dataclass(frozen=True, slots=True)
class Arrays:
    """What windows are read from, for some series in the order of their keys.

    Parameters
    ----------
    series
        ``demand`` in units (0 where nothing is told), ``told`` (0 or 1), ``scale`` (of a window whose encoder ends
        there), and the columns of the recipe.
    calendar, coded
        Numbers and categories of each place and period; the last place is one that is not known.
    static
        Codes of each series.
    place
        The place of each series.
    reach
        Periods after an origin that a column is known for.
    first
        The first period that tells anything; the number of periods where there is none.
    """

    series: Float32[np.ndarray, "series time bank"]
    calendar: Float32[np.ndarray, "place time number"]
    coded: Int[np.ndarray, "place time varying"]
    static: Int[np.ndarray, "series attribute"]
    place: Int[np.ndarray, " series"]
    reach: Int[np.ndarray, "series column"]
    first: Int[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    @property
    def periods(self) -> int:
        """Give the number of periods, those to come among them."""
        return self.series.shape[1]


def learn(panel: Panel, rows: Int[np.ndarray, " row"], horizon: int | None) -> tuple[Recipe, Arrays]:
    """Choose and scale the variables on some series of a panel, and make their arrays."""
    draft = Recipe.of(panel.take(np.sort(rows)), horizon)
    raw = _raw(panel, rows, draft, 0)
    recipe = draft.scaled(raw.series)
    return recipe, _scaled(raw, recipe)


def make(panel: Panel, rows: Int[np.ndarray, " row"], recipe: Recipe, further: int) -> Arrays:
    """Make the arrays of some series, reaching ``further`` periods past the history, with a recipe at hand."""
    return _scaled(_raw(panel, rows, recipe, further), recipe)


def _scaled(raw: Arrays, recipe: Recipe) -> Arrays:
    series = raw.series.view()
    series.flags.writeable = True  # made in this module, and handed to no one yet
    for at, name in enumerate(recipe.columns):
        if name != "year_ago":
            column = series[:, :, len(FIXED) + at]
            column -= np.float32(recipe.centre[at])
            column /= np.float32(recipe.spread[at])
            column[~np.isfinite(column)] = 0.0
    return replace(raw, series=series)


def _raw(panel: Panel, rows: Int[np.ndarray, " row"], recipe: Recipe, further: int) -> Arrays:
    """Fill the bank of series chunk by chunk, so that features of few series are held beside it."""
    n, time = len(rows), panel.time.n
    series = np.zeros((n, time + further, len(FIXED) + len(recipe.columns)), dtype=np.float32)
    reach = np.zeros((n, len(recipe.columns)), dtype=np.int64)
    first = np.full(n, time, dtype=np.int64)
    ascending = np.sort(rows)
    to = np.argsort(rows, kind="stable")
    for begin in range(0, n, CHUNK):
        part = panel.take(ascending[begin : begin + CHUNK])
        at = to[begin : begin + CHUNK]
        demand, used = told(part)
        held = np.zeros((len(at), time + further, series.shape[2]), dtype=np.float32)
        held[:, :time, 0] = np.where(used, demand, 0.0)
        held[:, :time, 1] = used
        held[:, :time, 2] = scales(demand, used, recipe.encoder, min(recipe.encoder, RECENT[recipe.step]))
        for column, (values, ahead) in enumerate(_columns(part, demand, used, recipe, further)):
            held[:, :, len(FIXED) + column] = values
            reach[at, column] = ahead
        series[at] = held
        first[at] = np.where(used.any(axis=1), used.argmax(axis=1), time)
    calendar, coded, place = _calendar(panel, recipe, further)
    return Arrays(series, calendar, coded, _static(panel, recipe)[rows], place[rows], reach, first)


def scales(
    demand: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], encoder: int, least: int
) -> Float[np.ndarray, "series time"]:
    """Give the scale of windows, by the period that their encoder ends with.

    It is the mean of what is told in the encoder. Where fewer than ``least`` periods of it tell anything, the latest
    that told before it make up their number: a series long out of stock stands at what was last known of its demand,
    and one told day makes no level. No series' scale is smaller than a tenth of the mean size of a demand so far; it is
    0 before anything was sold.

    Examples
    --------
    >>> demand, used = np.array([[8.0, 6.0, 1.0, 0.0, 0.0]]), np.array([[True, True, True, False, False]])
    >>> scales(demand, used, 2, 2).tolist()
    [[8.0, 7.0, 3.5, 3.5, 3.5]]
    """
    n, time = demand.shape
    told = np.cumsum(used, axis=1)
    total = np.cumsum(np.where(used, demand, 0.0), axis=1)
    inside = told.copy()
    inside[:, encoder:] -= told[:, :-encoder]
    count = np.minimum(told, np.maximum(inside, least))
    until = np.zeros((n, time + 1))  # the total of the first so many told periods
    np.put_along_axis(until, told, total, axis=1)
    until[:, 0] = 0.0
    mean = (total - np.take_along_axis(until, told - count, axis=1)) / np.maximum(count, 1)
    size = total / np.maximum(np.cumsum(used & (demand > 0), axis=1), 1)
    return np.asarray(np.maximum(mean, SMALLEST * size))


def _columns(
    part: Panel, demand: np.ndarray, used: np.ndarray, recipe: Recipe, further: int
) -> Iterator[tuple[np.ndarray, np.ndarray | int]]:
    """Give the columns of some series, and how far ahead each is known; in the order of the recipe."""
    length = part.time.n + further
    for name in recipe.columns:
        if name == "year_ago":
            yield _year_ago(demand, used, length, *YEAR[recipe.step]), length
            continue
        if name == "promotion":
            made = promotions(part, further)
        elif name == "price_to_mean":
            made = prices(part, further)
        else:
            made = covariates(part, further, (name.removeprefix("covariate_"),))
        # made one after the other, as they are asked for: what is not read is not made
        one = next(one for one in made if one.column.name == name)
        yield one.values, one.reach


def _year_ago(demand: np.ndarray, used: np.ndarray, length: int, year: int, around: int) -> np.ndarray:
    """Give the mean demand of the periods around a year before each, NaN where none of them tells anything."""
    n, time = demand.shape
    out = np.full((n, length), np.nan, dtype=np.float32)
    count = min(length - year + around, time)  # from here on a year before lies beyond the history
    if count <= 0:
        return out

    def around_each(values: np.ndarray) -> np.ndarray:
        running = np.cumsum(values, axis=1)
        far = running.shape[1]
        running = np.pad(running, ((0, 0), (0, length - year + around - far)), mode="edge")
        sums = running.copy()
        sums[:, 2 * around + 1 :] -= running[:, : -2 * around - 1]
        return sums

    total = around_each(np.where(used[:, :count], demand[:, :count], 0.0))
    told = around_each(used[:, :count].astype(float))
    # running sums of zeros may round to a little less than 0
    np.divide(np.maximum(total, 0.0), told, out=out[:, year - around :], where=told > 0.5, casting="same_kind")
    return out


def _static(panel: Panel, recipe: Recipe) -> Int[np.ndarray, "series category"]:
    codes = recipe.codes
    out = np.zeros((len(panel.series), len(codes.names)), dtype=np.int64)
    for at, name in enumerate(codes.names):
        out[:, at] = codes.of(name, column_of(panel, name)) + 1
    return out


def _calendar(
    panel: Panel, recipe: Recipe, further: int
) -> tuple[Float32[np.ndarray, "place time number"], Int[np.ndarray, "place time category"], np.ndarray]:
    """Give the numbers and categories of each place and period, and the place of each series."""
    axis = panel.time.until(panel.time.n + further)
    days = axis.dates()
    month = days.astype("datetime64[M]")
    day = (days - month.astype("datetime64[D]")).astype(np.int64)
    of_year = 2.0 * np.pi * (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) / 365.25
    given = panel.known.calendar if recipe.events is not None else None
    places = 1 + (0 if given is None else len(given.places))
    number: dict[str, np.ndarray] = {"year_sine": np.sin(of_year), "year_cosine": np.cos(of_year)}
    number |= {"day_of_month": (day - 15.0) / 9.0}
    code: dict[str, np.ndarray] = {"weekday": weekday(days) + 1, "month": month.astype(np.int64) % 12 + 1}
    place = np.zeros(len(panel.series), dtype=np.int64)
    if recipe.events is not None:
        event = np.zeros((places, axis.n), dtype=np.int64)
        to, since, shop = (np.full((places, axis.n), fill) for fill in (1.0, 1.0, 1.0))
        if given is not None:
            width = min(axis.n, given.time.n)
            event[:-1, :width] = 1
            order = {name: at + 2 for at, name in enumerate(recipe.events)}
            others = len(recipe.events) + 2
            for name in sorted(given.events, key=lambda one: order.get(one, others)):  # a rarer one overwrites
                happens = given.occurs[:, given.events.index(name), :width]
                event[:-1, :width][happens] = order.get(name, others)
            far = distances(np.asarray(given.occurs.any(axis=1)))
            to[:-1, :width], since[:-1, :width] = (one[:, :width] / FAR for one in far)
            shop[:-1, :width] = given.open[:, :width]
            place = given.place(panel.series.location)
            place[place < 0] = places - 1
        code["event"], number["to_event"], number["since_event"], number["open"] = event, to, since, shop
    wide = (places, axis.n)
    calendar = np.stack([np.broadcast_to(number[name], wide) for name in recipe.calendar], axis=-1).astype(np.float32)
    return calendar, np.stack([np.broadcast_to(code[name], wide) for name in recipe.varying], axis=-1), place
