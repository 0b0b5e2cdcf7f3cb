"""``tft``: one network of all series, which gives quantiles, and paths in the order of its own earlier ranks."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar, final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from stockcast.core.axes import SeriesAxis, Step
from stockcast.core.deadline import struck
from stockcast.core.errors import DataError
from stockcast.core.random import Stream
from stockcast.demand import Ranked, SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.catalogue import Effort
from stockcast.models.history import ceiling, latest
from stockcast.models.smoothing.device import device
from stockcast.models.states import sampled
from stockcast.models.tft import arrays as arrays_of
from stockcast.models.tft import network as network_of
from stockcast.models.tft import saved
from stockcast.models.tft.arrays import CHUNK, Arrays, in_order, told
from stockcast.models.tft.batcher import Pairs, Pool, seed_of, some
from stockcast.models.tft.course import Budget
from stockcast.models.tft.network import LEVELS, Size
from stockcast.models.tft.ranks import Ranks, filled, independent, places, ranked
from stockcast.models.tft.recipe import Recipe, lengths
from stockcast.models.tft.training import LOOK, Keeper, Progress, computing, train
from stockcast.models.tft.windows import Windows
from stockcast.models.uncensor import ENOUGH, evidence
from stockcast.panel import Panel

HELD = 2_000  # series whose latest window says when to end
COURSES, KEPT = 4, 8_000  # earlier windows whose ranks are kept, of each series and of all
BETWEEN: dict[Step, int] = {"day": 7, "week": 1}
DEFAULT = Budget()
ANEW = "the network was learnt anew: {why}"


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
        Asked before every step: True ends it with the best weights until then. The run's deadline, when left out.
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
        keep_every: int = 200,
        stop: Callable[[], bool] = struck,
    ) -> None:
        self.horizon = horizon
        self.budget = budget
        self.effort: Effort = effort
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.keep_every = keep_every
        self.stop = stop

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
            network_of.give(network, earlier.weights.load())
        network.to(windows.device)
        late = panel.time.n - recipe.encoder - recipe.horizon
        pool = Pool.of(arrays.first, late - recipe.horizon, windows.device)
        course = self.budget.course(pool.count, self.effort, windows.device, warm=earlier is not None)
        keeper = None
        if self.checkpoint is not None:
            warm = "" if earlier is None else earlier.weights.digest
            whole = json.dumps([recipe.as_json(), asdict(size), asdict(course), seed, windows.device, warm])
            of_data = hashlib.blake2b(arrays.series.data, digest_size=16).hexdigest()
            keeper = Keeper(self.checkpoint, saved.digest_of((whole + of_data).encode()), self.keep_every)
        held = at_origin(arrays.first, late, HELD, windows.device)
        trained = train(network, windows, pool, held, course, stream, keeper=keeper, stop=self.stop)
        notes += trained.notes
        if trained.weights is None:
            return FittedTft(panel.series, told=notes)
        network_of.give(network, trained.weights)
        ranks = _ranks(network, windows, panel, rows, seed)
        learnt = Learnt(recipe, size, saved.Weights.of(trained.weights), ranks, trained.progress)
        return FittedTft(panel.series, learnt, notes)

    def _earlier(self, panel: Panel, rows: Int[np.ndarray, " row"]) -> tuple["Learnt | None", tuple[str, ...]]:
        """Give the earlier fit to go on from, where there is one that reads the same variables."""
        given = self.warm_start
        if given is None:
            return None, ()
        try:
            earlier = (FittedTft.read(given) if isinstance(given, Path) else given).learnt
        except DataError as error:
            return None, (ANEW.format(why=error.message),)
        if earlier is None:
            return None, (ANEW.format(why="the earlier fit has no network"),)
        if not Recipe.of(panel.take(np.sort(rows)), self.horizon).same_variables(earlier.recipe):
            return None, (ANEW.format(why="the earlier one reads other variables"),)
        return earlier, ()


@final
@dataclass(frozen=True, slots=True)
class Learnt:
    """A network that has learnt: what it reads, its size and weights, and the ranks of what came in its windows."""

    recipe: Recipe
    size: Size
    weights: saved.Weights
    ranks: Ranks
    progress: Progress

    def network(self) -> torch.nn.Module:
        """Make the network and give it its weights."""
        network = network_of.make(self.recipe, self.size, 0)
        network_of.give(network, self.weights.load())
        return network


@final
@dataclass(frozen=True, slots=True)
class FittedTft(FittedForecaster):
    """What was learnt, if anything, and the series that it was learnt on."""

    series: SeriesAxis
    learnt: Learnt | None = None
    told: tuple[str, ...] = field(default=())

    def notes(self) -> tuple[str, ...]:
        """Say what ended or slowed the learning, and why earlier weights were not used."""
        return tuple(f"tft: {note}" for note in self.told)

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Forecast by the network; what fills no window by the quantiles of its own past."""
        self.series.require(panel.series, "fitted model and panel")
        n, levels = len(panel.series), np.array(LEVELS)
        values, cap = np.zeros((n, horizon, len(LEVELS))), np.zeros(n)
        encoder = self.learnt.recipe.encoder if self.learnt else lengths(panel.time.n, panel.time.step, None)[0]
        able = usable(panel, encoder)[0] if self.learnt else np.zeros(n, dtype=bool)
        for rows in panel.chunks(CHUNK):
            part = panel.take(rows)
            found = evidence(part)
            cap[rows] = ceiling(found.values, found.used)
            rest = np.flatnonzero(~able[rows])
            values[rows[rest]] = _past(*told(part.take(rest)), encoder, levels)[:, None]
        rows = in_order(panel, np.flatnonzero(able))
        ranks = independent(horizon)
        if self.learnt is not None:
            ranks = self.learnt.ranks
            if len(rows):
                values[rows] = _forecast(self.learnt, panel, rows, horizon)
        values = np.minimum(values, cap[:, None, None])
        near = ranks.near(places(values, levels), panel.series.keys)
        turns = np.arange(horizon) % ranks.courses.shape[1]
        source = Ranked(levels, values, Ranked.order(ranks.courses)[:, turns], near, cap)
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)

    def write(self, folder: Path) -> None:
        """Write all of it into a folder: the weights as safetensors, everything else as JSON, with their hashes."""
        rest = {"sku": self.series.sku.tolist(), "location": self.series.location.tolist(), "told": self.told}
        if self.learnt is None:
            saved.write(folder, {}, rest)
            return
        ranks = self.learnt.ranks
        tensors = {f"network/{name}": value for name, value in self.learnt.weights.load().items()}
        tensors |= {"ranks/courses": torch.tensor(ranks.courses), "ranks/place": torch.tensor(ranks.place)}
        tensors |= {"ranks/key": torch.tensor(ranks.key.view(np.int64))}
        rest |= {"recipe": self.learnt.recipe.as_json(), "size": asdict(self.learnt.size)}
        saved.write(folder, tensors, rest | {"levels": LEVELS, "progress": asdict(self.learnt.progress)})

    @classmethod
    def read(cls, folder: Path) -> "FittedTft":
        """Read what :meth:`write` wrote.

        Raises
        ------
        DataError
            If something is missing, was changed after it was written, or is of another version (SC-M007).
        """
        tensors, rest = saved.read(folder)
        series = SeriesAxis(np.array(rest["sku"], dtype=np.str_), np.array(rest["location"], dtype=np.str_))
        if "recipe" not in rest:
            return cls(series, None, tuple(rest["told"]))
        if tuple(rest["levels"]) != LEVELS:
            raise saved.damaged(f"the network in {folder} was written by another version")
        parts = {name: value.numpy() for name, value in tensors.items() if name.startswith("ranks/")}
        key = parts["ranks/key"].view(np.uint64)
        ranks = Ranks(parts["ranks/courses"], parts["ranks/place"], key)
        weights = {name.removeprefix("network/"): t for name, t in tensors.items() if name.startswith("network/")}
        progress = Progress(**(rest["progress"] | {"looks": [tuple(one) for one in rest["progress"]["looks"]]}))
        recipe, size = Recipe.from_json(rest["recipe"]), Size(**rest["size"])
        return cls(series, Learnt(recipe, size, saved.Weights.of(weights), ranks, progress), tuple(rest["told"]))


def usable(panel: Panel, encoder: int) -> tuple[Bool[np.ndarray, " series"], Int[np.ndarray, " series"]]:
    """Tell which series have 14 days or 8 weeks of evidence and fill an encoder; and the first period that tells."""
    n = len(panel.series)
    able, first = np.zeros(n, dtype=bool), np.zeros(n, dtype=np.int64)
    for rows in panel.chunks(CHUNK):
        used = told(panel.take(rows))[1]
        first[rows] = np.where(used.any(axis=1), used.argmax(axis=1), panel.time.n)
        able[rows] = (used.sum(axis=1) >= ENOUGH[panel.time.step]) & (first[rows] <= panel.time.n - encoder)
    return able, first


def put(arrays: Arrays, recipe: Recipe) -> tuple[Windows, tuple[str, ...]]:
    """Put the arrays on the device; on the CPU where a GPU has no room for them, which is told."""
    on = device()
    try:
        return Windows(arrays, recipe, on), ()
    except torch.OutOfMemoryError:
        if on == "cpu":
            raise
        return Windows(arrays, recipe, "cpu"), ("the GPU has no room for the series: computed on the CPU",)


def at_origin(first: Int[np.ndarray, " series"], start: int, most: int, on: str) -> Pairs:
    """Give the windows that begin in one period, of the first ``most`` series that reach so far back."""
    rows = np.flatnonzero(first <= start)[:most]
    return torch.from_numpy(rows).to(on), torch.full((len(rows),), start, device=on)


def quantiles(
    network: torch.nn.Module, windows: Windows, pairs: Pairs, shift: int = 0
) -> tuple[Float[np.ndarray, "window horizon level"], Float[np.ndarray, "window horizon"], np.ndarray]:
    """Forecast windows, with what came in them and where that tells anything.

    Quantiles are put in order (as good or better at every level, Chernozhukov, Fernández-Val & Galichon 2010), and none
    is below 0.
    """
    precision = torch.bfloat16 if windows.device == "cuda" else None
    given, came, there = [], [], []
    network.eval()
    with torch.no_grad(), computing(windows.device):
        for begin in range(0, len(pairs[0]), LOOK):
            x, (y, weight) = windows.gather(*some(pairs, begin, LOOK), shift)
            with torch.autocast(windows.device, dtype=precision or torch.bfloat16, enabled=precision is not None):
                out = network(x)["prediction"].float()
            given.append(out.clamp(min=0.0).sort(dim=-1).values.double().cpu().numpy())
            came.append(y.double().cpu().numpy())
            there.append((weight > 0).cpu().numpy())
    return np.concatenate(given), np.concatenate(came), np.concatenate(there)


def _forecast(
    learnt: Learnt, panel: Panel, rows: Int[np.ndarray, " row"], horizon: int
) -> Float[np.ndarray, "series horizon level"]:
    recipe = learnt.recipe
    blocks = -(-horizon // recipe.horizon)
    arrays = arrays_of.make(panel, rows, recipe, blocks * recipe.horizon)
    windows = put(arrays, recipe)[0]
    network = learnt.network().to(windows.device)
    start = panel.time.n - recipe.encoder
    pairs = at_origin(np.zeros(len(rows), dtype=np.int64), start, len(rows), windows.device)
    parts = [quantiles(network, windows, pairs, block * recipe.horizon)[0] for block in range(blocks)]
    return np.concatenate(parts, axis=1)[:, :horizon]


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


def _past(
    demand: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    encoder: int,
    levels: Float[np.ndarray, " level"],
) -> Float[np.ndarray, "series level"]:
    """Give the quantiles of the latest values of each series; 0 where there are none."""
    recent, count = latest(np.where(used, demand, 0.0), used, encoder)
    out = np.zeros((len(demand), len(levels)))
    for at, k in enumerate(count.tolist()):
        if k:
            out[at] = np.quantile(recent[at, :k], levels)
    return out
