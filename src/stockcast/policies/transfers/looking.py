"""Which ways are worth a closer look: what stock is worth at both ends, and each place in one role at a time."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.inventory import Situation
from stockcast.policies.transfers.network import GIVES, Network, Ways, lies_for_others, spare, ways
from stockcast.policies.transfers.worth import Anchor, Changes, anchor, worth


@final
@dataclass(frozen=True, slots=True)
class Looked:
    """Every way, what it could leave over a unit at best, and what stock is worth without a change."""

    every: Ways
    left: Float[np.ndarray, " way"]
    anchor: Anchor
    base: Float[np.ndarray, " series"]
    spare: Float[np.ndarray, " series"]
    stored: Bool[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, left=self.left, base=self.base, spare=self.spare, stored=self.stored)

    @classmethod
    def at(cls, situation: Situation, movable: np.ndarray, ships: np.ndarray, workers: int) -> "Looked":
        """Look at both ends of every way: at the first pack, and at a large change too.

        An order cost or a minimum that a whole lot saves shows in none of its units.
        """
        free = spare(situation, movable)
        size = np.nan_to_num(situation.past.sales).mean(axis=1) * np.minimum(
            situation.terms.review_period, situation.demand.horizon
        )
        every = ways(situation, movable, free, size)
        n = len(situation.terms.series)
        stored = lies_for_others(situation)
        rows = np.unique(np.concatenate([every.giver, every.receiver]))
        fixed = anchor(situation, rows, ships, workers=workers)
        pack = np.full(n, np.inf)
        np.minimum.at(pack, every.giver, every.step)
        np.minimum.at(pack, every.receiver, every.step)
        pack = np.where(np.isfinite(pack), pack, 1.0)
        gives = np.isin(np.arange(n), every.giver)
        dates, date = np.unique(every.arrival, return_inverse=True)
        takes = np.zeros((n, len(dates)), dtype=bool)
        takes[every.receiver, date] = True
        wanted = np.ceil(fixed.wanted / pack) * pack
        columns = [np.zeros(n), np.where(gives, -pack, np.nan), np.where(gives, -free, np.nan)]
        for some in takes.T:
            columns += [np.where(some, pack, np.nan), np.where(some & (wanted > 0), wanted, np.nan)]
        units = np.stack(columns, axis=1)[rows]
        arrival = np.broadcast_to(np.concatenate([[0, 0, 0], np.repeat(dates, 2)]).astype(np.int64), units.shape)
        value = worth(situation, rows, Changes(units, arrival), fixed, workers=workers)
        change = (value - value[:, :1]) / np.abs(np.where(units == 0, 1.0, units))
        loss, gain, base = np.full(n, np.inf), np.full((n, len(dates)), -np.inf), np.zeros(n)
        loss[rows] = np.fmin(np.fmin(change[:, 1], change[:, 2]), np.inf)
        gain[rows] = np.fmax(np.fmax(-change[:, 3::2], -change[:, 4::2]), -np.inf)
        base[rows] = value[:, 0]
        loss[stored] = 0.0
        left = gain[every.receiver, date] - loss[every.giver] - every.cost
        return cls(every, left, fixed, base, free, stored)

    def one_role(self, tried: Bool[np.ndarray, " way"]) -> Int[np.ndarray, " some"]:
        """Give ways that may pay and were not tried, each place in one role: to give, or to receive in one period."""
        role: dict[int, int] = {}
        keep = []
        some = np.flatnonzero((self.left > 0) & ~tried)
        for at in some[np.lexsort((some, -self.left[some]))].tolist():
            giver, receiver, arrival = (int(ends[at]) for ends in self.ends)
            if role.get(giver, GIVES) == GIVES and role.get(receiver, arrival) == arrival:
                role[giver], role[receiver] = GIVES, arrival
                keep.append(at)
        return np.array(sorted(keep), dtype=np.int64)

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give who gives, who receives, and when."""
        return self.every.giver, self.every.receiver, self.every.arrival

    def network(self, situation: Situation, some: Int[np.ndarray, " some"], until: float, workers: int) -> Network:
        """Give the network of some ways."""
        return Network(
            situation, self.every.take(some), self.anchor, self.base, self.spare, self.stored, workers, until
        )
