"""Price: level, relative to its own past and to its category, and how it moves.

A price that is not known is the last known one. A value of period t is made of prices up to t only.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.axes import Step
from stockcast.features.block import Column, Made
from stockcast.features.trailing import carried, mean, ratio, shifted
from stockcast.panel import Panel

YEAR: dict[Step, int] = {"day": 364, "week": 52}
MOVES: dict[Step, tuple[int, ...]] = {"day": (7, 28, 364), "week": (1, 4, 52)}
RECENT: dict[Step, int] = {"day": 28, "week": 4}


def prices(
    panel: Panel,
    horizon: int,
    category_mean: Float[np.ndarray, "series known"] | None = None,
    category_reach: Int[np.ndarray, " series"] | None = None,
) -> Iterator[Made]:
    r"""Give what the price p tells of each period.

    .. math:: p_t, \quad p_t / \bar p_{(t-Y, t]}, \quad p_t / \max_{u \le t} p_u, \quad p_t / \min_{u \le t} p_u, \quad
              p_t / p_{t-k}, \quad 100\,p_t \bmod 100

    Parameters
    ----------
    category_mean, category_reach
        Mean price of the series' category in its location, and how many periods ahead it is known.
    """
    step, reach = panel.time.step, panel.known.reach("price")
    price = carried(panel.known.price, panel.time.n + horizon)

    def made(name: str, value: np.ndarray, what: str, known: np.ndarray = reach) -> Made:
        return Made(Column(name, "target", False, what, family="price"), value, known)

    yield made("price", price, "price")
    yield made("price_to_mean", ratio(price, mean(price, YEAR[step])), f"price over its mean of {YEAR[step]} periods")
    yield made("price_to_max", ratio(price, np.fmax.accumulate(price, axis=1)), "price over its highest so far")
    yield made("price_to_min", ratio(price, np.fmin.accumulate(price, axis=1)), "price over its lowest so far")
    for k in MOVES[step]:
        yield made(f"price_move_{k}", ratio(price, shifted(price, k)), f"price over that of {k} periods before")
    yield made("price_cents", np.mod(np.round(100.0 * price), 100.0), "cents of the price")
    yield made("price_share", _share_of_same(price, RECENT[step]), f"share of the last {RECENT[step]} periods at it")
    if category_mean is not None and category_reach is not None:
        column = "price over the mean price of its category in its location"
        value = ratio(price, carried(category_mean, price.shape[1]))
        yield made("price_to_category", value, column, np.minimum(reach, category_reach))


def _share_of_same(price: np.ndarray, window: int) -> np.ndarray:
    """Give the share of the last known prices of a window, the period's own among them, that equal its own."""
    same = np.zeros(price.shape)
    known = ~np.isnan(price)
    count = np.zeros(price.shape)
    for back in range(min(window, price.shape[1])):
        later, earlier = price[:, back:], price[:, : price.shape[1] - back]
        same[:, back:] += later == earlier
        count[:, back:] += known[:, : price.shape[1] - back]
    return ratio(np.where(known, same, np.nan), count)
