"""How likely counts are under a negative binomial with a moving mean, for all series × candidates at once."""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from jaxtyping import Bool, Float

Parameters = Float[np.ndarray, "5 series candidate"]  # α, κ, 1 with a season, δ, π
Judged = Literal["exactly", "quasi", "not"]
FEW = 20  # counts up to which a product is cheaper than two gamma functions; r¹⁹ stays a number up to r = 10¹⁵
BLOCK = 1 << 17  # means that are judged at once: they stay in the cache
LEAST = 1e-8  # a mean that counts are judged by: a level of nothing makes a demand unlikely, not impossible


@final
@dataclass(frozen=True, slots=True)
class Run:
    """What a run leaves: level, weighted log-likelihood, and (by quasi-likelihood) weighted Σ (n − μ)² / μ."""

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
        self, count: Float[np.ndarray, "*period series 1"], mean: Float[np.ndarray, "*period series candidate"]
    ) -> Float[np.ndarray, "*period series candidate"]:
        """Give the log-probability of counts, for every candidate; of several periods at once."""
        from scipy.special import gammaln

        m = np.maximum(mean / self.full if self.inflated else mean, LEAST)
        out = -m * self.tilt
        some = np.nonzero(count[..., 0] > 0)
        series, n, m, none = some[-1], count[some], m[some], out[some]
        if self.inflated:
            # where nothing is inflated, log(exp(x)) would be another number than x, and −∞ far out
            empty = np.where(self.inflation > 0, self.inflation + self.full * np.exp(out), 1.0)
            out = np.where(self.inflation > 0, np.log(empty), out)
        told = _rising(n, m / self.delta[series]) + n * self.odds[series]
        if self.some_poisson:
            told = np.where(self.poisson[series], n * np.log(m), told)
        out[some] = told + none + self.log_full[series] - gammaln(n + 1.0)
        return out


def _rising(n: Float[np.ndarray, "count 1"], r: Float[np.ndarray, "count candidate"]) -> np.ndarray:
    """Give log Γ(n + r) − log Γ(r): the logarithm of r (r + 1) … (r + n − 1), which is cheaper for small n."""
    from scipy.special import gammaln

    order = np.argsort(n[:, 0], kind="stable")
    sizes, of = n[order, 0], r[order]
    few = int(np.searchsorted(sizes, FEW, side="right"))
    out = np.empty_like(of)
    product = of[:few].copy()
    # the counts above each number, which take one factor more
    longer = np.searchsorted(sizes[:few], np.arange(1, int(sizes[few - 1]) if few else 1), side="right")
    for more, begin in enumerate(longer.tolist(), 1):
        product[begin:] *= of[begin:few] + more
    out[:few] = np.log(product)
    out[few:] = gammaln(sizes[few:, None] + of[few:]) - gammaln(of[few:])
    back = np.empty_like(out)
    back[order] = out
    return back


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
    block = max(1, BLOCK // max(1, level.size))
    for begin in range(0, counts.shape[1], block):
        # the level has to go from period to period; what it makes of the counts is judged many periods at a time
        y = np.ascontiguousarray(counts[:, begin : begin + block].T)[:, :, None]
        w = np.ascontiguousarray(used[:, begin : begin + block].T)[:, :, None].astype(float)
        means = np.empty((len(y), *level.shape))
        for t in range(len(y)):
            mu = level * np.where(seasonal > 0, season[:, (begin + t) % season.shape[1], None], 1.0)
            means[t] = mu
            level = np.maximum(back + kappa * level + alpha * ((y[t] - mu) * w[t]), 0.0)
        if judged == "not":
            continue
        at = np.maximum(means, LEAST)
        told = (chances.log(y, means) if judged == "exactly" else y * np.log(at) - at) * w
        for of_period in told:
            total *= decay
            total += of_period
        if judged == "quasi":
            for off in ((y - means) * w) ** 2 / at:
                pearson *= decay
                pearson += off
    return Run(level, total / (1.0 + dispersion) if judged == "quasi" else total, pearson)
