"""Prices of the shared limits, moved until what is used at them meets what is left.

The bound of Lagrange is concave in the prices, and greatest where each limit with a price is just used up. Each price
is bracketed and interpolated by itself, in logarithms of price and use: limits hardly compete (a location's room with
the budget), and any price bounds the cost anyway.
"""

import math
from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Float

SLIGHT, WIDEST = 0.02, 0.7  # the least and the widest step without a bracket
USED_UP = 1e-3  # a limit of whose rest less is left needs no lower price


@final
@dataclass(slots=True)
class Search:
    """What is known of each limit: the last price at which it was exceeded, and the last at which it was kept.

    ``usual`` is the price that a limit starts from where none was thought to bind.

    Examples
    --------
    >>> search = Search(np.array([10.0]), np.array([1.0]))
    >>> price = np.array([1.0])
    >>> for _ in range(20):
    ...     price = search.moved(price, 20.0 / (1.0 + price))
    >>> bool(abs(price[0] - 1.0) < 2e-3)
    True
    """

    left: Float[np.ndarray, " limit"]
    usual: Float[np.ndarray, " limit"]
    over: dict[int, tuple[float, float]] = field(default_factory=dict)
    kept: dict[int, tuple[float, float]] = field(default_factory=dict)
    last: dict[int, tuple[float, float]] = field(default_factory=dict)

    def moved(
        self, price: Float[np.ndarray, " limit"], used: Float[np.ndarray, " limit"]
    ) -> Float[np.ndarray, " limit"]:
        """Give the next prices, after ``used`` of each limit at these."""
        found = price.copy()
        for at, (here, some, left) in enumerate(zip(price.tolist(), used.tolist(), self.left.tolist(), strict=True)):
            if here <= 0:
                found[at] = float(self.usual[at]) if some > left else 0.0
                continue
            excess = math.log(max(some, 1e-300)) - math.log(max(left, 1e-300))
            found[at] = math.exp(self._next(at, math.log(here), min(max(excess, -50.0), 50.0)))
        return found

    def _next(self, at: int, price: float, excess: float) -> float:
        (self.over if excess > 0 else self.kept)[at] = (price, excess)
        before, self.last[at] = self.last.get(at), (price, excess)
        if at in self.over and at in self.kept:
            (low, above), (high, below) = self.over[at], self.kept[at]
            if low < high:
                share = min(max(above / (above - below), 0.1), 0.9)
                return low + share * (high - low)
        if -USED_UP < excess <= 0:
            return price
        step = 2.0 * abs(excess)
        if before is not None and before[0] != price and (before[1] - excess) * (before[0] - price) < 0:
            step = 1.2 * abs(excess * (before[0] - price) / (before[1] - excess))
        return price + math.copysign(min(max(step, SLIGHT), WIDEST), excess)
