"""What the network reads: which variables, their codes and scaling, and the lengths of a window."""

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from jaxtyping import Float, Float32

from stockcast.core.axes import Step
from stockcast.features.static import Codes
from stockcast.panel import Panel

ENCODER: dict[Step, int] = {"day": 56, "week": 52}  # periods that are read
AHEAD: dict[Step, int] = {"day": 28, "week": 8}  # periods that are learnt, where no horizon is given
YEAR: dict[Step, tuple[int, int]] = {"day": (364, 3), "week": (52, 1)}  # a year, and the periods around it
EVENTS = 30  # events with a code of their own, the commonest
RECENT: dict[Step, int] = {"day": 28, "week": 8}  # told periods that a level is taken from, at least
FIXED = ("demand", "told", "scale")  # the first columns of the bank of series, which make the target and its scale
FAR = 30  # periods to an event beyond which no one looks
LEAST = 1e-6


def lengths(periods: int, step: Step, horizon: int | None) -> tuple[int, int]:
    """Give the periods that a window reads and that it forecasts, of a history so long: a third of it each at most.

    Examples
    --------
    >>> lengths(700, "day", None), lengths(120, "day", None), lengths(60, "day", None), lengths(3, "day", None)
    ((56, 28), (32, 28), (15, 15), (1, 1))
    """
    ahead = min(horizon or AHEAD[step], max(1, periods // 4))
    return min(ENCODER[step], max(1, (periods - 2 * ahead) // 2)), ahead


@final
@dataclass(frozen=True, slots=True)
class Recipe:
    """What a network reads, and how; all of it can be written as JSON.

    Parameters
    ----------
    encoder, horizon
        Periods of a window that are read, and that are forecast.
    codes
        Values of the attributes; a value's place + 1 is its code, and 0 stands for one that is not known.
    events
        Events with a code of their own, the commonest first: 0 for a place that is not known, 1 for no event, the last
        code for all other events. None without a calendar.
    shuts
        Whether places are closed at times.
    columns
        Of each series: ``year_ago`` in units, then prices, promotion and covariates.
    ahead
        Which of them are known of periods to come, for any series; ``year_ago`` always is.
    centre, spread
        Of each column, by which it is scaled; NaN becomes 0.
    level
        Mean and standard deviation of the log of mean demand, over series.
    """

    step: Step
    encoder: int
    horizon: int
    codes: Codes
    events: tuple[str, ...] | None
    shuts: bool
    columns: tuple[str, ...]
    ahead: tuple[bool, ...]
    centre: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()
    level: tuple[float, float] = (0.0, 1.0)

    @classmethod
    def of(cls, panel: Panel, horizon: int | None) -> "Recipe":
        """Choose the variables that a panel has anything for; they are not yet scaled."""
        step, known = panel.time.step, panel.known
        encoder, ahead_of = lengths(panel.time.n, step, horizon)
        columns: dict[str, bool] = {}
        if panel.time.n >= sum(YEAR[step]) + 2 * ahead_of + encoder:
            columns["year_ago"] = True
        if not np.isnan(known.price).all():
            columns["price_to_mean"] = bool(known.reach("price").any())
        if not np.isnan(known.promotion).all():
            columns["promotion"] = bool(known.reach("promotion").any())
        for name in known.covariates:
            columns[f"covariate_{name}"] = bool(known.reach(name).any())
        events, shuts = None, False
        if known.calendar is not None:
            count = known.calendar.occurs.sum(axis=(0, 2))
            names = known.calendar.events
            order = sorted((at for at in range(len(names)) if count[at]), key=lambda at: (-count[at], names[at]))
            events = tuple(names[at] for at in order[:EVENTS])
            shuts = not bool(known.calendar.open.all())
        return cls(step, encoder, ahead_of, Codes.fit(panel), events, shuts, tuple(columns), tuple(columns.values()))

    def scaled(self, series: Float32[np.ndarray, "series time column"]) -> "Recipe":
        """Learn the scaling from the columns of all series."""
        centre, spread = [], []
        for at, name in enumerate(self.columns):
            if name == "year_ago":  # in units: scaled with the target
                centre.append(0.0)
                spread.append(1.0)
                continue
            values = series[:, :, len(FIXED) + at].astype(float)
            finite = np.isfinite(values)
            values = values.ravel() if finite.all() else values[finite]
            sd = float(values.std()) if len(values) else 1.0
            centre.append(float(values.mean()) if len(values) else 0.0)
            spread.append(sd if sd > LEAST else 1.0)
        sold, told = series[:, :, 0].sum(axis=1, dtype=float), series[:, :, 1].sum(axis=1, dtype=float)
        there = (sold > 0) & (told > 0)
        level: Float[np.ndarray, " series"] = np.log(sold[there] / told[there])
        by = (float(level.mean()), max(float(level.std()), 0.1)) if len(level) else (0.0, 1.0)
        return replace(self, centre=tuple(centre), spread=tuple(spread), level=by)

    @property
    def static(self) -> tuple[str, ...]:
        """Give the names of the categories of a series."""
        return tuple(f"code_{name}" for name in self.codes.names)

    @property
    def varying(self) -> tuple[str, ...]:
        """Give the names of the categories of a period."""
        day = ("weekday",) if self.step == "day" else ()
        return (*day, "month", *(("event",) if self.events is not None else ()))

    @property
    def calendar(self) -> tuple[str, ...]:
        """Give the names of the numbers of a period, of each place."""
        day = ("day_of_month",) if self.step == "day" else ()
        of_place = ("to_event", "since_event") if self.events is not None else ()
        return (*day, "year_sine", "year_cosine", *of_place, *(("open",) if self.shuts else ()))

    @property
    def reals(self) -> tuple[str, ...]:
        """Give the names of all numbers in their order, ``level`` (of a window) last."""
        return ("demand", "told", *self.columns, *self.calendar, "distance", "level")

    @property
    def decoded(self) -> tuple[str, ...]:
        """Give the names of the numbers that are known of periods to come."""
        ahead = tuple(name for name, known in zip(self.columns, self.ahead, strict=True) if known)
        return (*ahead, *self.calendar, "distance")

    @property
    def sizes(self) -> dict[str, int]:
        """Give how many codes each category has, that of what is not known among them."""
        of_series = {f"code_{name}": len(v) + 1 for name, v in zip(self.codes.names, self.codes.values, strict=True)}
        of_period = {"weekday": 8, "month": 13, "event": 3 + len(self.events or ())}
        return of_series | {name: of_period[name] for name in self.varying}

    def same_variables(self, other: "Recipe") -> bool:
        """Tell whether a network of the other recipe reads the same variables, in windows of the same lengths."""
        mine, theirs = (
            (one.step, one.encoder, one.horizon, one.static, one.varying, one.reals, one.decoded)
            for one in (self, other)
        )
        return mine == theirs

    def as_json(self) -> dict[str, Any]:
        """Give the recipe in terms of JSON."""
        out = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "codes"}
        return out | {"codes": {"names": self.codes.names, "values": self.codes.values}}

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> "Recipe":
        """Read what :meth:`as_json` gave, after it went through JSON."""
        codes = Codes(tuple(given["codes"]["names"]), tuple(tuple(one) for one in given["codes"]["values"]))
        lists = {name: tuple(value) for name, value in given.items() if isinstance(value, list | tuple)}
        return cls(**(given | lists | {"codes": codes}))
