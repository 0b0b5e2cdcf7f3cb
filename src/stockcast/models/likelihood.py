"""How likely counts are under a negative binomial with a moving mean, for all series × candidates at once."""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from jaxtyping import Bool, Float

Parameters = Float[np.ndarray, "5 series candidate"]  # α, κ, 1 with a season, δ, π
Judged = Literal["exactly", "quasi", "not"]
FEW = 4  # counts up to which a product is cheaper than two gamma functions
LEAST = 1e-8  # a mean that counts are judged by: a level of nothing makes a demand unlikely, not impossible


@final
@dataclass(frozen=True, slots=True)
class Run:
    """What a run leaves behind: the level, the weighted log-likelihood, and the weighted Σ (n − μ)² / μ."""

    level: Float[np.ndarray, "series candidate"]
    likelihood: Float[np.ndarray, "series candidate"]
    pearson: Float[np.ndarray, "series candidate"]


@final
class Chances:
    """Log-probabilities of counts with given δ and π; what does not depend on the mean is computed once.

    With m = μ / (1 − π) and r = m / δ, it is log(π + (1 − π) (1 + δ)^−r) for 0, and for more::

        log(1 − π) + log Γ(n + r) − log Γ(r) − log n! − r log(1 + δ) + n log(δ / (1 + δ))

    Examples
    --------
    >>> chances = Chances(np.ones((1, 1)), np.zeros((1, 1)))
    >>> chances.log(np.array([[0.0]]), np.full((1, 1), 2.0)) / np.log(2.0)
    array([[-2.]])
    """

    def __init__(
        self, dispersion: Float[np.ndarray, "series candidate"], inflation: Float[np.ndarray, "series candidate"]
    ) -> None:
        self.poisson = dispersion == 0
        self.some_poisson = bool(self.poisson.any())
        self.delta = np.where(self.poisson, 1.0, dispersion)
        self.tilt = np.where(self.poisson, 1.0, np.log1p(self.delta) / self.delta)
        self.odds = np.log(self.delta / (1.0 + self.delta))
        self.inflation, self.full = inflation, 1.0 - inflation
        self.inflated = bool((inflation > 0).any())
        self.log_full = np.log(self.full)

    def log(
        self, count: Float[np.ndarray, "series 1"], mean: Float[np.ndarray, "series candidate"]
    ) -> Float[np.ndarray, "series candidate"]:
        """Give the log-probability of a count of each series, for every candidate's mean."""
        from scipy.special import gammaln

        m = np.maximum(mean / self.full if self.inflated else mean, LEAST)
        out = -m * self.tilt
        some = np.flatnonzero(count[:, 0] > 0)
        n, m, none = count[some], m[some], out[some]
        if self.inflated:
            # where nothing is inflated, log(exp(x)) would be another number than x, and −∞ far out
            empty = np.where(self.inflation > 0, self.inflation + self.full * np.exp(out), 1.0)
            out = np.where(self.inflation > 0, np.log(empty), out)
        told = _rising(n, m / self.delta[some]) + n * self.odds[some]
        if self.some_poisson:
            told = np.where(self.poisson[some], n * np.log(m), told)
        out[some] = told + none + self.log_full[some] - gammaln(n + 1.0)
        return out


def _rising(n: Float[np.ndarray, "series 1"], r: Float[np.ndarray, "series candidate"]) -> np.ndarray:
    """Give log Γ(n + r) − log Γ(r): the logarithm of r (r + 1) … (r + n − 1), which is cheaper for small n."""
    from scipy.special import gammaln

    out = np.empty_like(r)
    few = n[:, 0] <= FEW
    small, large = np.flatnonzero(few), np.flatnonzero(~few)
    if len(small):
        product = r[small]
        for more in range(1, int(n[small].max())):
            product = product * np.where(n[small] > more, r[small] + more, 1.0)
        out[small] = np.log(product)
    if len(large):
        out[large] = gammaln(n[large] + r[large]) - gammaln(r[large])
    return out


def recursion(
    counts: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    start: Float[np.ndarray, " series"],
    mean: Float[np.ndarray, " series"],
    season: Float[np.ndarray, "series season"],
    parameters: Parameters,
    *,
    decay: float = 1.0,
    judged: Judged = "exactly",
) -> Run:
    """Run the level over time for every candidate, and judge each period by the mean before it.

    Parameters
    ----------
    start, mean
        l before the first period, and l̄.
    season
        Factors w, the first period's first.
    judged
        By what likelihood: the exact one; Poisson's over 1 + δ, the quasi-likelihood of a mean whose variance is
        (1 + δ) times it (Wedderburn 1974), up to a constant and much cheaper; or not at all.

    Examples
    --------
    >>> y, two = np.array([[4.0, 0.0, 2.0]]), np.array([2.0])
    >>> half_undamped = np.array([0.5, 1.0, 0.0, 0.5, 0.0]).reshape(5, 1, 1)
    >>> recursion(y, y >= 0, two, two, np.ones((1, 1)), half_undamped).level.tolist()
    [[1.75]]
    """
    alpha, kappa, seasonal, dispersion, inflation = parameters
    level = np.repeat(start[:, None], alpha.shape[1], axis=1)
    back, chances = (1.0 - kappa) * mean[:, None], Chances(dispersion, inflation)
    total, pearson = np.zeros_like(level), np.zeros_like(level)
    for t in range(counts.shape[1]):
        y, w = counts[:, t, None], used[:, t, None].astype(float)
        mu = level * np.where(seasonal > 0, season[:, t % season.shape[1], None], 1.0)
        error = (y - mu) * w
        if judged != "not":
            at = np.maximum(mu, LEAST)
            total *= decay
            total += (chances.log(y, mu) if judged == "exactly" else y * np.log(at) - at) * w
            pearson *= decay
            pearson += error * error / at
        level = np.maximum(back + kappa * level + alpha * error, 0.0)
    return Run(level, total / (1.0 + dispersion) if judged == "quasi" else total, pearson)
