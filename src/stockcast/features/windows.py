"""Windows up to the origin: moments, quantiles, the share of zeros, and exponentially weighted means.

Only periods that tell something count, and where none does the value is NaN.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from stockcast.features.block import Column, Made
from stockcast.features.trailing import means, sums

QUANTILES = (0.1, 0.5, 0.9)


def _column(name: str, what: str, *, units: bool = True) -> Column:
    return Column(name, "origin", units, what, family="windows")


def moments(
    demand: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], windows: tuple[int, ...]
) -> Iterator[Made]:
    r"""Give the mean and the sample standard deviation of the used periods of each window.

    .. math:: \bar y = \frac{1}{n} \sum y, \qquad s^2 = \frac{\sum (y-a)^2 - (\sum (y-a))^2 / n}{n-1}

    with a, the first used value of the series, taken off so that little is cancelled.
    """
    count = np.cumsum(used, axis=1, dtype=float)
    total = np.cumsum(np.where(used, demand, 0.0), axis=1)
    first = np.take_along_axis(demand, used.argmax(axis=1)[:, None], axis=1) if demand.shape[1] else demand
    centred = np.where(used, demand - first, 0.0)
    one, two = np.cumsum(centred, axis=1), np.cumsum(centred * centred, axis=1)
    for w in windows:
        n = sums(count, w)
        yield Made(_column(f"mean_{w}", f"mean of the last {w} periods"), np.maximum(means(sums(total, w), n), 0.0))
        spread = means(sums(two, w) - means(sums(one, w) ** 2, n), n - 1.0)
        yield Made(_column(f"sd_{w}", f"standard deviation of the last {w} periods"), np.sqrt(np.maximum(spread, 0.0)))


def zeros(
    demand: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], windows: tuple[int, ...]
) -> Iterator[Made]:
    """Give the share of used periods without demand."""
    count = np.cumsum(used, axis=1, dtype=float)
    none = np.cumsum(used & (demand <= 0), axis=1, dtype=float)
    for w in windows:
        column = _column(f"zero_share_{w}", f"share of the last {w} periods without demand", units=False)
        yield Made(column, means(sums(none, w), sums(count, w)))


def quantiles(
    demand: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], windows: tuple[int, ...]
) -> Iterator[Made]:
    """Give the 0.1, 0.5 and 0.9 quantiles, linear between values, and the largest value of each window."""
    wide = np.where(used, demand, np.inf).astype(np.float32).T.copy()
    count = np.cumsum(used, axis=1)
    for w in windows:
        n = count.copy()
        n[:, w:] -= count[:, :-w]
        found = _sorted_windows(wide, n.T.copy(), w)
        for at, q in enumerate(QUANTILES):
            column = _column(f"q{round(100 * q)}_{w}", f"{q:g} quantile of the last {w} periods")
            yield Made(column, found[at].T)
        yield Made(_column(f"max_{w}", f"largest demand of the last {w} periods"), found[len(QUANTILES)].T)


def _sorted_windows(
    wide: Float32[np.ndarray, "time series"], count: Int[np.ndarray, "time series"], window: int
) -> Float32[np.ndarray, "statistic time series"]:
    """Give quantiles and maximum of each trailing window, from windows that are kept sorted as time goes on.

    A window is sorted along its first axis, with what is not used (∞) at the end. One period later one value has left
    it (what is not below the value moves down) and one has come: place i takes min(value i, max(value i − 1, new)).
    """
    time, n = wide.shape
    series = np.arange(n)
    ranks = np.stack([q * np.maximum(count - 1, 0) for q in QUANTILES])
    low = ranks.astype(np.int64)
    part = (ranks - low).astype(np.float32)
    below, above = low * n + series, np.minimum(low + 1, np.maximum(count - 1, 0)) * n + series
    last = np.maximum(count - 1, 0) * n + series
    out = np.empty((len(QUANTILES) + 1, time, n), dtype=np.float32)
    kept = np.full((window, n), np.inf, dtype=np.float32)
    rest = np.full((window + 1, n), np.inf, dtype=np.float32)  # −∞, then what stays, then ∞
    rest[0] = -np.inf
    nothing = np.full(n, np.inf, dtype=np.float32)
    for t in range(time):
        gone = wide[t - window] if t >= window else nothing
        rest[1:-1] = kept[:-1]
        np.copyto(rest[1:-1], kept[1:], where=kept[:-1] >= gone)
        np.maximum(rest[:-1], wide[t], out=kept)
        np.minimum(kept, rest[1:], out=kept)
        flat = kept.reshape(-1)
        lower = flat.take(below[:, t])
        out[:-1, t] = lower + part[:, t] * (flat.take(above[:, t]) - lower)
        out[-1, t] = flat.take(last[t])
    out[:, count == 0] = np.nan
    return out


def weighted(
    demand: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], half_lives: tuple[int, ...]
) -> Iterator[Made]:
    r"""Give exponentially weighted means of the used periods; a period that tells nothing ages nothing.

    .. math:: \frac{\sum_j k^{j} y_{(j)}}{\sum_j k^{j}}, \qquad k = 2^{-1/\text{half-life}},

    with :math:`y_{(j)}` the j-th last used value.
    """
    n, time = demand.shape
    keep = 0.5 ** (1.0 / np.array(half_lives, dtype=float))[:, None]
    told, weight = np.where(used, demand, 0.0).T.copy(), used.T.astype(float)
    total, mass = np.zeros((len(half_lives), n)), np.zeros((len(half_lives), n))
    out = np.full((len(half_lives), time, n), np.nan)
    for t in range(time):
        fade = np.where(used[:, t], keep, 1.0)
        total *= fade
        total += told[t]
        mass *= fade
        mass += weight[t]
        np.divide(total, mass, out=out[:, t], where=mass > 0)
    for at, half in enumerate(half_lives):
        yield Made(_column(f"ewm_{half}", f"weighted mean, half-life {half} periods"), out[at].T)
