"""What the boosted model lives on: its features by gain, by SHAP values, and by what each says of demand alone."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
from jaxtyping import Float, Float32, Int

from stockcast.core.errors import DataError
from stockcast.core.parallel import threads_here
from stockcast.features.rank import Ranked, rank_columns
from stockcast.models.boosting import rows as rows_of
from stockcast.models.boosting.gpu import note, trained
from stockcast.models.boosting.model import AHEAD, FEW
from stockcast.models.boosting.pair import weight
from stockcast.models.boosting.rows import Features
from stockcast.models.boosting.trees import count, parameters
from stockcast.panel import Panel

if TYPE_CHECKING:
    from lightgbm import Booster

LEARNT = 200_000  # rows that are learnt from, at most about
MEASURED = 20_000  # of them, those whose columns are held against demand one by one
EXPLAINED = 2_000  # rows whose forecasts are taken apart
MEASURES = ("gain", "shap", "correlation", "mutual_information", "l1")


NEVER = np.datetime64("NaT", "D")


def _none() -> Ranked:
    return Ranked((), (), (), (), np.zeros(0), dict.fromkeys(MEASURES, np.zeros(0)))


@final
@dataclass(frozen=True, slots=True)
class Importance:
    """Features, the most important first, and what that rests on.

    Parameters
    ----------
    ranked
        With the measures ``gain`` (share of the loss that splits by a feature took away), ``shap`` (mean absolute
        contribution to the logarithm of a forecast), ``correlation``, ``mutual_information`` and ``l1``.
    learnt, offered
        Rows that the model learnt from, and how many there would have been.
    explained, held_out
        Rows whose forecasts were taken apart, and how many there were after the model's last period.
    since
        The first period that the model did not learn from.
    notes
        Where it was computed, if it might have been elsewhere.
    """

    ranked: Ranked = field(default_factory=_none)
    learnt: int = 0
    offered: int = 0
    explained: int = 0
    held_out: int = 0
    since: np.datetime64 = NEVER
    notes: tuple[str, ...] = ()


def importance(panel: Panel, *, seed: int, features: Features | None = None) -> Importance:
    r"""Train on all but the latest periods, and take forecasts of these apart.

    The contributions :math:`\phi_{if}` of the features f to a forecast i are SHAP values (Lundberg et al. 2020,
    LightGBM's ``pred_contrib``): with the mean forecast they add up to its logarithm. A feature's ``shap`` is
    :math:`\operatorname{mean}_i |\phi_{if}|`. Only rows count that the model has not seen: what it learnt by heart says
    nothing there. Gain and the measures of single columns are of the rows that were learnt from.

    Parameters
    ----------
    features
        What features there are; those of ``lightgbm`` when left out.

    Raises
    ------
    DataError
        If there is too little to learn from, or nothing after it to be explained (SC-M041).
    """
    step, n = panel.time.step, panel.time.n
    horizon = min(AHEAD[step], max(1, n // 4))
    until = n - horizon
    rows = rows_of.take(panel, features or Features.of(panel), horizon, LEARNT, seed=seed)
    past, late = np.flatnonzero(rows.target < until), np.flatnonzero(rows.target >= until)
    if len(past) < FEW or not len(late) or not rows.y[past].max(initial=0.0) > 0:
        raise DataError(
            f"{len(past)} periods of all series together before {panel.time.date(max(until, 0))} tell of demand: "
            "too few to rank features by",
            code="SC-M041",
            help="give a longer history, more series, or a later --as-of",
        )
    some = late[_spread(len(late), EXPLAINED)]
    booster = fitted(rows, past, seed)
    shap = np.abs(contributions(booster, rows.x[some])[:, :-1]).mean(axis=0)
    few = past[_spread(len(past), MEASURED)]
    alone = rank_columns(rows.x[few], rows.y[few], rows.columns, rows.reach)
    ranked = alone.with_measure("gain", gains(booster)).with_measure("shap", shap)
    offered = int(rows.offered * len(past) / len(rows.y)) if rows.offered > LEARNT else len(past)
    return Importance(
        ranked.by("shap", "gain", "mutual_information"),
        len(past),
        offered,
        len(some),
        len(late),
        panel.time.date(until),
        tuple(filter(None, [note()])),
    )


def _spread(n: int, most: int) -> Int[np.ndarray, " row"]:
    """Give at most so many of n rows, evenly spread."""
    return np.linspace(0, n - 1, min(n, most)).astype(np.int64)


def fitted(rows: rows_of.Rows, past: Int[np.ndarray, " past"], seed: int) -> "Booster":
    """Train on some rows, as the first model of the pair of ``lightgbm`` is trained.

    Raises
    ------
    RuntimeError
        If LightGBM fails, in its words.
    """
    import lightgbm

    x, y, counts = rows.x[past], rows.y[past], weight(rows.scale[past])

    def train(given: dict[str, Any]) -> "Booster":
        data = lightgbm.Dataset(x, y, weight=counts, categorical_feature=list(rows.categorical), params=given)
        return lightgbm.train(given, data, count(len(past)))

    return trained(parameters(len(past), seed), train)


def contributions(booster: "Booster", x: Float32[np.ndarray, "row feature"]) -> Float[np.ndarray, "row part"]:
    """Give what each feature contributes to the logarithm of a forecast; last, what all forecasts have in common."""
    return np.asarray(booster.predict(x, pred_contrib=True, num_threads=threads_here()))


def gains(booster: "Booster") -> Float[np.ndarray, " feature"]:
    """Give the share of each feature in what splits took off the loss; 0 where there is no split."""
    gain = booster.feature_importance("gain")
    return gain / max(float(gain.sum()), np.finfo(float).tiny)
