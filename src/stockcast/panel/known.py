"""Covariates that reach past the history: what is planned, beside what was recorded."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from stockcast.core.arrays import freeze
from stockcast.core.axes import TimeAxis
from stockcast.core.errors import AlignmentError


def as_slice(rows: np.ndarray) -> np.ndarray | slice:
    """Give consecutive ascending rows as a slice, so that taking them copies nothing; other rows as they are.

    Examples
    --------
    >>> as_slice(np.array([3, 4, 5])), as_slice(np.array([3, 5]))
    (slice(3, 6, None), array([3, 5]))
    """
    whole = rows.dtype.kind in "iu" and len(rows) > 0 and rows[0] >= 0 and bool((np.diff(rows) == 1).all())
    return slice(int(rows[0]), int(rows[-1]) + 1) if whole else rows


@final
@dataclass(frozen=True, slots=True)
class KnownFuture:
    """Price and promotion by series and period; NaN says that the value is not known.

    Parameters
    ----------
    time
        Begins with the panel's first period and may end after its last.
    price
        Money per unit.
    promotion
        0 or 1, or the depth of the promotion.
    recorded
        The number of leading periods whose values were recorded with the sales. Seen from an earlier origin, a
        recorded value after it was not known: :meth:`until` hides it. Values after ``recorded`` are plans.
    """

    time: TimeAxis
    price: Float[np.ndarray, "series known"]
    promotion: Float[np.ndarray, "series known"]
    recorded: int

    def __post_init__(self) -> None:
        """Check the shapes and freeze."""
        if self.price.shape != self.promotion.shape or self.price.shape[1] != self.time.n:
            raise AlignmentError(f"price {self.price.shape}, promotion {self.promotion.shape}, {self.time.n} periods")
        freeze(self, price=self.price, promotion=self.promotion)

    def until(self, n: int) -> "KnownFuture":
        """Give what was known after ``n`` periods (convention, rule 6)."""
        if n >= self.recorded:
            return self
        price, promotion = self.price.copy(), self.promotion.copy()
        price[:, n : self.recorded] = np.nan
        promotion[:, n : self.recorded] = np.nan
        return KnownFuture(self.time, price, promotion, n)

    def take(self, rows: np.ndarray) -> "KnownFuture":
        """Give the covariates of some rows."""
        some = as_slice(rows)
        return KnownFuture(self.time, self.price[some], self.promotion[some], self.recorded)
