"""The options of every command that takes data, written once."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, final, get_type_hints

import typer

from stockcast.cli.screen import Screen, current
from stockcast.core.errors import UsageError

if TYPE_CHECKING:
    from stockcast.runs.config import RunConfig
    from stockcast.runs.job import Job


def iso_date(text: str | date) -> date:
    """Read a date, written YYYY-MM-DD and no other way.

    Raises
    ------
    UsageError
        If it is written otherwise, or does not exist.
    """
    try:
        if isinstance(text, date):
            return text
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"--as-of {text}: not a date", code="SC-C016", help="write YYYY-MM-DD, such as 2026-11-22")


ConfigFile = Annotated[
    Path | None, typer.Option("--config", "-c", metavar="FILE", help="the config; else stockcast.yml here or above")
]
Format = Annotated[Literal["text", "json"], typer.Option("--output-format", help="json: stdout is one JSON object")]
Debug = Annotated[bool, typer.Option("--debug", help="show the traceback of an error")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="change a config key for this run")]


@final
@dataclass(frozen=True, slots=True)
class Given:
    """What was typed: one attribute an option."""

    config: ConfigFile = None
    as_of: Annotated[
        date | None,
        typer.Option(metavar="DATE", parser=iso_date, help="the last known period: the one that holds DATE"),
    ] = None
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="publish here instead: absent, empty or an earlier run")
    ] = None
    select: Annotated[str | None, typer.Option(metavar="EXPR", help="sku:… location:… supplier:… category:… @file")] = (
        None
    )
    set: Set = None
    seed: Annotated[int | None, typer.Option(min=0, help="the seed of every random draw")] = None
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="where models compute")] = "auto"
    executor: Annotated[Literal["local", "ray"], typer.Option(help="who does the work")] = "local"
    workers: Annotated[int | None, typer.Option(min=1, help="processes; the result is the same with any number")] = None
    strict: Annotated[bool, typer.Option("--strict", help="exit 4 where the result is degraded")] = False
    wait: Annotated[float, typer.Option(min=0.0, metavar="SECONDS", help="wait for another run to end")] = 0.0
    output_format: Format = "text"
    debug: Debug = False

    def job(self, screen: Screen, command: str, **more: Any) -> "Job":
        """Load the config and make the job.

        Raises
        ------
        UsageError
            If the config or an option cannot be carried out.
        """
        from stockcast.runs.job import Job

        if self.executor == "ray":
            _refuse_ray()
        screen.out = None if self.out is None else self.out.absolute()
        config = open_config(screen, self.config, tuple(self.set or ()))
        return Job(
            config=config,
            command=command,
            as_of=self.as_of,
            out=screen.out,
            select=self.select,
            seed=self.seed,
            device=self.device,
            executor=self.executor,
            workers=self.workers,
            strict=self.strict,
            wait=self.wait,
            overrides=tuple(self.set or ()),
            progress=screen.progress(),
            **more,
        )


def open_config(screen: Screen, path: Path | None, overrides: tuple[str, ...] = ()) -> "RunConfig":
    """Find and load the config, and tell the screen about it: what is kept, and what must not be shown."""
    from stockcast.runs.config import find, load

    screen.config = load(find(path), overrides)
    return screen.config


def _refuse_ray() -> None:
    from importlib.util import find_spec

    if find_spec("ray") is None:
        raise UsageError(
            "--executor ray: Ray is not installed",
            code="SC-C015",
            help="pip install 'stockcast[ray]', or --executor local",
        )
    raise UsageError("--executor ray: not part of this version", code="SC-C015", help="use --executor local")


def takes_data(body: Callable[..., None]) -> Callable[..., None]:
    """Give a command every option of :class:`Given`; its body takes the screen, what was given, and its own options."""
    hints = get_type_hints(Given, include_extras=True)
    own = [
        p for name, p in inspect.signature(body, eval_str=True).parameters.items() if name not in ("screen", "given")
    ]
    common = [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
        for f in fields(Given)
    ]

    def command(**typed: Any) -> None:
        mine = {parameter.name: typed.pop(parameter.name) for parameter in own}
        body(current(), Given(**typed), **mine)

    parameters = [*(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *common]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__name__, command.__doc__ = body.__name__, body.__doc__
    return command
