"""A forecast for every series: model → analogues → seasonal naive → moving average → category profile → zero.

Analogues stand for histories that are too short to stand alone; what has ended fades out. Each step is told. In
periods that are closed nothing is sold, whoever forecasts.

One bad series touches no other: what a model cannot fit, fails on, or lets explode goes one rung down by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from jaxtyping import Bool

from stockcast.core.axes import SeriesAxis
from stockcast.core.deadline import STRUCK
from stockcast.core.errors import DataError
from stockcast.demand import PathSource, SampledForecast
from stockcast.demand.forecast import CHUNK
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.closing import closing
from stockcast.models.history import CEILING, ceiling
from stockcast.models.lifecycle import NEVER, led, lives
from stockcast.models.naive import MovingAverage, SeasonalNaive
from stockcast.models.profile import Profile, profile
from stockcast.models.states import assemble, innovations, sampled, surely_within
from stockcast.models.tally import whole
from stockcast.models.uncensor import ENOUGH, evidence
from stockcast.panel import Panel

PROFILE, ANALOGUES, ZERO = "category_profile", "analogues", "zero"
STAND_INS = (ANALOGUES, SeasonalNaive.name, MovingAverage.name, PROFILE, ZERO, NEVER)  # what forecasts without a model
NOT_FINITE, EXPLODED, RAISED = "model failed, no finite forecast", "model failed, forecast explodes", "model failed"
FULL = "out of memory"
FRACTIONS = "sales are not in whole units"
TOO_LITTLE = "too little history of all series together to learn from"
_EXPLODING = 3.0  # times the robust maximum of the history: no median demand lies there
FEW = 28  # periods below which the length of a history is the reason
_LOOK = 64  # paths that a forecast is judged by
# what a model may raise on a history; an AlignmentError or a TypeError is a bug and is not hidden
_FAULTS = (DataError, ArithmeticError, ValueError, LookupError, RuntimeError)


def failed(fallback: np.ndarray) -> Bool[np.ndarray, " series"]:
    """Tell which fallbacks stand for a failure of the model; a short history is none.

    Examples
    --------
    >>> failed(np.array(["", "ets→moving_average: 3 periods of history", "ets→seasonal_naive: model failed"])).tolist()
    [False, False, True]
    """
    return np.array([f": {RAISED}" in text for text in fallback.tolist()], dtype=bool)


@final
@dataclass(frozen=True, slots=True)
class Ladder(Forecaster):
    """A forecaster with the rungs below it; it can fit every series.

    Parameters
    ----------
    forecaster
        The model on the upper rung.
    profile
        Of all series, where the panels to come hold only some of them; learnt from the panel when left out.
    """

    forecaster: Forecaster
    profile: Profile | None = None
    name: ClassVar[str] = "ladder"

    def fit(self, panel: Panel, *, seed: int) -> "FittedLadder":
        """Fit the model on the series whose history suffices for it."""
        of_all = self.profile or profile(panel)
        able = self.forecaster.can_fit(panel)
        if not self.forecaster.pooled:
            able &= _analogous(panel, of_all) < 0
        rows = np.flatnonzero(able)
        fitted = None
        if len(rows):
            try:
                fitted = self.forecaster.fit(panel.take(rows), seed=seed)
            except _FAULTS:
                fitted = None  # predict finds the series that is to blame
        return FittedLadder(panel.series, self.forecaster, able, fitted, of_all)

    def can_fit(self, panel: Panel) -> Bool[np.ndarray, " series"]:
        """Tell that every series gets a forecast."""
        return np.ones(len(panel.series), dtype=bool)


@final
@dataclass(frozen=True, slots=True)
class FittedLadder(FittedForecaster):
    """The fitted model, and what is needed to go on without it."""

    series: SeriesAxis
    forecaster: Forecaster
    able: Bool[np.ndarray, " series"]
    fitted: FittedForecaster | None
    profile: Profile

    def notes(self) -> tuple[str, ...]:
        """Say what the model says."""
        return () if self.fitted is None else self.fitted.notes()

    def texts(self) -> Mapping[str, str | bytes]:
        """Give what the model gives."""
        return {} if self.fitted is None else self.fitted.texts()

    def predict(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> SampledForecast:
        """Forecast every series by the highest rung that holds."""
        return self.climb(panel, horizon, seed=seed, n_paths=n_paths)[0]

    def climb(self, panel: Panel, horizon: int, *, seed: int, n_paths: int) -> tuple[SampledForecast, np.ndarray]:
        """Forecast every series, and say for each which rung did it and why: '' where the model itself did."""
        self.series.require(panel.series, "fitted ladder and panel")
        n = len(panel.series)
        parts: list[tuple[np.ndarray, PathSource]] = []
        reason = np.where(self.able, "", _history(panel, self.forecaster, bool(self.able.any()))).astype(object)
        rung = np.full(n, self.forecaster.name, dtype=object)
        todo = np.ones(n, dtype=bool)

        def settle(rows: np.ndarray, source: PathSource, name: str, trouble: np.ndarray | None = None) -> None:
            told = _faults(panel, rows, source, horizon, seed, bounded=name != ANALOGUES)
            if trouble is not None:
                told = np.where((told != "") & (trouble != ""), [_trouble(why) for why in trouble], told)
            fine = np.flatnonzero(told == "")
            parts.append((rows[fine], source.take(fine)))
            rung[rows[fine]], todo[rows[fine]] = name, False
            first = (told != "") & (reason[rows] == "")
            reason[rows[first]] = told[first]

        able = np.flatnonzero(self.able)
        for rows, source, trouble in _attempt(self.forecaster, panel, able, self.fitted, horizon, seed):
            if source is None:
                reason[rows] = RAISED if trouble is None else [_trouble(why) for why in trouble]
            else:
                settle(rows, source, self.forecaster.name, trouble)
        rows = np.flatnonzero(todo & (_analogous(panel, self.profile) >= 0))
        like = np.full(n, "", dtype=object)
        if len(rows) and self.profile.analogues is not None:
            part = panel.take(rows)
            like[rows] = [f" (like {names})" for names in self.profile.analogues.names(part.series)]
            settle(rows, self.profile.analogues.source(part, horizon), ANALOGUES)
        for lower in (SeasonalNaive(), MovingAverage()):
            rows = np.flatnonzero(todo)
            if len(rows) and lower.name != self.forecaster.name:
                rows = rows[lower.can_fit(panel.take(rows))]
                for some, source, _ in _attempt(lower, panel, rows, None, horizon, seed):
                    if source is not None:
                        settle(some, source, lower.name)
        rows = np.flatnonzero(todo)
        if len(rows) and self.profile.count[0] > 0:
            settle(rows, self.profile.source(panel.take(rows)), PROFILE)
        rows = np.flatnonzero(todo)
        if len(rows):
            settle(rows, innovations(len(rows), cap=np.ones(len(rows))), ZERO)
        life = lives(panel, horizon, self.profile.quiet_of(panel))
        source = closing(led(assemble(n, parts), life), panel, horizon)
        demand = sampled(panel, source, horizon, seed=seed, n_paths=n_paths)
        text = []
        for at, (name, why) in enumerate(zip(rung.tolist(), reason.tolist(), strict=True)):
            model = self.forecaster.name
            down = "" if name == model else f"{model}→{name}: {why}{like[at] if name == ANALOGUES else ''}"
            ends = f"{'; ' if down else f'{model}→{life.what[at]}: '}{life.why[at]}" if life.what[at] else ""
            text.append(down + ends)
        return demand, np.array(text, dtype=np.str_)


def _trouble(why: str) -> str:
    """Say in words what came in the way of a model; for want of time it did not fail."""
    return why if why.startswith(STRUCK) else f"{RAISED}, {why}"


def _analogous(panel: Panel, of_all: Profile) -> np.ndarray:
    """Give where the analogues of each series stand, −1 where there are none."""
    found = of_all.analogues
    return np.full(len(panel.series), -1) if found is None else found.rows(panel.series)


def _attempt(
    forecaster: Forecaster, panel: Panel, rows: np.ndarray, fitted: FittedForecaster | None, horizon: int, seed: int
) -> Sequence[tuple[np.ndarray, PathSource | None, np.ndarray | None]]:
    """Forecast some rows; where that raises, each half by itself, down to the series that is to blame.

    A pooled model is fitted once: on half of the series it would be another model. Beside the source of the rows stands
    what the model says of those that it could not fit.
    """
    if not len(rows):
        return []
    part = panel.take(rows)
    try:
        fitted = fitted or forecaster.fit(part, seed=seed)
        return [(rows, fitted.predict(part, horizon, seed=seed, n_paths=_LOOK).source, fitted.trouble())]
    except _FAULTS as fault:
        if len(rows) == 1 or forecaster.pooled:
            full = type(fault).__name__ == "OutOfMemoryError"  # torch's, which is not loaded for its name
            return [(rows, None, np.full(len(rows), FULL, dtype=object) if full else None)]
        half = len(rows) // 2
        upper = _attempt(forecaster, panel, rows[:half], None, horizon, seed)
        return [*upper, *_attempt(forecaster, panel, rows[half:], None, horizon, seed)]


def _faults(
    panel: Panel, rows: np.ndarray, source: PathSource, horizon: int, seed: int, *, bounded: bool = True
) -> np.ndarray:
    """Say what is wrong with the forecast of each row; '' where nothing is.

    A history that is too short to forecast from is too short to be a bound: then ``bounded`` is False.
    """
    part = panel.take(rows)
    told = evidence(part)
    limit = _EXPLODING / CEILING * ceiling(told.values, told.used)
    limit = np.where(told.used.any(axis=1) & bounded, limit, np.inf)  # nothing to explode against
    reason = np.full(len(rows), "", dtype=object)
    doubtful = np.flatnonzero(~surely_within(source, horizon, limit))  # only their paths can tell
    demand = sampled(part, source, horizon, seed=seed, n_paths=_LOOK)
    for begin in range(0, len(doubtful), CHUNK):
        some = doubtful[begin : begin + CHUNK]
        with np.errstate(all="ignore"):  # a poisoned state may overflow here: that is what is looked for
            paths = demand.paths(some)
            finite = (np.isfinite(paths) & (paths >= 0)).all(axis=(1, 2))
            middle = np.sort(paths, axis=1)[:, _LOOK // 2].max(axis=1, initial=0.0)
        reason[some] = np.where(~finite, NOT_FINITE, np.where(middle > limit[some], EXPLODED, ""))
    return reason


def _history(panel: Panel, forecaster: Forecaster, some: bool) -> np.ndarray:
    """Say in words how little history a series has, or that what it has cannot be counted.

    Where ``some`` series can be fitted, a pooled model has enough to learn from, and it is this one that is too short.
    """
    told = evidence(panel)
    periods, demands = told.used.sum(axis=1), (told.used & (told.values > 0)).sum(axis=1)
    long = (periods >= ENOUGH[panel.time.step]) & (demands >= 2)
    parts = long & ~whole(panel.sales, told.used) if forecaster.counts_only else np.zeros(len(long), dtype=bool)
    out = []
    for p, d, part, fine in zip(periods.tolist(), demands.tolist(), parts.tolist(), long.tolist(), strict=True):
        word = f"{p} period{'s' * (p != 1)} of history"
        if part:
            out.append(FRACTIONS)
            continue
        if fine and forecaster.pooled:
            out.append(word if some else TOO_LITTLE)
            continue
        out.append("no history" if p == 0 else word if p < FEW else f"{d} demand{'s' * (d != 1)} in {word}")
    return np.array(out, dtype=object)
