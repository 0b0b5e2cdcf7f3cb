"""What matters: columns ranked by what they say of the target."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np
from jaxtyping import Float

from stockcast.core.arrays import read_only
from stockcast.core.errors import AlignmentError
from stockcast.features.block import ALWAYS, Block
from stockcast.features.imputation import fit_imputation
from stockcast.features.matrix import require_columns
from stockcast.features.selection import MEASURES

ORIGIN_ONLY, AT_ANY_TIME = "to the origin", "always"


@final
@dataclass(frozen=True, slots=True)
class Ranked:
    """Columns, and how much each measure finds in them.

    Parameters
    ----------
    names, family
        The columns and their families.
    known_ahead
        ``to the origin``, ``always``, or up to how many periods ahead.
    missing
        The share of rows in which a column is not known.
    measures
        By name, the larger the more it says; a model adds its own (:meth:`with_measure`).
    """

    names: tuple[str, ...]
    family: tuple[str, ...]
    known_ahead: tuple[str, ...]
    missing: Float[np.ndarray, " feature"]
    measures: Mapping[str, Float[np.ndarray, " feature"]]

    def __post_init__(self) -> None:
        """Check the lengths and freeze."""
        columns = {"family": self.family, "known_ahead": self.known_ahead, "missing": self.missing, **self.measures}
        for name, values in columns.items():
            if len(values) != len(self.names):
                raise AlignmentError(f"{name}: {len(values)} values for {len(self.names)} columns")
        frozen = {name: read_only(values) for name, values in self.measures.items()}
        object.__setattr__(self, "measures", MappingProxyType(frozen))
        object.__setattr__(self, "missing", read_only(self.missing))

    def with_measure(self, name: str, values: Float[np.ndarray, " feature"]) -> "Ranked":
        """Add a measure, such as the gain of a model."""
        return Ranked(self.names, self.family, self.known_ahead, self.missing, {**self.measures, name: values})

    def by(self, measure: str) -> "Ranked":
        """Give the columns in the order of a measure, the largest first; equal ones as they stand."""
        order = np.argsort(-self.measures[measure], kind="stable")
        names, family, ahead = (
            tuple(part[at] for at in order.tolist()) for part in (self.names, self.family, self.known_ahead)
        )
        measures = {name: values[order] for name, values in self.measures.items()}
        return Ranked(names, family, ahead, self.missing[order], measures)


def known_ahead(block: Block) -> tuple[str, ...]:
    """Give how far ahead each column of a block is known, at most over its series."""
    reach = block.reach.max(axis=1, initial=0).tolist()
    return tuple(
        ORIGIN_ONLY if column.read != "target" or far == 0 else AT_ANY_TIME if far >= ALWAYS else f"{far} periods"
        for column, far in zip(block.columns, reach, strict=True)
    )


def rank(x: Float[np.ndarray, "row feature"], y: Float[np.ndarray, " row"], block: Block) -> Ranked:
    """Rank the columns of a matrix by correlation, mutual information and L1 coefficient with the target.

    Give training rows. Missing values count as the column's median; the share of them is told.

    Parameters
    ----------
    x
        Rows that :func:`~stockcast.features.gather` read from ``block``, or one made like it.
    y
        The demand of their targets.
    """
    require_columns(x, block.names)
    filled, _ = fit_imputation(x, block.names).apply(x.astype(float))
    family = tuple(column.family for column in block.columns)
    found = {name: measure(filled, y.astype(float)) for name, measure in MEASURES.items()}
    return Ranked(block.names, family, known_ahead(block), np.isnan(x).mean(axis=0), found)
