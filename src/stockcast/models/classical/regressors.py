"""What a regression explains beside the errors: the calendar, price and promotion, as far as they are known."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import Step
from stockcast.models.classical.window import Window, criterion, gaussian
from stockcast.panel import Panel

COVARIATES = ("price", "promotion")
KNOWN = 0.9  # share of the periods with evidence in which a covariate must be known
VARIED = 3  # of them in which it must differ from its usual value
YEAR, HARMONICS = 365.25 / 7.0, 2  # of weeks
YEARS = 3  # of weeks, before a yearly season is tried


def calendar(begin: int, n: int, step: Step, history: int) -> Float[np.ndarray, "n column"]:
    """Give the columns of the season over ``n`` periods: weekdays, or waves of a year where the history has three.

    The weekdays are coded so that their effects add to 0; the waves are cos and sin of the first two harmonics.
    """
    at = begin + np.arange(n)
    if step == "day":
        place = at[:, None] % 7
        return np.where(place == 6, -1.0, (place == np.arange(6)).astype(float))
    if history < YEARS * 52:
        return np.zeros((n, 0))
    turn = 2.0 * np.pi * at[:, None] * np.arange(1, HARMONICS + 1) / YEAR
    return np.concatenate([np.cos(turn), np.sin(turn)], axis=1)


def covariates(panel: Panel, row: int, one: Window, horizon: int) -> Float[np.ndarray, "n 2"]:
    """Give log price, relative to the window's median, and promotion, over the window and ``horizon`` periods more.

    NaN where a value is not known; a price that is not above 0 is none.
    """
    n = len(one.values)
    out = np.full((n + horizon, 2), np.nan)
    for column, values in enumerate((panel.known.price[row], panel.known.promotion[row])):
        there = values[one.begin : one.begin + n + horizon]
        out[: len(there), column] = there
    price = np.where(out[:, 0] > 0, out[:, 0], np.nan)
    past = price[:n][one.used & ~np.isnan(price[:n])]
    out[:, 0] = np.log(price / np.median(past)) if len(past) else np.nan
    return out


@final
@dataclass(frozen=True, slots=True)
class Terms:
    """Which regressors a series' model has: the season, and each of the covariates."""

    season: bool
    covariates: tuple[bool, bool]

    def columns(
        self, panel: Panel, row: int, one: Window, horizon: int, *, constant: bool
    ) -> Float[np.ndarray, "n column"]:
        """Give the columns over the window and ``horizon`` periods more; NaN where a covariate is not known."""
        n = len(one.values) + horizon
        parts = [np.ones((n, int(constant)))]
        if self.season:
            parts.append(calendar(one.begin, n, panel.time.step, len(one.values)))
        if any(self.covariates):
            parts.append(covariates(panel, row, one, horizon)[:, list(self.covariates)])
        return np.concatenate(parts, axis=1)


def told(panel: Panel, row: int, one: Window) -> tuple[Bool[np.ndarray, "2"], Bool[np.ndarray, "2"]]:
    """Tell which covariates the history could teach, and which of these are known in the first period to come."""
    values = covariates(panel, row, one, 1)
    past = values[:-1][one.used]
    known = ~np.isnan(past)
    filled = np.where(known, past, np.inf)
    usual = np.array([np.median(column[~np.isnan(column)]) if there.any() else 0.0
                      for column, there in zip(past.T, known.T, strict=True)])  # fmt: skip
    varied = (known & (np.abs(filled - usual) > 1e-9)).sum(axis=0) >= VARIED
    teaches = varied & (known.mean(axis=0) >= KNOWN)
    return teaches, teaches & ~np.isnan(values[-1])


def ahead(panel: Panel, row: int, one: Window, horizon: int) -> Bool[np.ndarray, "2"]:
    """Tell which covariates are known in every one of the periods to come."""
    return np.asarray(~np.isnan(covariates(panel, row, one, horizon)[len(one.values) :]).any(axis=0))


def regress(
    values: Float[np.ndarray, " time"], columns: Float[np.ndarray, "time column"]
) -> tuple[Float[np.ndarray, " time"], float] | None:
    """Regress by least squares where all is known; None where columns depend on one another.

    Returns
    -------
    residuals, criterion
        NaN where a value or a column is not known; and the corrected Akaike criterion.
    """
    there = ~np.isnan(values) & ~np.isnan(columns).any(axis=1)
    x, y = columns[there], values[there]
    weights, _, rank, _ = np.linalg.lstsq(x, y, rcond=1e-8)
    if rank < columns.shape[1]:
        return None
    out = np.full(len(values), np.nan)
    out[there] = y - x @ weights
    return out, criterion(gaussian(out[there]), columns.shape[1] + 1, len(y))


def choose(panel: Panel, row: int, one: Window, usable: Bool[np.ndarray, "2"]) -> Terms:
    """Take the season, then price, then promotion, where it makes the criterion of a plain regression smaller.

    What is constant, or follows from the columns already taken, is left out. Each step compares the two regressions on
    the same periods: those in which all columns of the larger one are known.
    """
    terms, can = Terms(False, (False, False)), usable.tolist()
    for step in range(3):
        if step > 0 and not can[step - 1]:
            continue
        price, promotion = terms.covariates
        wider = Terms(terms.season or step == 0, (price or step == 1, promotion or step == 2))
        columns = wider.columns(panel, row, one, 0, constant=True)
        same = np.where(np.isnan(columns).any(axis=1), np.nan, one.values)
        with_it = regress(same, columns)
        without = regress(same, terms.columns(panel, row, one, 0, constant=True))
        if with_it is not None and without is not None and with_it[1] < without[1]:
            terms = wider
    return terms
