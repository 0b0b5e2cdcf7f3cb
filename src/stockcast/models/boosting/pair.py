"""Two models of the mean that differ in what they learn: sales over their level, and sales in units."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Float32, Int

from stockcast.models.boosting.rows import Rows
from stockcast.models.boosting.trees import POWER, Means, Trees, train

AT = -2  # the column of the scale


@final
@dataclass(frozen=True, slots=True)
class Pair:
    r"""A model of sales over their level and one of sales in units, whose errors differ: their mean has less of both.

    With the level s as a weight of power 2 − p in the first one, both make the same deviance small, that of a Tweedie
    distribution of power p, for :math:`d_p(y, \mu) = s^{2-p} d_p(y/s, \mu/s)` (Jørgensen 1997, 4.1).

    Parameters
    ----------
    relative, absolute
        The trees of each.
    """

    relative: Trees
    absolute: Trees

    def load(self) -> tuple[Means, Means]:
        """Read both; each gives the mean of sales over their level."""
        return ratio(self.relative), ratio(self.absolute, units=True)

    def texts(self) -> dict[str, str]:
        """Give the trees by name, as LightGBM writes them."""
        return {"lightgbm.txt": self.relative.text, "lightgbm_units.txt": self.absolute.text}


def ratio(trees: Trees, *, units: bool = False) -> Means:
    """Read a model, so that it gives the mean of sales over their level."""
    told = trees.load()

    def means(x: Float32[np.ndarray, "row feature"]) -> Float[np.ndarray, " row"]:
        return told(x) / x[:, AT] if units else told(x)

    return means


def relative(rows: Rows, some: Int[np.ndarray, " some"], seed: int) -> Trees:
    """Learn sales over their level from some of the rows."""
    return train(rows.x[some], rows.y[some], weight(rows.scale[some]), list(rows.categorical), seed)


def absolute(rows: Rows, some: Int[np.ndarray, " some"], seed: int) -> Trees:
    """Learn sales in units from some of the rows."""
    return train(rows.x[some], (rows.y * rows.scale)[some], None, list(rows.categorical), seed)


def weight(scale: Float[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
    """Give what a row of sales over their level counts."""
    return scale ** (2.0 - POWER)
