"""How forecasts of stockcast and of peers are scored: by the same functions, on the same days."""

from dataclasses import dataclass, field

import numpy as np

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)
COVERED = (0.9, 0.95, 0.975)
SUMS = (7, 14)


def quantiles_of(paths: np.ndarray) -> np.ndarray:
    """Give the LEVELS quantiles along axis 1, the smallest drawn value that is not below each level, as last axis."""
    ranks = np.ceil(np.array(LEVELS) * paths.shape[1] - 1e-9).astype(int) - 1
    return np.moveaxis(np.sort(paths, axis=1)[:, ranks], 1, -1)


def quantile_loss(quantiles: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Give twice the pinball loss, the mean over LEVELS."""
    off, level = actual[..., None] - quantiles, np.array(LEVELS)
    return 2.0 * np.maximum(level * off, (level - 1.0) * off).mean(axis=-1)


@dataclass
class Tally:
    """Adds up what single origins say; every measure is a mean over series and origins."""

    found: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def add(self, name: str, values: np.ndarray) -> None:
        self.found.setdefault(name, []).append(np.asarray(values, dtype=float).ravel())

    def mean(self, name: str) -> float:
        return float(np.nanmean(np.concatenate(self.found[name])))

    def coverage(self, name: str, level: float) -> float:
        return float((np.concatenate(self.found[name]) <= level).mean())


def scales(known: np.ndarray, offered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the root mean squared and the mean absolute daily step of a history, from its first day on offer."""
    step, both = np.diff(known, axis=1), offered[:, 1:] & offered[:, :-1]
    count = both.sum(axis=1)
    return np.sqrt((step**2 * both).sum(axis=1) / count), (np.abs(step) * both).sum(axis=1) / count


def score_quantiles(
    tally: Tally, mean: np.ndarray, quantiles: np.ndarray, sums: dict[int, np.ndarray], actual: np.ndarray,
    scale: tuple[np.ndarray, np.ndarray],
) -> None:  # fmt: skip
    """Score one origin: the mean by RMSSE, quantiles and those of sums by scaled quantile loss (of a sum: per day)."""
    tally.add("rmsse", np.sqrt(((mean - actual) ** 2).mean(axis=1)) / scale[0])
    tally.add("quantile_loss", quantile_loss(quantiles, actual).mean(axis=1) / scale[1])
    for periods, values in sums.items():
        total = actual[:, :periods].sum(axis=1)
        tally.add(f"quantile_loss_{periods}", quantile_loss(values, total) / scale[1] / periods)


def score_paths(
    tally: Tally, paths: np.ndarray, actual: np.ndarray, scale: tuple[np.ndarray, np.ndarray], seed: int
) -> None:
    """Score one origin from its paths, coverage by the randomised probability integral transform besides."""
    totals = {periods: paths[:, :, :periods].sum(axis=2) for periods in SUMS}
    sums = {periods: quantiles_of(total) for periods, total in totals.items()}
    score_quantiles(tally, paths.mean(axis=1), quantiles_of(paths), sums, actual, scale)
    draw = np.random.default_rng(seed)

    def transform(drawn: np.ndarray, came: np.ndarray) -> np.ndarray:
        below, not_above = ((op(drawn, came[:, None])).mean(axis=1) for op in (np.less, np.less_equal))
        return below + draw.random(came.shape) * (not_above - below)

    tally.add("pit", transform(paths, actual))
    for periods, total in totals.items():
        tally.add(f"pit_{periods}", transform(total, actual[:, :periods].sum(axis=1)))
