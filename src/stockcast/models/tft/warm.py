"""Which earlier network a new one may go on from, and why not: it has seen nothing later, and knows what is read."""

from pathlib import Path

import numpy as np
from jaxtyping import Int

from stockcast.core.errors import DataError
from stockcast.features.static import column_of
from stockcast.models.tft.fitted import FittedTft, Learnt
from stockcast.models.tft.recipe import Recipe
from stockcast.panel import Panel

ANEW = "the network was learnt anew: {why}"
UNKNOWN = "of {name} the earlier weights do not know the values of {count} of {n} series"
NIGHTS = 28  # times that weights are gone on from before all is learnt anew: scaling and codes are those of the first
SHARED = 0.5  # of the series that earlier weights must have been learnt on, and of those whose attributes they know


def earlier(
    given: FittedTft | Path | None, panel: Panel, rows: Int[np.ndarray, " row"], horizon: int | None
) -> tuple[Learnt | None, tuple[str, ...]]:
    """Give the earlier fit to go on from, where there is one that may be, and what is to be told.

    Parameters
    ----------
    given
        The earlier fit, or the folder of one.
    rows
        The series that are learnt on.
    horizon
        Periods that are learnt, as of :class:`~stockcast.models.tft.Tft`.
    """
    if given is None:
        return None, ()
    try:
        fitted = FittedTft.read(given) if isinstance(given, Path) else given
        learnt = fitted.learnt
        if learnt is not None:
            learnt.network()
    except DataError as error:
        return None, (ANEW.format(why=error.message),)
    if learnt is None:
        return None, (ANEW.format(why="the earlier fit has no network"),)
    why = _against(fitted, learnt, panel, rows, horizon)
    if why:
        return None, (ANEW.format(why=why),)
    told = []
    for name, count in _unknown(learnt.recipe, panel, rows).items():
        text = UNKNOWN.format(name=name, count=count, n=len(rows))
        if count > SHARED * len(rows):
            return None, (ANEW.format(why=text),)
        told += [text] * bool(count)
    return learnt, tuple(told)


def _against(
    fitted: FittedTft, learnt: Learnt, panel: Panel, rows: Int[np.ndarray, " row"], horizon: int | None
) -> str:
    """Say what speaks against an earlier fit; '' where nothing does."""
    if learnt.as_of > str(panel.origin):
        return f"the earlier weights have seen {learnt.as_of}, after {panel.origin}"
    if learnt.nights >= NIGHTS:
        return f"the earlier weights were gone on from {NIGHTS} times in a row"
    if not Recipe.of(panel.take(np.sort(rows)), horizon).same_variables(learnt.recipe):
        return "the earlier one reads other variables"
    if np.isin(panel.series.keys[rows], fitted.series.keys).mean() < SHARED:
        return "the earlier one knows few of these series"
    return ""


def _unknown(recipe: Recipe, panel: Panel, rows: Int[np.ndarray, " row"]) -> dict[str, int]:
    """Count for each attribute the series whose value has no code; a value that is blank is none that was renamed."""
    out = {}
    for name in recipe.codes.names:
        texts = column_of(panel, name)[rows]
        out[name] = int(((recipe.codes.of(name, texts) < 0) & (texts != "")).sum())
    return out
