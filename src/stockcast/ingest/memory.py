"""Whether the panel fits into memory, asked before any of it is made."""

import os
from pathlib import Path

import numpy as np

from stockcast.core.axes import SeriesAxis, Step, first_day_of_period
from stockcast.core.errors import ResourceError
from stockcast.ingest.checked import CheckedTable
from stockcast.ingest.origin import Origin

BYTES_A_CELL = 64  # of a series and period: 33 in the panel, and about as much again while it is made
BYTES_A_COVARIATE = 16  # of the same, for each covariate
SHARE = 0.5  # of the machine's memory that a panel may take; the rest is the forecast's
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory_bytes() -> int | None:
    """Give the memory that this process may use: the machine's, or less where a container or ``ulimit`` says so."""
    sizes = []
    try:
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return None  # a system that does not tell
    for name in _LIMITS:
        try:
            sizes.append(int(Path(name).read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue  # no container, or "max"
    import resource  # only where sysconf is

    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    if soft != resource.RLIM_INFINITY:
        sizes.append(soft)
    return min(sizes)


def require_memory(
    sales: CheckedTable,
    axis: SeriesAxis,
    origin: Origin,
    step: Step,
    week_start: int,
    available: int | None = None,
    covariates: int = 0,
) -> None:
    """Raise where the panel would take more than half of the memory.

    Parameters
    ----------
    available
        Bytes; None for what the machine has.
    covariates
        How many there are.

    Raises
    ------
    ResourceError
        With the estimate, and the oldest dates: one wrong date stretches every series.
    """
    available = memory_bytes() if available is None else available
    dates = sales.dates("date")
    first = first_day_of_period(dates.min()[None], step, week_start)[0]
    periods = int((origin.first_day - first).astype(np.int64)) // (7 if step == "week" else 1) + 1
    need = len(axis) * periods * (BYTES_A_CELL + covariates * BYTES_A_COVARIATE)
    if available is None or need <= SHARE * available:
        return
    days, counts = np.unique(dates, return_counts=True)
    oldest = ", ".join(f"{day} ({count} rows)" for day, count in zip(days[:3], counts[:3].tolist(), strict=True))
    raise ResourceError(
        f"{sales.source.label}: {len(axis)} series of {periods} periods need about {need / 2**30:.1f} GiB, "
        f"{SHARE:.0%} of the memory is {SHARE * available / 2**30:.1f} GiB",
        code="SC-D075",
        details=[f"the oldest sales are of {oldest}"],
        help="correct the oldest dates if they are wrong; else leave old sales out, use step: week, or more memory",
    )
