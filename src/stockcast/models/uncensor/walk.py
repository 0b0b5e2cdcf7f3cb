"""What a series' own past lets expect of each period, in one walk over time; with partly stocked periods counted in.

A series is sold at a rate; a period of which the share q of its demand could be served tells of it as q of a period
would. With s what was sold and γ the decay of one told period::

    level = (κ a + Σ γ s) / (κ + Σ γ q f)                 f = weekday · day, more where partly stocked
    weekday[k] = (κ' level + Σ γ' s) / (κ' level + Σ γ' q level day)
    m = level · weekday · day

the mean of a gamma-distributed rate after Poisson sales over an exposure (a: what the group sells on average). The
variance of a period is τ m, with τ from the squared errors that m made in fully stocked periods.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import Step
from stockcast.models.history import ABSURD

# season; half-lives of the level, of a place of the season and of the squared errors, in told values
PACE: dict[Step, tuple[int, float, float, float]] = {"day": (7, 7.0, 8.0, 56.0), "week": (1, 8.0, 8.0, 26.0)}
BORROWED, FADED = 0.25, 7.0  # periods that the group's level counts for, and the series' own periods until it doesn't
EVEN = 3.0  # values that a weekday factor of 1 counts for
STEADY, SPREAD = 14.0, 0.1  # values that a variance of unit · m + SPREAD · m² counts for
LESS, MORE = -0.5, 1.0  # of the mean that a partly stocked period may be expected to ask for beyond it
FINE = 1000.0  # sales are in whole units of 1 / FINE, or have no unit


@final
@dataclass(frozen=True, slots=True)
class Learnt:
    """What is learnt from all series, as the walk meets it: by period, and by series of the chunk where it differs.

    Parameters
    ----------
    day
        How the series' group sold in the period, relative to what its series let expect.
    level
        The geometric mean of the levels of the group's series; 0 where none has one yet.
    power
        η: of a period in stock for the share p, p^η of its demand was served. 1 is proportional arrival.
    above
        By how many standard deviations more than usual is asked for in periods that end up partly stocked.
    noise
        The arrival noise φ as a multiple of the series' unit, and as a share of its τ.
    partly
        Whether partly stocked periods count in a series' own level.
    """

    day: Float[np.ndarray, "time series"]
    level: Float[np.ndarray, "time series"]
    power: Float[np.ndarray, " time"]
    above: Float[np.ndarray, " time"]
    noise: Float[np.ndarray, "time 2"]
    partly: bool = True

    @classmethod
    def nothing(cls, shape: tuple[int, int]) -> "Learnt":
        """Give what holds before anything is learnt, for (time, series)."""
        one, none = np.ones(shape[0]), np.zeros(shape[0])
        return cls(np.ones(shape), np.zeros(shape), one, none, np.stack([one, one], axis=1), partly=False)


@final
@dataclass(frozen=True, slots=True)
class Now:
    """One period of a chunk, as it looks before its own sales are taken in.

    ``own`` is the mean without the day's effect; ``mean`` with it; ``asked`` the mean of a period that was partly
    stocked, where this one was; ``ratio`` the variance of demand over its mean (τ);
    ``unit`` what all sales so far are multiples of, 0 where there is none; ``known`` where the series has a level of
    its own, and no sales beyond 2⁵³ (nothing that others may learn from elsewhere); ``level`` that level; ``served``
    the share of demand that could be served.
    """

    at: int
    sales: Float[np.ndarray, " series"]
    share: Float[np.ndarray, " series"]
    served: Float[np.ndarray, " series"]
    level: Float[np.ndarray, " series"]
    own: Float[np.ndarray, " series"]
    mean: Float[np.ndarray, " series"]
    asked: Float[np.ndarray, " series"]
    ratio: Float[np.ndarray, " series"]
    unit: Float[np.ndarray, " series"]
    known: Bool[np.ndarray, " series"]


def walk(
    sales: Float[np.ndarray, "series time"],
    share: Float[np.ndarray, "series time"],
    learnt: Learnt,
    step: Step,
) -> Iterator[Now]:
    """Go through time once with all series of a chunk; ``share`` is 0 where nothing was recorded."""
    n, time = sales.shape
    season, *halves = PACE[step]
    keep, keep_place, keep_error = (0.5 ** (1.0 / half) for half in halves)
    sold, exposed = np.zeros(n), np.zeros(n)
    place_sold, place_usual = np.zeros((season, n)), np.zeros((season, n))
    squared, summed = np.zeros(n), np.zeros(n)
    divisor, whole, sane = np.zeros(n, dtype=np.int64), np.ones(n, dtype=bool), np.ones(n, dtype=bool)
    for t in range(time):
        s, p = np.minimum(sales[:, t], ABSURD), share[:, t]
        sane &= sales[:, t] < ABSURD
        at, day = t % season, learnt.day[t]
        borrowed = np.where(learnt.level[t] > 0, BORROWED * np.maximum(1.0 - exposed / FADED, 0.0), 0.0)
        weight = exposed + borrowed
        level = np.divide(sold + borrowed * learnt.level[t], weight, out=np.zeros(n), where=weight > 0)
        even = EVEN * level
        usual = place_usual[at] + even
        weekday = np.divide(place_sold[at] + even, usual, out=np.ones(n), where=usual > 0)
        own = level * weekday
        mean = own * day
        unit = np.where(whole, divisor / FINE, 0.0)
        expected = np.where(mean > 0, mean, 1.0)
        ratio = (squared + STEADY * (unit + SPREAD * expected) * expected) / (summed + STEADY * expected)
        served = np.where(p < 1.0, p ** learnt.power[t], 1.0)
        full = p >= 1.0
        more = np.clip(learnt.above[t] * np.sqrt(ratio * mean), LESS * mean, MORE * mean)
        asked = np.where(full | (p <= 0), mean, mean + more)
        yield Now(t, s, p, served, level, own, mean, asked, ratio, unit, sane & (exposed >= 1.0))

        told = p > 0 if learnt.partly else full
        like = served * day * np.divide(asked, mean, out=np.ones(n), where=mean > 0)
        sold = np.where(told, keep * sold + s, sold)
        exposed = np.where(told, keep * exposed + like * weekday, exposed)
        compared = told & (weight >= 1.0)  # before there is a level, a weekday can't be held against it
        place_sold[at] = np.where(compared, keep_place * place_sold[at] + s, place_sold[at])
        place_usual[at] = np.where(compared, keep_place * place_usual[at] + like * level, place_usual[at])
        learns = full & (weight >= 1.0)
        squared = np.where(learns, keep_error * squared + (s - mean) ** 2, squared)
        summed = np.where(learns, keep_error * summed + mean, summed)
        parts = np.rint(s * FINE)
        whole &= np.abs(parts - s * FINE) <= 1e-4 * np.maximum(parts, 1.0)
        divisor = np.gcd(divisor, np.where(whole, parts, 0.0).astype(np.int64))
