"""What all series say together of stockouts, and the series of a group of a day; always of the past and the day itself.

Every series counts by its precision, m / τ, whatever it sells in a day, and what it sold beyond five standard
deviations does not count: so one mistyped entry does not move the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.axes import Step
from stockcast.models.uncensor.walk import Learnt, Now, walk
from stockcast.panel import Panel

CHUNK = 1024  # series walked at once; fixed, so that no sum depends on anything else
BINS = 10  # of the share in stock
BELIEF = (16.0, 50.0)  # how firmly arrival is believed proportional, and stockouts no choice of busy periods
NOISE, USUAL_NOISE = 10.0, (0.75, 0.25)  # partly stocked periods that usual α, β (docs/models.md) count for
LEAST_NOISE = (0.5, 0.05)
POWERS, ABOVE = (0.2, 1.5), (-0.5, 2.0)
NEAR, ROUNDS = 7, 4  # bins from which on a period was nearly stocked; rounds of the fit
DAY = 50.0  # precision of the belief that a day is as usual
WILD = 5.0  # standard deviations
TINY = 1e-300


@final
@dataclass(frozen=True, slots=True)
class Pooled:
    """What is learnt from the whole panel; ``of_chunk`` gives what a chunk's walk needs of it."""

    power: Float[np.ndarray, " time"]
    above: Float[np.ndarray, " time"]
    noise: Float[np.ndarray, "time 2"]
    groups: tuple[Int[np.ndarray, " series"], ...]
    days: tuple[Float[np.ndarray, "time group 2"], ...]
    level: Float[np.ndarray, "time group 2"] | None

    def of_chunk(
        self, sales: Float[np.ndarray, "series time"], share: Float[np.ndarray, "series time"], rows: np.ndarray,
        step: Step,
    ) -> Learnt:  # fmt: skip
        """Give what the walk of some series needs; what a series says itself of its group's day is left out there."""
        n, time = sales.shape
        learnt = replace(Learnt.nothing((time, n)), power=self.power, above=self.above, noise=self.noise)
        learnt = replace(learnt, partly=True)
        if self.level is not None:
            learnt = replace(learnt, level=_level(self.level)[:, self.groups[0][rows]])
        for group, sums in zip(self.groups, self.days, strict=False):
            said = np.stack([np.stack(_said(now)) for now in walk(sales, share, learnt, step)])
            others = sums[:, group[rows]] - said.transpose(0, 2, 1)
            usual, sold = np.maximum(others, 0.0).transpose(2, 0, 1)
            learnt = replace(learnt, day=learnt.day * (DAY + sold) / (DAY + usual))
        return learnt


def _said(now: Now) -> tuple[np.ndarray, np.ndarray]:
    """Give what was to be expected and what was sold, by precision; 0 of series that tell nothing of a period."""
    tells = now.known & (now.share > 0) & (now.mean > 0)
    usual = now.served * now.asked
    sold = np.minimum(now.sales, usual + WILD * np.sqrt(now.ratio * usual))
    weight = np.where(tells, 1.0 / np.where(tells, now.ratio, 1.0), 0.0)
    return weight * usual, weight * sold


def _level(sums: Float[np.ndarray, "time group 2"]) -> Float[np.ndarray, "time group"]:
    total, count = sums.transpose(2, 0, 1)
    return np.asarray(np.where(count > 0, np.exp(total / np.maximum(count, 1.0)), 0.0))


def learn(panel: Panel, groups: Sequence[np.ndarray]) -> Pooled:
    """Learn from the whole panel, chunk by chunk: how long a stockout lasts it out, the noise, and every group's days.

    Parameters
    ----------
    groups
        Labels of the series, one array after the other: each is learnt on top of the ones before.
    """
    time, step = panel.time.n, panel.time.step
    numbered = tuple(np.unique(labels, return_inverse=True)[1].astype(np.int64).ravel() for labels in groups)
    one = np.ones(time)
    pooled = Pooled(one, np.zeros(time), np.stack([one, one], axis=1), numbered, (), None)
    chunks = list(panel.chunks(CHUNK))
    bins, level = np.zeros((time, BINS + 1, 4)), np.zeros((time, _count(numbered), 2))
    for rows in chunks:
        sales, share = recorded(panel, rows)
        learnt = Learnt.nothing((time, len(rows)))
        for now in walk(sales, share, learnt, step):
            _add_served(bins[now.at], now)
            if numbered:
                _add_level(level[now.at], now, numbered[0][rows])
    power, above = _arrival(bins)
    pooled = replace(pooled, power=power, above=above, level=level if numbered else None)
    noise = np.zeros((time, 5))
    for at in range(max(len(numbered), 1)):
        sums = np.zeros((time, _count(numbered[at:]), 2))
        for rows in chunks:
            sales, share = recorded(panel, rows)
            learnt = pooled.of_chunk(sales, share, rows, step)
            for now in walk(sales, share, learnt, step):
                if at == 0:
                    _add_noise(noise[now.at], now)
                if numbered:
                    for column, values in enumerate(_said(now)):
                        sums[now.at, :, column] += np.bincount(numbered[at][rows], values, sums.shape[1])
        if numbered:
            pooled = replace(pooled, days=(*pooled.days, sums))
    return replace(pooled, noise=_noise(noise))


def recorded(panel: Panel, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the sales of some series, and the share in stock, 0 where nothing was recorded."""
    some = slice(int(rows[0]), int(rows[-1]) + 1)
    return panel.sales[some], np.where(panel.observed[some], panel.in_stock[some], 0.0)


def _count(numbered: Sequence[np.ndarray]) -> int:
    return int(numbered[0].max(initial=-1)) + 1 if numbered else 1


def _add_level(out: np.ndarray, now: Now, group: np.ndarray) -> None:
    tells = now.known & (now.level > 0)
    out[:, 0] += np.bincount(group, np.where(tells, np.log(np.where(tells, now.level, 1.0)), 0.0), len(out))
    out[:, 1] += np.bincount(group, tells, len(out))


def _add_served(out: np.ndarray, now: Now) -> None:
    """Add what was sold, against what the means expected of a whole period, by share in stock; full periods last."""
    at = np.flatnonzero(now.known & (now.share > 0) & (now.mean > 0))
    place = (now.share[at] * BINS).astype(np.int64)
    usual, ratio = now.mean[at], now.ratio[at]
    sold = np.minimum(now.sales[at], usual + WILD * np.sqrt(ratio * usual))
    told = (usual / ratio, sold / ratio, usual / ratio * np.log(now.share[at]), np.sqrt(usual / ratio))
    for column, values in enumerate(told):
        out[:, column] += np.bincount(place, values, BINS + 1)


def _arrival(bins: Float[np.ndarray, "time bin 4"]) -> tuple[np.ndarray, np.ndarray]:
    """Fit sold = p^η (usual + above · sd) over the bins, each period by what was seen up to it.

    What was sold in fully stocked periods is the measure of usual: what the means lag behind is no choice of
    stockouts. ``above`` is told by the periods that were nearly stocked, η by all that were partly.
    """
    usual, sold, place, sd = np.cumsum(bins, axis=0).transpose(2, 0, 1)
    stocked = np.where((usual[:, -1] > 0) & (sold[:, -1] > 0), sold[:, -1] / np.maximum(usual[:, -1], TINY), 1.0)
    x = np.divide(place, usual, out=np.zeros(usual.shape), where=usual > 0)[:, :-1]
    usual, sold, sd = usual[:, :-1] * stocked[:, None], sold[:, :-1], sd[:, :-1]
    seen = (usual > 0) & (sold > 1.0)
    weight = np.where(seen, sold, 0.0)
    power, above = np.ones(len(usual)), np.zeros(len(usual))
    for _ in range(ROUNDS):  # alternately, either given the other
        served = np.exp(power[:, None] * x[:, NEAR:])
        excess = (sold[:, NEAR:] - served * usual[:, NEAR:]).sum(axis=1)
        above = np.clip(excess / ((served * sd[:, NEAR:]).sum(axis=1) + BELIEF[1]), *ABOVE)
        expected = usual + above[:, None] * sd
        y = np.log(np.where(seen, sold, 1.0) / np.where(seen, expected, 1.0))
        power = (BELIEF[0] + (weight * x * y).sum(axis=1)) / (BELIEF[0] + (weight * x * x).sum(axis=1))
        power = np.clip(power, *POWERS)
    return power, above


def _add_noise(out: np.ndarray, now: Now) -> None:
    """Add the moments of (s − q m)² / (q m) − τ q = (1 − q) (α unit + β τ), both sides over τ."""
    at = np.flatnonzero(now.known & (now.share > 0) & (now.share < 1.0) & (now.mean > 0))
    q, ratio = now.served[at], now.ratio[at]
    usual = q * now.asked[at]
    z = np.minimum((now.sales[at] - usual) ** 2 / (usual * ratio), WILD**2) - q
    unit, rest = now.unit[at] / ratio * (1.0 - q), 1.0 - q
    for column, values in enumerate((unit * unit, unit * rest, rest * rest, unit * z, rest * z)):
        out[column] += values.sum()


def _noise(moments: Float[np.ndarray, "time 5"]) -> Float[np.ndarray, "time 2"]:
    """Solve for α, β by what was seen up to each period: units come one by one at least, and nothing is quite even."""
    uu, ur, rr, uz, rz = np.cumsum(moments, axis=0).T
    uu, rr, uz, rz = uu + NOISE, rr + NOISE, uz + NOISE * USUAL_NOISE[0], rz + NOISE * USUAL_NOISE[1]
    det = uu * rr - ur * ur
    of_unit, of_ratio = (rr * uz - ur * rz) / det, (uu * rz - ur * uz) / det
    negative = of_unit < 0
    of_ratio = np.where(negative, rz / rr, of_ratio)
    of_unit = np.where(of_ratio < 0, uz / uu, of_unit)
    return np.stack([np.maximum(of_unit, LEAST_NOISE[0]), np.clip(of_ratio, LEAST_NOISE[1], 1.0)], axis=1)
