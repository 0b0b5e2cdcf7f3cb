"""Demand that comes now and then: Croston's method and its kin, for all series × candidates at once.

With demand size z, interval τ between demands, and probability p of a demand in a period::

    Croston (1972)               at a demand: z ← z + α (y − z), τ ← τ + α (q − τ)      rate z / τ
    Syntetos & Boylan (2005)     the same, unbiased                                     rate (1 − α/2) z / τ
    Teunter, Syntetos & Babai (2011)   at a demand z as above; p ← p + δ (o − p) always    rate p z

q counts the periods since the last demand, o says whether there is one. Periods without evidence are skipped.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import SeriesAxis, Step
from stockcast.core.parallel import each_slice
from stockcast.demand import SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.history import POOL, ceiling, mean_of, pool_of, spell_of
from stockcast.models.states import ROWS, gathered, sampled
from stockcast.models.uncensor import Evidence, evidence
from stockcast.panel import Panel

Kind = Literal["croston", "sba", "tsb"]
CHUNK = 256
ALPHAS = (0.02, 0.05, 0.1, 0.2, 0.3)
DELTAS = (0.01, 0.02, 0.05, 0.1, 0.2)
HALF_LIFE: dict[Step, int] = {"day": 180, "week": 52}
MEMORY = 6
FIRST: dict[Step, int] = {"day": 28, "week": 8}  # periods from which the first state is read


@final
@dataclass(frozen=True, slots=True)
class Rates:
    """What the recursion leaves behind: the size and the probability of a demand, and the weighted squared error."""

    size: Float[np.ndarray, "candidate series"]
    occurrence: Float[np.ndarray, "candidate series"]
    loss: Float[np.ndarray, "candidate series"]


def recursion(
    values: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    kind: Kind,
    alpha: Float[np.ndarray, "candidate series"],
    delta: Float[np.ndarray, "candidate series"],
    size: Float[np.ndarray, " series"],
    occurrence: Float[np.ndarray, " series"],
    decay: float = 1.0,
) -> Rates:
    """Run one of the three methods over time for every candidate of every series.

    Parameters
    ----------
    delta
        Smoothing of the occurrence; read by TSB only.
    size, occurrence
        z and p before the first period (τ begins at 1 / p).

    Examples
    --------
    Sizes 4 and 2, three periods apart, with α = 0.5: z = 4 − 1, τ = 2 + 0.5.

    >>> half = np.full((1, 1), 0.5)
    >>> y = np.array([[0.0, 4.0, 0.0, 0.0, 2.0]])
    >>> r = recursion(y, y >= 0, "croston", half, half, np.array([4.0]), np.array([0.5]))
    >>> r.size.tolist(), (1 / r.occurrence).tolist()
    ([[3.0]], [[2.5]])
    """
    z = np.repeat(size[None, :], len(alpha), axis=0)
    p = np.repeat(occurrence[None, :], len(alpha), axis=0)
    tau = 1.0 / p
    q = np.ones(len(values))
    loss, step = np.zeros_like(z), np.empty_like(z)
    factor = 1.0 - alpha / 2.0 if kind == "sba" else np.ones_like(alpha)
    for y, w in zip(np.ascontiguousarray(values.T), np.ascontiguousarray(used.T).astype(float), strict=True):
        hit = w * (y > 0)
        np.multiply(z, p, out=step)
        np.subtract(y, step, out=step)
        step *= w
        step *= step
        loss *= decay
        loss += step
        np.subtract(y, z, out=step)
        step *= alpha
        step *= hit
        z += step
        if kind == "tsb":
            np.subtract(hit, p, out=step)
            step *= delta
            step *= w
            p += step
        elif hit.any():
            np.subtract(q, tau, out=step)
            step *= alpha
            step *= hit
            tau += step
            np.divide(factor, tau, out=p)
        q = q + w * (1.0 - q * hit)
    return Rates(z, np.minimum(p, 1.0), loss)


def initial(
    values: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"], first: int
) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
    """Give z and p of the first used periods, widened to the first demand where they hold none."""
    seen = np.cumsum(used, axis=1)
    demand = used & (values > 0)
    before = np.where(demand.any(axis=1), np.take_along_axis(seen, demand.argmax(axis=1)[:, None], axis=1)[:, 0], 1)
    early = used & (seen <= np.maximum(first, before)[:, None])
    hits = (early & demand).sum(axis=1)
    size = mean_of(np.where(early & demand, values, 0.0), hits)
    return size, np.where(hits > 0, hits, 0.5) / np.maximum(early.sum(axis=1), 1)


def _fit(panel: Panel, kind: Kind) -> "FittedIntermittent":
    """Try every candidate on every series; the first one where the weighted squared one-step errors are equal."""
    step = panel.time.step
    alphas, deltas = (grid.ravel() for grid in np.meshgrid(ALPHAS, DELTAS if kind == "tsb" else [0.0]))
    chosen = np.zeros((2, len(panel.series)))
    for rows in panel.chunks(CHUNK):
        told = evidence(panel, slice(rows[0], rows[-1] + 1))
        values, used, _ = _cut(told.values, told.used, step)
        shape = (len(alphas), len(rows))
        rates = recursion(
            values, used, kind, np.broadcast_to(alphas[:, None], shape), np.broadcast_to(deltas[:, None], shape),
            *initial(values, used, FIRST[step]), decay=0.5 ** (1.0 / HALF_LIFE[step]),
        )  # fmt: skip
        best = rates.loss.argmin(axis=0)
        chosen[:, rows] = alphas[best], deltas[best]
    return FittedIntermittent(kind, panel.series, chosen[0], chosen[1])


def _two_demands(panel: Panel) -> Bool[np.ndarray, " series"]:
    enough = np.zeros(len(panel.series), dtype=bool)

    def put(some: slice) -> None:
        told = evidence(panel, some)
        enough[some] = (told.used & (told.values > 0)).sum(axis=1) >= 2

    each_slice(put, len(enough), ROWS)
    return enough


@final
@dataclass(frozen=True, slots=True)
class Croston(Forecaster):
    """Sizes and intervals smoothed with one constant, chosen for each series."""

    name: ClassVar[str] = "croston"

    def fit(self, panel: Panel, *, seed: int) -> "FittedIntermittent":
        """Choose α."""
        return _fit(panel, "croston")

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for two demands."""
        return _two_demands(panel)


@final
@dataclass(frozen=True, slots=True)
class SBA(Forecaster):
    """Croston's method times 1 − α/2."""

    name: ClassVar[str] = "sba"

    def fit(self, panel: Panel, *, seed: int) -> "FittedIntermittent":
        """Choose α."""
        return _fit(panel, "sba")

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for two demands."""
        return _two_demands(panel)


@final
@dataclass(frozen=True, slots=True)
class TSB(Forecaster):
    """Sizes and probability of demand smoothed, each with its own constant: it forgets an item that stopped selling."""

    name: ClassVar[str] = "tsb"

    def fit(self, panel: Panel, *, seed: int) -> "FittedIntermittent":
        """Choose α and δ."""
        return _fit(panel, "tsb")

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for two demands."""
        return _two_demands(panel)


def _cut(values: np.ndarray, used: np.ndarray, step: Step) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keep what is remembered, divided by a power of two near the mean demand (which changes no digit)."""
    begin = max(0, values.shape[1] - MEMORY * HALF_LIFE[step])
    values, used = values[:, begin:], used[:, begin:]
    mean = mean_of(np.where(used, values, 0.0), used.sum(axis=1))
    scale = np.ldexp(1.0, np.frexp(np.where(mean > 0, mean, 1.0))[1])
    return values / scale[:, None], used, scale


@final
@dataclass(frozen=True, slots=True)
class FittedIntermittent(FittedForecaster):
    """Holds α and δ of each series."""

    kind: Kind
    series: SeriesAxis
    alpha: Float[np.ndarray, " series"]
    delta: Float[np.ndarray, " series"]

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Run the recursion over the panel; sizes are drawn from recent demands, moved to the smoothed size."""
        self.series.require(panel.series, "fitted model and panel")
        step = panel.time.step

        def read(told: Evidence, some: slice) -> dict[str, np.ndarray]:
            values, used, scale = _cut(told.values, told.used, step)
            rates = recursion(
                values, used, self.kind, self.alpha[None, some], self.delta[None, some],
                *initial(values, used, FIRST[step]),
            )  # fmt: skip
            demand = told.used & (told.values > 0)
            pool, count = pool_of(told.values, demand)
            return {
                "level": rates.size[0] * scale,
                "occurrence": np.where(demand.any(axis=1), rates.occurrence[0], 0.0),
                "delta": self.delta[some],
                "errors": pool,
                "n_errors": count,
                "block": spell_of(count),
                "cap": ceiling(told.values, told.used),
            }

        source = gathered(panel, read, pool=max(1, min(POOL, panel.time.n)))
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)
