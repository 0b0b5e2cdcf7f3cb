"""Availability: how old a series is, when it last sold, and how often it was out of stock."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

from stockcast.features.block import Column, Made
from stockcast.features.trailing import means, since, sums
from stockcast.panel import Panel


def availability(panel: Panel, used: Bool[np.ndarray, "series time"], windows: tuple[int, ...]) -> Iterator[Made]:
    r"""Give ages, counts and shares, as they stand at the origin.

    The stockout share is :math:`\frac{1}{n} \sum (1 - \text{in stock})` over the observed periods of a window.
    """
    observed, sold = panel.observed, panel.observed & (panel.sales > 0)

    def made(name: str, value: Float[np.ndarray, "series time"], what: str) -> Made:
        return Made(Column(name, "origin", False, what, family="availability"), value)

    yield made("age", _age(observed), "periods since the first that was observed")
    yield made("age_of_sales", _age(sold), "periods since the first sale")
    yield made("since_last_sale", since(sold), "periods since the last sale")
    told = np.cumsum(used, axis=1, dtype=float)
    yield made("used", told, "periods so far that tell of demand")
    middle = windows[len(windows) // 2]
    yield made(f"used_{middle}", sums(told, middle), f"of the last {middle} periods, those that tell of demand")
    count = np.cumsum(observed, axis=1, dtype=float)
    missing = np.cumsum(np.where(observed, 1.0 - panel.in_stock, 0.0), axis=1)
    for w in windows:
        share = np.clip(means(sums(missing, w), sums(count, w)), 0.0, 1.0)
        yield made(f"stockout_share_{w}", share, f"share of the last {w} periods out of stock")


def _age(happened: Bool[np.ndarray, "series time"]) -> Float[np.ndarray, "series time"]:
    """Give the periods since the first event, 0 in its period, NaN before."""
    at = np.arange(happened.shape[1], dtype=float)
    begun = np.logical_or.accumulate(happened, axis=1)
    return np.where(begun, at - happened.argmax(axis=1)[:, None], np.nan)
