"""The commands about the config and the models: they only show."""

import typer

from stockcast.cli.options import ConfigFile, Debug, Format, Set, open_config
from stockcast.cli.screen import current
from stockcast.cli.wording import aligned

config_app = typer.Typer(help="Show the config in effect, or the schema of all its keys.", no_args_is_help=True)
models_app = typer.Typer(help="Show the models.", no_args_is_help=True)


@config_app.command("show")
def show_config(
    config: ConfigFile = None, set: Set = None, output_format: Format = "text", debug: Debug = False
) -> None:
    """Show the config in effect, defaults included; what came from the environment stays ${VAR}."""
    from stockcast.runs.config import effective, show

    screen = current()
    loaded = open_config(screen, config, tuple(set or ()))
    if screen.json:
        screen.answer(path=str(loaded.path), config=effective(loaded))
    else:
        screen.write(show(loaded).rstrip("\n"))


@config_app.command("schema")
def show_schema(output_format: Format = "text", debug: Debug = False) -> None:
    """Print the JSON Schema of the config, for editors."""
    import json

    from stockcast.runs.config import schema

    screen = current()
    if screen.json:
        screen.answer(schema=schema())
    else:
        screen.write(json.dumps(schema(), indent=2))


@models_app.command("list")
def list_models(output_format: Format = "text", debug: Debug = False) -> None:
    """List the models by name, and which of them this version has."""
    from stockcast.runs.config.models import list_models as known

    screen = current()
    models = known()
    if screen.json:
        keys = ("name", "group", "available", "extra", "what", "source")
        screen.answer(models=[{key: getattr(model, key) for key in keys} for model in models])
        return
    said = ("not in this version", "yes", "with the extra {}")
    rows = [
        (model.name, model.group, said[model.available + (model.extra != "")].format(model.extra), model.what)
        for model in models
    ]
    screen.write(aligned(("model", "group", "available", "what"), rows))
