"""The search for the form and the parameters of a count model, for a chunk of series at once."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from stockcast.models.likelihood import Judged, Parameters, Run, recursion
from stockcast.models.tally import Tally

ALPHAS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.005)
KAPPAS = (1.0, 0.99, 0.95, 0.8)
HIGHEST, LOWEST = 0.6, 0.5  # α, κ
SMALLEST, WIDEST = 0.02, 1000.0  # dispersion, where there is any
FINE = 1.04  # between two dispersions that are told apart: series that share one share their tables of chances
STEPS = (1.6, 1.25)  # factors of the refinements
# what they do to α, 1 − κ and δ, as powers of that factor
STAR = ((0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 0, 1), (0, 0, -1), (0, 1, 0), (0, -1, 0), (1, 1, 0), (-1, -1, 0))
INFLATIONS = (0.01, 0.05, 0.15, 0.3, 0.5)
NEAR = 4.0  # of the criterion: what a refinement may add
NARROWER = (1.0, 0.5, 0.2)  # what zero inflation leaves of the dispersion
MOST_EMPTY = 0.9


Found = Float[np.ndarray, "5 series 1"]


@final
@dataclass(frozen=True, slots=True)
class Search:
    """A chunk of series: their counts, the factors of their season, and how many of these are free."""

    history: Tally
    season: Float[np.ndarray, "series season"]
    free: Float[np.ndarray, " series"]
    decay: float

    def find(self) -> Float[np.ndarray, "5 series"]:
        """Give α, κ, whether there is a season, δ and π of each series.

        Speed, damping and season are sought by the quasi-likelihood, the forms compared and all parameters refined by
        the exact one; then Poisson's distribution and zero inflation are tried on what was found.
        """
        best, least = self._best(np.concatenate([_around(form, STEPS[0], STAR[:7]) for form in self._forms()], axis=2))
        for factor in STEPS:
            best, least = self._best(_around(best, factor, STAR))
        poisson = best.copy()
        poisson[3] = 0.0
        poisson, criterion = self._best(poisson)
        best, least = np.where((criterion <= least)[:, None], poisson, best), np.minimum(criterion, least)
        found = self._with_zeros(best, least)[:, :, 0]
        some = found[3] > 0
        found[3, some] = FINE ** np.round(np.log(found[3, some]) / np.log(FINE))
        return found

    def _run(self, parameters: Parameters, judged: Judged = "exactly") -> Run:
        told = self.history
        return recursion(
            told.counts, told.used, told.start, told.mean, self.season, parameters, decay=self.decay, judged=judged
        )  # fmt: skip

    def _criterion(self, parameters: Parameters, run: Run) -> Float[np.ndarray, "series candidate"]:
        """Give the corrected Akaike criterion; a history too short for it takes the form with the fewest parameters."""
        _, kappa, seasonal, dispersion, inflation = parameters
        k = 2.0 + 2.0 * (kappa < 1) + self.free[:, None] * seasonal + (dispersion > 0) + (inflation > 0)
        spare = self.history.weight[:, None] - k - 1.0
        extra = np.where(spare > 0, 2.0 * k * (k + 1.0) / np.maximum(spare, 1e-9), 1e9 * k)
        return 2.0 * k - 2.0 * run.likelihood + extra

    def _best(self, parameters: Parameters) -> tuple[Found, Float[np.ndarray, " series"]]:
        """Give the candidate of each series with the smallest criterion, the first one where equal; and that."""
        criterion = self._criterion(parameters, self._run(parameters))
        at = criterion.argmin(axis=1)
        return _at(parameters, at), np.take_along_axis(criterion, at[:, None], axis=1)[:, 0]

    def _forms(self) -> list[Found]:
        """Give the best of each form (damped or not, with a season or not) by the quasi-likelihood."""
        n, patterns = len(self.season), np.array([0.0, 1.0][: 1 + (self.season.shape[1] > 1)])
        alpha, kappa, seasonal = (axis.ravel() for axis in np.meshgrid(ALPHAS, KAPPAS, patterns, indexing="ij"))
        nothing = np.zeros_like(patterns)
        middling = _everywhere(n, 0.05 + nothing, 1.0 + nothing, patterns, nothing, nothing)
        # the first dispersion of each pattern is Pearson's, about a level of middling speed
        spread = self._run(middling, "quasi").pearson / np.maximum(self.history.weight, 1e-9)[:, None] - 1.0
        grid = _everywhere(n, alpha, kappa, seasonal, 0.0 * alpha, 0.0 * alpha)
        grid[3] = np.clip(spread, 0.1, WIDEST)[:, seasonal.astype(int)]
        criterion = self._criterion(grid, self._run(grid, "quasi"))
        forms = [(kappa < 1) == damped for damped in (False, True)]
        forms = [form & (seasonal == pattern) for pattern in patterns for form in forms]
        return [_at(grid, np.where(form, criterion, np.inf).argmin(axis=1)) for form in forms]

    def _with_zeros(self, best: Found, least: Float[np.ndarray, " series"]) -> Found:
        """Inflate the zeros where that pays; it is refined where it comes near to paying."""
        told = self.history
        rows = np.flatnonzero((told.used & (told.counts == 0)).any(axis=1) & (told.mean > 0))
        if not len(rows):
            return best
        found, criterion = self._take(rows)._best(_emptier(best[:, rows], INFLATIONS, NARROWER))
        near = criterion < least[rows] + NEAR
        rows, found = rows[near], found[:, near]
        if not len(rows):
            return best
        some = self._take(rows)
        for factor in STEPS:
            around = (1.0, factor, 1.0 / factor)
            found, criterion = some._best(_emptier(found, tuple(found[4] * by for by in around), around))
        pays = criterion < least[rows]
        best = best.copy()
        best[:, rows[pays]] = found[:, pays]
        return best

    def _take(self, rows: np.ndarray) -> "Search":
        told = self.history
        some = Tally(**{name: getattr(told, name)[rows] for name in told.__dataclass_fields__})
        return Search(some, self.season[rows], self.free[rows], self.decay)


def _everywhere(n: int, *parameters: Float[np.ndarray, " candidate"]) -> Parameters:
    return np.repeat(np.stack(parameters)[:, None, :], n, axis=1)


def _at(parameters: Parameters, candidate: np.ndarray) -> Found:
    return np.take_along_axis(parameters, candidate[None, :, None], axis=2)


def _around(best: Found, factor: float, star: tuple[tuple[int, int, int], ...]) -> Parameters:
    """Look around the best candidate, which stays the first one."""
    by = factor ** np.array(star, dtype=float).T
    out = np.repeat(best, len(star), axis=2)
    out[0] = np.minimum(out[0] * by[0], HIGHEST)
    out[1] = 1.0 - np.minimum((1.0 - out[1]) * by[1], 1.0 - LOWEST)
    out[3] = np.where(out[3] > 0, np.clip(out[3] * by[2], SMALLEST, WIDEST), 0.0)
    return out


def _emptier(best: Found, inflations: tuple, narrower: tuple[float, ...]) -> Parameters:
    """Try every zero inflation with every part of the dispersion."""
    out = np.repeat(best, len(inflations) * len(narrower), axis=2)
    for at, (inflation, part) in enumerate((each, part) for each in inflations for part in narrower):
        out[4, :, at] = np.minimum(np.ravel(inflation), MOST_EMPTY)
        out[3, :, at] = np.where(best[3, :, 0] > 0, np.clip(best[3, :, 0] * part, SMALLEST, WIDEST), 0.0)
    return out
