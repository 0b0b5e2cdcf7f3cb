"""What a run has to tell: issues of the input data, and exceptions for the planner."""

from dataclasses import dataclass, field
from typing import Literal, final

Severity = Literal["error", "warning", "info"]


@final
@dataclass(frozen=True, slots=True)
class Issue:
    """One row of ``issues.csv``: a fault in a source, and what was done about it.

    ``line`` is the physical line of a text file (1 is the header) and ``cell`` an Excel address; one of them at most.
    ``count`` says how many rows the issue stands for, when like ones were drawn together.
    """

    severity: Severity
    code: str
    source: str
    message: str
    action: str
    line: int | None = None
    cell: str | None = None
    column: str | None = None
    value: str | None = None
    count: int = 1


@final
@dataclass(frozen=True, slots=True)
class Alert:
    """One row of ``exceptions.csv``: what a planner should look at, with an action.

    ``value`` is the money at stake, by which the rows are ranked; 0 where none can be named.
    """

    severity: Severity
    code: str
    message: str
    suggested_action: str
    sku: str = ""
    location: str = ""
    supplier: str = ""
    value: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class RowCount:
    """What became of the rows of one source: ``read = kept + merged + returned + quarantined``.

    ``left_out`` counts rows that were not read for the plan at all (after ``as_of``, or not selected): they are no
    part of ``read``. ``blanked`` counts rows that stand without a value that could not be read: they are counted where
    they went as well.
    """

    read: int
    kept: int
    merged: int = 0
    returned: int = 0
    quarantined: int = 0
    left_out: int = field(default=0)
    blanked: int = field(default=0)

    def __post_init__(self) -> None:
        """Hold the sum that the manifest promises."""
        if self.read != self.kept + self.merged + self.returned + self.quarantined:
            from stockcast.core.errors import InvariantError

            raise InvariantError(f"rows do not add up: {self}", code="SC-B002")
