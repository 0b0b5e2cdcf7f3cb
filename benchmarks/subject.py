"""What a subject is, and how a command is measured as a whole process."""

import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """Where the real data lies and where to work; a smoke run, how often, over how many origins; the peers' figures.

    ``models`` are compared with boosted peers: each alone, "auto" for what `models: auto` means at effort normal.
    ``series`` takes the place of a subject's own size, where the subject says so.
    """

    data: Path
    work: Path
    smoke: bool
    runs: int
    folds: int = 12
    peers: Path | None = None
    models: tuple[str, ...] = ("lightgbm", "auto")
    series: int | None = None


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


class Watch:
    """What a piece of work takes: wall and CPU seconds, and the most memory of this process with all its children.

    Memory is what lies in pages of any of the processes at one moment, looked at 20 times a second; shared pages
    count for each. CPU seconds are those of this process and its children, solvers that live on included.
    """

    def __enter__(self) -> "Watch":
        self.wall, self.cpu, self.peak_mb = time.perf_counter(), _tree()[1], 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._over.wait(0.05):
            self.peak_mb = max(self.peak_mb, _tree()[0])

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        memory, cpu = _tree()
        self.wall, self.cpu = time.perf_counter() - self.wall, cpu - self.cpu
        self.peak_mb = max(self.peak_mb, memory)


def _tree() -> tuple[float, float]:
    """Give the resident memory in MB and the CPU seconds of this process and everything below it."""
    tick, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    parent: dict[int, int] = {}
    uses: dict[int, tuple[float, float]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        at = int(entry.parent.name)
        parent[at] = int(fields[1])
        uses[at] = int(fields[21]) * page / 2**20, sum(int(some) for some in fields[11:15]) / tick
    mine, todo = set(), [os.getpid()]
    while todo:
        at = todo.pop()
        mine.add(at)
        todo += [child for child, above in parent.items() if above == at]
    return sum(uses[at][0] for at in mine if at in uses), sum(uses[at][1] for at in mine if at in uses)


def own_peak_mb() -> float:
    """Give this process's peak memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
