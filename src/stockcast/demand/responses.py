"""A mean for each future period, and how an error of one period goes on into the later ones."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int, UInt64

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream
from stockcast.demand.innovations import Paths, Pool, settled_remainder

WEEK = 7  # periods whose means stand for those before the first: a week of days, a while of weeks


@final
@dataclass(frozen=True, slots=True)
class Responses:
    """A linear model run forward by its impulse responses: ARIMA and structural models alike.

    With the errors e drawn from recorded one-step errors (Box & Jenkins 1970, ch. 5; Lütkepohl 2005, 2.1.2)::

        y[h] = mean[h] + Σ ψ[j] e[h−j]    over j = 0 … h−1, with ψ[0] = 1

    so that the variance of the h-th period is σ² Σ ψ[j]². A negative y is carried into the following periods rather
    than cut off, and the paths begin with such a remainder, as in :class:`~stockcast.demand.Innovations`: the *sum*
    over any number of periods keeps its mean. A mean of NaN says that there is no forecast, and gives paths of NaN.

    Parameters
    ----------
    mean
        The expected demand of each period; no more periods can be drawn than stand here.
    response
        ψ, from ψ[0] = 1 on: what an error of 1 adds in its own period and in each one after it.
    errors
        A pool of recorded errors, drawn with equal probability from each series' first ``n_errors`` columns.
    cap
        The largest value of a single period; what is above is cut to it.
    """

    mean: Float[np.ndarray, "series horizon"]
    response: Float[np.ndarray, "series horizon"]
    errors: Float[np.ndarray, "series pool"]
    n_errors: Int[np.ndarray, " series"]
    cap: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    def draw(
        self,
        rows: Int[np.ndarray, " series"],
        keys: UInt64[np.ndarray, " series"],
        stream: Stream,
        n_paths: int,
        horizon: int,
    ) -> Paths:
        """Draw the errors of all periods, let each go on, and carry what is negative."""
        n, mean, response, cap = len(rows), self.mean[rows], self.response[rows], self.cap[rows, None]
        draws = stream.uniform(keys, (horizon, n_paths), single=True)
        pool = Pool(self.errors[rows], self.n_errors[rows])
        out = np.repeat(mean[:, :horizon, None], n_paths, axis=2)
        # elementwise, not as a matrix product: no bit may depend on how many series are drawn together
        for t in range(horizon):
            error = pool.at(draws[:, t])
            for later in range(t, horizon):
                out[:, later] += response[:, later - t, None] * error
        single, always = np.ones(n, dtype=np.int64), np.ones(n)
        remainder = settled_remainder(
            mean[:, :WEEK], self.errors[rows], self.n_errors[rows], single, always, keys, stream, n_paths
        )
        for t in range(horizon):
            value = out[:, t]
            value += remainder
            np.minimum(value, 0.0, out=remainder)
            np.clip(value, 0.0, cap, out=value)
        return out.transpose(0, 2, 1)

    def bound(self, horizon: int) -> Float[np.ndarray, " series"]:
        """Give a value that no period of a path can exceed, from the means and the largest error."""
        mean, response = np.abs(self.mean[:, :horizon]), np.abs(self.response[:, :horizon])
        return mean.max(axis=1, initial=0.0) + np.abs(self.errors).max(axis=1) * response.sum(axis=1)

    def take(self, rows: np.ndarray) -> "Responses":
        """Give the source of some rows."""
        return Responses(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})
