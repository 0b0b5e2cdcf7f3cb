"""What is known of the orders after this one: when they can be placed, and what a unit will cost then."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis
from stockcast.core.errors import AlignmentError, DataError
from stockcast.inventory.terms import SharedTerms, SupplyTerms
from stockcast.inventory.timing import FAR


@final
@dataclass(frozen=True, slots=True)
class Outlook:
    """The next reviews of each series, seen from the first future period.

    Parameters
    ----------
    reviews
        Periods from the first future period to each review, ascending, the first review first; ``FAR`` where none is
        known. Plans look at all but the last column, which says until when the last order must last.
    unit_cost
        Money a unit ordered at each of them; NaN where it is not known.
    closed_until
        The last day of the first closure of the supplier that takes a review away within reach; NaT where none does.
    changes
        The day from which the first other unit cost holds; NaT where none is announced within reach.

    Raises
    ------
    AlignmentError
        If the columns are of other series.
    DataError
        If reviews do not ascend.

    Examples
    --------
    >>> axis = SeriesAxis(np.array(["x"]), np.array(["main"]))
    >>> never = np.full(1, np.datetime64("NaT", "D"))
    >>> Outlook(axis, np.array([[0, 7, 14]]), np.full((1, 3), 2.0), never, never.copy()).ahead
    2
    """

    series: SeriesAxis
    reviews: Int[np.ndarray, "series review"]
    unit_cost: Float[np.ndarray, "series review"]
    closed_until: Shaped[np.ndarray, " series"]
    changes: Shaped[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Check what looking ahead relies on, and freeze."""
        shape = (len(self.series), self.reviews.shape[1])
        lengths = {len(self.closed_until), len(self.changes)}
        if self.reviews.shape != shape or self.unit_cost.shape != shape or lengths != {shape[0]}:
            raise AlignmentError(f"outlook: {self.reviews.shape} reviews of {shape[0]} series")
        known = self.reviews[:, 1:] < FAR
        if (known & (np.diff(self.reviews, axis=1) < 1)).any():
            raise DataError("outlook: reviews must ascend", code="SC-B006")
        freeze(self, reviews=self.reviews, unit_cost=self.unit_cost, closed_until=self.closed_until,
               changes=self.changes)  # fmt: skip

    @property
    def ahead(self) -> int:
        """Give how many reviews a plan may look at, this one included."""
        return self.reviews.shape[1] - 1

    def take(self, rows: np.ndarray) -> "Outlook":
        """Give some series, by ascending row."""
        columns = (self.reviews[rows], self.unit_cost[rows], self.closed_until[rows], self.changes[rows])
        return Outlook(self.series.take(rows), *columns)

    def price_moves(self) -> Bool[np.ndarray, " series"]:
        """Tell where a unit ordered at a later review costs something else than now."""
        now = self.unit_cost[:, :1]
        differs = np.isfinite(self.unit_cost) & np.isfinite(now) & (self.unit_cost != now)
        return np.asarray((differs & (self.reviews < FAR)).any(axis=1))

    def matters(self, terms: SupplyTerms, shared: SharedTerms) -> Bool[np.ndarray, " series"]:
        """Tell for which series the time of an order matters beyond the next review.

        Those are all series of a supplier with an order cost or a minimum, or of which one has an order cost, a closure
        within reach, or an announced cost.
        """
        tied = {
            one.supplier
            for one in shared.suppliers
            if max(one.order_cost, one.min_order_value, one.min_order_units, one.min_order_weight) > 0
        }
        open_now = terms.at_review & terms.orderable
        own = (terms.order_cost > 0) | ~np.isnat(self.closed_until) | self.price_moves()
        tied |= set(terms.supplier[open_now & own].tolist())
        return np.asarray(np.isin(terms.supplier, sorted(tied)) & open_now & (terms.supplier != ""))

    def end(self) -> Int[np.ndarray, " series"]:
        """Give the last review that is known: plans reach to the arrival of its order."""
        return np.asarray(np.where(self.reviews < FAR, self.reviews, 0).max(axis=1))
