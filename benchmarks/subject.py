"""What a subject is, and how a command is measured as a whole process."""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """Where the real data lies and where to work; a smoke run, how often, over how many origins; the peers' figures.

    ``models`` are compared with boosted peers: each alone, "auto" for what `models: auto` means at effort normal.
    """

    data: Path
    work: Path
    smoke: bool
    runs: int
    folds: int = 12
    peers: Path | None = None
    models: tuple[str, ...] = ("lightgbm", "auto")


@dataclass(frozen=True)
class Subject:
    """One thing that is measured: its rows are (what, figure, unit)."""

    name: str
    what: str
    measure: Callable[[Setting], Sequence["Row"]]
    needs_data: bool = False
    needs_peers: bool = False


@dataclass(frozen=True)
class Row:
    """One figure; `spread` holds the single runs that `value` is the median of."""

    what: str
    value: float
    unit: str
    spread: tuple[float, ...] = field(default=())

    @classmethod
    def median(cls, what: str, values: Sequence[float], unit: str) -> "Row":
        return cls(what, statistics.median(values), unit, tuple(values))


def timed(argv: Sequence[str], cwd: Path | None = None) -> tuple[float, float]:
    """Run a command to its end; give wall seconds and the peak memory of its largest process in MB."""
    begin = time.perf_counter()
    child = subprocess.Popen(argv, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    err = child.stderr.read() if child.stderr else b""
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.stderr:
        child.stderr.close()
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(argv)} exited {child.returncode}:\n{err.decode(errors='replace')[-2000:]}")
    return wall, usage.ru_maxrss / 1024


def stockcast(*argv: str) -> list[str]:
    """Give the command line of stockcast under this interpreter."""
    return [sys.executable, "-c", "import sys; from stockcast.cli import main; sys.exit(main())", *argv]


def own_peak_mb() -> float:
    """Give this process's peak memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
