"""Series read by a network: which of them fill a window, where their arrays lie, and the quantiles that it gives."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from stockcast.models.pooled import told
from stockcast.models.smoothing.device import device
from stockcast.models.tft.arrays import CHUNK, Arrays
from stockcast.models.tft.batcher import Pairs, some
from stockcast.models.tft.fused import Way
from stockcast.models.tft.recipe import Recipe
from stockcast.models.tft.room import Found, in_parts
from stockcast.models.tft.training import computing
from stockcast.models.tft.windows import Windows
from stockcast.models.uncensor import ENOUGH
from stockcast.panel import Panel


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


def roomy(network: torch.nn.Module, arrays: Arrays, windows: Windows, compute: Callable[[Windows], Found]) -> Found:
    """Compute with windows where they are, and on the CPU where a GPU has no room for a few of them.

    Raises
    ------
    torch.OutOfMemoryError
        If the CPU has none either.
    """
    try:
        return compute(windows)
    except torch.OutOfMemoryError:
        if windows.device == "cpu":
            raise
    network.to("cpu")
    return compute(Windows(arrays, windows.recipe, "cpu"))


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
    network.eval()
    with torch.no_grad(), computing(windows.device):
        # where this version of the library is computed more slowly, the training has told so
        way = Way.of(network, windows.gather(*some(pairs, 0, 2), shift)[0])[0]

        def read(part: Pairs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            x, (y, weight) = windows.gather(*part, shift)
            out = way.quantiles(network, x).clamp(min=0.0).sort(dim=-1).values.double()
            return out.cpu().numpy(), y.double().cpu().numpy(), (weight > 0).cpu().numpy()

        given, came, there = zip(*in_parts(pairs, read), strict=True)
    return np.concatenate(given), np.concatenate(came), np.concatenate(there)
