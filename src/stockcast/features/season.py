"""The season: earlier demand of the target's weekday or week of the year, and of a year before."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

from stockcast.features.block import Column, Made
from stockcast.features.trailing import means


def same_place(
    demand: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], season: int, last: tuple[int, ...]
) -> Iterator[Made]:
    r"""Give the mean of the last k used periods in the same place of the season.

    .. math:: \frac{1}{k} \sum_{j \le k} y_{(j)}

    over the last k used among :math:`t, t-m, t-2m, \dots`; over fewer where there are no more, NaN where there is none.
    It is read at the latest period in the target's place that is not after the origin.
    """
    n, time = demand.shape
    cycles = -(-time // season)
    told, mask = np.zeros((n, cycles * season)), np.zeros((n, cycles * season), dtype=bool)
    told[:, :time], mask[:, :time] = np.where(used, demand, 0.0), used
    told, mask = (a.reshape(n, cycles, season).swapaxes(1, 2) for a in (told, mask))
    rank = np.cumsum(mask, axis=2)
    running = np.zeros((n, season, cycles + 1))  # the sum of the first 0, 1, 2, … used values of a place
    np.put_along_axis(running, np.where(mask, rank, 0), np.where(mask, np.cumsum(told, axis=2), 0.0), axis=2)
    upto = np.take_along_axis(running, rank, axis=2)
    for k in last:
        before = np.take_along_axis(running, np.maximum(rank - k, 0), axis=2)
        value = means((upto - before).reshape(n, -1), np.minimum(rank, k).reshape(n, -1).astype(float))
        value = np.maximum(value, 0.0).reshape(n, season, cycles).swapaxes(1, 2).reshape(n, -1)[:, :time]
        what = f"mean of the last {k} demands" if k > 1 else "last demand"
        name = f"season_mean_{k}" if k > 1 else "season_last"
        yield Made(Column(name, "season", True, f"{what} in that place of the season", family="season"), value)


def year_ago(
    demand: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    year: int,
    windows: tuple[int, ...],
    horizon: int,
) -> Iterator[Made]:
    r"""Give the demand a year before the target: of the period itself, and means of windows around it.

    .. math:: \bar y_{[t - Y - \lfloor w/2 \rfloor,\; t - Y + w - 1 - \lfloor w/2 \rfloor]}

    with Y = 364 days or 52 weeks, which keeps the weekday; known Y − (w − 1 − ⌊w/2⌋) periods ahead.
    """
    n, time = demand.shape
    total = np.concatenate([np.zeros((n, 1)), np.cumsum(np.where(used, demand, 0.0), axis=1)], axis=1)
    count = np.concatenate([np.zeros((n, 1)), np.cumsum(used, axis=1, dtype=float)], axis=1)
    for w in windows:
        begin = np.arange(time + horizon) - year - w // 2
        first, end = np.clip(begin, 0, time), np.clip(begin + w, 0, time)
        value = np.maximum(means(total[:, end] - total[:, first], count[:, end] - count[:, first]), 0.0)
        name = "year_ago" if w == 1 else f"year_ago_mean_{w}"
        what = "demand a year before the target" if w == 1 else f"mean of {w} periods around a year before the target"
        yield Made(Column(name, "target", True, what, family="season"), value, year - (w - 1 - w // 2))
