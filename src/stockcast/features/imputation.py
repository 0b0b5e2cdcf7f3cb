"""Filling what is missing, and only that: by a mean, a median, or a regression on the other columns."""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.features.matrix import require_columns

RIDGE = 1.0  # penalty of the regressions, on columns of standard deviation 1
FEWEST = 10  # known rows from which a column is regressed on the others


@final
@dataclass(frozen=True, slots=True)
class Imputation:
    r"""What :func:`fit_imputation` learnt.

    Parameters
    ----------
    names
        The columns.
    fill
        What stands in for a missing value; 0 in a column of which nothing was known.
    modelled
        Columns that are filled by a regression, :math:`\hat x_j = \text{fill}_j + \sum_k (x_k - \text{fill}_k) w_{jk}`,
        with missing :math:`x_k` as their ``fill``, and within the range that was seen.
    weights
        The w of each column, 0 for the column itself.
    least, most
        The range of each column in training.
    """

    names: tuple[str, ...]
    fill: Float[np.ndarray, " feature"]
    modelled: Bool[np.ndarray, " feature"]
    weights: Float[np.ndarray, "feature feature"]
    least: Float[np.ndarray, " feature"]
    most: Float[np.ndarray, " feature"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(
            self, fill=self.fill, modelled=self.modelled, weights=self.weights, least=self.least, most=self.most
        )  # fmt: skip

    def apply(
        self, x: Float[np.ndarray, "row feature"]
    ) -> tuple[Float[np.ndarray, "row feature"], Int[np.ndarray, " feature"]]:
        """Fill any rows, and count what was filled in each column; what is known stays as it is."""
        require_columns(x, self.names)
        missing = np.isnan(x)
        out = np.where(missing, self.fill, x)
        plain = out - self.fill
        for at in np.flatnonzero(self.modelled & missing.any(axis=0)):
            rows = missing[:, at]
            # row by row, so that no bit depends on which rows are filled together
            value = self.fill[at] + np.einsum("rf,f->r", plain[rows], self.weights[at], optimize=False)
            out[rows, at] = np.clip(value, self.least[at], self.most[at])
        return out, missing.sum(axis=0)


def fit_imputation(
    train: Float[np.ndarray, "row feature"],
    names: tuple[str, ...],
    kind: Literal["mean", "median", "model"] = "median",
) -> Imputation:
    """Learn from training rows what stands in for missing values (NaN).

    A zero is a value like any other and is never filled. ``model`` regresses each column that has holes on all others
    (ridge, with their own holes at the median), over the rows in which it is known; with fewer than ten such rows the
    median stands in.

    Examples
    --------
    >>> learnt = fit_imputation(np.array([[1.0, 0.0], [3.0, np.nan], [5.0, 0.0]]), ("price", "sold"), "mean")
    >>> filled, count = learnt.apply(np.array([[np.nan, 7.0]]))
    >>> filled.tolist(), count.tolist()
    ([[3.0, 7.0]], [1, 0])
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge

    require_columns(train, names)
    train = train.astype(float)
    n = len(names)
    missing = np.isnan(train)
    known = ~missing.all(axis=0)
    fill, least, most, weights = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros((n, n))
    modelled = np.zeros(n, dtype=bool)
    if known.any():
        strategy = "mean" if kind == "mean" else "median"
        fill[known] = SimpleImputer(strategy=strategy).fit(train[:, known]).statistics_
        least[known], most[known] = np.nanmin(train[:, known], axis=0), np.nanmax(train[:, known], axis=0)
    if kind == "model":
        centred = np.where(missing, 0.0, train - fill)
        scale = centred.std(axis=0)
        scale[scale == 0] = 1.0
        centred /= scale
        for at in np.flatnonzero(missing.any(axis=0) & ((~missing).sum(axis=0) >= FEWEST)):
            rows, others = ~missing[:, at], np.arange(n) != at
            if not others.any():
                continue
            fitted = Ridge(alpha=RIDGE, fit_intercept=False, solver="cholesky").fit(
                centred[rows][:, others], centred[rows, at]
            )
            weights[at, others] = fitted.coef_ * scale[at] / scale[others]
            modelled[at] = True
    return Imputation(tuple(names), fill, modelled, weights, least, most)
