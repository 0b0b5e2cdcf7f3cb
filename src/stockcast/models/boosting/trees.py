"""The trees themselves: LightGBM's parameters by the size of the data, its training, and its text."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Float, Float32, Int

from stockcast.core.errors import DataError
from stockcast.core.parallel import threads_here
from stockcast.models.boosting.gpu import trained

POWER = 1.1  # of the Tweedie distribution: between Poisson, and one of amounts that are often 0
MOST_TREES, LEAST_TREES = 400, 100
EARLY = 2  # times that the earlier model learns faster, of so many times fewer trees
RATE = 0.05
WORTH = 100_000  # rows below which threads wait for one another more than they work

Predictor = Callable[[np.ndarray], np.ndarray]


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

    def load(self) -> Predictor:
        """Read the text, once for many rows; what it gives back takes features and gives the mean of their targets.

        Raises
        ------
        DataError
            If text and hash do not belong together.
        """
        import lightgbm

        if Trees.of(self.text).digest != self.digest:
            raise DataError("a boosted model was changed after it was written", code="SC-M006", help="fit it again")
        booster = lightgbm.Booster(model_str=self.text)

        def predict(x: Float32[np.ndarray, "row feature"]) -> Float[np.ndarray, " row"]:
            return np.asarray(booster.predict(x, num_threads=threads_here() if len(x) >= WORTH else 1))

        return predict


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
        "num_threads": threads_here() if rows >= WORTH else 1,
        "seed": seed % 2**31,
        "verbosity": -1,
    }


def train(
    x: Float32[np.ndarray, "row feature"],
    y: Float[np.ndarray, " row"],
    weight: Float[np.ndarray, " row"],
    held_out: Int[np.ndarray, " held"],
    categorical: list[int],
    seed: int,
) -> tuple[Trees, Trees]:
    """Train one model on the rows that are not held out, whose errors on these tell how sure it is, and one on all.

    How many trees there are follows from the number of rows alone: what a single late window says of it is noise.

    Parameters
    ----------
    y, weight
        Targets ≥ 0 and what a row counts.
    held_out
        Rows of the latest periods.

    Returns
    -------
    early, final
        The model that has not seen the rows held out, and the one of all rows.

    Raises
    ------
    RuntimeError
        If LightGBM fails, in its words: the ladder records that and goes on.
    """
    return trained(
        parameters(len(y), seed), lambda given: _train(x, y, weight, held_out, categorical, given)
    )  # fmt: skip


def _train(
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    held_out: np.ndarray,
    categorical: list[int],
    given: dict[str, Any],
) -> tuple[Trees, Trees]:
    import lightgbm

    trees = int(np.clip(len(y) // 500, LEAST_TREES, MOST_TREES))
    data = lightgbm.Dataset(
        x, y, weight=weight, categorical_feature=categorical, params=given, free_raw_data=False
    ).construct()
    mask = np.ones(len(y), dtype=bool)
    mask[held_out] = False
    past = data.subset(np.flatnonzero(mask).tolist())
    early = lightgbm.train(given | {"learning_rate": EARLY * RATE}, past, trees // EARLY)
    final = lightgbm.train(given, data, trees)
    return Trees.of(early.model_to_string()), Trees.of(final.model_to_string())
