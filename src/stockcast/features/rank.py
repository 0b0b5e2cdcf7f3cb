"""What matters: columns ranked by what they say of the target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import read_only
from stockcast.core.errors import AlignmentError
from stockcast.features.block import ALWAYS, Block, Column
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
    names, family, what
        The columns, their families, and a line about each.
    known_ahead
        ``to the origin``, ``always``, or up to how many periods ahead.
    missing
        The share of rows in which a column is not known.
    measures
        By name, the larger the more it says; a model adds its own (:meth:`with_measure`).
    """

    names: tuple[str, ...]
    family: tuple[str, ...]
    what: tuple[str, ...]
    known_ahead: tuple[str, ...]
    missing: Float[np.ndarray, " feature"]
    measures: Mapping[str, Float[np.ndarray, " feature"]]

    def __post_init__(self) -> None:
        """Check the lengths and freeze."""
        columns = {
            "family": self.family, "what": self.what, "known_ahead": self.known_ahead, "missing": self.missing,
            **self.measures,
        }  # fmt: skip
        for name, values in columns.items():
            if len(values) != len(self.names):
                raise AlignmentError(f"{name}: {len(values)} values for {len(self.names)} columns")
        frozen = {name: read_only(values) for name, values in self.measures.items()}
        object.__setattr__(self, "measures", MappingProxyType(frozen))
        object.__setattr__(self, "missing", read_only(self.missing))

    def with_measure(self, name: str, values: Float[np.ndarray, " feature"]) -> "Ranked":
        """Add a measure, such as the gain of a model."""
        return replace(self, measures={**self.measures, name: values})

    def by(self, *measures: str) -> "Ranked":
        """Give the columns in the order of a measure, the largest first; equal ones by the next, or as they stand."""
        order = np.lexsort([-self.measures[name] for name in reversed(measures)])
        names, family, what, ahead = (
            tuple(part[at] for at in order.tolist()) for part in (self.names, self.family, self.what, self.known_ahead)
        )
        found = {name: values[order] for name, values in self.measures.items()}
        return Ranked(names, family, what, ahead, self.missing[order], found)


def known_ahead(columns: Sequence[Column], reach: Int[np.ndarray, " feature"]) -> tuple[str, ...]:
    """Say how far ahead columns are known that reach so many periods past an origin."""
    return tuple(
        ORIGIN_ONLY if column.read != "target" or far == 0 else AT_ANY_TIME if far >= ALWAYS else f"{far} periods"
        for column, far in zip(columns, reach.tolist(), strict=True)
    )


def rank(x: Float[np.ndarray, "row feature"], y: Float[np.ndarray, " row"], block: Block) -> Ranked:
    """Rank the columns that :func:`~stockcast.features.gather` read from a block; how far ahead is at most over series.

    Parameters as of :func:`rank_columns`.
    """
    return rank_columns(x, y, block.columns, block.reach.max(axis=1, initial=0))


def rank_columns(
    x: Float[np.ndarray, "row feature"],
    y: Float[np.ndarray, " row"],
    columns: Sequence[Column],
    reach: Int[np.ndarray, " feature"],
) -> Ranked:
    """Rank the columns of a matrix by correlation, mutual information and L1 coefficient with the target.

    Give training rows. Missing values count as the column's median; the share of them is told.

    Parameters
    ----------
    x, y
        Rows of features, and the demand of their targets.
    columns, reach
        What each feature is, and the periods past an origin that it is known for.
    """
    names = tuple(column.name for column in columns)
    require_columns(x, names)
    filled, _ = fit_imputation(x, names).apply(x.astype(float))
    family, what = tuple(column.family for column in columns), tuple(column.what for column in columns)
    found = {name: measure(filled, y.astype(float)) for name, measure in MEASURES.items()}
    return Ranked(names, family, what, known_ahead(columns, reach), np.isnan(x).mean(axis=0), found)
