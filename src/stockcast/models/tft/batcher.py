"""Which windows a step learns from: pairs of series and period, drawn on the device from a named stream."""

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Int

from stockcast.core.random import Stream

Pairs = tuple[torch.Tensor, torch.Tensor]


@final
@dataclass(frozen=True, slots=True)
class Pool:
    """The windows of all series that may be drawn: of each, those that begin within a range of periods.

    Parameters
    ----------
    begin
        The first period that a window of a series may begin in.
    ends
        The number of windows of the series up to and including each.
    count
        The number of windows of all series.
    """

    begin: Int[torch.Tensor, " series"]
    ends: Int[torch.Tensor, " series"]
    count: int

    @classmethod
    def of(cls, first: Int[np.ndarray, " series"], last: int, device: str) -> "Pool":
        """Give the windows that begin in a series' first period or later, and in the period ``last`` or before.

        Examples
        --------
        >>> Pool.of(np.array([0, 9, 3]), 4, "cpu").count
        7
        """
        count = np.maximum(last - first + 1, 0)
        begin, ends = (torch.from_numpy(one).to(device) for one in (first.copy(), np.cumsum(count)))
        return cls(begin, ends, int(count.sum()))

    def pair(self, place: Int[torch.Tensor, " window"]) -> Pairs:
        """Give series and first period of the windows at some places, 0 to ``count`` − 1."""
        series = torch.searchsorted(self.ends, place, right=True)
        before = torch.where(series > 0, self.ends[(series - 1).clamp(min=0)], 0)
        return series, self.begin[series] + place - before

    def draw(self, size: int, stream: Stream, step: int) -> Pairs:
        """Draw the windows of a step, all equally often; what a step draws hangs on nothing but its number."""
        source = torch.Generator(self.ends.device).manual_seed(seed_of(stream, step))
        return self.pair(torch.randint(self.count, (size,), generator=source, device=self.ends.device))


def joined(one: Pairs, other: Pairs) -> Pairs:
    """Give the pairs of both."""
    return torch.cat([one[0], other[0]]), torch.cat([one[1], other[1]])


def some(pairs: Pairs, begin: int, size: int) -> Pairs:
    """Give ``size`` pairs from a place on, fewer at the end."""
    return pairs[0][begin : begin + size], pairs[1][begin : begin + size]


def seed_of(stream: Stream, step: int) -> int:
    """Give a seed for one step of a stream."""
    return int(stream.child(step).generator().integers(2**62))
