"""The forms of exponential smoothing, and the candidates for their parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, final

import numpy as np
from jaxtyping import Float

Trend = Literal["N", "A", "Ad", "R"]
Season = Literal["N", "A", "M"]
PARAMETERS = 5  # α, β, γ, φ, ω
SPREADS = (0.6, 0.25)  # how far each refinement looks around the best


@final
@dataclass(frozen=True, slots=True)
class Form:
    """One form, named as in Hyndman et al. (2008): error, trend, season; ``yearly`` adds a slow season of 364 days.

    The trend ``R`` reverts: a transient z beside the level, μ = l + φ z, l ← l + a e, z ← φ z + κ e, so that a run of
    zeros or a promotion fades instead of being carried on. It is the damped trend with α = a + κ and
    β = −κ (1 − φ) / φ, and needs no recursion of its own.

    Parameters
    ----------
    candidates
        How many parameter candidates a round tries: more where there are more parameters.
    """

    error: Literal["A", "M"]
    trend: Trend
    season: Season
    yearly: bool
    candidates: int

    @property
    def name(self) -> str:
        """Give a name such as ``AAdA`` or ``ANA+364``."""
        return f"{self.error}{self.trend}{self.season}{'+364' * self.yearly}"

    def parameters(self, places: int) -> float:
        """Count what is estimated: level, α and σ²; β; φ; γ and the places of the first season; ω.

        The slow season begins at 0 and is learnt on the way, so that its errors already pay for what it has to learn.
        """
        season = 1.0 + min(places - 1, 12) if self.season != "N" else 0.0
        return 3.0 + (self.trend != "N") + (self.trend in ("Ad", "R")) + season + self.yearly


@final
@dataclass(frozen=True)
class Family:
    """Forms that share one recursion, so ordered that those with a trend, a season, a slow season are neighbours."""

    forms: tuple[Form, ...]

    @property
    def relative(self) -> bool:
        """Tell whether errors are relative."""
        return self.forms[0].error == "M"

    @property
    def ratio(self) -> bool:
        """Tell whether the season multiplies."""
        return any(form.season == "M" for form in self.forms)

    @cached_property
    def begins(self) -> list[int]:
        """Give the first candidate of each form, and the number of all."""
        return [0, *np.cumsum([form.candidates for form in self.forms]).tolist()]

    def having(self, part: Literal["trend", "season", "yearly"]) -> slice:
        """Give the candidates with a trend, a season, or a slow season."""
        at = [place for place, form in enumerate(self.forms) if getattr(form, part) not in ("N", False)]
        return slice(self.begins[at[0]], self.begins[at[-1] + 1]) if at else slice(0, 0)

    def only(self, allowed: Sequence[str] | None, *, season: bool, yearly: bool) -> "Family | None":
        """Leave out what is not allowed by name, or cannot be told by the history; None where nothing is left."""
        left = tuple(
            form
            for form in self.forms
            if (allowed is None or form.name in allowed)
            and (season or form.season == "N")
            and (yearly or not form.yearly)
        )
        return Family(left) if left else None


ADDITIVE = Family((
    Form("A", "N", "N", False, 8),
    Form("A", "A", "N", False, 12),
    Form("A", "Ad", "N", False, 16),
    Form("A", "R", "N", False, 16),
    Form("A", "R", "A", False, 20),
    Form("A", "A", "A", False, 16),
    Form("A", "Ad", "A", False, 20),
    Form("A", "Ad", "A", True, 20),
    Form("A", "R", "A", True, 20),
    Form("A", "N", "A", True, 16),
    Form("A", "N", "A", False, 12),
))  # fmt: skip
# of series that never come near 0; ETS(A,·,M) is left out, for it is not stable (ibid., ch. 15.2.2)
RELATIVE = Family((
    Form("M", "N", "N", False, 8),
    Form("M", "A", "N", False, 12),
    Form("M", "Ad", "N", False, 16),
    Form("M", "A", "A", False, 16),
    Form("M", "Ad", "A", False, 20),
    Form("M", "N", "A", False, 12),
))  # fmt: skip
RATIO = Family((
    Form("M", "N", "M", False, 12),
    Form("M", "A", "M", False, 16),
    Form("M", "Ad", "M", False, 20),
))  # fmt: skip


def spread(count: int, shift: int) -> Float[np.ndarray, "parameter candidate"]:
    """Give points that fill the unit cube evenly: the additive recurrence of Roberts (2018), the same for all series.

    Examples
    --------
    >>> spread(2, 0).round(3).T.tolist()
    [[0.381, 0.277, 0.184, 0.103, 0.032], [0.263, 0.053, 0.869, 0.706, 0.563]]
    """
    root = 2.0
    for _ in range(60):  # the positive root of x⁶ = x + 1
        root = (1.0 + root) ** (1.0 / (PARAMETERS + 1))
    step = root ** -np.arange(1.0, PARAMETERS + 1)
    return np.asarray((0.5 + np.outer(step, 1 + shift + np.arange(count))) % 1.0)


def first(family: Family) -> Float[np.ndarray, "parameter candidate"]:
    """Spread candidates over the admissible region, densely where smoothing of retail sales is good: near 0."""
    parts = []
    for at, form in enumerate(family.forms):
        u = spread(form.candidates, 31 * at)
        alpha = 0.002 + 0.7 * u[0] ** 3
        beta = alpha * (0.005 + 0.3 * u[1] ** 2) * (form.trend != "N")
        phi = {"N": 0.0 * alpha, "A": 1.0 + 0.0 * alpha, "Ad": 0.8 + 0.18 * u[3], "R": 0.8 + 0.19 * u[3]}[form.trend]
        if form.trend == "R":
            alpha, beta = _reverting(0.001 + 0.05 * u[0] ** 2, 0.02 + 0.5 * u[1] ** 2, phi)
        gamma = (1.0 - alpha) * (0.002 + 0.3 * u[2] ** 3) * (form.season != "N")
        omega = (0.01 + 0.3 * u[4] ** 2) * form.yearly
        parts.append(np.stack([alpha, beta, gamma, phi, omega]))
    return np.concatenate(parts, axis=1)


def _reverting(lasting: np.ndarray, fading: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give α and β of a level that moves by a and a transient that moves by κ."""
    return lasting + fading, -fading * (1.0 - phi) / phi


def around(
    best: Float[np.ndarray, "parameter form series"], family: Family, at: int
) -> Float[np.ndarray, "parameter candidate series"]:
    """Look around the best candidate of each form, which stays the first one."""
    parts = []
    for place, form in enumerate(family.forms):
        u = spread(form.candidates, 997 * (at + 1) + 31 * place)
        factor = 1.0 + SPREADS[at] * (2.0 * u - 1.0)
        factor[:, 0] = 1.0
        factor = factor[:, :, None]
        alpha0, beta0, gamma0, phi0, omega0 = best[:, place, None, :]
        if form.trend in ("Ad", "R"):
            phi = np.clip(phi0 + (factor[3] - 1.0) * 0.1, 0.5, 0.98 if form.trend == "Ad" else 0.995)
        else:
            phi = phi0 + 0.0 * factor[3]
        if form.trend == "R":
            fading0 = -beta0 * phi0 / (1.0 - phi0)
            lasting = np.clip((alpha0 - fading0) * factor[0], 1e-4, 0.5)
            alpha, beta = _reverting(lasting, np.clip(fading0 * factor[1], 1e-3, 0.98 - lasting), phi)
        else:
            alpha = np.clip(alpha0 * factor[0], 1e-3, 0.98)
            beta = np.minimum(beta0 * factor[1], alpha)
        gamma = np.minimum(gamma0 * factor[2], 1.0 - alpha)
        omega = np.minimum(omega0 * factor[4], 0.9)
        parts.append(np.stack([alpha, beta, gamma, phi, omega]))
    return np.concatenate(parts, axis=1)
