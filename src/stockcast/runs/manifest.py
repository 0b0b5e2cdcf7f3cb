"""The manifest of a run: what went in, what came out, how it was made, and how long it took."""

import hashlib
import importlib.metadata
import json
import math
import platform
import re
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, final

from stockcast.core.errors import UsageError
from stockcast.core.findings import RowCount
from stockcast.report.disk import reaching, write_file

NAME = "manifest.json"
SCHEMA_VERSION = 1


@final
@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``manifest.json`` holds.

    Parameters
    ----------
    as_of
        The first day of the last period known, ISO.
    status
        ``ok``, ``degraded`` or ``held``.
    inputs, outputs
        sha256 by source and by file of the run; :func:`write` fills in the outputs.
    config
        sha256 of the config as resolved.
    forecast_key
        A hash of what the forecast depends on, by which ``plan`` finds the newest one that fits.
    forecast_from
        The run whose forecast was used again, or the name of the user's file; empty where this run made its own.
    rows
        What became of the rows of each source.
    models
        ``{name: {fit_s, predict_s, series, share}}``; seconds of replays are in ``timings.finish``.
    learnt
        What earlier origins told beside the choice of models: ``calibration`` by segment (widths, error of coverage),
        ``reconciled`` by method (its scores).
    warm_start
        The run whose network each model went on from.
    fallbacks
        Series by reason.
    solves, gap
        One entry a solve, and the relative gap of all together; None where nothing was solved.
    prices
        What one more unit of each shared limit (``budget``, ``storage LOCATION``) would save.
    timings
        Seconds by stage.
    started, finished
        UTC, ISO.
    cut
        What was left out because the deadline struck.
    counts
        What the summary says.
    """

    run_id: str
    as_of: str
    status: str
    seed: int
    command: str = ""
    started: str = ""
    finished: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    config: str = ""
    forecast_key: str = ""
    forecast_from: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, RowCount] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, int | float]] = field(default_factory=dict)
    learnt: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    warm_start: Mapping[str, str] = field(default_factory=dict)
    fallbacks: Mapping[str, int] = field(default_factory=dict)
    solves: Sequence[Mapping[str, Any]] = ()
    gap: float | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    peak_memory_mb: float = 0.0
    notes: Sequence[str] = ()
    cut: Sequence[str] = ()
    counts: Mapping[str, int | float | str] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def as_dict(self) -> dict[str, Any]:
        """Give the manifest as plain JSON values, ``schema_version`` first; what is not finite becomes null."""
        values = {"schema_version": self.schema_version}
        values |= {item.name: getattr(self, item.name) for item in fields(self) if item.name != "schema_version"}
        plain: dict[str, Any] = _plain(values)
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, RowCount):
        return asdict(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write(folder: Path, manifest: Manifest) -> Manifest:
    """Write ``manifest.json`` beside the files of a run, their hashes in it; give the manifest as written.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    full = replace(manifest, outputs=file_hashes(folder))
    text = json.dumps(full.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    write_file(folder / NAME, f"{text}\n".encode())
    return full


def read(folder: Path) -> Manifest:
    """Read the manifest of a run; keys that a later version added are left out.

    Raises
    ------
    UsageError
        If the folder is no run, or one of another schema.
    """
    path = folder / NAME
    try:
        facts = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise _no_run(f"{folder}: no {NAME} there") from None
    except OSError as error:
        raise _no_run(f"{path}: {error.strerror}") from error
    except ValueError:
        raise _no_run(f"{path}: not JSON") from None
    if not isinstance(facts, dict) or facts.get("schema_version") != SCHEMA_VERSION:
        raise _no_run(f"{path}: not a manifest of schema_version {SCHEMA_VERSION}")
    known = {name: facts[name] for name in (item.name for item in fields(Manifest)) if name in facts}
    try:
        known["rows"] = {name: RowCount(**counts) for name, counts in known.get("rows", {}).items()}
        return Manifest(**known)
    except (TypeError, AttributeError):
        raise _no_run(f"{path}: incomplete") from None


def _no_run(message: str) -> UsageError:
    return UsageError(message, code="SC-E006", help="name the folder of a published run")


def is_run(folder: Path) -> bool:
    """Tell whether a folder holds a run with a manifest that can be read."""
    try:
        read(folder)
    except UsageError:
        return False
    return True


def file_hash(path: Path) -> str:
    """Give the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_hashes(folder: Path) -> dict[str, str]:
    """Give the sha256 of every file under a folder but its manifest, by its path in the folder, sorted.

    Raises
    ------
    ResourceError
        If a file cannot be read.
    """
    with reaching(folder, "read"):
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        return {name: file_hash(folder / name) for name in files if name != NAME}


def verify(folder: Path) -> list[str]:
    """Hold the files of a run against its manifest; give a line for each that differs, is missing or is extra.

    Raises
    ------
    UsageError
        If the folder is no run.
    """
    written, found = read(folder).outputs, file_hashes(folder)
    missing = [f"{name}: missing" for name in sorted(written.keys() - found.keys())]
    extra = [f"{name}: not part of the run" for name in sorted(found.keys() - written.keys())]
    changed = [f"{name}: changed" for name in sorted(written) if found.get(name, written[name]) != written[name]]
    return missing + extra + changed


def peak_memory_mb() -> float:
    """Give the most memory that this process, or the largest of its finished children, has held, in MB."""
    unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024  # bytes there, KiB elsewhere
    sizes = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(max(sizes) / unit, 1)


def versions() -> dict[str, str]:
    """Give the versions of Python, of stockcast and of what it requires, by name."""
    found = {"python": platform.python_version()}
    for requirement in ["stockcast", *(importlib.metadata.requires("stockcast") or ())]:
        named = re.match(r"[A-Za-z0-9._-]+", requirement)
        if named and "extra ==" not in requirement:
            found[named[0]] = importlib.metadata.version(named[0])
    return dict(sorted(found.items()))
