"""Earlier runs of the project: the newest fitting forecast, and what like runs came to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


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
    for _, run, manifest in sorted(found, key=lambda entry: (-entry[0], entry[1].name)):
        yield run, manifest


def newest_forecast(folder: Path, key: str) -> Path | None:
    """Give the newest run that holds a forecast made from the same as-of, sales, settings and seed."""
    for run, manifest in manifests(folder):
        if manifest.get("forecast_key") == key and (run / "forecast").is_dir():
            return run
    return None


def plan_values(folder: Path, *, before: str, like: int = 8) -> list[float]:
    """Give the order values of the newest published plans of earlier as-of dates, at most ``like`` of them.

    Plans of the same as-of are no measure: the second run of a night plans the rest of it, often nothing.
    """
    values = [
        float(manifest["counts"]["order_value"])
        for _, manifest in manifests(folder)
        if manifest.get("status") != "held"
        and str(manifest.get("as_of", "")) < before
        and "order_value" in manifest.get("counts", {})
    ]
    return values[:like]
