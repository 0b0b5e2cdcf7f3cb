"""Sales as counts: of what unit, above what floor, and on which weekdays."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.models.history import mean_of

DECIMALS = (0, 1, 2, 3)
MOST = 1e9  # counts of a period; a larger number is no count
PARTS = 1000.0  # of the largest value, for the unit of sales that are no counts
PACKS = 10  # demands from which their greatest common divisor is taken for a unit
MONTH = 28  # days around a day, four of each weekday, that its factor is compared with
LOWEST = 1e-3  # factor of a weekday


@final
@dataclass(frozen=True, slots=True)
class Tally:
    """A history in counts; period t lies at place t mod m of the season.

    Parameters
    ----------
    counts
        Units above the floor, whole numbers.
    start, mean
        The level before the first period, and the weighted mean.
    weight
        The sum of the weights of the used periods.
    """

    counts: Float[np.ndarray, "series time"]
    used: Bool[np.ndarray, "series time"]
    start: Float[np.ndarray, " series"]
    mean: Float[np.ndarray, " series"]
    weight: Float[np.ndarray, " series"]


def _decimals(sales: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"]) -> np.ndarray:
    """Give the number of decimals with which all used sales are written, −1 where three do not do."""
    out = np.full(len(sales), -1)
    largest = np.where(used, sales, 0.0).max(axis=1, initial=0.0)
    for decimals in reversed(DECIMALS):
        scaled = np.where(used, sales, 0.0) * 10.0**decimals
        whole = (np.abs(scaled - np.rint(scaled)) <= 1e-9 * scaled).all(axis=1)
        out = np.where(whole & (largest * 10.0**decimals <= MOST), decimals, out)
    return out


def whole(
    sales: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"]
) -> Bool[np.ndarray, " series"]:
    """Tell which series are sold in whole units, tenths, hundredths or thousandths.

    Examples
    --------
    >>> sales = np.array([[2.0, 0.0, 5.0], [0.25, 0.0, 1.5], [0.3333, 1.0, 0.0]])
    >>> whole(sales, sales >= 0).tolist()
    [True, True, False]
    """
    return np.asarray(_decimals(sales, used) >= 0)


def unit_of(
    sales: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    censored: Bool[np.ndarray, " series"] | None = None,
) -> Float[np.ndarray, " series"]:
    """Give the unit that sales are counted in.

    From ten demands on it is the greatest that divides all of them (a line sold in sixes counts sixes), before that
    the decimal that they are written in, as for a ``censored`` series: its demand is estimated, and comes in no packs.
    What is no count is rounded to a thousandth of its largest value.

    Examples
    --------
    >>> sales = np.array([[6.0, 0.0, 12.0] * 10, [0.5, 0.0, 1.0] * 10, [3.0, 0.0, 0.0] + [0.0] * 27])
    >>> unit_of(sales, sales >= 0).tolist()
    [6.0, 0.5, 1.0]
    """
    decimals = _decimals(sales, used)
    power = 10.0 ** np.maximum(decimals, 0)
    told = np.where(used & (decimals >= 0)[:, None], sales, 0.0)
    divisor = np.gcd.reduce(np.rint(told * power[:, None]).astype(np.int64), axis=1)
    many = ((told > 0).sum(axis=1) >= PACKS) & (divisor > 0)
    if censored is not None:
        many &= ~censored
    largest = np.where(used, sales, 0.0).max(axis=1, initial=0.0)
    rough = np.where(largest > 0, largest / PARTS, 1.0)
    return np.where(decimals >= 0, np.where(many, divisor, 1) / power, rough)


def floor_of(
    counts: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"]
) -> Float[np.ndarray, " series"]:
    """Give the smallest count, where the counts vary less than Poisson's; 0 elsewhere.

    What always comes is then taken off, so that the rest varies as a count does.

    Examples
    --------
    >>> counts = np.array([[4.0, 4.0, 5.0, 4.0], [1.0, 9.0, 2.0, 4.0]])
    >>> floor_of(counts, counts >= 0).tolist()
    [4.0, 0.0]
    """
    size = used.sum(axis=1)
    mean = mean_of(np.where(used, counts, 0.0), size)
    spread = mean_of(np.where(used, (counts - mean[:, None]) ** 2, 0.0), size)
    least = np.where(used, counts, np.inf).min(axis=1, initial=np.inf)
    return np.where((size > 0) & (spread < mean), least, 0.0)


def tally(
    values: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    unit: Float[np.ndarray, " series"],
    floor: Float[np.ndarray, " series"],
    decay: float,
    first: int,
) -> Tally:
    """Count demand in units above the floor; what is estimated (rule 5) is rounded.

    The level begins with the mean of the ``first`` used periods, and of a week at the weighted mean.
    """
    counts = np.where(used, np.maximum(np.rint(values / unit[:, None]) - floor[:, None], 0.0), 0.0)
    total, weight = np.zeros(len(values)), np.zeros(len(values))
    for y, w in zip(counts.T, used.T, strict=True):
        total = total * decay + y
        weight = weight * decay + w
    mean = total / np.maximum(weight, 1e-9)
    early = used & (np.cumsum(used, axis=1) <= first)
    size = early.sum(axis=1)
    start = (mean_of(np.where(early, counts, 0.0), size) * size + 7.0 * mean) / (size + 7.0)
    return Tally(counts, used, start, mean, weight)


def weekdays(history: Tally, decay: float) -> tuple[Float[np.ndarray, "series 7"], Float[np.ndarray, " series"]]:
    """Give the factor of each weekday against the four weeks around it, and how many of the seven are free.

    The raw factors r are weighted like the likelihood, and moved towards 1 as far as their spread is what chance gives
    (empirical Bayes): by τ² / (τ² + v), v being the variance of r and τ² what their mean square has beyond v. As counts
    vary with their mean, v is taken again at the factor that this gives: a closed day is hardly moved at all.
    The first period's weekday comes first.
    """
    around, n = _around(history), len(history.counts)
    sums = np.zeros((4, n, 7))  # demand; what is expected; the same with squared weights; squared deviations / expected
    time = history.counts.shape[1]
    for t in range(time):
        weight = decay ** (time - 1 - t) * history.used[:, t]
        y, e, at = history.counts[:, t], around[:, t], t % 7
        sums[0, :, at] += weight * y
        sums[1, :, at] += weight * e
        sums[2, :, at] += weight * weight * e
        sums[3, :, at] += weight * (y - e) ** 2 / np.maximum(e, 1e-9)
    demand, expected = sums[0], np.maximum(sums[1], 1e-9)
    raw = np.where(sums[1] > 0, demand / expected, 1.0)
    # Σ (y − e r)² / e = Σ (y − e)² / e − 2 (r − 1) Σ (y − e) + (r − 1)² Σ e: the spread about the factors themselves
    off = raw - 1.0
    left = sums[3] - 2.0 * off * (demand - sums[1]) + off * off * sums[1]
    ratio = np.cumsum(left, axis=1)[:, -1] / np.maximum(history.weight, 1.0)
    chance = np.maximum(ratio, 0.1)[:, None] * sums[2] / expected**2
    signal = np.maximum(np.cumsum(off * off - chance, axis=1)[:, -1] / 7.0, 0.0)[:, None]
    share = signal / np.maximum(signal + chance, 1e-300)
    share = signal / np.maximum(signal + chance * np.maximum(1.0 + off * share, LOWEST), 1e-300)
    factor = np.maximum(1.0 + off * share, LOWEST)
    return factor * (7.0 / np.cumsum(factor, axis=1)[:, -1:]), np.cumsum(share, axis=1)[:, -1] * (6.0 / 7.0)


def _around(history: Tally) -> Float[np.ndarray, "series time"]:
    """Give the mean of the used periods among the 28 around each: it has as many of each weekday, but at the ends."""
    time = history.counts.shape[1]
    low, high = (np.clip(np.arange(time) + by, 0, time) for by in (-MONTH // 2, MONTH // 2))
    demand, size = (
        np.concatenate([np.zeros((len(history.counts), 1)), np.cumsum(of, axis=1, dtype=float)], axis=1)
        for of in (history.counts, history.used)
    )
    return np.asarray((demand[:, high] - demand[:, low]) / np.maximum(size[:, high] - size[:, low], 1.0))
