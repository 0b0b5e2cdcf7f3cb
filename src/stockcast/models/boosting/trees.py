"""The trees themselves: LightGBM's parameters by the size of the data, its training, and its text."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from jaxtyping import Float, Float32, Int

from stockcast.core.errors import DataError
from stockcast.core.parallel import threads_here
from stockcast.models.boosting.gpu import trained

if TYPE_CHECKING:
    from lightgbm import Booster

POWER = 1.5  # of the Tweedie distribution: half-way between counts (1) and amounts whose spread grows with them (2)
MOST_TREES, LEAST_TREES = 200, 50
RATE = 0.08
WORTH = 100_000  # rows below which threads wait for one another more than they work

Means = Callable[[np.ndarray], np.ndarray]


@final
@dataclass(frozen=True, slots=True)
class Trees:
    """A trained model as LightGBM's own text, with the hash of it; there is nothing to unpickle."""

    text: str
    digest: str

    @classmethod
    def of(cls, text: str) -> "Trees":
        """Hold a text with its hash."""
        return cls(text, hashlib.blake2b(text.encode(), digest_size=16).hexdigest())

    def _read(self) -> "Booster":
        import lightgbm

        if Trees.of(self.text).digest != self.digest:
            raise DataError("a boosted model was changed after it was written", code="SC-M006", help="fit it again")
        return lightgbm.Booster(model_str=self.text)

    def load(self) -> Means:
        """Read the text, once for many rows; what it gives back takes features and gives the mean of their targets.

        Raises
        ------
        DataError
            If text and hash do not belong together (SC-M006).
        """
        booster = self._read()

        def predict(x: Float32[np.ndarray, "row feature"]) -> Float[np.ndarray, " row"]:
            return np.asarray(booster.predict(x, num_threads=_threads(len(x))))

        return predict

    def leaves(self, x: Float32[np.ndarray, "row feature"]) -> Int[np.ndarray, "row tree"]:
        """Give the leaf of every tree that each row falls into.

        Raises
        ------
        DataError
            If text and hash do not belong together (SC-M006).
        """
        booster = self._read()
        if not len(x):
            return np.zeros((0, booster.num_trees()), dtype=np.int32)
        told = booster.predict(x, pred_leaf=True, num_threads=_threads(len(x)))
        return np.asarray(told, dtype=np.int32).reshape(len(x), -1)


def _threads(rows: int) -> int:
    return threads_here() if rows >= WORTH else 1


def parameters(rows: int, seed: int) -> dict[str, Any]:
    """Give LightGBM's parameters: more leaves, each of more rows, the more rows there are.

    ``deterministic`` with histograms by row gives the same bytes for any number of threads.

    Examples
    --------
    >>> [parameters(n, 7)["num_leaves"] for n in (2_000, 50_000, 1_000_000)]
    [7, 12, 127]
    """
    return {
        "objective": "tweedie",
        "tweedie_variance_power": POWER,
        "learning_rate": RATE,
        "num_leaves": int(np.clip(rows // 4000, 7, 127)),
        "min_data_in_leaf": int(np.clip(rows // 10_000, 20, 400)),
        "feature_fraction": 0.5,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "max_bin": 100,
        "feature_pre_filter": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": _threads(rows),
        "seed": seed % 2**31,
        "verbosity": -1,
    }


def count(rows: int) -> int:
    """Give the number of trees: it follows from that of rows alone, for what one late window says of it is noise.

    Examples
    --------
    >>> [count(n) for n in (2_000, 50_000, 1_000_000)]
    [50, 100, 200]
    """
    return int(np.clip(rows // 500, LEAST_TREES, MOST_TREES))


def train(
    x: Float32[np.ndarray, "row feature"],
    y: Float[np.ndarray, " row"],
    weight: Float[np.ndarray, " row"] | None,
    categorical: list[int],
    seed: int,
) -> Trees:
    """Train a model of the mean.

    Parameters
    ----------
    y, weight
        Targets ≥ 0 and what a row counts; each the same when left out.

    Raises
    ------
    RuntimeError
        If LightGBM fails, in its words: the ladder records that and goes on.
    """
    return trained(parameters(len(y), seed), lambda given: _train(x, y, weight, categorical, given, count(len(y))))


def grown(
    x: Float32[np.ndarray, "row feature"], y: Float[np.ndarray, " row"], categorical: list[int], trees: int, seed: int
) -> Trees:
    """Grow a random forest (Breiman 2001): deep trees, each on half of the rows, by squared errors.

    Raises
    ------
    RuntimeError
        If LightGBM fails, in its words.
    """
    given = parameters(len(y), seed) | {
        "objective": "regression",
        "boosting": "rf",
        "num_leaves": int(np.clip(len(y) // 17, 7, 3000)),
        "min_data_in_leaf": 5,
        "feature_fraction": 0.25,
        "feature_fraction_bynode": 0.5,
        "bagging_fraction": 0.5,
    }
    return trained(given, lambda given: _train(x, y, None, categorical, given, trees))


def _train(
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray | None,
    categorical: list[int],
    given: dict[str, Any],
    trees: int,
) -> Trees:
    import lightgbm

    data = lightgbm.Dataset(x, y, weight=weight, categorical_feature=categorical, params=given)
    return Trees.of(lightgbm.train(given, data, trees).model_to_string())
