"""A network that has learnt: what it forecasts, and how it is kept in files and read back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float, Int

from stockcast.core.axes import SeriesAxis
from stockcast.demand import Ranked, SampledForecast
from stockcast.models.base import FittedForecaster
from stockcast.models.history import ABSURD, ceiling, constant, recent_quantiles
from stockcast.models.pooled import in_order, told
from stockcast.models.ranks import Ranks, independent, places
from stockcast.models.states import sampled
from stockcast.models.tft import arrays as arrays_of
from stockcast.models.tft import network as network_of
from stockcast.models.tft import saved
from stockcast.models.tft.arrays import CHUNK
from stockcast.models.tft.network import LEVELS, Size
from stockcast.models.tft.reading import at_origin, put, quantiles, roomy, usable
from stockcast.models.tft.recipe import Recipe, lengths
from stockcast.models.tft.training import Progress
from stockcast.models.tft.windows import Windows
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel


@final
@dataclass(frozen=True, slots=True)
class Learnt:
    """A network that has learnt: what it reads, its size and weights, and the ranks of what came in its windows.

    Parameters
    ----------
    weights, base
        Those that forecast, which have learnt from every window; and those that had not seen the latest ones yet, from
        which the next night may go on without having seen what judges it.
    nights
        How many times in a row earlier weights were gone on from to come to it.
    as_of
        The last period that it has seen.
    """

    recipe: Recipe
    size: Size
    weights: saved.Weights
    base: saved.Weights
    ranks: Ranks
    progress: Progress
    nights: int = 0
    as_of: str = ""

    def network(self) -> torch.nn.Module:
        """Make the network and give it its weights."""
        network = network_of.make(self.recipe, self.size, 0)
        network_of.give(network, self.weights.load())
        return network


@final
@dataclass(frozen=True, slots=True)
class FittedTft(FittedForecaster):
    """What was learnt, if anything, and the series that it was learnt on.

    Parameters
    ----------
    told
        What ended or slowed the learning, and why earlier weights were not used.
    looked
        Files that say what the network looked at.
    lost
        Why no network came of it, though there was enough to learn from.
    """

    series: SeriesAxis
    learnt: Learnt | None = None
    told: tuple[str, ...] = field(default=())
    looked: Mapping[str, str] = field(default_factory=dict)
    lost: str = ""

    def notes(self) -> tuple[str, ...]:
        """Say what ended or slowed the learning, and why earlier weights were not used."""
        return tuple(f"tft: {note}" for note in self.told)

    def trouble(self) -> np.ndarray | None:
        """Say of every series why no network was learnt, where none was though there was enough to learn from."""
        return np.full(len(self.series), self.lost, dtype=object) if self.lost else None

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Forecast by the network; what fills no window by the quantiles of its own past, NaN where it was lost."""
        self.series.require(panel.series, "fitted model and panel")
        n, levels = len(panel.series), np.array(LEVELS)
        values, cap, value = np.zeros((n, horizon, len(LEVELS))), np.zeros(n), np.zeros(n)
        alike = np.zeros(n, dtype=bool)
        encoder = self.learnt.recipe.encoder if self.learnt else lengths(panel.time.n, panel.time.step, None)[0]
        able = usable(panel, encoder)[0] if self.learnt else np.zeros(n, dtype=bool)
        for rows in panel.chunks(CHUNK):
            part = panel.take(rows)
            found = evidence(part)
            cap[rows] = ceiling(found.values, found.used)
            alike[rows], value[rows] = constant(found.values, found.used)
            rest = np.flatnonzero(~able[rows])
            values[rows[rest]] = recent_quantiles(*told(part.take(rest)), encoder, levels)[:, None]
        rows = in_order(panel, np.flatnonzero(able))
        ranks = independent(horizon)
        if self.learnt is not None:
            ranks = self.learnt.ranks
            if len(rows):
                values[rows] = _forecast(self.learnt, panel, rows, horizon)
        alike &= value < ABSURD
        values[alike] = value[alike, None, None]
        values = np.minimum(values, cap[:, None, None])
        near = ranks.near(places(values, levels), panel.series.keys)
        if self.lost:
            values = np.full_like(values, np.nan)
        turns = np.arange(horizon) % ranks.courses.shape[1]
        source = Ranked(levels, values, Ranked.order(ranks.courses)[:, turns], near, cap)
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)

    def write(self, folder: Path) -> None:
        """Write all of it into a folder: the weights as safetensors, everything else as JSON, with their hashes."""
        saved.write(folder, *self._parts())

    def texts(self) -> Mapping[str, str | bytes]:
        """Give the same files for a run to keep, if there is a network: the next night may go on from it."""
        if self.learnt is None:
            return {}
        return {f"tft/{name}": data for name, data in saved.files(*self._parts()).items()} | dict(self.looked)

    def _parts(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Give the tensors by name, and everything else."""
        rest = {"sku": self.series.sku.tolist(), "location": self.series.location.tolist(), "told": self.told}
        rest["lost"] = self.lost
        if self.learnt is None:
            return {}, rest
        ranks = self.learnt.ranks
        tensors = {f"network/{name}": value for name, value in self.learnt.weights.load().items()}
        if self.learnt.base != self.learnt.weights:
            tensors |= {f"base/{name}": value for name, value in self.learnt.base.load().items()}
        tensors |= {"ranks/courses": torch.tensor(ranks.courses), "ranks/place": torch.tensor(ranks.place)}
        tensors |= {"ranks/key": torch.tensor(ranks.key.view(np.int64))}
        rest |= {"recipe": self.learnt.recipe.as_json(), "size": asdict(self.learnt.size)}
        rest |= {"levels": LEVELS, "progress": asdict(self.learnt.progress), "nights": self.learnt.nights}
        rest["as_of"] = self.learnt.as_of
        return tensors, rest

    @classmethod
    def read(cls, folder: Path) -> "FittedTft":
        """Read what :meth:`write` wrote.

        Raises
        ------
        DataError
            If something is missing, was changed after it was written, or is of another version (SC-M007).
        """
        tensors, rest = saved.read(folder)
        try:
            return cls._of(tensors, rest)
        except (KeyError, TypeError, ValueError) as error:
            raise saved.damaged("the network was written by another version", folder) from error

    @classmethod
    def _of(cls, tensors: Mapping[str, torch.Tensor], rest: Mapping[str, Any]) -> "FittedTft":
        series = SeriesAxis(np.array(rest["sku"], dtype=np.str_), np.array(rest["location"], dtype=np.str_))
        if "recipe" not in rest:
            return cls(series, None, tuple(rest["told"]), lost=rest["lost"])
        if tuple(rest["levels"]) != LEVELS:
            raise ValueError("other levels")
        parts = {name: value.numpy() for name, value in tensors.items() if name.startswith("ranks/")}
        key = parts["ranks/key"].view(np.uint64)
        ranks = Ranks(parts["ranks/courses"], parts["ranks/place"], key)
        weights, base = (
            {name.removeprefix(of): t for name, t in tensors.items() if name.startswith(of)}
            for of in ("network/", "base/")
        )
        progress = Progress(**(rest["progress"] | {"looks": [tuple(one) for one in rest["progress"]["looks"]]}))
        recipe, size = Recipe.from_json(rest["recipe"]), Size(**rest["size"])
        found, earlier = saved.Weights.of(weights), saved.Weights.of(base or weights)
        learnt = Learnt(recipe, size, found, earlier, ranks, progress, rest["nights"], rest["as_of"])
        return cls(series, learnt, tuple(rest["told"]))


def _forecast(
    learnt: Learnt, panel: Panel, rows: Int[np.ndarray, " row"], horizon: int
) -> Float[np.ndarray, "series horizon level"]:
    recipe = learnt.recipe
    blocks = -(-horizon // recipe.horizon)
    arrays = arrays_of.make(panel, rows, recipe, blocks * recipe.horizon)
    windows = put(arrays, recipe)[0]
    network = learnt.network().to(windows.device)
    start = panel.time.n - recipe.encoder

    def compute(windows: Windows) -> np.ndarray:
        pairs = at_origin(np.zeros(len(rows), dtype=np.int64), start, len(rows), windows.device)
        parts = [quantiles(network, windows, pairs, block * recipe.horizon)[0] for block in range(blocks)]
        return np.concatenate(parts, axis=1)[:, :horizon]

    return roomy(network, arrays, windows, compute)
