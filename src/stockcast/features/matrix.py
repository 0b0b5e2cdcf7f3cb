"""What every step of a preparation checks of the matrix that it is given."""

from collections.abc import Sequence

import numpy as np

from stockcast.core.errors import AlignmentError, DataError


def require_columns(x: np.ndarray, names: Sequence[str]) -> None:
    """Raise unless a matrix has the columns that a step was fitted on.

    Raises
    ------
    AlignmentError
        If the number of columns is another.
    """
    if x.ndim != 2 or x.shape[1] != len(names):
        raise AlignmentError(f"a matrix of shape {x.shape} for {len(names)} columns: {', '.join(names[:5])}")


def require_complete(x: np.ndarray, names: Sequence[str]) -> None:
    """Raise if a value is missing or not finite.

    Raises
    ------
    DataError
        Naming the columns (SC-B014).
    """
    holes = np.flatnonzero(~np.isfinite(x).all(axis=0)).tolist()
    if holes:
        raise DataError(
            f"{len(holes)} columns have missing values, e.g. {', '.join(names[at] for at in holes[:5])}",
            code="SC-B014",
            help="fill them with features.imputation first",
        )
