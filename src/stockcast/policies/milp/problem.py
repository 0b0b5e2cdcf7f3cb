"""A mixed-integer program in plain arrays: what travels to the process that solves it, and what comes back."""

from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze

SCALARS = ("name", "floor", "tolerance")


@final
@dataclass(frozen=True, slots=True)
class Problem:
    """Minimise cost · x over 0 ≤ x ≤ upper, some of x whole numbers, with low ≤ A x ≤ high.

    Parameters
    ----------
    floor
        A lower bound of the cost that is known without solving; it stands where a solver gives none.
    tolerance
        How far above the best a solution may lie to be good enough.
    row, column, value
        The entries of A.
    """

    name: str
    floor: float
    tolerance: float
    cost: Float[np.ndarray, " variable"]
    upper: Float[np.ndarray, " variable"]
    integer: Bool[np.ndarray, " variable"]
    row: Int[np.ndarray, " entry"]
    column: Int[np.ndarray, " entry"]
    value: Float[np.ndarray, " entry"]
    low: Float[np.ndarray, " constraint"]
    high: Float[np.ndarray, " constraint"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__ if name not in SCALARS})


@final
@dataclass(frozen=True, slots=True)
class Answer:
    """What a solver said of a problem.

    Parameters
    ----------
    status
        ``optimal`` (proven), ``feasible`` (a solution at a limit), ``no solution``, or ``failed: …``.
    values
        One a variable where there is a solution; not trusted before they are read as a plan.
    bound
        A proven lower bound of the cost.
    seconds
        What it took, on the wall.
    """

    solver: str
    status: str
    values: Float[np.ndarray, " variable"] | None
    bound: float
    seconds: float


@final
@dataclass(slots=True)
class Draft:
    """A problem under construction."""

    cost: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def variable(self, cost: float, upper: float = 1.0, *, integer: bool = True) -> int:
        """Add a variable; give its number."""
        self.cost.append(cost)
        self.upper.append(upper)
        self.integer.append(integer)
        return len(self.cost) - 1

    def constrain(
        self, terms: list[tuple[int, float]], *, low: float = -np.inf, high: float = np.inf, scale: float = 1.0
    ) -> None:
        """Add low ≤ Σ value · x ≤ high, all divided by ``scale``: a solver's tolerances are absolute."""
        at = len(self.low)
        self.entries += [(at, column, value / scale) for column, value in terms if value]
        self.low.append(low / scale)
        self.high.append(high / scale)

    def problem(self, name: str, floor: float, tolerance: float) -> Problem:
        """Give the finished problem."""
        row, column, value = zip(*self.entries, strict=True) if self.entries else ((), (), ())
        return Problem(
            name,
            floor,
            tolerance,
            np.array(self.cost, dtype=float),
            np.array(self.upper, dtype=float),
            np.array(self.integer, dtype=bool),
            np.array(row, dtype=np.int64),
            np.array(column, dtype=np.int64),
            np.array(value, dtype=float),
            np.array(self.low, dtype=float),
            np.array(self.high, dtype=float),
        )
