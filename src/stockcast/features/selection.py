"""Fewer columns, chosen on training rows only: by correlation, mutual information, L1, or principal components."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.features.matrix import require_columns, require_complete
from stockcast.features.scaling import fit_scaling

ROWS = 20_000  # rows, evenly spread, that mutual information and L1 are estimated from
ALIKE = 0.98  # correlation with a kept column from which another adds nothing
NEIGHBOURS = 3
FOLDS = 5
PENALTIES = 30
SEED = 0  # of the noise that mutual information breaks ties with

Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]


@final
@dataclass(frozen=True, slots=True)
class Selection:
    """The columns that :func:`select` kept, best first, and what they scored."""

    names: tuple[str, ...]
    kept: Int[np.ndarray, " kept"]
    scores: Float[np.ndarray, " feature"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, kept=self.kept, scores=self.scores)

    @property
    def made(self) -> tuple[str, ...]:
        """Give the names of the kept columns."""
        return tuple(self.names[at] for at in self.kept.tolist())

    def apply(self, x: Float[np.ndarray, "row feature"]) -> Float[np.ndarray, "row kept"]:
        """Give the kept columns of any rows."""
        require_columns(x, self.names)
        return x[:, self.kept]


@final
@dataclass(frozen=True, slots=True)
class Components:
    r"""Principal components, as :func:`fit_components` learnt them: :math:`(x - \text{shift}) / \text{scale} \cdot V'`.

    Parameters
    ----------
    names
        The columns before.
    shift, scale
        Mean and standard deviation of the training rows.
    axes
        V, one direction a row.
    share
        The share of the variance that each explains.
    """

    names: tuple[str, ...]
    shift: Float[np.ndarray, " feature"]
    scale: Float[np.ndarray, " feature"]
    axes: Float[np.ndarray, "component feature"]
    share: Float[np.ndarray, " component"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, shift=self.shift, scale=self.scale, axes=self.axes, share=self.share)

    @property
    def made(self) -> tuple[str, ...]:
        """Give the names of the components."""
        return tuple(f"component_{at}" for at in range(1, len(self.axes) + 1))

    def apply(self, x: Float[np.ndarray, "row feature"]) -> Float[np.ndarray, "row component"]:
        """Give the components of any rows."""
        require_columns(x, self.names)
        require_complete(x, self.names)
        return np.einsum("rf,cf->rc", (x - self.shift) / self.scale, self.axes, optimize=False)


def correlation(x: Float[np.ndarray, "row feature"], y: Float[np.ndarray, " row"]) -> Float[np.ndarray, " feature"]:
    """Give the absolute correlation of each column with the target; 0 for a constant.

    Examples
    --------
    >>> correlation(np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]]), np.array([2.0, 1.0, 0.0])).round(6).tolist()
    [1.0, 0.0]
    """
    a, b = x - x.mean(axis=0), y - y.mean()
    norm = np.sqrt((a * a).sum(axis=0) * (b * b).sum())
    out = np.zeros(x.shape[1])
    np.divide(
        np.abs((a * b[:, None]).sum(axis=0)), norm, out=out, where=norm > 1e-12 * max(1.0, float(np.abs(y).max()))
    )
    return np.minimum(out, 1.0)


def mutual_information(
    x: Float[np.ndarray, "row feature"], y: Float[np.ndarray, " row"]
) -> Float[np.ndarray, " feature"]:
    """Give the mutual information of each column with the target in nats, by nearest neighbours (Kraskov 2004)."""
    from sklearn.feature_selection import mutual_info_regression

    x, y = _spread(x, y)
    return np.asarray(mutual_info_regression(x, y, n_neighbors=min(NEIGHBOURS, len(y) - 1), random_state=SEED))


def l1(x: Float[np.ndarray, "row feature"], y: Float[np.ndarray, " row"]) -> Float[np.ndarray, " feature"]:
    r"""Give the absolute coefficients of the lasso on standardised columns.

    .. math:: \min_w \tfrac{1}{2n} \lVert y - Xw \rVert^2 + \alpha \lVert w \rVert_1,

    with the penalty that consecutive fifths of the rows choose (Tibshirani 1996).
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LassoCV

    x, y = _spread(x, y)
    scaled = fit_scaling(x, tuple(map(str, range(x.shape[1])))).apply(x)
    if len(y) < 2 * FOLDS or y.min() == y.max():
        return np.zeros(x.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a path that stops early still ranks
        return np.abs(LassoCV(alphas=PENALTIES, cv=FOLDS).fit(scaled, y - y.mean()).coef_)


MEASURES: dict[str, Measure] = {"correlation": correlation, "mutual_information": mutual_information, "l1": l1}


def select(
    train: Float[np.ndarray, "row feature"],
    target: Float[np.ndarray, " row"],
    names: tuple[str, ...],
    kind: Literal["correlation", "mutual_information", "l1"],
    keep: int,
) -> Selection:
    """Keep at most ``keep`` columns, those that say most of the target in training rows; equal ones by their order.

    ``correlation`` leaves out what nearly repeats a kept column (0.98); ``l1`` what has no weight.

    Raises
    ------
    DataError
        If a value is missing (SC-B014).

    Examples
    --------
    >>> x = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 2.0], [3.0, 1.0]])
    >>> select(x, np.array([0.0, 2.0, 4.0, 6.0]), ("a", "b"), "correlation", 1).made
    ('a',)
    """
    _require(train, target, names)
    x, y = train.astype(float), target.astype(float)
    scores = MEASURES[kind](x, y)
    order = np.argsort(-scores, kind="stable")
    if kind == "l1":
        order = order[scores[order] > 0]
    if kind == "correlation":
        kept: list[int] = []
        for at in order.tolist():
            if len(kept) < keep and not (correlation(x[:, kept], x[:, at]) >= ALIKE).any():
                kept.append(at)
        order = np.array(kept, dtype=np.int64)
    return Selection(tuple(names), order[:keep], scores)


def fit_components(train: Float[np.ndarray, "row feature"], names: tuple[str, ...], keep: int) -> Components:
    """Learn at most ``keep`` principal components of standardised training rows.

    Raises
    ------
    DataError
        If a value is missing (SC-B014).
    """
    from sklearn.decomposition import PCA

    require_columns(train, names)
    require_complete(train, names)
    scaling = fit_scaling(train.astype(float), names)
    fitted = PCA(min(keep, *train.shape), svd_solver="full").fit(scaling.apply(train.astype(float)))
    return Components(tuple(names), scaling.shift, scaling.scale, fitted.components_, fitted.explained_variance_ratio_)


def _require(x: np.ndarray, y: np.ndarray, names: tuple[str, ...]) -> None:
    require_columns(x, names)
    require_complete(x, names)
    require_complete(y[:, None], ("the target",))


def _spread(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give at most ``ROWS`` rows, evenly spread."""
    if len(y) <= ROWS:
        return x, y
    rows = np.linspace(0, len(y) - 1, ROWS).astype(np.int64)
    return x[rows], y[rows]
