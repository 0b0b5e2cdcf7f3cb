"""Each model fitted on the series that it has weight on, and what comes out averaged to one forecast."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from stockcast.demand import Blend, PathSource
from stockcast.evaluation.fitting import Fitted, fit_chosen
from stockcast.models.catalogue import PLAIN, Setting
from stockcast.models.profile import Profile, profile
from stockcast.panel import Panel


def fit_weighted(
    names: Sequence[str],
    weights: Float[np.ndarray, "series model"],
    panel: Panel,
    horizon: int,
    *,
    seed: int,
    workers: int = 1,
    of_all: Profile | None = None,
    among: tuple[Panel, Int[np.ndarray, " row"]] | None = None,
    ready: Mapping[str, PathSource] | None = None,
    done: Callable[[int], None] = lambda count: None,
    setting: Setting = PLAIN,
) -> Fitted:
    """Fit each model on the series that have weight on it; :class:`stockcast.demand.Blend` puts them together.

    Where every series has all its weight on one model, it is what ``fit_chosen`` gives, to the byte.

    Parameters
    ----------
    of_all
        The profile of all series, where the panel holds only some of them; learnt from the panel when left out.
    among, ready, setting
        As in ``fit_chosen``.
    """
    of_all = of_all or profile(panel)
    if ((weights > 0).sum(axis=1) == 1).all():
        chosen = weights.argmax(axis=1) if len(weights) else np.zeros(0, dtype=np.int64)
        return fit_chosen(
            names,
            chosen,
            panel,
            horizon,
            seed=seed,
            workers=workers,
            of_all=of_all,
            among=among,
            ready=ready,
            done=done,
            setting=setting,
        )
    used = [at for at in range(len(names)) if (weights[:, at] > 0).any()]
    seconds = dict.fromkeys(names, (0.0, 0.0))
    texts: list[list[str]] = [[] for _ in range(len(panel.series))]
    sources, finished = [], 0
    notes: dict[str, None] = {}
    kept: dict[str, str | bytes] = {}
    for at in sorted(used, key=lambda at: -float(weights[:, at].sum())):
        rows = np.flatnonzero(weights[:, at] > 0)
        seen = 0

        def counted(count: int, before: int = finished) -> None:
            nonlocal seen
            seen = count
            done(before + count)

        whole, place = among or (panel, np.arange(len(panel.series)))
        there = {name: one.take(rows) for name, one in (ready or {}).items() if name == names[at]}
        part = panel if len(rows) == len(panel.series) else panel.take(rows)
        fitted = fit_chosen(
            [names[at]], np.zeros(len(rows), dtype=np.int64), part, horizon, seed=seed, workers=workers, of_all=of_all,
            among=(whole, place[rows]), ready=there, done=counted, setting=setting,
        )  # fmt: skip
        finished += seen
        notes |= dict.fromkeys(fitted.notes)
        kept |= fitted.texts
        sources.append((at, fitted.source))
        seconds[names[at]] = fitted.seconds[names[at]]
        for row, text in zip(rows.tolist(), fitted.fallback.tolist(), strict=True):
            if text:
                texts[row].append(text)
    sources.sort(key=lambda one: one[0])
    source = Blend(tuple(one for _, one in sources), weights[:, [at for at, _ in sources]])
    told = np.array(["; ".join(several) for several in texts], dtype=np.str_)
    return Fitted(source, told, seconds, tuple(notes), kept)
