"""One series at a time: what of its history is read, how a likelihood is maximised, and what happens when it fails."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import Step
from stockcast.models.uncensor import Evidence

LONGEST: dict[Step, int] = {"day": 1095, "week": 260}  # periods that are read, the most recent ones
ENOUGH: dict[Step, int] = {"day": 28, "week": 26}  # of them with evidence
DEMANDS = 4  # of them with demand, unless all are alike
SETTLED = 28  # first errors that are left out of a history twice as long
BURN = 7  # first periods that no likelihood counts: the state is still unknown there, whatever the model
SEASON: dict[Step, int] = {"day": 7, "week": 1}
MAXITER = 50

# what a fit may raise on a history: an array that cannot be solved is a ValueError
FAULTS = (ArithmeticError, ValueError, LookupError, RuntimeError)
Answer = TypeVar("Answer")


class NotConverged(RuntimeError):
    """The optimiser stopped before it was done."""


@final
@dataclass(frozen=True, slots=True)
class Window:
    """The recent history of one series, from a period with evidence on.

    Parameters
    ----------
    values
        Demand divided by ``scale``; NaN where a period tells nothing, which a Kalman filter passes over.
    begin
        The first period's place in the panel.
    scale
        A power of two near the mean, so that dividing and multiplying by it changes no digit.
    flat
        Whether all values are alike: then there is nothing to fit, and the value is the forecast.
    """

    values: Float[np.ndarray, " time"]
    begin: int
    scale: float
    flat: bool

    @property
    def used(self) -> Bool[np.ndarray, " time"]:
        """Give where a period tells something."""
        return ~np.isnan(self.values)

    @property
    def settled(self) -> Bool[np.ndarray, " time"]:
        """Give the periods whose errors are kept: not the first ones, where the state is still being found."""
        used = self.used
        return used if used.sum() < 2 * SETTLED else used & (np.cumsum(used) > SETTLED)


def window(told: Evidence, row: int, step: Step) -> Window:
    """Cut the most recent 1,095 days or 260 weeks out of a history, less what lies before its first evidence."""
    begin = max(0, told.values.shape[1] - LONGEST[step])
    used = told.used[row, begin:]
    if not used.any():
        return Window(np.full(1, np.nan), told.values.shape[1] - 1, 1.0, True)
    first = int(used.argmax())
    used, values = used[first:], told.values[row, begin + first :]
    seen = values[used]
    mean = float(seen.mean())
    scale = float(np.ldexp(1.0, np.frexp(mean)[1])) if mean > 0 else 1.0
    flat = bool(np.ptp(seen) <= 1e-9 * seen.max())
    return Window(np.where(used, values / scale, np.nan), begin + first, scale, flat)


def anchored(told: Evidence, row: int, begin: int, scale: float) -> Window:
    """Give a history from a given period on, in given units: those of an earlier window, where it has grown since."""
    used, values = told.used[row, begin:], told.values[row, begin:]
    seen = values[used]
    flat = not len(seen) or bool(np.ptp(seen) <= 1e-9 * seen.max())
    return Window(np.where(used, values / scale, np.nan), begin, scale, flat)


def fittable(told: Evidence, step: Step) -> Bool[np.ndarray, " series"]:
    """Tell which series have four weeks of days or half a year of weeks, and four demands or no variation at all."""
    used, values = told.used[:, -LONGEST[step] :], told.values[:, -LONGEST[step] :]
    most = np.where(used, values, -np.inf).max(axis=1, initial=-np.inf)
    least = np.where(used, values, np.inf).min(axis=1, initial=np.inf)
    demands = (used & (values > 0)).sum(axis=1)
    return np.asarray((used.sum(axis=1) >= ENOUGH[step]) & ((demands >= DEMANDS) | (least == most)))


def one_by_one(n: int, work: Callable[[int], Answer | None]) -> tuple[list[Answer | None], np.ndarray]:
    """Do the work of each row by itself; where it raises there is no answer, and the reason is told.

    The warnings of statsmodels end here: what they tell is either harmless or ends in a reason. And BLAS works on one
    thread: the matrices are so small that a second one only waits for the first, and how many there are must not show.

    Returns
    -------
    answers, reason
        None and a text where the work failed; the text is '' elsewhere.
    """
    import scipy.optimize  # noqa: F401  (a library that is loaded later would not be held to one thread)
    from threadpoolctl import threadpool_limits

    answers: list[Answer | None] = []
    reason = np.full(n, "", dtype=object)
    with threadpool_limits(1, user_api="blas"):
        for row in range(n):
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    answers.append(work(row))
            except FAULTS as fault:
                answers.append(None)
                why = " ".join(str(fault).split())[:60]
                reason[row] = "no convergence" if isinstance(fault, NotConverged) else f"not solvable ({why})"
    return answers, reason.astype(np.str_)


def likeliest(
    loglike: Callable[[np.ndarray], float], start: Float[np.ndarray, " k"], bounds: tuple[float, float], n: int
) -> tuple[Float[np.ndarray, " k"], float]:
    """Maximise a log-likelihood of ``n`` values from a start, within the same bounds for every parameter (L-BFGS-B).

    Raises
    ------
    NotConverged
        If ``MAXITER`` steps do not suffice, or the likelihood is not finite where the search ends.
    """
    from scipy.optimize import minimize

    found = minimize(
        lambda at: -loglike(at) / n, start, method="L-BFGS-B", bounds=[bounds] * len(start),
        options={"maxiter": MAXITER, "ftol": 1e-7, "gtol": 1e-4, "eps": 1e-5},
    )  # fmt: skip
    if not found.success or not np.isfinite(found.fun):
        raise NotConverged(str(found.message))
    return np.asarray(found.x), -float(found.fun) * n


def criterion(loglike: float, k: int, n: int) -> float:
    """Give the corrected Akaike criterion of k parameters (Hurvich & Tsai 1989); infinite where n is too small.

    Examples
    --------
    >>> criterion(-10.0, 2, 13), criterion(-10.0, 2, 3)
    (25.2, inf)
    """
    return -2.0 * loglike + 2.0 * k + 2.0 * k * (k + 1) / (n - k - 1) if n > k + 1 else float("inf")


def gaussian(errors: Float[np.ndarray, " time"]) -> float:
    """Give the log-likelihood of independent errors with their own mean square for variance."""
    # of errors that are nothing but rounding, not less than that
    square = max(float(errors @ errors) / max(len(errors), 1), 1e-20)
    return -0.5 * len(errors) * (np.log(2.0 * np.pi * square) + 1.0)
