"""Demand over a lead time as a distribution, one a series: from paths, or normal, Poisson, negative binomial, gamma.

What an inventory formula asks of it is the quantile and the loss n(x) = E(D − x)⁺ (Snyder & Shen 2019, app. C).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from stockcast.core.arrays import freeze
from stockcast.core.errors import DataError

Each = Float[np.ndarray, " series"]
Number = float | int


class LeadTimeDistribution(ABC):
    """The distribution of demand over some periods, one a series."""

    @property
    @abstractmethod
    def mean(self) -> Each:
        """Give E D."""

    @abstractmethod
    def quantile(self, level: Each) -> Each:
        """Give the smallest x with P(D ≤ x) ≥ level."""

    @abstractmethod
    def loss(self, units: Each) -> Each:
        """Give E(D − x)⁺."""


@final
@dataclass(frozen=True, slots=True)
class FromPaths(LeadTimeDistribution):
    """The distribution that sample paths hold: each path with equal weight.

    Examples
    --------
    >>> demand = FromPaths(np.array([[3.0, 1.0, 2.0, 6.0]]))
    >>> demand.quantile(np.array([0.75])).tolist(), demand.loss(np.array([2.0])).tolist()
    ([3.0], [1.25])
    """

    samples: Float[np.ndarray, "series path"]

    def __post_init__(self) -> None:
        """Freeze the array."""
        freeze(self, samples=self.samples)

    @property
    def mean(self) -> Each:
        """Give the mean of the paths."""
        return np.asarray(self.samples.mean(axis=1))

    def quantile(self, level: Each) -> Each:
        """Give the order statistic of that rank."""
        n = self.samples.shape[1]
        rank = np.clip(np.ceil(level * n - 1e-9).astype(np.int64) - 1, 0, n - 1)
        return np.asarray(np.take_along_axis(np.sort(self.samples, axis=1), rank[:, None], axis=1)[:, 0])

    def loss(self, units: Each) -> Each:
        """Give the mean of what exceeds x."""
        return np.asarray(np.maximum(self.samples - units[:, None], 0.0).mean(axis=1))


@final
@dataclass(frozen=True, slots=True)
class Normal(LeadTimeDistribution):
    """Normal demand: n(x) = σ (φ(z) − z (1 − Φ(z))), z = (x − μ)/σ.

    Examples
    --------
    >>> Normal(np.array([50.0]), np.array([8.0])).quantile(np.array([0.5])).tolist()
    [50.0]
    """

    mu: Each
    sigma: Each

    def __post_init__(self) -> None:
        """Freeze the arrays; a spread of 0 is a number that is certain."""
        freeze(self, mu=self.mu, sigma=self.sigma)

    @property
    def mean(self) -> Each:
        """Give μ."""
        return self.mu

    def quantile(self, level: Each) -> Each:
        """Give μ + z σ."""
        from scipy.special import ndtri

        return np.asarray(self.mu + self.sigma * ndtri(level))

    def loss(self, units: Each) -> Each:
        """Give the loss function of the normal."""
        from scipy.special import ndtr

        spread = np.where(self.sigma > 0, self.sigma, 1.0)
        z = (units - self.mu) / spread
        density = np.exp(-0.5 * np.minimum(z**2, 1e3)) / np.sqrt(2.0 * np.pi)
        found = spread * (density - z * ndtr(-z))
        return np.where(self.sigma > 0, np.maximum(found, 0.0), np.maximum(self.mu - units, 0.0))


@final
@dataclass(frozen=True, slots=True)
class Poisson(LeadTimeDistribution):
    """Poisson demand: n(x) = μ P(D ≥ k) − x P(D > k) with k = ⌊x⌋."""

    mu: Each

    def __post_init__(self) -> None:
        """Freeze the array."""
        freeze(self, mu=self.mu)

    @property
    def mean(self) -> Each:
        """Give μ."""
        return self.mu

    def quantile(self, level: Each) -> Each:
        """Give the smallest whole x that reaches the level."""
        from scipy.stats import poisson

        return np.asarray(poisson.ppf(level, self.mu))

    def loss(self, units: Each) -> Each:
        """Give the loss function of the Poisson."""
        from scipy.stats import poisson

        whole = np.floor(units)
        found = self.mu * poisson.sf(whole - 1, self.mu) - units * poisson.sf(whole, self.mu)
        return np.asarray(np.maximum(found, 0.0))


@final
@dataclass(frozen=True, slots=True)
class NegativeBinomial(LeadTimeDistribution):
    """Negative binomial demand with mean m and variance v > m: a Poisson whose level is gamma.

    With r = m²/(v − m) and q = m/v: n(x) = m P(D' ≥ k) − x P(D > k), D' of r + 1 and shifted by one, k = ⌊x⌋.

    Raises
    ------
    DataError
        If a variance does not exceed its mean.
    """

    m: Each
    variance: Each

    def __post_init__(self) -> None:
        """Check and freeze the arrays."""
        if not (self.variance > self.m).all():
            raise DataError("a negative binomial has a variance above its mean", code="SC-B006")
        freeze(self, m=self.m, variance=self.variance)

    @property
    def mean(self) -> Each:
        """Give m."""
        return self.m

    @property
    def _shape(self) -> tuple[Each, Each]:
        return self.m**2 / (self.variance - self.m), self.m / self.variance

    def quantile(self, level: Each) -> Each:
        """Give the smallest whole x that reaches the level."""
        from scipy.stats import nbinom

        return np.asarray(nbinom.ppf(level, *self._shape))

    def loss(self, units: Each) -> Each:
        """Give the loss function of the negative binomial."""
        from scipy.stats import nbinom

        r, q = self._shape
        whole = np.floor(units)
        found = self.m * nbinom.sf(whole - 1, r + 1, q) - units * nbinom.sf(whole, r, q)
        return np.asarray(np.maximum(found, 0.0))


@final
@dataclass(frozen=True, slots=True)
class Gamma(LeadTimeDistribution):
    """Gamma demand with mean m and standard deviation σ: n(x) = m P(D' > x) − x P(D > x), D' of one more shape."""

    m: Each
    sigma: Each

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, m=self.m, sigma=self.sigma)

    @property
    def mean(self) -> Each:
        """Give m."""
        return self.m

    def quantile(self, level: Each) -> Each:
        """Give the x that reaches the level."""
        from scipy.stats import gamma

        return np.asarray(gamma.ppf(level, (self.m / self.sigma) ** 2, scale=self.sigma**2 / self.m))

    def loss(self, units: Each) -> Each:
        """Give the loss function of the gamma."""
        from scipy.stats import gamma

        shape, scale = (self.m / self.sigma) ** 2, self.sigma**2 / self.m
        found = self.m * gamma.sf(units, shape + 1, scale=scale) - units * gamma.sf(units, shape, scale=scale)
        return np.where(units <= 0, self.m - units, np.maximum(found, 0.0))
