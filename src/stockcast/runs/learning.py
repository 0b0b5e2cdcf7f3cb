"""Where a network leaves its state while it learns, so that the same run, killed and started again, goes on."""

import shutil
from pathlib import Path

from stockcast import ingest
from stockcast.runs import assemble, manifest
from stockcast.runs.job import Job

FOLDER = ".stockcast-learning"  # in the output folder, under its lock; hidden, so that it is taken for no run


def key(job: Job, inputs: ingest.Inputs) -> str:
    """Name what a network is learnt from and by: inputs, config, options and seed, as-of, and what computes it.

    The command is none of it: a ``run`` goes on with what a ``forecast`` of the same inputs began.
    """
    parts: list[object] = [dict(inputs.hashes), job.config.text_hash, list(job.overrides), job.select or ""]
    parts += [assemble.seed_of(job), str(inputs.panel.origin), manifest.versions()]
    return assemble.digest(parts)


def place(folder: Path, named: str) -> tuple[Path, bool]:
    """Give where the state of a learning is left, and whether one was left there; what others left is removed.

    Parameters
    ----------
    folder
        The output folder, whose lock is held.
    named
        The :func:`key` of this run.
    """
    base = folder / FOLDER
    for other in base.iterdir() if base.is_dir() else ():
        if other.name != named:
            shutil.rmtree(other, ignore_errors=True)
    mine = base / named
    return mine / "tft", (mine / "tft").is_dir()


def clear(folder: Path) -> None:
    """Remove what was left while a network learnt: its run is published now."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
