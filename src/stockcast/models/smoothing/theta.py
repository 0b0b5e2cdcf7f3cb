"""The Theta method, standard and dynamic optimised, for all series × candidates at once.

The theta line of a series is its simple exponential smoothing with a share of the linear trend added back (Fiorucci,
Pellegrini, Louzada, Petropoulos & Koehler 2016, the dynamic optimised Theta model), k periods after the first one::

    g = (1 − 1/θ) [(1 − α)ᵏ A + (1 − (1 − α)ᵏ⁺¹)/α · B]        μ = l + g        l ← l + α (y − l)

with A + B (k + 1) the least-squares line through what was known before. θ = 1 is simple exponential smoothing, θ = 2
the standard method (Assimakopoulos & Nikolopoulos 2000). From the origin on A and B are held; then μ grows by
(1 − 1/θ) B a period (Hyndman & Billah 2003).
"""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import torch
from jaxtyping import Bool, Float

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis
from stockcast.demand import SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.history import ceiling, mean_of, pool_of, season_length
from stockcast.models.smoothing.device import batch, by_chunk, padded, put
from stockcast.models.smoothing.ets import Smoothing, settled
from stockcast.models.smoothing.search import Work, work
from stockcast.models.states import innovations, sampled
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

ALPHAS = (0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.45, 0.7)
THETAS = (1.0, 2.0, 1.25, 1.6, 3.0, 6.0)  # the first two are fixed methods: no parameter is spent on θ
FINER = (0.7, 0.85, 1.0, 1.15, 1.4)  # times the best α, in a second round
SEASONS = 2  # of used periods, before there is a line
YEARS = 3


@final
@dataclass(frozen=True, slots=True)
class Line:
    """The least-squares line through what was used before each period: value one period before the first, and slope."""

    a: Float[np.ndarray, "series time"]
    b: Float[np.ndarray, "series time"]
    age: Float[np.ndarray, "series time"]
    last: tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"], Float[np.ndarray, " series"]]


def lines(values: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], least: int) -> Line:
    """Fit the line before every period and after the last, from running sums; flat until ``least`` periods are used.

    ``a`` is the line one period before the first used one, whose ``age`` is 0.
    """
    first = np.where(used.any(axis=1), used.argmax(axis=1), 0)
    age = np.maximum(np.arange(values.shape[1] + 1) - first[:, None], 0).astype(float)
    w, k, y = used.astype(float), age[:, :-1], np.where(used, values, 0.0)
    n, sk, skk, sy, sky = (
        np.concatenate([np.zeros((len(values), 1)), np.cumsum(term, axis=1)], axis=1)
        for term in (w, w * k, w * k * k, y, y * k)
    )
    spread = n * skk - sk * sk
    enough = (n >= least) & (spread > 0)
    b = np.where(enough, (n * sky - sk * sy) / np.where(enough, spread, 1.0), 0.0)
    a = np.where(enough, (sy - b * sk) / np.maximum(n, 1.0) - b, 0.0)
    return Line(a[:, :-1], b[:, :-1], age[:, :-1], (a[:, -1], b[:, -1], age[:, -1]))


@final
@dataclass(frozen=True, slots=True)
class Run:
    """What a run of the recursion leaves: the level, the weighted loss, and the errors of the first candidate."""

    level: Float[np.ndarray, "candidate series"]
    loss: Float[np.ndarray, "candidate series"]
    errors: Float[np.ndarray, "series time"]


def theta_recursion(
    values: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    level: Float[np.ndarray, " series"],
    line: Line,
    alpha: Float[np.ndarray, "candidate column"],
    theta: Float[np.ndarray, "candidate column"],
    *,
    decay: float,
    device: str = "cpu",
    dtype: torch.dtype = torch.float64,
) -> Run:
    """Run the recursion of this module over time; a period that tells nothing has error 0."""
    n, time = values.shape
    y, w, a, b, age = (put(padded(x.T), device, dtype) for x in (values, used, line.a, line.b, line.age))
    alpha_, theta_ = (put(padded(np.broadcast_to(x, (len(x), n)), 1.0), device, dtype) for x in (alpha, theta))
    share, keep = 1.0 - 1.0 / theta_, 1.0 - alpha_
    l = put(padded(level), device, dtype).expand_as(alpha_).clone()  # noqa: E741
    loss, left, g, e = torch.zeros_like(l), torch.ones_like(l), torch.empty_like(l), torch.empty_like(l)
    errors = torch.empty_like(y)
    weight = np.power(decay, np.arange(time - 1, -1, -1.0)).tolist()
    started = age > 0  # the memory of (1 − α)ᵏ fades with age
    for t in range(time):
        if t:
            left.mul_(torch.where(started[t], keep, 1.0))
        torch.mul(left, a[t], out=g)
        g.add_((1.0 - left * keep).div_(alpha_).mul_(b[t]))
        g.mul_(share)
        torch.sub(y[t], l, out=e)
        e.sub_(g).mul_(w[t])
        l.addcmul_(g, alpha_).addcmul_(e, alpha_)
        loss.addcmul_(e, e, value=weight[t])
        errors[t] = e[0]
    told = (tensor[..., :n].cpu().numpy() for tensor in (l, loss, errors))
    final_level, final_loss, first_errors = (np.ascontiguousarray(x) for x in told)
    return Run(final_level, final_loss, np.ascontiguousarray(first_errors.T))


def weekday_effects(part: Work) -> Float[np.ndarray, "series season"]:
    """Give each place's mean deviation from the mean of its week, weighted like the errors; drawn to 0 when rare.

    Whole weeks are used only; the place of a period is its index mod m, as in the recursion of smoothing.
    """
    m = part.season.shape[1]
    n, time = part.values.shape
    rounds = time // m
    if m == 1 or not rounds:
        return np.zeros((n, m))
    begin = time - rounds * m
    values = part.values[:, begin:].reshape(n, rounds, m)
    used = part.used[:, begin:].reshape(n, rounds, m)
    count = used.sum(axis=2)
    mean = np.where(used, values, 0.0).sum(axis=2) / np.maximum(count, 1)
    weight = part.decay ** (m * np.arange(rounds - 1, -1, -1.0))[None, :, None] * (used & (count == m)[:, :, None])
    off = (weight * (values - mean[:, :, None])).sum(axis=1) / (weight.sum(axis=1) + 1.0)
    off -= off.mean(axis=1, keepdims=True)
    return np.roll(off, begin % m, axis=1)


@final
@dataclass(frozen=True, slots=True)
class Theta(Forecaster):
    """The dynamic optimised Theta model, with the standard method and simple smoothing among its candidates.

    A season is taken off additively before (retail sales have zeros) where the corrected Akaike criterion asks for it.
    """

    name: ClassVar[str] = "theta"

    def fit(self, panel: Panel, *, seed: int) -> "FittedTheta":
        """Try every α × θ, with and without season, then finer α around the best."""
        time, n = panel.time, len(panel.series)
        m = season_length(time.step, time.n, YEARS)
        parameters, seasonal = np.zeros((2, n)), np.zeros(n, dtype=bool)
        long_enough = time.n - panel.first >= (52 * YEARS if m == 52 else 4 * m)
        with batch() as device:

            def compute(rows: np.ndarray) -> None:
                told = evidence(panel, slice(rows[0], rows[-1] + 1))
                part = work(told.values, told.used, time, m)
                plain = _search(part, device, 0.0)
                parameters[:, rows] = plain[0]
                if m > 1 and long_enough[rows].any():
                    other = _search(_deseasonalised(part, weekday_effects(part)), device, 1.0 + min(m - 1, 12))
                    better = long_enough[rows] & (other[1] < plain[1])
                    seasonal[rows] = better
                    parameters[:, rows] = np.where(better, other[0], plain[0])

            by_chunk(n, device, compute)
        return FittedTheta(panel.series, parameters[0], parameters[1], seasonal)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for as much as smoothing."""
        return Smoothing().can_fit(panel)


def _deseasonalised(part: Work, effects: np.ndarray) -> Work:
    m, time = effects.shape[1], part.values.shape[1]
    values = part.values - effects[:, np.arange(time) % m]
    early = part.used & (np.cumsum(part.used, axis=1) <= 4 * m)
    level = mean_of(np.where(early, values, 0.0), early.sum(axis=1))
    return Work(values, part.used, part.scale, level, part.season, part.shares, part.day, part.decay)


def _search(part: Work, device: str, more: float) -> tuple[Float[np.ndarray, "2 series"], Float[np.ndarray, " series"]]:
    """Give the best α and θ of each series, and its criterion; ``more`` parameters were spent on a season."""
    n, count = part.weight, len(part.values)
    line = lines(part.values, part.used, SEASONS * max(part.season.shape[1], 4))
    alpha, theta = (grid.reshape(-1, 1) for grid in np.meshgrid(ALPHAS, THETAS))
    k0 = 3.0 + more + ~np.isin(theta, THETAS[:2])
    for at in range(2):
        run = theta_recursion(
            part.values, part.used, part.level, line, alpha, theta, decay=part.decay, device=device,
            dtype=torch.float32,
        )  # fmt: skip
        loss = np.nan_to_num(run.loss.astype(float), nan=np.inf, posinf=np.inf)
        spare = n - k0 - 1.0
        penalty = 2.0 * k0 + np.where(spare > 0, 2.0 * k0 * (k0 + 1.0) / np.maximum(spare, 1e-9), 1e6 * k0)
        criterion = n * np.log(np.maximum(loss, 1e-12) / np.maximum(n, 1.0)) + penalty
        best = criterion.argmin(axis=0)
        if at == 0:
            centre, theta = np.broadcast_to(alpha, criterion.shape)[best, np.arange(count)], theta[best, 0][None, :]
            alpha = np.clip(centre * np.array(FINER)[:, None], 1e-3, 0.98)
            theta = np.broadcast_to(theta, alpha.shape)
            k0 = np.take_along_axis(np.broadcast_to(k0, criterion.shape), best[None], axis=0)
    index = np.arange(count)
    return np.stack([alpha[best, index], theta[best, index]]), criterion[best, index]


@final
@dataclass(frozen=True, slots=True)
class FittedTheta(FittedForecaster):
    """Holds α, θ, and whether a season is taken off."""

    series: SeriesAxis
    alpha: Float[np.ndarray, " series"]
    theta: Float[np.ndarray, " series"]
    seasonal: Bool[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, alpha=self.alpha, theta=self.theta, seasonal=self.seasonal)

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Run the recursion over the panel; the level goes on along the line."""
        self.series.require(panel.series, "fitted model and panel")
        told, n = evidence(panel), len(panel.series)
        m = season_length(panel.time.step, panel.time.n, YEARS)
        level, slope, season = np.zeros(n), np.zeros(n), np.zeros((n, m))
        parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        with batch() as device:

            def compute(rows: np.ndarray) -> None:
                part = work(told.values[rows], told.used[rows], panel.time, m)
                effects = np.where(self.seasonal[rows, None], weekday_effects(part), 0.0)
                other = _deseasonalised(part, effects)
                start = np.where(self.seasonal[rows], other.level, part.level)
                line = lines(other.values, other.used, SEASONS * max(m, 4))
                alpha, theta = self.alpha[rows], self.theta[rows]
                run = theta_recursion(
                    other.values, other.used, start, line, alpha[None], theta[None], decay=1.0, device=device
                )  # fmt: skip
                a, b, age = line.last
                left = (1.0 - alpha) ** age
                grown = (1.0 - 1.0 / theta) * (left * a + (1.0 - left * (1.0 - alpha)) / alpha * b)
                slope[rows] = (1.0 - 1.0 / theta) * b * part.scale
                level[rows] = (run.level[0] + grown) * part.scale - slope[rows]
                season[rows] = np.roll(effects, -(part.values.shape[1] % m), axis=1) * part.scale[:, None]
                parts.append((rows, *pool_of(run.errors * part.scale[:, None], settled(part.used))))

            by_chunk(n, device, compute)
        pool = np.zeros((n, max((errors.shape[1] for _, errors, _ in parts), default=1)))
        count = np.ones(n, dtype=np.int64)
        for rows, errors, size in parts:
            pool[rows, : errors.shape[1]], count[rows] = errors, size
        source = innovations(
            n, level=level, trend=slope, damping=np.ones(n), season=season, alpha=self.alpha, errors=pool,
            n_errors=count, cap=ceiling(told.values, told.used),
        )  # fmt: skip
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)
