"""Exponential smoothing of all series at once: one recursion over time, with series × candidates as the batch.

The additive-error forms of Hyndman et al. (2008, ch. 2 and 3) with trend none or damped and season none or additive::

    e = y − (l + φ b + s[t mod m])
    l ← l + φ b + α e        b ← φ b + β e        s[t mod m] ← s[t mod m] + γ e

Where a period tells nothing of demand, e is 0: the state is carried on and the season advances. Multiplicative forms
are left out on purpose: they explode on zeros and promotions.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import torch
from jaxtyping import Bool, Float

from stockcast.core.axes import SeriesAxis, Step
from stockcast.core.random import Stream
from stockcast.demand import SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.history import ceiling, mean_of, pool_of, season_length
from stockcast.models.states import innovations, sampled
from stockcast.models.uncensor import Evidence, evidence
from stockcast.panel import Panel

CHUNK = 256  # series whose states stay in the cache; fixed, though no byte depends on it
CANDIDATES, SPREADS = 16, (0.6, 0.25)  # candidates a series and round; how far each refinement looks around the best
HALF_LIFE: dict[Step, int] = {"day": 180, "week": 52}  # of the weight of a squared error, in periods
MEMORY = 6  # half-lives that are read: what lies before weighs less than 2 %
ENOUGH: dict[Step, int] = {"day": 14, "week": 8}
YEARS = 3  # of weeks, before a season of 52 is tried
FORMS = ((False, False), (True, False), (False, True), (True, True))  # (trend, season)

Parameters = Float[np.ndarray, "4 candidate series"]  # α, β, γ, φ


@final
@dataclass(frozen=True, slots=True)
class States:
    """What a run of the recursion leaves behind; ``season`` has the column of period t at t mod m."""

    level: Float[np.ndarray, "candidate series"]
    trend: Float[np.ndarray, "candidate series"]
    season: Float[np.ndarray, "season candidate series"]
    loss: Float[np.ndarray, "candidate series"]
    errors: Float[np.ndarray, "series time"] | None


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)


def recursion(
    values: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    level: Float[np.ndarray, " series"],
    season: Float[np.ndarray, "series season"],
    parameters: Parameters,
    *,
    trended: bool,
    seasonal: bool,
    decay: float = 1.0,
    keep_errors: bool = False,
    device: str = "cpu",
) -> States:
    """Run the smoothing over time for every candidate of every series.

    Only sums, differences and products are taken, so that a result does not depend on its place in the batch.

    Parameters
    ----------
    level, season
        The state before the first period; the trend begins at 0.
    trended, seasonal
        Whether the batch has any trend, any season; what is absent costs nothing.
    decay
        The weight of the squared errors so far, after one more period: ``loss ← decay · loss + e²``.
    keep_errors
        Whether to give the errors (of one candidate).
    """
    alpha, beta, gamma, phi = (_put(row, device) for row in parameters)
    y, w, start, places = (_put(array, device) for array in (values.T, used.T, level, season.T))
    l = start.expand_as(alpha).clone()  # noqa: E741 (the book's letter)
    b, loss, e, step = torch.zeros_like(l), torch.zeros_like(l), torch.empty_like(l), torch.empty_like(l)
    s = places[:, None, :].expand(-1, *alpha.shape).clone()
    m = s.shape[0]
    errors = torch.empty_like(y) if keep_errors else None
    for t, (now, counts) in enumerate(zip(y.unbind(), w.unbind(), strict=True)):
        if trended:
            b.mul_(phi)
            l.add_(b)
        torch.sub(now, l, out=e)
        if seasonal:
            place = s[t % m]
            e.sub_(place)
        e.mul_(counts)
        torch.mul(e, alpha, out=step)
        l.add_(step)
        if trended:
            torch.mul(e, beta, out=step)
            b.add_(step)
        if seasonal:
            torch.mul(e, gamma, out=step)
            place.add_(step)
        torch.mul(e, e, out=step)
        loss.mul_(decay).add_(step)
        if errors is not None:
            errors[t] = e[0]
    kept = None if errors is None else np.ascontiguousarray(errors.cpu().numpy().T)
    return States(l.cpu().numpy(), b.cpu().numpy(), s.cpu().numpy(), loss.cpu().numpy(), kept)


def _put(array: np.ndarray, device: str) -> torch.Tensor:
    # a copy, for torch warns of arrays that it must not write to
    return torch.tensor(np.ascontiguousarray(array), dtype=torch.float64, device=device)


@final
@dataclass(frozen=True, slots=True)
class _Work:
    """The evidence of a chunk, cut to what is remembered and divided by a power of two near its mean."""

    values: np.ndarray
    used: np.ndarray
    scale: np.ndarray
    level: np.ndarray
    season: np.ndarray
    decay: float


def _work(told: Evidence, rows: np.ndarray, step: Step, season: int) -> _Work:
    values, used = told.values[rows], told.used[rows]
    begin = max(0, values.shape[1] - MEMORY * HALF_LIFE[step])
    values, used = values[:, begin:], used[:, begin:]
    mean = mean_of(np.where(used, values, 0.0), used.sum(axis=1))
    # a power of two: dividing and multiplying by it changes no digit
    scale = np.ldexp(1.0, np.frexp(np.where(mean > 0, mean, 1.0))[1])
    values = values / scale[:, None]
    level, start = initial(values, used, season, 28 if step == "day" else 8)
    return _Work(values, used, scale, level, start, 0.5 ** (1.0 / HALF_LIFE[step]))


def initial(
    values: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], season: int, first: int
) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, "series season"]]:
    """Give the state before the first period: the mean of the first used values, and each place's part of it.

    The season is taken over the first four weeks or two years, drawn to 0 as if one more value of 0 had been seen.
    """
    seen = np.cumsum(used, axis=1)
    early = used & (seen <= first)
    level = mean_of(np.where(early, values, 0.0), early.sum(axis=1))
    places = np.zeros((len(values), season))
    if season > 1:
        early = used & (seen <= max(first, 2 * season))
        centre = mean_of(np.where(early, values, 0.0), early.sum(axis=1))[:, None]
        for place in range(season):
            here = early[:, place::season]
            off = np.where(here, values[:, place::season] - centre, 0.0)
            places[:, place] = mean_of(off, here.sum(axis=1) + 1)
        places -= mean_of(places, np.full(len(places), season))[:, None]
    return level, places


def _first(draws: Float[np.ndarray, "4 candidate series"], trended: bool, seasonal: bool) -> Parameters:
    """Spread candidates over the admissible region, densely where smoothing of retail sales is good: near 0."""
    alpha = 0.002 + 0.7 * draws[0] * draws[0] * draws[0]
    beta = alpha * (0.005 + 0.3 * draws[1] * draws[1])
    gamma = (1.0 - alpha) * (0.002 + 0.3 * draws[2] * draws[2] * draws[2])
    phi = 0.8 + 0.18 * draws[3]
    return np.stack([alpha, beta * trended, gamma * seasonal, phi * trended])


def _around(
    best: Float[np.ndarray, "4 1 series"], draws: Float[np.ndarray, "4 candidate series"], spread: float
) -> Parameters:
    """Look around the best candidate, which stays the first one."""
    factor = 1.0 + spread * (2.0 * draws - 1.0)
    factor[:, 0] = 1.0
    alpha = np.clip(best[0] * factor[0], 1e-3, 0.98)
    beta = np.minimum(best[1] * factor[1], alpha)
    gamma = np.minimum(best[2] * factor[2], 1.0 - alpha)
    phi = np.minimum(best[3] + (factor[3] - 1.0) * 0.1, 0.98) * (best[3] > 0)
    return np.stack([alpha, beta, gamma, np.maximum(phi, 0.0)])


def _search(
    work: _Work, draws: np.ndarray, trended: bool, seasonal: bool
) -> tuple[Float[np.ndarray, "4 series"], Float[np.ndarray, " series"]]:
    """Find the parameters of one form: random candidates, then refinements around the best of them."""
    candidates = _first(draws[0], trended, seasonal)
    season = work.season if seasonal else np.zeros((len(work.values), 1))
    for at in range(1 + len(SPREADS)):
        told = recursion(
            work.values, work.used, work.level, season, candidates,
            trended=trended, seasonal=seasonal, decay=work.decay,
        )  # fmt: skip
        best = told.loss.argmin(axis=0)[None, :]
        chosen = np.stack([np.take_along_axis(row, best, axis=0)[0] for row in candidates])
        if at < len(SPREADS):
            candidates = _around(chosen[:, None, :], draws[at + 1], SPREADS[at])
    return chosen, np.take_along_axis(told.loss, best, axis=0)[0]


@final
@dataclass(frozen=True, slots=True)
class Smoothing(Forecaster):
    """Additive exponential smoothing; form and parameters are chosen for each series.

    The parameters make the squared errors smallest, each weighted with a half-life of 180 days or 52 weeks; the form
    is the one with the smallest corrected Akaike criterion on the same weights (Hurvich & Tsai 1989).
    """

    name: ClassVar[str] = "ets"

    def fit(self, panel: Panel, *, seed: int) -> "FittedSmoothing":
        """Search the parameters of every form, chunk by chunk."""
        told, step = evidence(panel), panel.time.step
        season = season_length(step, panel.time.n, YEARS)
        stream = Stream(seed, "models/ets")
        found = np.empty((4, len(panel.series)))
        with _one_thread():
            for rows in panel.chunks(CHUNK):
                work = _work(told, rows, step, season)
                shape = (1 + len(SPREADS), 4, CANDIDATES)
                draws = np.ascontiguousarray(stream.uniform(panel.series.keys[rows], shape).transpose(1, 2, 3, 0))
                found[:, rows] = _fit(work, draws, _long_enough(panel, rows, season))
        return FittedSmoothing(panel.series, found)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for two weeks of days, or eight weeks, of evidence."""
        return np.asarray(evidence(panel).used.sum(axis=1) >= ENOUGH[panel.time.step])


def _long_enough(panel: Panel, rows: np.ndarray, season: int) -> Bool[np.ndarray, " series"]:
    """Tell whether a series is long enough for a season: four weeks of days, three years of weeks."""
    return np.asarray(panel.time.n - panel.first[rows] >= (52 * YEARS if season == 52 else 4 * season))


def _fit(work: _Work, draws: np.ndarray, long_enough: np.ndarray) -> Float[np.ndarray, "4 series"]:
    weight = np.zeros(len(work.values))
    for column in work.used.T:
        weight = weight * work.decay + column
    chosen = np.zeros((4, len(work.values)))
    least = np.full(len(work.values), np.inf)
    season = work.season.shape[1]
    for trended, seasonal in FORMS:
        if seasonal and (season == 1 or not long_enough.any()):
            continue
        parameters, loss = _search(work, draws, trended, seasonal)
        k = 3.0 + 2.0 * trended + (1.0 + min(season - 1, 12)) * seasonal  # α, σ² and the level, then what is added
        spare = weight - k - 1.0
        criterion = weight * np.log(np.maximum(loss, 1e-12) / np.maximum(weight, 1.0)) + 2.0 * k
        criterion = criterion + np.where(spare > 0, 2.0 * k * (k + 1.0) / np.maximum(spare, 1e-9), np.inf)
        if not (trended or seasonal):
            criterion = np.where(spare > 0, criterion, np.finfo(float).max)  # too short to compare: the plainest form
        better = criterion < least
        if seasonal:
            better &= long_enough
        least = np.where(better, criterion, least)
        chosen = np.where(better, parameters, chosen)
    return chosen


@final
@dataclass(frozen=True, slots=True)
class FittedSmoothing(FittedForecaster):
    """Holds α, β, γ, φ of each series; γ = 0 says no season, φ = 0 no trend."""

    series: SeriesAxis
    parameters: Float[np.ndarray, "4 series"]

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Run the recursion over the panel, and hand its last state and its recent errors over."""
        self.series.require(panel.series, "fitted model and panel")
        told, step = evidence(panel), panel.time.step
        season = season_length(step, panel.time.n, YEARS)
        n = len(panel.series)
        out = {name: np.zeros(n) for name in ("level", "trend")} | {"season": np.zeros((n, season))}
        parts = []
        with _one_thread():
            for rows in panel.chunks(CHUNK):
                work = _work(told, rows, step, season)
                alpha, beta, gamma, phi = self.parameters[:, rows]
                start = np.where((gamma > 0)[:, None], work.season, 0.0)
                states = recursion(
                    work.values, work.used, work.level, start, self.parameters[:, None, rows],
                    trended=bool((phi > 0).any()), seasonal=bool((gamma > 0).any()), keep_errors=True,
                )  # fmt: skip
                assert states.errors is not None
                out["level"][rows] = states.level[0] * work.scale
                out["trend"][rows] = states.trend[0] * work.scale
                place = np.roll(states.season[:, 0].T, -(work.values.shape[1] % season), axis=1)
                out["season"][rows] = place * work.scale[:, None]
                parts.append((rows, *pool_of(states.errors * work.scale[:, None], _settled(work.used))))
        pool = np.zeros((n, max((errors.shape[1] for _, errors, _ in parts), default=1)))
        count = np.ones(n, dtype=np.int64)
        for rows, errors, size in parts:
            pool[rows, : errors.shape[1]], count[rows] = errors, size
        alpha, beta, gamma, phi = self.parameters
        source = innovations(
            n, **out, damping=phi, alpha=alpha, beta=beta, gamma=gamma, errors=pool, n_errors=count,
            cap=ceiling(told.values, told.used),
        )  # fmt: skip
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)


def _settled(used: Bool[np.ndarray, "series time"]) -> Bool[np.ndarray, "series time"]:
    """Leave out the first errors of a long history, which the initial state still shapes."""
    return np.asarray(used & ((np.cumsum(used, axis=1) > 28) | (used.sum(axis=1) < 56)[:, None]))
