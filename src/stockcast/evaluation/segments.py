"""Series of a kind, for which one model is chosen: by volume (ABC) and by how demand comes."""

import numpy as np

from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

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
    told = evidence(panel)
    year = 364 if panel.time.step == "day" else 52
    periods = told.used.sum(axis=1)
    demand = told.used & (told.values > 0)
    count = np.maximum(demand.sum(axis=1), 1)
    mean = np.where(demand, told.values, 0.0).sum(axis=1) / count
    scaled = np.divide(told.values, mean[:, None], out=np.zeros_like(told.values), where=(mean > 0)[:, None])
    variation = np.where(demand, (scaled - 1.0) ** 2, 0.0).sum(axis=1) / count
    rare, wild = periods / count >= INTERVAL, variation >= VARIATION
    kind = np.where(rare, np.where(wild, "lumpy", "intermittent"), np.where(wild, "erratic", "smooth"))
    out = np.char.add(np.char.add(_abc(told.values[:, -year:].sum(axis=1)), "-"), kind)
    out = np.where(demand.any(axis=1), out, IDLE)
    return np.where(periods < (28 if panel.time.step == "day" else 13), NEW, out)


def _abc(volume: np.ndarray) -> np.ndarray:
    order = np.argsort(-volume, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(volume[order])[:-1]]) / max(float(volume.sum()), 1e-300)
    out = np.full(len(volume), "C")
    for share, name in reversed(_SHARES):
        out[order[before < share]] = name
    return out
