"""``stockcast init``: a project folder, and with ``--demo`` a data set to try it on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from stockcast.core.errors import UsageError
from stockcast.report.disk import reaching, write_file
from stockcast.runs.config.load import FILE_NAME
from stockcast.runs.config.profiles import Profile, text_of

IGNORED = "# what stockcast writes\n/runs/\n"
_EXPORT = {"m5": "your M5 export as data/m5.parquet", "transactions": "your transactions as data/online_retail.parquet"}


@final
@dataclass(frozen=True, slots=True)
class Made:
    """What ``init`` wrote, and what to do next."""

    headline: str
    files: tuple[Path, ...]
    counts: Mapping[str, int | float | str]
    steps: tuple[str, ...]

    def next_steps(self, folder: str) -> list[str]:
        """Give the next commands, as typed from here."""
        return [step.format(folder=folder) for step in self.steps]


def run(
    folder: Path,
    *,
    demo: bool = False,
    profile: Profile | None = None,
    skus: int | None = None,
    locations: int | None = None,
    days: int | None = None,
    seed: int | None = None,
) -> Made:
    """Write a project into a folder.

    Parameters
    ----------
    demo
        Whether to generate a data set; its size is ``skus`` × ``locations`` over ``days``.
    profile
        The shape of export that the config fits.

    Raises
    ------
    UsageError
        If there is a project or data already (SC-C019); nothing is written then.
    ResourceError
        If the operating system refuses.
    """
    _refuse_to_overwrite(folder, demo=demo)
    config, ignore = folder / FILE_NAME, folder / ".gitignore"
    files = [config]
    counts: dict[str, int | float | str] = {}
    if demo:
        from stockcast.runs import demo as generated

        sizes = {"skus": skus, "locations": locations, "days": days, "seed": seed}
        counts = _counts(generated.write(folder, **{name: size for name, size in sizes.items() if size is not None}))
        text = generated.CONFIG
        headline = f"a demo project in {folder}"
        steps = ["cd {folder}", "stockcast run"]
    else:
        with reaching(folder, "make the folder"):
            (folder / "data").mkdir(parents=True, exist_ok=True)
        text = text_of(profile)
        headline = f"a project in {folder}"
        put = _EXPORT.get(profile or "", "your sales as the file that sources.sales.path names")
        steps = [
            f"put {put}, with data/inventory.csv and data/items.csv beside it",
            "look through {folder}/" + FILE_NAME,
            "cd {folder}",
            "stockcast check",
            "stockcast run",
        ]
    write_file(config, text.encode())  # last of what makes a project: an interrupted init can be run again
    if not ignore.exists():
        write_file(ignore, IGNORED.encode())
        files.append(ignore)
    return Made(headline, tuple(files), counts, tuple(steps))


def _refuse_to_overwrite(folder: Path, *, demo: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", code="SC-C019", help="name a folder")
    taken = [folder / FILE_NAME] if (folder / FILE_NAME).exists() else []
    if demo:
        taken += [path for name in ("data", "truth") if (path := folder / name).is_dir() and any(path.iterdir())]
    if taken:
        raise UsageError(
            f"{taken[0]} is there already; init never writes over a project",
            code="SC-C019",
            help="choose another folder",
            kept=f"{folder} is untouched",
        )


def _counts(summary: Any) -> dict[str, int | float | str]:
    names = getattr(summary, "__dataclass_fields__", {})
    values = {name: getattr(summary, name) for name in names}
    return {name: value for name, value in values.items() if isinstance(value, int | float | str)}
