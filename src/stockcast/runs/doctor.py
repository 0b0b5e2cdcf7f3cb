"""``stockcast doctor``: whether everything is there that a night needs."""

import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, final

from stockcast.core.errors import ResourceError, StockcastError, UsageError
from stockcast.core.libraries import module_of
from stockcast.runs.config import RunConfig, find, load
from stockcast.runs.config.values import Duration

State = Literal["ok", "note", "bad"]
LITTLE_DISK = 1 << 30
FIRST = ("numpy", "torch")  # others cannot be loaded without them: the first that is bad is the one to mend
_MARK = "stockcast-doctor "
_LOAD = f"""
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
for name, module in json.loads(sys.argv[1]).items():
    why = ""
    try:
        importlib.import_module(module)
    except Exception as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    print("{_MARK}" + json.dumps([name, why]), flush=True)
"""


@final
@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found, and what is wrong with it."""

    name: str
    state: State
    what: str
    value: str | int | float | None = None
    error: StockcastError | None = None


@final
@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything looked at, in order; the first error decides the exit code."""

    checks: tuple[Check, ...]
    config: RunConfig | None


def run(config_file: Path | None = None, max_age: str | None = None, now: datetime | None = None) -> Diagnosis:
    """Look at the installation, the machine, the project.

    Parameters
    ----------
    max_age
        A time span such as ``26h``: an older newest run, or none, is an error (exit 6).
    now
        The time that ages are taken at; the clock's by default.

    Raises
    ------
    UsageError
        If ``max_age`` is no time span.
    """
    limit = None if max_age is None else _span(max_age)
    checks = [*_installation(), *_machine()]
    config = None
    try:
        config = load(find(config_file))
        checks.append(Check("config", "ok", str(config.path), str(config.path)))
    except UsageError as error:
        if error.code == "SC-C001" and config_file is None:
            checks.append(Check("config", "note", error.message))
        else:
            checks.append(Check("config", "bad", error.message, error=error))
    if config is not None:
        folder = config.root / config.output.dir
        checks += [_disk(folder), _writable(folder), _lock(folder / ".lock"), *_sources(config)]
        checks += [*_weights(config), _last_run(folder, limit, now or datetime.now(UTC))]
    elif limit is not None and all(check.error is None for check in checks):
        absent = ResourceError("no project here, so no published run", code="SC-C024", help="name the config with -c")
        checks.append(Check("last run", "bad", absent.message, error=absent))
    return Diagnosis(tuple(checks), config)


def _span(text: str) -> float:
    from pydantic_core import PydanticCustomError

    try:
        return Duration().check(float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else text)
    except PydanticCustomError as error:
        raise UsageError(f"--max-age: {error}", code="SC-C018", help="write 26h or 90m") from None


def _installation() -> Iterator[Check]:
    yield Check("python", "ok", platform.python_version(), platform.python_version())
    required = [text for text in importlib.metadata.requires("stockcast") or () if "extra ==" not in text]
    named = filter(None, ((re.match(r"[A-Za-z0-9._-]+", text) or [""])[0] for text in required))
    names = ["stockcast", *sorted(named, key=lambda name: name not in FIRST)]
    broken = _broken(names)
    for name in names:
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            error = ResourceError(f"{name} is not installed", code="SC-C025", help=f"pip install {name}")
            yield Check(name, "bad", "not installed", error=error)
            continue
        if name in broken:
            error = ResourceError(f"{name} cannot be loaded", code="SC-C025", details=[broken[name]],
                                  help=f"pip install --force-reinstall {name}")  # fmt: skip
            yield Check(name, "bad", f"{version}, cannot be loaded: {broken[name]}", version, error)
            continue
        yield Check(name, "ok", _build_of_torch(version) if name == "torch" else version, version)
    if importlib.util.find_spec("highspy") is not None:
        yield Check("solver", "ok", "HiGHS", "HiGHS")
    else:
        missing = ResourceError("the solver HiGHS is missing", code="SC-C025", help="pip install highspy")
        yield Check("solver", "bad", "HiGHS is missing", error=missing)


def _broken(names: Sequence[str]) -> dict[str, str]:
    """Load every library in a process of its own, and give what those say that cannot be loaded.

    Not here: doctor itself stays quick to leave, and a library that crashes takes nothing with it.
    """
    modules = {name: module_of(name) for name in names}
    told: dict[str, str] = {}
    while True:
        ran = subprocess.run(
            [sys.executable, "-c", _LOAD, json.dumps(modules)], capture_output=True, text=True, check=False
        )
        lines = [json.loads(line.removeprefix(_MARK)) for line in ran.stdout.splitlines() if line.startswith(_MARK)]
        told |= {name: why for name, why in lines if why}
        rest = list(modules)[len(lines) :]
        if not rest:
            return told
        told[rest[0]] = f"the process ended with {ran.returncode} while it was loaded"
        modules = {name: modules[name] for name in rest[1:]}


def _build_of_torch(version: str) -> str:
    """Tell the build by the version's local part, without loading torch."""
    local = version.partition("+")[2]
    if local.startswith("cu"):
        return f"{version} (CUDA {local[2:-1]}.{local[-1]})"
    if local:
        return f"{version} ({local.upper()})"
    return f"{version} (the default build of this platform)"


def _machine() -> Iterator[Check]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Check("cores", "ok", str(cores), cores)
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        yield Check("memory", "ok", f"{memory / 2**30:.1f} GiB", memory)


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(_existing(folder)).free
    return Check("disk", "ok" if free >= LITTLE_DISK else "note", f"{free / 2**30:.1f} GiB free", free)


def _writable(folder: Path) -> Check:
    place = _existing(folder)
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Check("output", "ok", str(folder), str(folder))
    error = ResourceError(f"{place}: no permission to write", code="SC-E002", help="give it, or set another output.dir")
    return Check("output", "bad", error.message, str(folder), error)


def _lock(path: Path) -> Check:
    """Read who holds the lock; taking it to find out would keep out a run that begins just now."""
    try:
        holder: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        pid, host = int(holder["pid"]), str(holder["host"])
    except (OSError, ValueError, KeyError, TypeError):
        return Check("lock", "ok", "free")
    if host == socket.gethostname() and not _alive(pid):
        return Check("lock", "ok", "free")  # its holder was killed, and the system freed it
    return Check("lock", "note", f"held by pid {pid} on {host} since {holder.get('start', '?')}", pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _sources(config: RunConfig) -> Iterator[Check]:
    for table, source in config.sources.items():
        path = config.root / source.path
        if path.is_file():
            yield Check(f"sources.{table}", "ok", source.path, path.stat().st_size)
        else:
            yield Check(f"sources.{table}", "note", f"{source.path} is not there")


def _weights(config: RunConfig) -> Iterator[Check]:
    """Look at the weights of the pretrained model, where the config names some."""
    given = config.forecast.pretrained
    if given is None:
        return
    from stockcast.models.catalogue import Pretrained
    from stockcast.models.pretrained.folder import require

    try:
        require(Pretrained(config.root / given.path, given.sha256))
        yield Check("forecast.pretrained", "ok", given.path, given.sha256.lower())
    except StockcastError as error:
        yield Check("forecast.pretrained", "bad", error.message, error=error)


def _last_run(folder: Path, limit: float | None, now: datetime) -> Check:
    try:
        note = json.loads((folder / "latest.json").read_text(encoding="utf-8"))
        manifest = json.loads((folder / note["run_id"] / "manifest.json").read_text(encoding="utf-8"))
        finished = datetime.fromisoformat(manifest["finished"])
    except (OSError, ValueError, KeyError, TypeError):
        error = ResourceError("no published run", code="SC-C024", help="stockcast run") if limit is not None else None
        return Check("last run", "note" if error is None else "bad", "none published", error=error)
    age = (now - finished).total_seconds()
    told = f"{note['run_id']}, {manifest['status']}, {age / 3600:.1f} h ago"
    if limit is not None and age > limit:
        error = ResourceError(
            f"the newest published run is {age / 3600:.1f} h old, more than {limit / 3600:g} h",
            code="SC-C024",
            details=[note["run_id"]],
            help="look at the scheduler and at the last run's output",
        )
        return Check("last run", "bad", told, age, error)
    return Check("last run", "ok", told, age)
