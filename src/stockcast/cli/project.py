"""The commands around a project: init and doctor."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from stockcast.cli.options import ConfigFile, Debug, Format
from stockcast.cli.screen import current
from stockcast.cli.wording import aligned, shortest
from stockcast.core.errors import UsageError


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the project's folder")],
    demo: Annotated[bool, typer.Option("--demo", help="add a generated data set that runs as it is")] = False,
    profile: Annotated[
        Literal["m5", "transactions", "censored"] | None,
        typer.Option("--from", help="a config that fits an export of this shape"),
    ] = None,
    skus: Annotated[int | None, typer.Option(help="with --demo: items")] = None,
    locations: Annotated[int | None, typer.Option(help="with --demo: locations")] = None,
    days: Annotated[int | None, typer.Option(help="with --demo: days of history")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="with --demo: the seed of the data")] = None,
    output_format: Format = "text",
    debug: Debug = False,
) -> None:
    """Write a project: a commented stockcast.yml, and with --demo a data set to try it on."""
    from stockcast.runs import init as runs_init

    if demo and profile is not None:
        raise UsageError("--demo and --from exclude each other", code="SC-C018", help="name one of them")
    sizes = {"--skus": skus, "--locations": locations, "--days": days, "--seed": seed}
    if not demo and any(value is not None for value in sizes.values()):
        named = ", ".join(name for name, value in sizes.items() if value is not None)
        raise UsageError(f"{named}: for --demo only", code="SC-C018", help="add --demo, or leave it out")
    made = runs_init.run(folder, demo=demo, profile=profile, skus=skus, locations=locations, days=days, seed=seed)
    screen = current()
    if screen.json:
        screen.answer(counts=dict(made.counts), artifacts={path.name: str(path) for path in made.files})
        return
    steps = "\n".join(f"  {step}" for step in made.next_steps(shortest(folder)))
    screen.write(f"{made.headline}\n\nnext:\n{steps}")


def doctor(
    config: ConfigFile = None,
    max_age: Annotated[
        str | None, typer.Option("--max-age", metavar="26h", help="exit 6 where the newest published run is older")
    ] = None,
    output_format: Format = "text",
    debug: Debug = False,
) -> None:
    """Look at the installation, the machine, the config, the lock and the last published run."""
    from stockcast.runs import doctor as runs_doctor

    screen = current()
    found = runs_doctor.run(config, max_age)
    screen.config = found.config
    failed = next((check.error for check in found.checks if check.error is not None), None)
    if failed is not None:
        screen.exit_code = failed.exit_code
    if screen.json:
        checks = [
            {"name": check.name, "state": check.state, "value": check.value, "what": check.what}
            for check in found.checks
        ]
        error = None if failed is None else failed.as_dict()
        screen.answer(status="ok" if failed is None else "failed", checks=checks, error=error)
        return
    rows = [(check.state, check.name, check.what) for check in found.checks]
    screen.write(aligned(("", "what", "found"), rows))
    if failed is not None:
        screen.fail(failed)
