"""Lags: the demand of single periods up to the origin."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

from stockcast.features.block import Column, Made
from stockcast.features.trailing import shifted


def lags(
    demand: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], of: tuple[int, ...]
) -> Iterator[Made]:
    """Give the demand k periods before the origin: :math:`y_{o-k}`, NaN where the period tells nothing."""
    told = np.where(used, demand, np.nan)
    for k in of:
        what = "demand of the origin" if k == 0 else f"demand {k} periods before the origin"
        yield Made(Column(f"lag_{k}", "origin", True, what, family="lags"), shifted(told, k))
