"""Whole packs as the numbers that stand in files: 36 packs of 2.4 are 86.4, not 86.39999999999999."""

import numpy as np
from jaxtyping import Float

DECIMALS = 9  # of a pack size; what has more is left to floating numbers


def multiples(
    count: Float[np.ndarray, "series *some"], step: Float[np.ndarray, " series"]
) -> Float[np.ndarray, "series *some"]:
    """Give whole numbers of steps, exact to the last decimal of the step; the count itself where the step is 0.

    A product of floating numbers is rounded, and in exact decimals then no multiple of the pack (``policies.check``). A
    whole number over a power of ten is the number nearest to the decimal one.

    Parameters
    ----------
    count
        Whole numbers of steps; units where the step is 0.
    step
        The pack, ≥ 0.

    Examples
    --------
    >>> multiples(np.array([36.0, 3.0, 2.5]), np.array([2.4, 12.0, 0.0])).tolist()
    [86.4, 36.0, 2.5]
    >>> 36 * 2.4
    86.39999999999999
    """
    wide = np.where(step > 0, step, 1.0).reshape((-1,) + (1,) * (count.ndim - 1))
    if (wide == np.floor(wide)).all():
        return count * wide
    scale = np.ones_like(wide)
    for decimals in range(1, DECIMALS + 1):
        open_still = np.rint(wide * scale) / scale != wide
        if not open_still.any():
            break
        scale = np.where(open_still, 10.0**decimals, scale)
    exact = np.rint(wide * scale) / scale == wide
    found: np.ndarray = np.where(exact, count * np.rint(wide * scale) / scale, count * wide)
    return found


def counts(
    quantity: Float[np.ndarray, "series *some"], step: Float[np.ndarray, " series"]
) -> Float[np.ndarray, "series *some"]:
    """Give quantities in steps, no whole number of them in general; where the step is 0, the quantities themselves.

    Examples
    --------
    >>> counts(np.array([86.4, 30.0]), np.array([2.4, 12.0])).round(9).tolist()
    [36.0, 2.5]
    """
    wide = np.where(step > 0, step, 1.0).reshape((-1,) + (1,) * (quantity.ndim - 1))
    return quantity / wide
