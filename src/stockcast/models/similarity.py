"""Which items are alike: by their attributes, prices and descriptions, each counted by how much it tells of demand."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from stockcast.core.arrays import freeze
from stockcast.features.text import similar_texts
from stockcast.panel import Panel
from stockcast.panel.attributes import SELLS_NOTHING

NEAREST = 10  # analogues of a series at most
WITHIN = (0.05, 0.15, 0.5)  # widths of the kernel over the similarity, of which one is chosen
PRICES = 0.25  # difference of log prices at which they count as alike by 1/e
SAMPLE = 600  # series with a history that are enough to learn what tells
FEWEST = 8  # of them, below which nothing is learnt
SHRUNK = 5.0  # new items that weigh as much as there being no difference between new and old
CLEAR = 0.01  # share of the variance of log demand below which a trait tells nothing
# what is no trait of an item: dates and links have meanings of their own, the description is compared by its words
_OWN = ("description", "launch_date", "end_date", "successor", SELLS_NOTHING)
HERE = 1e-6  # by which a donor at the same location is nearer
PRICE, DESCRIPTION = "price", "description"


@final
@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of series besides their history.

    Parameters
    ----------
    sku
        A number for each item.
    names
        Of the columns; the location is one of them.
    codes
        A number for each text of a column, −1 where it is not known.
    price
        The logarithm of the last known price, NaN where there is none.
    description
        Texts.
    """

    sku: Int[np.ndarray, " series"]
    names: tuple[str, ...]
    codes: Int[np.ndarray, "column series"]
    price: Float[np.ndarray, " series"]
    description: np.ndarray

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, sku=self.sku, codes=self.codes, price=self.price, description=self.description)


def traits(panel: Panel) -> Traits:
    """Read the traits of a panel's series; a column that is the same for all, or other for each, tells nothing."""
    columns = {"location": panel.series.location}
    columns |= {name: texts for name, texts in panel.attributes.columns.items() if name not in _OWN}
    names, codes = [], []
    for name, texts in columns.items():
        distinct, code = np.unique(texts, return_inverse=True)
        if 1 < len(distinct) < len(texts):
            names.append(name)
            codes.append(np.where(texts == "", -1, code).astype(np.int32))
    held = np.stack(codes) if codes else np.zeros((0, len(panel.series)), dtype=np.int32)
    sku = np.unique(panel.series.sku, return_inverse=True)[1].astype(np.int64)
    return Traits(sku, tuple(names), held, _log_price(panel), panel.attributes.column(DESCRIPTION))


def _log_price(panel: Panel) -> Float[np.ndarray, " series"]:
    """Give the last price up to the origin, or else the first one planned."""
    out = np.full(len(panel.series), np.nan)
    for rows in panel.chunks(1024):
        price = panel.known.price[rows[0] : rows[-1] + 1]
        past, plan = price[:, : panel.time.n], price[:, panel.time.n :]
        for values in (plan, past[:, ::-1]):
            told = values > 0
            at = told.argmax(axis=1) if told.shape[1] else np.zeros(len(rows), dtype=np.int64)
            found = np.flatnonzero(told.any(axis=1))
            out[rows[found]] = np.log(values[found, at[found]])
    return out


def kernels(known: Traits, rows: Int[np.ndarray, " row"], others: Int[np.ndarray, " other"]) -> np.ndarray:
    """Say for each trait how alike series are, from 0 to 1 (trait, row, other): columns, then price, then description.

    A column is alike where it is equal and known; prices by exp(−|Δ log price| / 0.25); descriptions by the square of
    the cosine of their words.
    """
    mine, theirs = known.codes[:, rows, None], known.codes[:, None, others]
    with np.errstate(invalid="ignore"):
        apart = np.abs(known.price[rows, None] - known.price[None, others])
        price = np.where(np.isfinite(apart), np.exp(-apart / PRICES), 0.0)
    words = similar_texts(known.description[rows], known.description[others]) ** 2
    return np.concatenate([((mine == theirs) & (mine >= 0)).astype(float), price[None], words[None]])


@final
@dataclass(frozen=True, slots=True)
class Likeness:
    """How much each trait tells, and how far demand is told by all of them.

    Parameters
    ----------
    weight
        Of each kernel, adding up to 1.
    within
        The width of the kernel over the similarity.
    sd
        Standard deviation of the error that analogues make in the logarithm of a series' mean demand.
    newcomers
        What series that were launched within the panel sell, over what their analogues let expect.
    """

    weight: Float[np.ndarray, " kernel"]
    within: float
    sd: float
    newcomers: float

    def __post_init__(self) -> None:
        """Freeze the array."""
        freeze(self, weight=self.weight)


def learn(
    known: Traits,
    donors: Int[np.ndarray, " donor"],
    level: Float[np.ndarray, " donor"],
    new: Bool[np.ndarray, " donor"],
) -> Likeness | None:
    """Learn from series with a history what tells of the logarithm of their mean demand; None where nothing does.

    A trait weighs as much as the leave-one-out mean of those that are alike in it explains of the variance: of a
    category, about the share that lies between its groups. An item at another location is left out with it.

    Parameters
    ----------
    donors
        Rows of ``known``.
    level
        The logarithm of each one's mean demand.
    new
        Which of them were launched within the panel. What is on sale from its beginning has lasted, and so sells more
        than what is new: what is new is expected to sell Σ y / (1 + ŷ) over Σ ŷ / (1 + ŷ), shrunk towards 1.
    """
    if len(donors) < FEWEST:
        return None
    alike = kernels(known, donors, donors)
    alike *= known.sku[donors][:, None] != known.sku[donors][None, :]
    spread = level - level.mean()
    total = float((spread**2).sum())
    if total <= 0:
        return None

    def told(weights: np.ndarray) -> float:
        """Give the share of the variance that a weighted mean of the others explains."""
        mass = weights.sum(axis=1)
        guess = np.where(mass > 0, (weights * spread).sum(axis=1) / np.where(mass > 0, mass, 1.0), 0.0)
        return 1.0 - float(((spread - guess) ** 2).sum()) / total

    weight = np.array([max(0.0, told(one)) for one in alike])
    weight[weight < CLEAR] = 0.0
    if not weight.any():
        return None
    weight /= weight.sum()
    both = np.tensordot(weight, alike, axes=1)
    held = []
    for within in WITHIN:
        near, of = _nearest(both, known.sku[donors], within)
        weights = np.zeros_like(both)
        np.put_along_axis(weights, near, of, axis=1)
        held.append(weights)
    shares = [told(weights) for weights in held]
    best = int(np.argmax(shares))
    if shares[best] < CLEAR:
        return None
    sold, guess = np.exp(level), (held[best] * np.exp(level)).sum(axis=1)
    judged = new & (guess > 0)
    more, less = (float((each / (1.0 + guess))[judged].sum()) for each in (sold, guess))
    many = float(len(np.unique(known.sku[donors[judged]])))
    newcomers = (many * (more / less if less > 0 else 1.0) + SHRUNK) / (many + SHRUNK)
    return Likeness(weight, WITHIN[best], float(np.sqrt((1.0 - shares[best]) * total / len(donors))), newcomers)


def nearest(
    known: Traits,
    likeness: Likeness,
    rows: Int[np.ndarray, " row"],
    donors: Int[np.ndarray, " donor"],
    keys: UInt64[np.ndarray, " donor"],
) -> tuple[Int[np.ndarray, "row near"], Float[np.ndarray, "row near"]]:
    """Give the nearest donors of each row, as places among ``donors``, with weights that add up to 1, or to 0.

    No item is there twice. Of equally near ones those at the same location come first, then those whose ``keys`` are
    smaller.
    """
    order = np.argsort(keys, kind="stable")
    at = known.names.index("location") if "location" in known.names else None
    width = min(NEAREST, len(np.unique(known.sku[donors])))
    near, weight = np.zeros((len(rows), width), dtype=np.int64), np.zeros((len(rows), width))
    size = max(1, 4_000_000 // (len(donors) * (len(likeness.weight) + 1)))
    for begin in range(0, len(rows), size):
        some = rows[begin : begin + size]
        alike = kernels(known, some, donors[order])
        both = np.zeros(alike.shape[1:])
        for one, share in zip(alike, likeness.weight.tolist(), strict=True):  # in a fixed order, row by row
            both += share * one
        if at is not None:
            both += HERE * alike[at]
        found, weight[begin : begin + size] = _nearest(both, known.sku[donors[order]], likeness.within)
        near[begin : begin + size] = order[found]
    return near, weight


def _nearest(
    both: Float[np.ndarray, "row other"], sku: Int[np.ndarray, " other"], within: float
) -> tuple[Int[np.ndarray, "row near"], Float[np.ndarray, "row near"]]:
    """Give the columns of the largest similarities s, one an item, and exp((s − the largest) / within)."""
    order = np.argsort(-np.round(both, 9), axis=1, kind="stable")
    width = min(NEAREST, len(np.unique(sku)))
    near = np.empty((len(both), width), dtype=np.int64)
    for at, one in enumerate(order):
        first = np.unique(sku[one], return_index=True)[1]
        near[at] = one[np.sort(first)[:width]]
    top = np.take_along_axis(both, near, axis=1)
    weight = np.where(top > 0, np.exp((top - top[:, :1]) / within), 0.0)
    mass = weight.sum(axis=1, keepdims=True)
    return near, np.where(mass > 0, weight / np.where(mass > 0, mass, 1.0), 0.0)
