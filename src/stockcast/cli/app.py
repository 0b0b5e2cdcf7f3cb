"""The tree of commands."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from stockcast.cli import nightly, project, settings
from stockcast.cli.explain import explain
from stockcast.cli.features import features_app
from stockcast.core.errors import UsageError, did_you_mean


class Commands(TyperGroup):
    """A group whose unknown commands are told with the nearest known one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Give the command that the first word names."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            known = self.list_commands(ctx)
            near = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            raise UsageError(f"unknown command {name}{near}", code="SC-C018", help=f"{ctx.command_path} --help")
        return super().resolve_command(ctx, args)


def _version(wanted: bool) -> bool:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"stockcast {version('stockcast')}")
        raise typer.Exit
    return wanted


app = typer.Typer(
    name="stockcast",
    cls=Commands,
    help="From a sales history to the orders that should go out tonight.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def whole(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="show the version")
    ] = False,
) -> None:
    """From a sales history to the orders that should go out tonight."""


app.command()(project.init)
app.command()(nightly.check)
app.command()(nightly.forecast)
app.command()(nightly.backtest)
app.command()(nightly.plan)
app.command()(nightly.run)
app.command()(explain)
for group, inner in (
    ("features", features_app), ("models", settings.models_app), ("config", settings.config_app),
):  # fmt: skip
    app.add_typer(inner, name=group, cls=Commands)
app.command()(project.doctor)
