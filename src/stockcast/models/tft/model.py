"""``tft``: one network of all series, which gives quantiles, and paths in the order of its own earlier ranks."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import ClassVar, final

import numpy as np
import torch
from jaxtyping import Bool, Int

from stockcast.core.axes import Step
from stockcast.core.deadline import STRUCK, struck
from stockcast.core.random import Stream
from stockcast.models.base import Forecaster
from stockcast.models.catalogue import GONE_ON, Effort
from stockcast.models.ladder import FULL
from stockcast.models.pooled import in_order
from stockcast.models.ranks import Ranks, filled, independent, places, ranked
from stockcast.models.tft import arrays as arrays_of
from stockcast.models.tft import network as network_of
from stockcast.models.tft import saved, warm
from stockcast.models.tft.batcher import Pool, seed_of
from stockcast.models.tft.course import Budget
from stockcast.models.tft.fitted import FittedTft, Learnt
from stockcast.models.tft.interpretation import files, interpret
from stockcast.models.tft.network import LEVELS
from stockcast.models.tft.reading import at_origin, put, quantiles, roomy, usable
from stockcast.models.tft.recipe import lengths
from stockcast.models.tft.training import Keeper, train
from stockcast.models.tft.windows import Windows
from stockcast.panel import Panel

HELD = 2_000  # series whose latest window says when to end
COURSES, KEPT = 4, 8_000  # earlier windows whose ranks are kept, of each series and of all
BETWEEN: dict[Step, int] = {"day": 7, "week": 1}
DEFAULT = Budget()
NO_ROOM = f"no network was learnt: {FULL}"
UNTOLD = "what the network looked at is not told"


@final
class Tft(Forecaster):
    r"""The Temporal Fusion Transformer (Lim, Arik, Loeff & Pfister 2021), as pytorch-forecasting has it.

    It reads the latest 56 days or 52 weeks of a series in terms of their mean s, with what is known of the periods
    around them and to come, and gives quantiles of :math:`y / s` for all periods ahead at once. It learns by the
    quantile loss of windows drawn from all series, until a held-out origin gains no more. Paths put its quantiles in
    the order of the ranks of what came in earlier windows (:class:`stockcast.demand.Ranked`).

    Parameters
    ----------
    horizon
        Periods that are learnt; a forecast beyond reads them again, with what is known of the dates to come.
    budget, effort
        What learning may cost, in windows.
    warm_start
        An earlier fit, or the folder of one, whose weights are gone on from if it reads the same variables.
    checkpoint, keep_every
        A folder where the state of the training is left every so many steps, so that one that was killed goes on.
    stop
        Asked before every step: True ends it with the best weights until then, if any were judged. The run's deadline,
        when left out.
    interpret
        Whether the fit keeps what it looked at, as files of its run (``models.tft.interpretation.files``).
    """

    name: ClassVar[str] = "tft"
    pooled: ClassVar[bool] = True

    def __init__(
        self,
        horizon: int | None = None,
        *,
        budget: Budget = DEFAULT,
        effort: Effort = "thorough",
        warm_start: "FittedTft | Path | None" = None,
        checkpoint: Path | None = None,
        keep_every: int = 50,
        stop: Callable[[], bool] = struck,
        interpret: bool = False,
    ) -> None:
        self.horizon = horizon
        self.budget = budget
        self.effort: Effort = effort
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.keep_every = keep_every
        self.stop = stop
        self.interpret = interpret

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Tell which series fill a window, if all together have enough of them to learn from."""
        able, count = self._able(panel)
        return able & (count >= self.budget.least)

    def _able(self, panel: Panel) -> tuple[Bool[np.ndarray, " series"], int]:
        encoder, horizon = lengths(panel.time.n, panel.time.step, self.horizon)
        able, first = usable(panel, encoder)
        last = panel.time.n - encoder - 2 * horizon
        return able, int(np.maximum(last - first[able] + 1, 0).sum())

    def fit(self, panel: Panel, *, seed: int) -> "FittedTft":
        """Learn from all series; where there are too few windows (:meth:`can_fit`), each is forecast by its past."""
        able, count = self._able(panel)
        if count < self.budget.least:
            return FittedTft(panel.series)
        rows = in_order(panel, np.flatnonzero(able))
        try:
            fitted = self._learn(panel, rows, seed)
        except torch.OutOfMemoryError:
            return FittedTft(panel.series, told=(NO_ROOM,), lost=NO_ROOM)
        return self._with_looks(fitted, panel) if self.interpret and fitted.learnt is not None else fitted

    def _learn(self, panel: Panel, rows: Int[np.ndarray, " row"], seed: int) -> FittedTft:
        earlier, notes = self._earlier(panel, rows)
        if earlier is None:
            recipe, arrays = arrays_of.learn(panel, rows, self.horizon)
        else:
            recipe = earlier.recipe
            arrays = arrays_of.make(panel, rows, recipe, 0)
        windows, crowded = put(arrays, recipe)
        notes += crowded
        size = self.budget.size if earlier is None else earlier.size
        stream = Stream(seed, "tft")
        network = network_of.make(recipe, size, seed_of(stream.child("weights"), 0))
        if earlier is not None:
            network_of.give(network, earlier.base.load())
            notes += (f"{GONE_ON} ({earlier.base.digest[:8]}), the {earlier.nights + 1}. time in a row",)
        network.to(windows.device)
        late = panel.time.n - recipe.encoder - recipe.horizon
        pool = Pool.of(arrays.first, late - recipe.horizon, windows.device)
        course = self.budget.course(pool.count, self.effort, windows.device, warm=earlier is not None)
        keeper = None
        if self.checkpoint is not None:
            warm = "" if earlier is None else earlier.base.digest
            whole = json.dumps([recipe.as_json(), asdict(size), asdict(course), seed, windows.device, warm])
            of_data = hashlib.blake2b(arrays.series.data, digest_size=16).hexdigest()
            keeper = Keeper(self.checkpoint, saved.digest_of((whole + of_data).encode()), self.keep_every)
        held = at_origin(arrays.first, late, HELD, windows.device)
        after = np.maximum(arrays.first, late - recipe.horizon + 1)  # no window of the pool begins so late
        newest = Pool.of(arrays.first, late, windows.device), Pool.of(after, late, windows.device)
        trained = train(
            network, windows, pool, held, course, stream, keeper=keeper, stop=self.stop, begun=earlier is not None,
            newest=newest,
        )  # fmt: skip
        notes += trained.notes
        if trained.weights is None:
            return FittedTft(panel.series, told=notes, lost=trained.lost)
        network_of.give(network, trained.weights)
        ranks = roomy(network, arrays, windows, lambda windows: _ranks(network, windows, panel, rows, seed))
        nights = 0 if earlier is None else earlier.nights + 1
        base = saved.Weights.of(trained.weights)
        weights = saved.Weights.of(trained.finished or trained.weights)
        learnt = Learnt(recipe, size, weights, base, ranks, trained.progress, nights, str(panel.origin))
        return FittedTft(panel.series, learnt, notes)

    def _with_looks(self, fitted: FittedTft, panel: Panel) -> FittedTft:
        """Add what the network looked at; a forecast is not given up for want of time or room to tell it."""
        if self.stop():
            return replace(fitted, told=(*fitted.told, f"{STRUCK}: {UNTOLD}"))
        try:
            found = interpret(fitted, panel)
        except torch.OutOfMemoryError:
            return replace(fitted, told=(*fitted.told, f"the GPU has no room: {UNTOLD}"))
        return fitted if found is None else replace(fitted, looked=files(found))

    def _earlier(self, panel: Panel, rows: Int[np.ndarray, " row"]) -> tuple["Learnt | None", tuple[str, ...]]:
        """Give the earlier fit to go on from, where there is one that reads the same variables."""
        return warm.earlier(self.warm_start, panel, rows, self.horizon)


def _ranks(network: torch.nn.Module, windows: Windows, panel: Panel, rows: Int[np.ndarray, " row"], seed: int) -> Ranks:
    """Give the ranks of what came in the latest windows, a season apart; the last of them no step has seen."""
    recipe, levels = windows.recipe, np.array(LEVELS)
    between = BETWEEN[recipe.step]
    late = panel.time.n - recipe.encoder - recipe.horizon
    count = int(np.clip(late // between, 1, COURSES))
    courses, place, keys = [], [], []
    for window in range(count):
        pairs = at_origin(windows.first, late - window * between, KEPT // count, windows.device)
        if not len(pairs[0]):
            continue
        values, came, there = quantiles(network, windows, pairs)
        key = panel.series.keys[rows[pairs[0].cpu().numpy()]]
        drawn = Stream(seed, f"tft/ranks/{window}").uniform(key, (recipe.horizon,))
        fine = there.sum(axis=1) >= max(1, recipe.horizon // 2)
        courses.append(filled(ranked(came, values, levels, drawn), there)[fine])
        place.append(places(values, levels)[fine])
        keys.append(key[fine])
    if not sum(len(one) for one in keys):
        return independent(recipe.horizon)
    return Ranks(np.concatenate(courses), np.concatenate(place), np.concatenate(keys))
