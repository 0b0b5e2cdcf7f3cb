"""One column for each value of a code, learnt on training rows only."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from stockcast.features.matrix import require_columns


@final
@dataclass(frozen=True, slots=True)
class OneHot:
    """What :func:`fit_onehot` learnt.

    Parameters
    ----------
    names
        The columns before.
    codes
        For each, the values that have a column of their own; empty for a column that is left as it is.
    """

    names: tuple[str, ...]
    codes: tuple[tuple[float, ...], ...]

    @property
    def made(self) -> tuple[str, ...]:
        """Give the names of the columns after: ``color=2`` for the code 2 of ``color``."""
        pairs = zip(self.names, self.codes, strict=True)
        return tuple(n for name, codes in pairs for n in ([f"{name}={code:g}" for code in codes] or [name]))

    def apply(self, x: Float[np.ndarray, "row feature"]) -> Float[np.ndarray, "row made"]:
        """Give 1 in the column of the row's code, 0 elsewhere; a code that is missing or was not seen has 0 only."""
        require_columns(x, self.names)
        parts = [
            (x[:, [at]] == np.array(codes)).astype(x.dtype) if codes else x[:, [at]]
            for at, codes in enumerate(self.codes)
        ]
        return np.concatenate(parts, axis=1) if parts else x


def fit_onehot(
    train: Float[np.ndarray, "row feature"], names: tuple[str, ...], categorical: tuple[str, ...], most: int = 32
) -> OneHot:
    """Learn from training rows the values of categorical columns: of each the ``most`` common ones.

    Examples
    --------
    >>> learnt = fit_onehot(np.array([[0.0, 9.5], [2.0, 8.0]]), ("color", "price"), ("color",))
    >>> learnt.made
    ('color=0', 'color=2', 'price')
    >>> learnt.apply(np.array([[2.0, 1.0], [1.0, 1.0]])).tolist()
    [[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    """
    from sklearn.preprocessing import OneHotEncoder

    require_columns(train, names)
    codes: list[tuple[float, ...]] = []
    for at, name in enumerate(names):
        known = train[~np.isnan(train[:, at]), at : at + 1]
        if name not in categorical or not len(known):
            codes.append(())
            continue
        values = OneHotEncoder().fit(known).categories_[0]
        count = np.array([(known == value).sum() for value in values])
        codes.append(tuple(np.sort(values[np.argsort(-count, kind="stable")[:most]]).tolist()))
    return OneHot(tuple(names), tuple(codes))
