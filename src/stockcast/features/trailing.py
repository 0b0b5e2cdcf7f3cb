"""Sums over trailing windows, and values carried on: what several families are made of.

Running sums go from left to right in double precision, row by row: a value depends on its own row only, and on nothing
to its right.
"""

import numpy as np
from jaxtyping import Bool, Float, Int


def shifted(values: Float[np.ndarray, "series time"], by: int) -> Float[np.ndarray, "series time"]:
    """Give the value ``by`` periods earlier, NaN before the first.

    Examples
    --------
    >>> shifted(np.array([[1.0, 2.0, 3.0]]), 1)
    array([[nan,  1.,  2.]])
    """
    out = np.full(values.shape, np.nan, dtype=values.dtype)
    out[:, by:] = values[:, : max(0, values.shape[1] - by)]
    return out


def sums(running: Float[np.ndarray, "series time"], window: int) -> Float[np.ndarray, "series time"]:
    """Give the sum over the last ``window`` periods, of fewer at the start, from running sums.

    Examples
    --------
    >>> sums(np.cumsum([[1.0, 2.0, 3.0, 4.0]], axis=1), 2)
    array([[1., 3., 5., 7.]])
    """
    out = running.copy()
    out[:, window:] -= running[:, :-window]
    return out


def means(
    total: Float[np.ndarray, "series time"], count: Float[np.ndarray, "series time"]
) -> Float[np.ndarray, "series time"]:
    """Give total / count, NaN where nothing was counted."""
    out = np.full(total.shape, np.nan)
    np.divide(total, count, out=out, where=count > 0)
    return out


def mean(values: Float[np.ndarray, "series time"], window: int) -> Float[np.ndarray, "series time"]:
    """Give the mean of the known values (not NaN) of the last ``window`` periods.

    Examples
    --------
    >>> mean(np.array([[np.nan, 2.0, np.nan, 4.0]]), 3)
    array([[nan,  2.,  2.,  3.]])
    """
    known = ~np.isnan(values)
    total = sums(np.cumsum(np.where(known, values, 0.0), axis=1), window)
    return means(total, sums(np.cumsum(known, axis=1, dtype=float), window))


def carried(values: Float[np.ndarray, "series time"], length: int) -> Float[np.ndarray, "series known"]:
    """Give ``length`` periods of values, each unknown one (NaN) as the last known before it.

    Examples
    --------
    >>> carried(np.array([[np.nan, 2.0, np.nan]]), 4)
    array([[nan,  2.,  2.,  2.]])
    """
    values = values[:, :length]
    n, time = values.shape
    if not time:
        return np.full((n, length), np.nan)
    known = ~np.isnan(values)
    at = np.maximum.accumulate(np.where(known, np.arange(time), 0), axis=1)
    out = np.empty((n, length))
    out[:, :time] = np.take_along_axis(values, at, axis=1)
    out[:, time:] = out[:, time - 1 : time]
    return out


def since(events: Bool[np.ndarray, "series time"]) -> Float[np.ndarray, "series time"]:
    """Give the number of periods since the last event, 0 in its period, NaN before the first.

    Examples
    --------
    >>> since(np.array([[False, True, False, False]]))
    array([[nan,  0.,  1.,  2.]])
    """
    at = np.arange(events.shape[1])
    last: Int[np.ndarray, "series time"] = np.maximum.accumulate(np.where(events, at, -1), axis=1)
    return np.where(last >= 0, at - last, np.nan)


def ratio(
    over: Float[np.ndarray, "series time"], under: Float[np.ndarray, "series time"]
) -> Float[np.ndarray, "series time"]:
    """Give over / under, NaN where there is nothing to divide by."""
    out = np.full(np.broadcast_shapes(over.shape, under.shape), np.nan)
    np.divide(over, under, out=out, where=under > 0)
    return out
