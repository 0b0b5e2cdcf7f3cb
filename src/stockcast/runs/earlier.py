"""Earlier runs of the project: the newest fitting forecast, and what like runs came to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stockcast.core.errors import UsageError
from stockcast.runs import manifest

NETWORK = Path("models", "tft")  # where a run keeps the network of tft


def manifests(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give the published runs with their manifests, the newest first; what can't be read is passed over."""
    found = []
    for path in folder.glob("*/manifest.json"):
        if path.parent.name.startswith("."):
            continue
        try:
            found.append((path.stat().st_mtime_ns, path.parent, json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError):
            continue
    for _, run, facts in sorted(found, key=lambda entry: (-entry[0], entry[1].name)):
        yield run, facts


def newest_forecast(folder: Path, key: str) -> Path | None:
    """Give the newest run that holds a forecast made from the same as-of, sales, settings and seed."""
    for run, facts in manifests(folder):
        if facts.get("forecast_key") == key and (run / "forecast").is_dir():
            return run
    return None


def network(folder: Path, *, before: str) -> Path | None:
    """Give where the newest earlier as-of date that was not held back keeps its network; None where none does.

    An as-of date of tonight or later is no earlier one: its network has seen what tonight must not, and a night that is
    run again has to begin where it began.
    """
    nights = [
        (str(facts.get("as_of", "")), run)
        for run, facts in manifests(folder)
        if facts.get("status") != "held" and (run / NETWORK).is_dir()
    ]
    earlier = [(as_of, run) for as_of, run in nights if as_of < before]
    # the newest date; of its runs the one that was published last, which comes first
    return max(earlier, key=lambda night: night[0])[1] / NETWORK if earlier else None


def as_written(folder: Path) -> bool:
    """Tell whether a network is what its run wrote: its files, and no others, have the hashes in the manifest."""
    run = folder.parents[len(NETWORK.parts) - 1]
    try:
        written = manifest.read(run).outputs
        found = {f"{NETWORK.as_posix()}/{path.name}": manifest.file_hash(path) for path in sorted(folder.iterdir())}
    except (UsageError, OSError):
        return False
    return found == {name: held for name, held in written.items() if name.startswith(f"{NETWORK.as_posix()}/")}


def plan_values(folder: Path, *, before: str, like: int = 8) -> list[float]:
    """Give the order values of the newest published plans of earlier as-of dates, at most ``like`` of them.

    Plans of the same as-of are no measure: the second run of a night plans the rest of it, often nothing.
    """
    values = [
        float(facts["counts"]["order_value"])
        for _, facts in manifests(folder)
        if facts.get("status") != "held"
        and str(facts.get("as_of", "")) < before
        and "order_value" in facts.get("counts", {})
    ]
    return values[:like]
