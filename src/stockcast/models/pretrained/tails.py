"""Beyond the outermost quantiles of a network: what came there in earlier windows of like series."""

import numpy as np
from jaxtyping import Bool, Float, Int

LEVELS = (0.01, 0.05, 0.95, 0.975, 0.99, 0.995)  # that are wanted, where the network's own do not reach as far
CHUNK = 256


def excesses(
    came: Float[np.ndarray, "window horizon"],
    values: Float[np.ndarray, "window horizon level"],
    there: Bool[np.ndarray, "window horizon"],
) -> Float[np.ndarray, "window horizon"]:
    """Give by how much what came lay above the highest quantile, or below the lowest (negative); 0 within, or untold.

    Examples
    --------
    >>> values = np.array([[[2.0, 5.0]] * 3])
    >>> excesses(np.array([[6.5, 3.0, 1.0]]), values, np.array([[True, True, True]])).tolist()
    [[1.5, 0.0, -1.0]]
    """
    out = np.maximum(came - values[:, :, -1], 0.0) + np.minimum(came - values[:, :, 0], 0.0)
    return np.asarray(np.where(there, out, 0.0))


def reached(
    values: Float[np.ndarray, "series horizon level"],
    levels: Float[np.ndarray, " level"],
    scale: Float[np.ndarray, " series"],
    pool: Float[np.ndarray, "course window"],
    near: Int[np.ndarray, "series neighbour"],
) -> tuple[Float[np.ndarray, "series horizon wider"], Float[np.ndarray, " wider"]]:
    r"""Add quantiles further out than those of the network, and give all with their levels.

    With :math:`e` the excesses above the highest level a of the courses that a series draws from, in terms of its scale
    s, a level p > a is as far into them as it lies into what is left,

    .. math:: Q(p) = Q(a) + s \, Q_e\left(\frac{p - a}{1 - a}\right)

    and likewise below the lowest. Where nothing ever came beyond, the outermost quantile stays.

    Parameters
    ----------
    pool, near
        Excesses of earlier windows over the scale of their series, and the rows of it that each series draws from.
    """
    low, high = levels[0], levels[-1]
    under, over = (np.array([p for p in LEVELS if p < low]), np.array([p for p in LEVELS if p > high]))
    below, above = np.zeros((len(values), len(under))), np.zeros((len(values), len(over)))
    for begin in range(0, len(values), CHUNK):
        told = pool[near[begin : begin + CHUNK]].reshape(len(near[begin : begin + CHUNK]), -1)
        for at, row in enumerate(told, begin):
            if len(over) and (row > 0).any():
                above[at] = np.quantile(row[row > 0], (over - high) / (1.0 - high))
            if len(under) and (row < 0).any():
                below[at] = np.quantile(row[row < 0], under / low)
    lower = np.maximum(values[:, :, :1] + (scale[:, None] * below)[:, None], 0.0)
    upper = values[:, :, -1:] + (scale[:, None] * above)[:, None]
    return np.concatenate([lower, values, upper], axis=2), np.concatenate([under, levels, over])
