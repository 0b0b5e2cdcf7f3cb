"""True demand, with what moves it: seasons, trend, promotions, prices; the history only ever shows a part of it."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.arrays import freeze
from stockcast.core.axes import weekday
from stockcast.core.random import Stream
from stockcast.runs.demo.catalogue import CATEGORIES, Catalogue

WARM_UP = 112  # days before the history in which stock and pipeline settle
PROMOTION_DAYS = 7
PLANNED_DAYS = 42  # promotions and prices that are planned beyond the history


@final
@dataclass(frozen=True, slots=True)
class Truth:
    """What nobody in the shop ever sees whole.

    Days begin ``WARM_UP`` before the history. ``price`` and ``promotion`` hold for all locations and reach
    ``PLANNED_DAYS`` beyond ``demand``; ``on_sale`` is where an item is listed. Series are items × locations, in the
    order of (sku, location).
    """

    dates: np.ndarray
    mean: Float[np.ndarray, "series day"]
    demand: Float[np.ndarray, "series day"]
    on_sale: Bool[np.ndarray, "series day"]
    price: Float[np.ndarray, "item planned"]
    promotion: Bool[np.ndarray, "item planned"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})


def make_truth(catalogue: Catalogue, first: np.datetime64, days: int, seed: int) -> Truth:
    """Draw demand for the ``days`` days of the history and ``WARM_UP`` days before it.

    The mean of item i at location j on day t is a product::

        μ = rate_i · scale_j · (1 + g_i)^(t/365) · weekday · season · uplift^promotion · (price / list price)^elasticity

    and demand is negative binomial about it (a gamma level that drifts from day to day, then Poisson); an intermittent
    item is asked for on a few days only, mostly for one unit, sometimes for more.
    """
    stream = Stream(seed, "demo/truth")
    n = WARM_UP + days
    dates = (first - np.timedelta64(WARM_UP, "D")) + np.arange(n + PLANNED_DAYS)
    promotion = _promotions(catalogue, dates, stream.child("promotions").generator())
    price = _prices(catalogue, promotion, stream.child("prices").generator())

    kinds = [CATEGORIES[at] for at in catalogue.category]
    week = np.array([kind.weekday for kind in kinds])[:, weekday(dates)]
    day_of_year = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    swing = np.array([kind.yearly for kind in kinds])[:, None]
    peak = np.array([kind.peak for kind in kinds])[:, None]
    season = 1.0 + swing * np.cos(2.0 * np.pi * (day_of_year[None, :] - peak) / 365.25)
    years = (np.arange(n + PLANNED_DAYS) - WARM_UP) / 365.0
    trend = (1.0 + catalogue.growth[:, None]) ** years[None, :]
    uplift = stream.child("uplift").generator().uniform(1.35, 2.0, len(catalogue.sku))
    effect = np.where(promotion, uplift[:, None], 1.0)
    effect *= (price / catalogue.price[:, None]) ** catalogue.elasticity[:, None]
    per_item = (catalogue.rate[:, None] * week * season * trend * effect)[:, :n]

    day = np.arange(n) - WARM_UP
    on_sale = (day >= catalogue.launch[:, None]) & (day <= catalogue.end[:, None])
    # a launch takes three weeks to get known
    known = np.where(catalogue.launch[:, None] < 0, 1.0, np.clip((day - catalogue.launch[:, None] + 7) / 28, 0.25, 1.0))
    per_item = per_item * on_sale * known

    places = len(catalogue.scale)
    mean = (per_item[:, None, :] * catalogue.scale[None, :, None]).reshape(-1, n)
    demand = _draw(mean, np.repeat(catalogue.intermittent, places), stream)
    return Truth(dates, mean, demand, np.repeat(on_sale, places, axis=0), price, promotion)


def _promotions(catalogue: Catalogue, dates: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Give weeks of promotion, Monday to Sunday, to the fast items: one in about nine weeks each."""
    mondays = np.flatnonzero(weekday(dates) == 0)
    chosen = draw.random((len(catalogue.sku), len(mondays))) < 0.11
    chosen[:, 1:] &= ~chosen[:, :-1]
    chosen &= ~catalogue.intermittent[:, None]
    out = np.zeros((len(catalogue.sku), len(dates)), dtype=bool)
    for at, monday in enumerate(mondays):
        out[:, monday : monday + PROMOTION_DAYS] |= chosen[:, at, None]
    return out


def _prices(catalogue: Catalogue, promotion: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Give list prices that change once or twice a year by a few percent, less the promotion's discount, in cents."""
    items, n = promotion.shape
    change = np.where(draw.random((items, n)) < 1.5 / 365, draw.uniform(-0.05, 0.09, (items, n)), 0.0)
    change[:, 0] = 0.0
    change[:, n - PLANNED_DAYS :] = 0.0
    level = np.cumprod(1.0 + change, axis=1)
    level = level / level[:, [n - PLANNED_DAYS - 1]]  # today's list price is the one in the item master
    discount = draw.choice([0.15, 0.2, 0.25, 0.3], items)[:, None] * promotion
    price: np.ndarray = np.round(catalogue.price[:, None] * level * (1.0 - discount), 2)
    return price


def _draw(mean: np.ndarray, intermittent: np.ndarray, stream: Stream) -> np.ndarray:
    """Draw demand about its mean."""
    series, n = mean.shape
    noise = stream.child("level").generator().standard_normal((series, n))
    level = np.empty((series, n))
    now = np.zeros(series)
    for day in range(n):
        now = 0.8 * now + 0.06 * noise[:, day]
        level[:, day] = now
    draw = stream.child("demand").generator()
    fast = draw.poisson(mean * np.exp(level - 0.005) * draw.gamma(14.0, 1.0 / 14.0, (series, n)))
    chance = np.minimum(mean / 1.4, 0.6)  # 1.4 units are asked for on average where any are
    slow = (draw.random((series, n)) < chance) * (1 + draw.poisson(0.4, (series, n)))
    return np.where(intermittent[:, None], slow, fast).astype(float)
