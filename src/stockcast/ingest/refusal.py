"""What the checks collect on the way, and the error that carries all of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from stockcast.core.errors import DataError
from stockcast.core.findings import Alert, Issue, RowCount


@final
class RefusedInput(DataError):
    """A source as a whole is refused; ``issues`` and ``rows`` tell every row that led to it."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        details: Sequence[str] = (),
        help: str | None = None,  # the word that the screen shows
        issues: Iterable[Issue] = (),
        rows: Mapping[str, RowCount] | None = None,
    ) -> None:
        super().__init__(message, code=code, details=details, help=help)
        self.issues = tuple(issues)
        self.rows = dict(rows or {})


@final
@dataclass(slots=True)
class Findings:
    """The running list of what there is to tell; the one mutable thing of this layer."""

    issues: list[Issue] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: dict[str, RowCount] = field(default_factory=dict)

    def warn(
        self, code: str, source: str, message: str, action: str, *, count: int = 1, column: str | None = None
    ) -> None:
        """Tell something of a source as a whole that a planner should know."""
        self.issues.append(Issue("warning", code, source, message, action, column=column, count=count))

    def inform(
        self, code: str, source: str, message: str, action: str, *, count: int = 1, column: str | None = None
    ) -> None:
        """Tell something of a source as a whole that is as it should be."""
        self.issues.append(Issue("info", code, source, message, action, column=column, count=count))

    def refuse(self, message: str, *, code: str, details: Sequence[str] = (), help: str | None = None) -> RefusedInput:
        """Make the error that ends the reading, with all that was found so far."""
        return RefusedInput(message, code=code, details=details, help=help, issues=self.issues, rows=self.rows)
