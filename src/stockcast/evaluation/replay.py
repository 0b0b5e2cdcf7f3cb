"""The chosen models at earlier origins: the forecast that they would have published there, held against what came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.demand import PathSource, SampledForecast
from stockcast.evaluation.blended import fit_weighted
from stockcast.evaluation.folds import Folds
from stockcast.models.catalogue import PLAIN, Setting
from stockcast.models.profile import profile
from stockcast.models.states import sampled
from stockcast.panel import Panel

SAMPLE = 1000  # series that are enough to tell how wide forecasts have to be


@final
@dataclass(frozen=True, slots=True)
class Replay:
    """What was forecast at one earlier origin.

    Parameters
    ----------
    known
        The number of periods that were given.
    past
        The panel as it was known then (``panel.until(known)``).
    demand
        What was forecast from it, for the window after the origin.
    """

    known: int
    past: Panel
    demand: SampledForecast

    def take(self, rows: Int[np.ndarray, " row"]) -> "Replay":
        """Give some series of it."""
        return Replay(self.known, self.past.take(rows), self.demand.take(rows))


def replays(
    names: Sequence[str],
    weights: Float[np.ndarray, "series model"],
    panel: Panel,
    folds: Folds,
    *,
    rows: Int[np.ndarray, " row"],
    seed: int,
    n_paths: int,
    workers: int = 1,
    sources: Mapping[tuple[str, int], PathSource] | None = None,
    setting: Setting = PLAIN,
) -> list[Replay]:
    """Fit the chosen models again at every origin of the folds, for some series, on what was known there.

    An origin at which the deadline cuts a model short is left out: what is learnt from replays is of whole fits.

    Parameters
    ----------
    sources
        Paths of these series that a backtest has, by model and number of known periods: used as they are.
    setting
        What the models are made with; an earlier fit to go on from is left out, for it may have seen what comes.
    """
    setting = setting.judging()
    out = []
    some = panel.take(rows)
    for known in folds.known:
        past, whole = some.until(known), panel.until(known)
        ready = {name: source for (name, at), source in (sources or {}).items() if at == known}
        fitted = fit_weighted(
            names, weights[rows], past, folds.window, seed=seed, workers=workers, of_all=profile(whole),
            among=(whole, rows), ready=ready, setting=setting,
        )  # fmt: skip
        if fitted.cut:
            continue
        out.append(Replay(known, past, sampled(past, fitted.source, folds.window, seed=seed, n_paths=n_paths)))
    return out


def sample(panel: Panel) -> Int[np.ndarray, " row"]:
    """Choose up to ``SAMPLE`` series by their keys: the same ones in any order of the series."""
    return np.sort(np.argsort(panel.series.keys, kind="stable")[:SAMPLE])
