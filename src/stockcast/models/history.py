"""What all models read off the evidence in the same way: its latest values, its ceiling, its seasons."""

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.axes import Step

POOL = 400  # recent errors that a forecast draws from
SPELL = 14  # errors that a model without a moving level draws one after the other
ABSURD = 2.0**53  # units: beyond it a double does not tell one unit from the next
CEILING = 10.0  # times the robust maximum: a promotion passes, an explosion does not


def latest(
    values: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], size: int
) -> tuple[Float[np.ndarray, "series latest"], Int[np.ndarray, " series"]]:
    """Give the last used values of each series, oldest first, from the first column on; and how many there are.

    Examples
    --------
    >>> latest(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([[True, True, True], [True, False, False]]), 2)
    (array([[2., 3.],
           [4., 0.]]), array([2, 1]))
    """
    told = used.sum(axis=1)
    keep, count = used, np.minimum(told, size)
    if values.size and told.min() == values.shape[1]:  # nothing masked: a slice
        return values[:, -size:].astype(float, order="C"), count
    if told.max(initial=0) > size:
        # 0 for the last used period
        rank = told.astype(np.int32)[:, None] - np.cumsum(used, axis=1, dtype=np.int32)
        keep = used & (rank < size)
    width = max(1, int(count.max(initial=0)))
    out = np.zeros((len(values), width))
    out[np.arange(width) < count[:, None]] = values[keep]  # both in the order of rows, then time
    return out, count


def recent_quantiles(
    demand: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    size: int,
    levels: Float[np.ndarray, " level"],
) -> Float[np.ndarray, "series level"]:
    """Give the quantiles of the latest used values of each series; 0 where there are none.

    Examples
    --------
    >>> told = np.array([[True, True, False], [False, False, False]])
    >>> recent_quantiles(np.array([[2.0, 4.0, 9.0], [1.0, 1.0, 1.0]]), told, 2, np.array([0.0, 0.5, 1.0])).tolist()
    [[2.0, 3.0, 4.0], [0.0, 0.0, 0.0]]
    """
    recent, count = latest(np.where(used, demand, 0.0), used, size)
    out = np.zeros((len(demand), len(levels)))
    for at, k in enumerate(count.tolist()):
        if k:
            out[at] = np.quantile(recent[at, :k], levels)
    return out


def pool_of(
    errors: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], *, centred: bool = True
) -> tuple[Float[np.ndarray, "series pool"], Int[np.ndarray, " series"]]:
    """Give the latest errors as a pool to draw from: re-centred on 0, a single 0 where there are none."""
    if centred and used.size and used.all():  # nothing masked: no copy beside the pool itself
        recent = errors[:, -POOL:]
        count = np.full(len(recent), recent.shape[1])
        return recent - mean_of(recent, count)[:, None], count
    pool, count = latest(errors, used, POOL)
    if centred:
        pool -= mean_of(pool, count)[:, None]
        if count.min(initial=pool.shape[1]) < pool.shape[1]:
            pool[np.arange(pool.shape[1]) >= count[:, None]] = 0.0
    return pool, np.maximum(count, 1)


def spell_of(count: Int[np.ndarray, " series"]) -> Int[np.ndarray, " series"]:
    """Give the length of the blocks drawn from a pool: ``SPELL``, and at most a tenth of the pool.

    A block that is long against its pool goes through most of it, so that every sum would be much the same.

    Examples
    --------
    >>> spell_of(np.array([400, 60, 5])).tolist()
    [14, 6, 1]
    """
    return np.asarray(np.clip(count // 10, 1, SPELL))


def mean_of(values: Float[np.ndarray, "series time"], count: Int[np.ndarray, " series"]) -> np.ndarray:
    """Give the mean of the first ``count`` columns, the others being 0; 0 where there are none.

    The running sum adds from left to right, so that zeros to the right of a series change no bit of its mean.
    """
    total = np.cumsum(values, axis=1)[:, -1] if values.shape[1] else np.zeros(len(values))
    return np.asarray(total / np.maximum(count, 1))


def ceiling(
    values: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"]
) -> Float[np.ndarray, " series"]:
    """Give the largest value that a forecast of one period may take.

    Ten times the robust maximum: the second largest value from ten used periods on (one mistyped entry does not lift
    it), the largest before; at least 10 units of what is sold in whole ones.
    """
    rest = values.copy() if used.all() else np.where(used, values, 0.0)
    least = np.where((np.floor(rest) == rest).all(axis=1), 1.0, 0.0)
    if not rest.shape[1]:
        return np.full(len(rest), CEILING)
    at = (np.arange(len(rest)), rest.argmax(axis=1))
    largest = rest[at]
    rest[at] = 0.0
    second = rest.max(axis=1)
    many = used.sum(axis=1) >= 10
    return CEILING * np.maximum(np.where(many & (second > 0), second, largest), least)


def constant(
    values: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"]
) -> tuple[Bool[np.ndarray, " series"], Float[np.ndarray, " series"]]:
    """Tell which series have told the same value in every period, and which; it is 0 where nothing is told.

    A network over all series gives such a series the doubt of others: it is forecast as it is.

    Examples
    --------
    >>> told = np.array([[True, True, False], [True, True, True]])
    >>> of, value = constant(np.array([[5.0, 5.0, 9.0], [5.0, 4.0, 5.0]]), told)
    >>> of.tolist(), value.tolist()
    ([True, False], [5.0, 5.0])
    """
    top = np.where(used, values, 0.0).max(axis=1, initial=0.0)
    return np.asarray(((values == top[:, None]) | ~used).all(axis=1)), np.asarray(top)


def season_length(step: Step, periods: int, years: int) -> int:
    """Give the length of a season: 7 days, or 52 weeks where the history holds so many years, else 1."""
    if step == "day":
        return 7
    return 52 if periods >= 52 * years else 1
