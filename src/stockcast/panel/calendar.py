"""What is known of dates at any time: events of each place, public holidays among them, and days it is closed."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import TimeAxis
from stockcast.core.errors import AlignmentError


@final
@dataclass(frozen=True, slots=True)
class Calendar:
    """Events and opening of places, by period; it may reach past any history.

    Parameters
    ----------
    time
        Begins with the panel's first period.
    places
        Names of locations, ascending.
    events
        Names of events, ascending; a public holiday is one of them.
    occurs
        Whether an event falls into a period at a place.
    open
        Whether the place is open at all in a period; a week is closed only if all of its days are.

    Examples
    --------
    >>> days = TimeAxis(np.datetime64("2026-12-24"), 2, "day")
    >>> occurs = np.array([[[False, True]]])
    >>> calendar = Calendar(days, ("oslo",), ("Christmas Day",), occurs, np.array([[True, False]]))
    >>> calendar.place(np.array(["oslo", "bergen"])).tolist()
    [0, -1]
    """

    time: TimeAxis
    places: tuple[str, ...]
    events: tuple[str, ...]
    occurs: Bool[np.ndarray, "place event known"]
    open: Bool[np.ndarray, "place known"]

    def __post_init__(self) -> None:
        """Check the shapes and freeze."""
        if self.occurs.shape != (len(self.places), len(self.events), self.time.n):
            raise AlignmentError(f"events have shape {self.occurs.shape}")
        if self.open.shape != (len(self.places), self.time.n):
            raise AlignmentError(f"open has shape {self.open.shape}")
        freeze(self, occurs=self.occurs, open=self.open)

    def place(self, locations: np.ndarray) -> Int[np.ndarray, " series"]:
        """Give the place of each location, −1 where the calendar does not know it."""
        row = {name: at for at, name in enumerate(self.places)}
        return np.array([row.get(name, -1) for name in locations.tolist()], dtype=np.int64)

    def closed(self, locations: np.ndarray, begin: int, n: int) -> Bool[np.ndarray, "series n"]:
        """Tell in which of ``n`` periods from ``begin`` on each location is closed; in none where it is not known.

        Examples
        --------
        >>> days = TimeAxis(np.datetime64("2026-12-24"), 2, "day")
        >>> calendar = Calendar(days, ("oslo",), (), np.zeros((1, 0, 2), dtype=bool), np.array([[True, False]]))
        >>> calendar.closed(np.array(["oslo", "bergen"]), 1, 2).tolist()
        [[True, False], [False, False]]
        """
        out = np.zeros((len(self.places) + 1, n), dtype=bool)
        shut = ~self.open[:, begin : begin + n]
        out[:-1, : shut.shape[1]] = shut  # the last row: a place that is not known
        return np.asarray(out[self.place(locations)])
