"""What a history is too short of stock to tell: where sales stand in for demand, and where nothing can be judged."""

import numpy as np
from jaxtyping import Bool

from stockcast.evaluation.backtest import CHUNK
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

TOLD_NOTHING = "the backtest told nothing, for no fully stocked period with sales fell into it"


def sales_stand_in(panel: Panel) -> Bool[np.ndarray, " series"]:
    """Tell which series have too few fully stocked periods, so that their sales stand in for demand."""
    censored = np.zeros(len(panel.series), dtype=bool)
    for rows in panel.chunks(CHUNK):
        censored[rows] = evidence(panel.take(rows)).censored
    return censored


def tell_of_stand_ins(censored: Bool[np.ndarray, " series"]) -> list[str]:
    """Say of how many series sales stand in for demand; nothing where of none.

    Examples
    --------
    >>> tell_of_stand_ins(np.array([True, False]))
    ['1 series have too few fully stocked periods: sales stand in for demand']
    """
    count = int(censored.sum())
    return [f"{count} series have too few fully stocked periods: sales stand in for demand"] if count else []
