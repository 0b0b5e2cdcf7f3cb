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
    tally.add("pit", transform(paths, actual, draw))
    for periods, total in totals.items():
        tally.add(f"pit_{periods}", transform(total, actual[:, :periods].sum(axis=1), draw))


def transform(drawn: np.ndarray, came: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Give the randomised probability integral transform of what came, among paths on axis 1."""
    below, not_above = ((op(drawn, came[:, None])).mean(axis=1) for op in (np.less, np.less_equal))
    return below + draw.random(came.shape) * (not_above - below)


@dataclass(frozen=True)
class Losses:
    """What forecasts lost, by fold and series; NaN where a series was not forecast. Compared by :func:`paired`.

    ``held`` has what each measure adds up, and what its sum is divided by: for means over series and folds that is 1.
    """

    held: dict[str, tuple[np.ndarray, np.ndarray]]

    def value(self, name: str) -> float:
        loss, by = self.held[name]
        there = ~np.isnan(loss)
        return float(loss[there].sum() / by[there].sum())


def losses(
    mean: np.ndarray, actual: np.ndarray, scale: tuple[np.ndarray, np.ndarray], *, counted: np.ndarray | None = None,
    quantiles: np.ndarray | None = None, sums: dict[int, np.ndarray] | None = None,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:  # fmt: skip
    """Give the losses of one fold, one value a series; NaN where the mean is NaN.

    ``counted`` are the days in stock: they alone make ``wape_in_stock`` and ``bias_in_stock``.
    """
    off, one = mean - actual, np.ones(len(mean))
    known = ~np.isnan(mean).any(axis=1)
    out = {
        "rmsse": (np.sqrt((off**2).mean(axis=1)) / scale[0], one),
        "wape": (np.abs(off).sum(axis=1), actual.sum(axis=1)),
        "bias": (off.sum(axis=1), actual.sum(axis=1)),
    }
    if counted is not None:
        some = np.where(counted, off, 0.0)
        by = np.where(counted, actual, 0.0).sum(axis=1)
        out |= {"wape_in_stock": (np.abs(some).sum(axis=1), by), "bias_in_stock": (some.sum(axis=1), by)}
    if quantiles is not None:
        out["quantile_loss"] = (quantile_loss(quantiles, actual).mean(axis=1) / scale[1], one)
    for periods, values in (sums or {}).items():
        total = actual[:, :periods].sum(axis=1)
        out[f"quantile_loss_{periods}"] = (quantile_loss(values, total) / scale[1] / periods, one)
    return {name: (np.where(known, loss, np.nan), by) for name, (loss, by) in out.items()}


def folded(folds: list[dict[str, tuple[np.ndarray, np.ndarray]]]) -> Losses:
    """Put folds together; every fold has the same series."""
    return Losses({
        name: (np.stack([fold[name][0] for fold in folds]), np.stack([fold[name][1] for fold in folds]))
        for name in folds[0]
    })


def paired(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray], *, draws: int = 2000, seed: int = 1
) -> tuple[float, float, float]:
    """Give the ratio of two losses (fold × series) on what both forecast, and its 95 % interval.

    Series and folds are both drawn with replacement, the same ones for both: what is common to a pair cancels.

    Examples
    --------
    >>> worse, by = np.array([[2.0, 4.0], [6.0, 8.0]]), np.ones((2, 2))
    >>> paired((worse / 2, by), (worse, by))
    (0.5, 0.5, 0.5)
    """
    there = ~(np.isnan(a[0]) | np.isnan(b[0]))
    parts = [np.where(there, part, 0.0) for part in (*a, *b)]

    def ratio(folds: np.ndarray, series: np.ndarray) -> float:
        loss_a, by_a, loss_b, by_b = (folds @ part @ series for part in parts)
        return float(loss_a / by_a / (loss_b / by_b))

    n_folds, n_series = there.shape
    draw = np.random.default_rng(seed)
    drawn = [
        ratio(
            np.bincount(draw.integers(0, n_folds, n_folds), minlength=n_folds).astype(float),
            np.bincount(draw.integers(0, n_series, n_series), minlength=n_series).astype(float),
        )
        for _ in range(draws)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return ratio(np.ones(n_folds), np.ones(n_series)), float(low), float(high)
