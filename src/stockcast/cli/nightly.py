"""The commands that take data: check, forecast, backtest, plan, run."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import Given, takes_data
from stockcast.cli.screen import Screen
from stockcast.core.errors import UsageError
from stockcast.core.parallel import calm_threads


@takes_data
def check(screen: Screen, given: Given) -> None:
    """Read and validate every source: what would be quarantined, and why."""
    job = given.job(screen, "check")
    calm_threads()
    from stockcast.runs import check as runs_check

    screen.show(runs_check.run(job))


@takes_data
def forecast(screen: Screen, given: Given) -> None:
    """Forecast every series: models chosen by backtest, quantiles and joint paths."""
    job = given.job(screen, "forecast")
    calm_threads()
    from stockcast.runs import forecast as runs_forecast

    screen.show(runs_forecast.run(job))


@takes_data
def backtest(screen: Screen, given: Given) -> None:
    """Judge every model on the past: accuracy and calibration at rolling origins, by segment."""
    job = given.job(screen, "backtest")
    calm_threads()
    from stockcast.runs import backtest as runs_backtest

    screen.show(runs_backtest.run(job))


@takes_data
def plan(
    screen: Screen,
    given: Given,
    forecast: Annotated[
        Path | None, typer.Option("--forecast", metavar="FILE", help="a forecast of your own, CSV or Parquet")
    ] = None,
    rank_by: Annotated[str | None, typer.Option("--rank-by", metavar="value", help="rank the lines by value")] = None,
    budget: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="MONEY", help="plan.budget; with --rank-by: spend down the ranking until it"),
    ] = None,
    tradeoff: Annotated[
        bool, typer.Option("--tradeoff", help="also plan for less and for more service: tradeoff.csv, tradeoff.svg")
    ] = False,
) -> None:
    """Plan the orders from the newest fitting forecast (or a new one) and the stock."""
    if rank_by not in (None, "value"):
        raise UsageError(f"--rank-by {rank_by}: only value is known", code="SC-C021", help="--rank-by value")
    if tradeoff and rank_by is not None and budget is not None:
        raise UsageError(
            "--tradeoff cannot plan for a ranking that is cut", code="SC-C018",
            help="leave --rank-by out: the optimizer keeps the budget in every plan",
        )  # fmt: skip
    if budget is not None and rank_by is None:
        given = replace(given, set=[*(given.set or ()), f"plan.budget={budget!r}"])
    job = given.job(
        screen,
        "plan",
        forecast_file=None if forecast is None else forecast.absolute(),
        rank_by=rank_by,
        budget=None if rank_by is None else budget,
        tradeoff=tradeoff,
    )
    calm_threads()
    from stockcast.runs import plan as runs_plan

    screen.show(runs_plan.run(job))


@takes_data
def run(screen: Screen, given: Given) -> None:
    """Do the nightly job: check, forecast, plan, report, published all at once."""
    job = given.job(screen, "run")
    calm_threads()
    from stockcast.runs import nightly

    screen.show(nightly.run(job))
