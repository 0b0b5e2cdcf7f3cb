"""The search for form and parameters: candidates of all forms in one batch, refined around the best of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from stockcast.core.axes import Step, TimeAxis
from stockcast.models.history import mean_of
from stockcast.models.smoothing.forms import SPREADS, Family, around, first
from stockcast.models.smoothing.recursion import WEEK, WEEKS, States, recursion

HALF_LIFE: dict[Step, int] = {"day": 180, "week": 52}  # of the weight of a squared error, in periods
MEMORY = 6  # half-lives that are read: what lies before weighs less than 2 %
_MONDAY = np.datetime64("1970-01-05", "D")


@final
@dataclass(frozen=True, slots=True)
class Work:
    """The evidence of a chunk, cut to what is remembered and divided by a power of two near its mean.

    Parameters
    ----------
    level, season
        The state before the first period; ``shares`` is the season as factors.
    day
        Days from the first Monday of a round of 52 weeks to the first period.
    """

    values: Float[np.ndarray, "series time"]
    used: Bool[np.ndarray, "series time"]
    scale: Float[np.ndarray, " series"]
    level: Float[np.ndarray, " series"]
    season: Float[np.ndarray, "series season"]
    shares: Float[np.ndarray, "series season"]
    day: int
    decay: float

    def take(self, rows: np.ndarray) -> "Work":
        """Give some rows."""
        return Work(
            self.values[rows], self.used[rows], self.scale[rows], self.level[rows], self.season[rows],
            self.shares[rows], self.day, self.decay,
        )  # fmt: skip

    @property
    def weight(self) -> Float[np.ndarray, " series"]:
        """Give the sum of the weights of each series' squared errors: the number of observations that count."""
        out = np.zeros(len(self.values))
        for column in self.used.T:
            out = out * self.decay + column
        return out

    @property
    def steady(self) -> Bool[np.ndarray, " series"]:
        """Tell which series never come near 0: none of their values is below a tenth of their mean."""
        count = self.used.sum(axis=1)
        least = np.where(self.used, self.values, np.inf).min(axis=1, initial=np.inf)
        mean = mean_of(np.where(self.used, self.values, 0.0), count)
        return np.asarray((least > 0.1 * mean) & (mean > 0) & (count > 0))


def work(
    values: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], time: TimeAxis, season: int
) -> Work:
    """Prepare the evidence of a chunk."""
    begin = max(0, values.shape[1] - MEMORY * HALF_LIFE[time.step])
    values, used = values[:, begin:], used[:, begin:]
    mean = mean_of(np.where(used, values, 0.0), used.sum(axis=1))
    # a power of two: dividing and multiplying by it changes no digit
    scale = np.ldexp(1.0, np.frexp(np.where(mean > 0, mean, 1.0))[1])
    values = values / scale[:, None]
    level, start = initial(values, used, season, 28 if time.step == "day" else 8)
    shares = np.clip(1.0 + start / np.where(level > 0, level, 1.0)[:, None], 0.1, 10.0)
    day = int((time.date(begin) - _MONDAY).astype(np.int64)) % (WEEK * WEEKS)
    return Work(values, used, scale, level, start, shares, day, 0.5 ** (1.0 / HALF_LIFE[time.step]))


def initial(
    values: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], season: int, early: int
) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, "series season"]]:
    """Give the state before the first period: the mean of the first used values, and each place's part of it.

    The season is taken over the first four weeks or two years, drawn to 0 as if one more value of 0 had been seen.
    """
    seen = np.cumsum(used, axis=1)
    first_ones = used & (seen <= early)
    level = mean_of(np.where(first_ones, values, 0.0), first_ones.sum(axis=1))
    places = np.zeros((len(values), season))
    if season > 1:
        first_ones = used & (seen <= max(early, 2 * season))
        centre = mean_of(np.where(first_ones, values, 0.0), first_ones.sum(axis=1))[:, None]
        for place in range(season):
            here = first_ones[:, place::season]
            off = np.where(here, values[:, place::season] - centre, 0.0)
            places[:, place] = mean_of(off, here.sum(axis=1) + 1)
        places -= mean_of(places, np.full(len(places), season))[:, None]
    return level, places


def smooth(
    part: Work, family: Family, parameters: np.ndarray, device: str, dtype: torch.dtype = torch.float32
) -> States:
    """Run every candidate of a family over a chunk."""
    return recursion(
        part.values, part.used, part.level, part.shares if family.ratio else part.season, parameters,
        trended=family.having("trend"), seasonal=family.having("season"), yearly=family.having("yearly"),
        ratio=family.ratio, relative=family.relative, day=part.day, decay=part.decay, device=device, dtype=dtype,
    )  # fmt: skip


@final
@dataclass(frozen=True, slots=True)
class Found:
    """The best candidate of every form of a family, on the rows that it was tried on."""

    family: Family
    rows: Int[np.ndarray, " row"]
    parameters: Float[np.ndarray, "parameter form row"]
    criterion: Float[np.ndarray, "form row"]


def search(
    part: Work, family: Family, device: str
) -> tuple[Float[np.ndarray, "parameter form series"], Float[np.ndarray, "form series"]]:
    """Find the parameters of every form of a family, and Akaike's corrected criterion of each.

    The loss is −2 log-likelihood of normal errors with the weights w that halve into the past, n = Σ w::

        additive errors    n ln(Σ w e² / n)           relative errors    n ln(Σ w ε² / n) + 2 Σ w ln|μ|

    and the criterion adds 2k + 2k(k + 1) / (n − k − 1) (Hurvich & Tsai 1989).
    """
    n, count = part.weight, len(part.values)
    candidates: np.ndarray = first(family)[:, :, None]
    for at in range(1 + len(SPREADS)):
        told = smooth(part, family, candidates, device)
        loss = _minus_two_log_likelihood(told, n)
        best = np.stack([
            begin + loss[begin:end].argmin(axis=0) for begin, end in zip(family.begins, family.begins[1:], strict=False)
        ])  # fmt: skip
        whole = np.broadcast_to(candidates, (*candidates.shape[:2], count))
        chosen = whole[:, best, np.arange(count)]
        if at < len(SPREADS):
            candidates = around(chosen, family, at)
    found = np.take_along_axis(loss, best, axis=0).astype(float)
    k = np.array([form.parameters(part.season.shape[1]) for form in family.forms])[:, None]
    spare = n - k - 1.0
    correction = np.where(spare > 0, 2.0 * k * (k + 1.0) / np.maximum(spare, 1e-9), np.inf)
    return np.asarray(chosen, dtype=float), found + 2.0 * k + correction


def _minus_two_log_likelihood(told: States, n: np.ndarray) -> np.ndarray:
    # argmin takes a NaN for the least: what overflowed is the worst
    loss = np.nan_to_num(told.loss.astype(float), nan=np.inf, posinf=np.inf)
    shape = n * np.log(np.maximum(loss, 1e-12) / np.maximum(n, 1.0))
    return np.asarray(shape + 2.0 * told.scale.astype(float))


def pick(
    found: Sequence[Found], count: int
) -> tuple[Float[np.ndarray, "parameter series"], Int[np.ndarray, " series"], Int[np.ndarray, " series"]]:
    """Choose for each series the form with the smallest criterion; the plainest where none can be compared.

    Returns
    -------
    parameters, family, form
        The family's place in ``found``, and the form's place in it.
    """
    parameters = np.zeros((found[0].parameters.shape[0], count))
    family, form = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    least = np.full(count, np.inf)
    for at, one in enumerate(found):
        criterion = one.criterion
        if at == 0:
            plainest = np.where(np.isinf(criterion[:1]), np.finfo(float).max, criterion[:1])
            criterion = np.concatenate([plainest, criterion[1:]])
        best = criterion.argmin(axis=0)
        value = np.take_along_axis(criterion, best[None], axis=0)[0]
        better = value < least[one.rows]
        mine = one.rows[better]
        least[mine], family[mine], form[mine] = value[better], at, best[better]
        parameters[:, mine] = one.parameters[:, best[better], np.flatnonzero(better)]
    return parameters, family, form
