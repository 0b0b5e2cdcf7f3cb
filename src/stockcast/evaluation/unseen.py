"""What the earlier origins would have blended, forecast at each origin and held against what came after it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int, Shaped

from stockcast.evaluation.backtest import Backtested, held_against
from stockcast.evaluation.blended import fit_weighted
from stockcast.evaluation.cut import in_time
from stockcast.evaluation.ensemble import origins, weigh
from stockcast.evaluation.folds import Folds
from stockcast.evaluation.published import published
from stockcast.evaluation.scores import Outcome
from stockcast.evaluation.selection import competing
from stockcast.models.catalogue import PLAIN, Setting
from stockcast.models.states import sampled
from stockcast.panel import Panel


def blends(
    names: Sequence[str],
    panel: Panel,
    cut: Folds,
    found: Backtested,
    keep: Int[np.ndarray, " kept"],
    choices: Sequence[tuple[Shaped[np.ndarray, " series"], Int[np.ndarray, " series"]]],
    *,
    periods: Int[np.ndarray, " series"],
    levels: tuple[float, ...],
    n_paths: int,
    seed: int,
    workers: int = 1,
    setting: Setting = PLAIN,
) -> list[Outcome | None]:
    """Judge at each origin but the first the blend whose weights the origins before it tell, before any calibration.

    None where the deadline cut one of its models short.

    It is made as :func:`stockcast.evaluation.forecast` makes it. The paths of models that learn from all series are
    those of the backtest where it kept them all; others are fitted again.

    Parameters
    ----------
    found, keep
        What the backtest of these models told, and the series whose quantiles it kept.
    choices
        For each origin but the first, the segment of each series and the model that was chosen for it.
    """
    out: list[Outcome | None] = [None]
    setting = setting.judging()
    for fold, (segment, chosen) in enumerate(choices, 1):
        known = cut.known[fold]
        earlier = Folds(cut.known[:fold], cut.window)
        told = origins(panel, earlier, keep, periods, [of[:fold] for of in found.quantiles])
        late = {(name, at) for name, at in found.cut if at in earlier.known}
        able = in_time(names, competing(names, segment), late)
        weights = weigh(told, keep, names, segment, able, chosen, levels).weights
        past = panel.until(known)
        ready = {name: source for (name, at), source in found.sources.items() if at == known}
        fitted = fit_weighted(
            names, weights, past, cut.window, seed=seed, workers=workers, setting=setting,
            ready=ready if len(keep) == len(panel.series) else None,
        )  # fmt: skip
        if fitted.cut:
            out.append(None)
            continue
        demand = published(sampled(past, fitted.source, cut.window, seed=seed, n_paths=n_paths), past)
        out.append(held_against(demand, panel, past, periods, levels)[0])
    return out
