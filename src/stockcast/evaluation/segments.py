"""Series of a kind, for which one model is chosen: by volume (ABC) and by how demand comes."""

import numpy as np
from jaxtyping import Float

from stockcast.models.history import ABSURD
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

CHUNK = 1024  # series measured at once, for their arrays are as long as the history
# Syntetos, Boylan & Croston 2005
INTERVAL, VARIATION = 1.32, 0.49
NEW, IDLE = "new", "idle"
_SHARES = ((0.8, "A"), (0.95, "B"))


def segments(panel: Panel) -> np.ndarray:
    """Give each series a segment such as ``A-smooth``; ``new`` below four weeks or a quarter, ``idle`` without demand.

    A holds the largest series up to 80 % of a year's volume, B up to 95 %. With ADI the mean number of periods from
    demand to demand, and CV² the squared variation of the sizes: smooth (ADI < 1.32, CV² < 0.49), erratic (CV² above),
    intermittent (ADI above), lumpy (both above).
    """
    parts = [_measured(panel.take(rows)) for rows in panel.chunks(CHUNK)] or [np.zeros((4, 0))]
    volume, periods, count, variation = np.concatenate(parts, axis=1)
    rare, wild = periods / np.maximum(count, 1) >= INTERVAL, variation >= VARIATION
    kind = np.where(rare, np.where(wild, "lumpy", "intermittent"), np.where(wild, "erratic", "smooth"))
    out = np.char.add(np.char.add(_abc(volume), "-"), kind)
    out = np.where(count > 0, out, IDLE)
    return np.where(periods < (28 if panel.time.step == "day" else 13), NEW, out)


def _measured(panel: Panel) -> Float[np.ndarray, "4 series"]:
    """Give the volume of a year, the periods of evidence, those with demand, and CV² of each series."""
    told = evidence(panel)
    year = 364 if panel.time.step == "day" else 52
    demand = told.used & (told.values > 0)
    count = demand.sum(axis=1)
    mean = np.where(demand, told.values, 0.0).sum(axis=1) / np.maximum(count, 1)
    scaled = np.divide(told.values, mean[:, None], out=np.zeros_like(told.values), where=(mean > 0)[:, None])
    variation = np.where(demand, (scaled - 1.0) ** 2, 0.0).sum(axis=1) / np.maximum(count, 1)
    return np.stack([told.values[:, -year:].sum(axis=1), told.used.sum(axis=1), count, variation])


def _abc(volume: np.ndarray) -> np.ndarray:
    volume = np.where(volume < ABSURD, volume, 0.0)  # one absurd series must not make all others small
    order = np.argsort(-volume, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(volume[order])])[: len(volume)] / max(float(volume.sum()), 1e-300)
    out = np.full(len(volume), "C")
    for share, name in reversed(_SHARES):
        out[order[before < share]] = name
    return out
