"""Scaling of columns, learnt on training rows only: to 0…1, or to mean 0 and standard deviation 1."""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from jaxtyping import Float

from stockcast.core.arrays import freeze
from stockcast.features.matrix import require_columns


@final
@dataclass(frozen=True, slots=True)
class Scaling:
    r"""What :func:`fit_scaling` learnt: :math:`z = (x - \text{shift}) / \text{scale}`, column by column.

    Parameters
    ----------
    names
        The columns.
    shift, scale
        In the columns' units; the scale of a column that was constant is 1.
    """

    names: tuple[str, ...]
    shift: Float[np.ndarray, " feature"]
    scale: Float[np.ndarray, " feature"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, shift=self.shift, scale=self.scale)

    def apply(self, x: Float[np.ndarray, "row feature"]) -> Float[np.ndarray, "row feature"]:
        """Scale any rows; what is missing stays missing."""
        require_columns(x, self.names)
        return (x - self.shift) / self.scale

    def undo(self, z: Float[np.ndarray, "row feature"]) -> Float[np.ndarray, "row feature"]:
        """Give the values before scaling."""
        require_columns(z, self.names)
        return z * self.scale + self.shift


def fit_scaling(
    train: Float[np.ndarray, "row feature"], names: tuple[str, ...], kind: Literal["minmax", "standard"] = "standard"
) -> Scaling:
    r"""Learn a scaling from training rows; missing values (NaN) are left out.

    .. math:: z = \frac{x - \min}{\max - \min} \qquad\text{or}\qquad z = \frac{x - \bar x}{s}

    Examples
    --------
    >>> scaling = fit_scaling(np.array([[1.0], [3.0], [np.nan]]), ("price",), "minmax")
    >>> scaling.apply(np.array([[2.0], [4.0]])).ravel().tolist()
    [0.5, 1.5]
    """
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    require_columns(train, names)
    known = ~np.isnan(train).all(axis=0)  # a column of nothing is left as it is
    shift, scale = np.zeros(len(names)), np.ones(len(names))
    if known.any():
        some = train[:, known].astype(float)
        if kind == "minmax":
            fitted = MinMaxScaler().fit(some)
            shift[known], scale[known] = fitted.data_min_, 1.0 / fitted.scale_
        else:
            fitted = StandardScaler().fit(some)
            shift[known], scale[known] = fitted.mean_, fitted.scale_
    return Scaling(tuple(names), shift, scale)
