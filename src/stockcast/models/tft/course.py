"""How long is learnt: counts that follow from the size of the data and the effort, never from the clock."""

from dataclasses import dataclass
from math import cos, pi
from typing import final

import numpy as np

from stockcast.models.catalogue import Effort
from stockcast.models.tft.network import Size

EFFORT: dict[Effort, float] = {"fast": 0.25, "normal": 0.5, "thorough": 1.0}
BATCH = {"cpu": 128, "cuda": 1024}  # windows of a step at most
STEPS = 500  # steps that a network learnt anew takes at least, in smaller batches: before some 400 it knew no weekday
EVERY = 12  # times that the held-out origin is looked at
PATIENCE = 4  # looks without a gain after which it ends
LAST, SLOWER, NEWEST = 0.1, 0.1, 0.25  # of the best step and the rate; and of a batch, at the end (Course.last)
WARM = 0.25  # share of the windows that are seen again where last night's weights are at hand


@final
@dataclass(frozen=True, slots=True)
class Budget:
    """What learning may cost, in windows; a test gives small ones.

    Parameters
    ----------
    least
        Windows of all series together below which nothing is learnt: they overlap, and a network has many weights.
    share, few, most
        The share of all windows that is seen (a window overlaps with those beside it), and how many at least and most.
    batch
        Windows of a step; None for what suits the device.
    size
        How large the network is.
    rate
        The largest learning rate: that of the library's own examples. With a tenth of it a week of sales was still flat
        after 500 steps.
    """

    least: int = 5_000
    share: float = 0.25
    few: int = 20_000
    most: int = 400_000
    batch: int | None = None
    size: Size = Size()
    rate: float = 3e-2

    def course(self, windows: int, effort: Effort, device: str, *, warm: bool) -> "Course":
        """Give the steps of a training from the number of windows.

        Examples
        --------
        >>> [Budget().course(n, "thorough", "cpu", warm=False).steps for n in (5_000, 500_000, 20_000_000)]
        [500, 977, 3125]
        >>> Budget().course(500_000, "thorough", "cpu", warm=True).steps
        245
        """
        least = STEPS * (WARM if warm else 1.0)
        seen = float(np.clip(self.share * windows, self.few, self.most)) * EFFORT[effort] * (WARM if warm else 1.0)
        batch = self.batch or int(np.clip(seen / least, 16, BATCH[device]))
        steps = max(-(-int(seen) // batch), int(least) if self.batch is None else 1)
        return Course(steps, batch, self.rate * (0.5 if warm else 1.0), max(1, steps // EVERY), PATIENCE)


@final
@dataclass(frozen=True, slots=True)
class Course:
    """The steps of one training.

    Parameters
    ----------
    steps, batch
        How many there are, and the windows of each.
    rate
        The largest learning rate.
    every, patience
        Steps between two looks at the held-out origin, and looks without a gain after which it ends.
    """

    steps: int
    batch: int
    rate: float
    every: int
    patience: int

    def last(self, best_step: int) -> int:
        """Give the steps that follow the best one, on windows that end with the history, a quarter of them the newest.

        Examples
        --------
        >>> Course(100, 8, 1.0, 10, 4).last(80)
        8
        """
        return round(LAST * best_step)

    def last_rate_at(self, step: int, steps: int) -> float:
        """Give the learning rate of a step of the last ones: from a tenth of the largest straight down.

        Examples
        --------
        >>> [round(Course(100, 8, 1.0, 10, 4).last_rate_at(step, 4), 3) for step in range(4)]
        [0.1, 0.075, 0.05, 0.025]
        """
        return self.rate * SLOWER * (1.0 - step / steps)

    def rate_at(self, step: int) -> float:
        """Give the learning rate of a step: up over the first twentieth, then down along a cosine to a hundredth.

        Examples
        --------
        >>> [round(Course(100, 8, 1.0, 10, 4).rate_at(step), 2) for step in (0, 5, 50, 99)]
        [0.2, 1.0, 0.55, 0.01]
        """
        rise = max(1, self.steps // 20)
        if step < rise:
            return self.rate * (step + 1) / rise
        done = (step - rise) / max(1, self.steps - rise)
        return self.rate * (0.01 + 0.99 * (1.0 + cos(pi * done)) / 2.0)
