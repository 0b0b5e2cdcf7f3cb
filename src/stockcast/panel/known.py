"""Covariates that reach past the history: what is planned, beside what was recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze, read_only
from stockcast.core.axes import TimeAxis
from stockcast.core.errors import AlignmentError
from stockcast.panel.calendar import Calendar

PRICE, PROMOTION = "price", "promotion"  # names in ``ahead`` beside those of the covariates


def as_slice(rows: np.ndarray) -> np.ndarray | slice:
    """Give consecutive ascending rows as a slice, so that taking them copies nothing; other rows as they are.

    Examples
    --------
    >>> as_slice(np.array([3, 4, 5])), as_slice(np.array([3, 5]))
    (slice(3, 6, None), array([3, 5]))
    """
    whole = rows.dtype.kind in "iu" and len(rows) > 0 and rows[0] >= 0 and bool((np.diff(rows) == 1).all())
    return slice(int(rows[0]), int(rows[-1]) + 1) if whole else rows


@final
@dataclass(frozen=True, slots=True)
class KnownFuture:
    """Price, promotion and further covariates by series and period; NaN says that the value is not known.

    Parameters
    ----------
    time
        Begins with the panel's first period and may end after its last.
    price
        Money per unit.
    promotion
        0 or 1, or the depth of the promotion.
    recorded
        The number of leading periods whose values were recorded with the sales; values after them are plans.
    covariates
        Further numeric columns by name.
    ahead
        By column, and for each series, how many periods after an origin are known there; left out, as many as the
        plans reach past ``recorded``. What a retailer plans today it planned before: seen from an earlier origin, a
        recorded value within that reach counts as having been planned, and :meth:`until` hides those beyond it.
    calendar
        Events and closed days, which are known at any time.
    """

    time: TimeAxis
    price: Float[np.ndarray, "series known"]
    promotion: Float[np.ndarray, "series known"]
    recorded: int
    covariates: Mapping[str, Float[np.ndarray, "series known"]] = field(default_factory=dict)
    ahead: Mapping[str, Int[np.ndarray, " series"]] | None = None
    calendar: Calendar | None = None

    def __post_init__(self) -> None:
        """Check the shapes, find how far plans reach, and freeze."""
        columns = self.columns
        if any(values.shape != self.price.shape for values in columns.values()) or self.price.shape[1] != self.time.n:
            shapes = ", ".join(f"{name} {values.shape}" for name, values in columns.items())
            raise AlignmentError(f"{shapes}, {self.time.n} periods")
        given = self.ahead or {}
        if self.ahead is not None and (set(given) != set(columns)):
            raise AlignmentError(f"ahead has {', '.join(given)}; the columns are {', '.join(columns)}")
        reach = {name: given[name] if given else _reach(values, self.recorded) for name, values in columns.items()}
        freeze(self, price=self.price, promotion=self.promotion)
        further = {name: read_only(self.covariates[name]) for name in sorted(self.covariates)}
        object.__setattr__(self, "covariates", MappingProxyType(further))
        frozen = {name: read_only(values) for name, values in reach.items()}
        object.__setattr__(self, "ahead", MappingProxyType(frozen))

    @property
    def columns(self) -> Mapping[str, np.ndarray]:
        """Give price, promotion and the covariates by name."""
        return {PRICE: self.price, PROMOTION: self.promotion, **self.covariates}

    def reach(self, name: str) -> Int[np.ndarray, " series"]:
        """Give how many periods after an origin a column is known, for each series."""
        return (self.ahead or {})[name]

    def until(self, n: int) -> "KnownFuture":
        """Give what was known after ``n`` periods (convention, rule 6)."""
        if n >= self.recorded:
            return self
        at = np.arange(self.time.n)
        held = {}
        for name, values in self.columns.items():
            held[name] = values.copy()
            held[name][at >= n + self.reach(name)[:, None]] = np.nan
        further = {name: held[name] for name in self.covariates}
        return KnownFuture(self.time, held[PRICE], held[PROMOTION], n, further, self.ahead, self.calendar)

    def take(self, rows: np.ndarray) -> "KnownFuture":
        """Give the covariates of some rows."""
        some = as_slice(rows)
        return KnownFuture(
            self.time,
            self.price[some],
            self.promotion[some],
            self.recorded,
            {name: values[some] for name, values in self.covariates.items()},
            {name: values[some] for name, values in (self.ahead or {}).items()},
            self.calendar,
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle without the read-only proxies."""
        return KnownFuture, (
            self.time, self.price, self.promotion, self.recorded, dict(self.covariates), dict(self.ahead or {}),
            self.calendar,
        )  # fmt: skip


def _reach(values: np.ndarray, recorded: int) -> np.ndarray:
    """Give the number of periods from ``recorded`` to the last one that is known, 0 where none is."""
    later = ~np.isnan(values[:, recorded:])
    if not later.shape[1]:
        return np.zeros(len(values), dtype=np.int64)
    return np.where(later.any(axis=1), later.shape[1] - later[:, ::-1].argmax(axis=1), 0)
