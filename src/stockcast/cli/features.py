"""The commands about the features."""

import typer

from stockcast.cli.options import Given, takes_data
from stockcast.cli.screen import Screen
from stockcast.core.parallel import calm_threads

features_app = typer.Typer(help="Show what the learning models see.", no_args_is_help=True)


@features_app.callback()
def features() -> None:
    """Show what the learning models see."""


@takes_data
def rank(screen: Screen, given: Given) -> None:
    """Rank the features of the boosted model: by gain, SHAP values, and what each says of demand alone."""
    job = given.job(screen, "features-rank")
    calm_threads()
    from stockcast.runs import features as runs_features

    screen.show(runs_features.run(job))


features_app.command("rank")(rank)
