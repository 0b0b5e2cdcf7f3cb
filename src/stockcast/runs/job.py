"""What a command asks for, and what it gives back: the seam between the command line and the programs behind it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal, Protocol, final, runtime_checkable

from stockcast.core.findings import Issue
from stockcast.runs.config import RunConfig

Status = Literal["ok", "degraded", "held"]


@runtime_checkable
@runtime_checkable
class Progress(Protocol):
    """Shows how far a stage has come; on a terminal a bar, elsewhere nothing."""

    def stage(self, title: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """Open a stage; the callable that it gives takes the number of pieces done so far."""
        ...

    def say(self, text: str) -> None:
        """Tell one line."""
        ...


class Silent:
    """Progress that nobody watches."""

    def stage(self, title: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """Open a stage that shows nothing."""
        return nullcontext(lambda count: None)

    def say(self, text: str) -> None:
        """Keep it to itself."""


@final
@dataclass(frozen=True, slots=True)
class Job:
    """One command, as typed: the config and the options that every data command takes."""

    config: RunConfig
    command: str
    as_of: date | None = None
    out: Path | None = None
    select: str | None = None
    seed: int | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    executor: Literal["local", "ray"] = "local"
    workers: int | None = None
    strict: bool = False
    wait: float = 0.0
    forecast_file: Path | None = None
    rank_by: str | None = None
    budget: float | None = None
    tradeoff: bool = False
    overrides: tuple[str, ...] = ()
    progress: Progress = field(default_factory=Silent)


@final
@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to: the ``--output-format json`` object, and lines for a person.

    Parameters
    ----------
    counts
        What the summary and the JSON say: series, order_lines, order_value, issues, exceptions, quarantined …
    artifacts
        The published files by name (``plan.csv``), as absolute paths.
    headline, tables, notes
        For the terminal: one sentence, small tables as (title, header, rows), and what is worth knowing, a line each.
    """

    run_id: str
    status: Status
    exit_code: int
    counts: Mapping[str, int | float | str]
    artifacts: Mapping[str, Path]
    issues: Sequence[Issue]
    headline: str
    tables: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]] = ()
    notes: Sequence[str] = ()
