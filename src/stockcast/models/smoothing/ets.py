"""Exponential smoothing with form and parameters chosen for each series."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis, Step
from stockcast.demand import SampledForecast
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.history import ceiling, pool_of, season_length
from stockcast.models.smoothing.device import batch, by_chunk
from stockcast.models.smoothing.forms import ADDITIVE, PARAMETERS, RATIO, RELATIVE, Family
from stockcast.models.smoothing.recursion import WEEK, WEEKS, States, recursion
from stockcast.models.smoothing.search import Found, Work, pick, search, work
from stockcast.models.states import innovations, sampled, used_periods
from stockcast.models.uncensor import evidence
from stockcast.panel import Panel

ENOUGH: dict[Step, int] = {"day": 14, "week": 8}
YEARS = 3  # of weeks, before a season of 52 is tried
FAMILIES = (ADDITIVE, RELATIVE, RATIO)
NAMES = np.array([form.name for family in FAMILIES for form in family.forms])
_OFFSET = np.cumsum([0, *(len(family.forms) for family in FAMILIES)])  # of a family's first form in NAMES


@final
@dataclass(frozen=True, slots=True)
class Smoothing(Forecaster):
    """Exponential smoothing (Hyndman et al. 2008), all forms that are stable.

    Trend none, additive, damped or reverting, × season none or additive, × for daily histories of two years a slow
    season of 364 days; for series that never come near 0 also relative errors, and seasons that multiply. The
    parameters make the likelihood largest, each squared error weighted with a half-life of 180 days or 52 weeks; the
    form is the one with the smallest corrected Akaike criterion on the same weights.

    Parameters
    ----------
    allowed
        Names of the forms to choose among (``forms.Form.name``); all when left out.
    """

    allowed: tuple[str, ...] | None = None
    name: ClassVar[str] = "ets"

    def fit(self, panel: Panel, *, seed: int) -> "FittedSmoothing":
        """Search the parameters of every form, chunk by chunk; nothing is drawn, so the seed is not read."""
        time, n = panel.time, len(panel.series)
        season = season_length(time.step, time.n, YEARS)
        parameters = np.zeros((PARAMETERS, n))
        form = np.zeros(n, dtype=np.int64)
        length = time.n - panel.first
        with batch() as device:

            def compute(rows: np.ndarray) -> None:
                told = evidence(panel, slice(rows[0], rows[-1] + 1))
                part = work(told.values, told.used, time, season)
                parameters[:, rows], form[rows] = _fit(part, length[rows], time.step, self.allowed, device)

            by_chunk(n, device, compute)
        return FittedSmoothing(panel.series, parameters, form)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for two weeks of days, or eight weeks, of evidence."""
        return np.asarray(used_periods(panel) >= ENOUGH[panel.time.step])


@final
@dataclass(frozen=True, slots=True)
class SES(Forecaster):
    """Simple exponential smoothing: the level alone (Brown 1959)."""

    name: ClassVar[str] = "ses"

    def fit(self, panel: Panel, *, seed: int) -> "FittedSmoothing":
        """Search α."""
        return Smoothing(("ANN",)).fit(panel, seed=seed)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for as much as the other forms."""
        return Smoothing().can_fit(panel)


@final
@dataclass(frozen=True, slots=True)
class Holt(Forecaster):
    """Level and trend, the trend damped or not (Holt 1957; Gardner & McKenzie 1985)."""

    name: ClassVar[str] = "holt"

    def fit(self, panel: Panel, *, seed: int) -> "FittedSmoothing":
        """Search α, β and φ."""
        return Smoothing(("AAN", "AAdN")).fit(panel, seed=seed)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Ask for as much as the other forms."""
        return Smoothing().can_fit(panel)


def _fit(
    part: Work, length: Int[np.ndarray, " series"], step: Step, allowed: tuple[str, ...] | None, device: str
) -> tuple[Float[np.ndarray, "parameter series"], Int[np.ndarray, " series"]]:
    """Try the forms that a series' length and level allow, those of most series first; choose by the criterion."""
    places = part.season.shape[1]
    season = places > 1
    yearly = step == "day" and part.values.shape[1] >= 2 * WEEK * WEEKS
    seasonal = length >= (WEEKS * YEARS if places == WEEKS else 4 * places)
    old, steady = length >= 2 * WEEK * WEEKS, part.steady
    every, found = np.arange(len(length)), []
    for family in FAMILIES:
        rows = every if not family.relative else np.flatnonzero(steady & (seasonal | (not family.ratio)))
        trimmed = family.only(allowed, season=season, yearly=yearly)
        if trimmed is None or not len(rows):
            continue
        parameters, criterion = search(part if len(rows) == len(every) else part.take(rows), trimmed, device)
        for at, form in enumerate(trimmed.forms):
            bad = (form.season != "N") & ~seasonal[rows] | form.yearly & ~old[rows]
            criterion[at] = np.where(bad, np.inf, criterion[at])
        found.append(Found(trimmed, rows, parameters, criterion))
    chosen, family_of, form_of = pick(found, len(every))
    place = {name: at for at, name in enumerate(NAMES.tolist())}
    index: np.ndarray = np.zeros(len(every), dtype=np.int64)
    for at, one in enumerate(found):
        known = np.array([place[form.name] for form in one.family.forms], dtype=np.int64)
        index = np.where(family_of == at, known[np.minimum(form_of, len(known) - 1)], index)
    return chosen, index


@final
@dataclass(frozen=True, slots=True)
class FittedSmoothing(FittedForecaster):
    """Holds α, β, γ, φ, ω and the form of each series; γ = 0 says no season, φ = 0 no trend, ω = 0 no slow season."""

    series: SeriesAxis
    parameters: Float[np.ndarray, "parameter series"]
    form: Int[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, parameters=self.parameters, form=self.form)

    @property
    def names(self) -> np.ndarray:
        """Give the name of each series' form."""
        return NAMES[self.form]

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Run the recursion over the panel, and hand its last state and its recent errors over."""
        told, n = evidence(panel), len(panel.series)
        season = season_length(panel.time.step, panel.time.n, YEARS)
        out = {"level": np.zeros(n), "trend": np.zeros(n), "season": np.zeros((n, season))}
        out["slow"] = np.zeros((n, WEEKS if (self.parameters[4] > 0).any() else 1))
        parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for rows, part, family, states in self._run(panel, season):
            assert states.errors is not None
            unit = part.scale
            out["level"][rows], out["trend"][rows] = states.level[0] * unit, states.trend[0] * unit
            time = part.values.shape[1]
            if len(states.season[0]):
                place = np.roll(states.season[:, 0].T, -(time % season), axis=1)
                out["season"][rows] = place if family.ratio else place * unit[:, None]
            if len(states.slow[0]):
                week = (part.day + time) // WEEK
                out["slow"][rows] = np.roll(states.slow[:, 0].T, -(week % WEEKS), axis=1) * unit[:, None]
            errors = states.errors if family.relative else states.errors * unit[:, None]
            parts.append((rows, *pool_of(errors, settled(part.used))))
        pool = np.zeros((n, max((errors.shape[1] for _, errors, _ in parts), default=1)))
        count = np.ones(n, dtype=np.int64)
        for rows, errors, size in parts:
            pool[rows, : errors.shape[1]], count[rows] = errors, size
        alpha, beta, gamma, phi, omega = self.parameters
        source = innovations(
            n, **out, damping=phi, alpha=alpha, beta=beta, gamma=gamma, omega=omega, errors=pool, n_errors=count,
            ratio=self.form >= _OFFSET[2], relative=self.form >= _OFFSET[1],
            slow_day=np.full(n, _day(panel) % WEEK), cap=ceiling(told.values, told.used),
        )  # fmt: skip
        return sampled(panel, source, horizon, seed=seed, n_paths=n_paths)

    def errors(self, panel: Panel) -> tuple[Float[np.ndarray, "series time"], Bool[np.ndarray, "series time"]]:
        """Give the one-step errors of every period that was read, in units, and where there are any."""
        shape = (len(panel.series), panel.time.n)
        errors, known = np.zeros(shape), np.zeros(shape, dtype=bool)
        for rows, part, family, states in self._run(panel, season_length(panel.time.step, panel.time.n, YEARS)):
            assert states.errors is not None
            time = part.values.shape[1]
            # ε = (y − μ) / μ, so that e = y ε / (1 + ε)
            raw = part.values * states.errors / (1.0 + states.errors) if family.relative else states.errors
            errors[rows, -time:], known[rows, -time:] = raw * part.scale[:, None], part.used
        return errors, known

    def _run(self, panel: Panel, season: int) -> "list[tuple[np.ndarray, Work, Family, States]]":
        """Run each series' own form over the panel, family by family and chunk by chunk."""
        self.series.require(panel.series, "fitted model and panel")
        told = evidence(panel)
        out: list[tuple[np.ndarray, Work, Family, States]] = []
        with batch() as device:
            for at, family in enumerate(FAMILIES):
                mine = np.flatnonzero((self.form >= _OFFSET[at]) & (self.form < _OFFSET[at + 1]))

                def compute(places: np.ndarray, family: Family = family, mine: np.ndarray = mine) -> None:
                    rows = mine[places]
                    part = work(told.values[rows], told.used[rows], panel.time, season)
                    alpha, beta, gamma, phi, omega = self.parameters[:, rows]
                    start = part.shares if family.ratio else np.where((gamma > 0)[:, None], part.season, 0.0)
                    states = recursion(
                        part.values, part.used, part.level, start, self.parameters[:, None, rows],
                        trended=bool((phi > 0).any()), seasonal=bool((gamma > 0).any()),
                        yearly=bool((omega > 0).any()), ratio=family.ratio, relative=family.relative, day=part.day,
                        keep_errors=True, device=device, dtype=torch.float64,
                    )  # fmt: skip
                    out.append((rows, part, family, states))

                by_chunk(len(mine), device, compute)
        return out


def one_step_errors(
    panel: Panel, *, seed: int
) -> tuple[Float[np.ndarray, "series time"], Bool[np.ndarray, "series time"]]:
    """Fit, and give the one-step errors of every period that was read, in units; and where there are any."""
    return Smoothing().fit(panel, seed=seed).errors(panel)


def _day(panel: Panel) -> int:
    """Give the days from a Monday to the first period of the forecast."""
    return int((panel.time.date(panel.time.n) - np.datetime64("1970-01-05", "D")).astype(np.int64))


def settled(used: Bool[np.ndarray, "series time"]) -> Bool[np.ndarray, "series time"]:
    """Leave out the first errors of a long history, which the initial state still shapes."""
    return np.asarray(used & ((np.cumsum(used, axis=1) > 28) | (used.sum(axis=1) < 56)[:, None]))
