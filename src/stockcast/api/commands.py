"""The commands as Python functions: the same job, the same files, an Outcome instead of an exit code."""

import importlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockcast.core.errors import UsageError, did_you_mean
from stockcast.core.parallel import calm_threads
from stockcast.runs.config import find, load
from stockcast.runs.job import Job, Outcome

if TYPE_CHECKING:
    import pandas as pd


def check(config: str | Path | None = None, **options: Any) -> Outcome:
    """Read and validate every source, as ``stockcast check``; options as of :func:`run`."""
    return _command("check", "check", config, **options)


def forecast(config: str | Path | None = None, **options: Any) -> Outcome:
    """Forecast every series, as ``stockcast forecast``; options as of :func:`run`."""
    return _command("forecast", "forecast", config, **options)


def backtest(config: str | Path | None = None, **options: Any) -> Outcome:
    """Judge every model on the past, as ``stockcast backtest``; options as of :func:`run`."""
    return _command("backtest", "backtest", config, **options)


def rank_features(config: str | Path | None = None, **options: Any) -> Outcome:
    """Rank what the boosted model sees, as ``stockcast features rank``; options as of :func:`run`."""
    return _command("features-rank", "features", config, **options)


def plan(config: str | Path | None = None, **options: Any) -> Outcome:
    """Order from the forecast at hand, as ``stockcast plan``; options as of :func:`run`, and ``forecast_file``."""
    return _command("plan", "plan", config, **options)


def run(config: str | Path | None = None, **options: Any) -> Outcome:
    """Do the nightly job, as ``stockcast run``.

    Parameters
    ----------
    config
        The config file; ``stockcast.yml`` here or above when left out.
    **options
        What the command takes: ``as_of`` (a date), ``out``, ``select``, ``seed``, ``workers``, ``wait``, and
        ``overrides``, texts such as ``plan.budget=50000``.

    Returns
    -------
    Outcome
        With the published files by name; :func:`table` reads one of them as a frame.

    Raises
    ------
    StockcastError
        What the command line would show as its one screen.
    """
    return _command("run", "nightly", config, **options)


def table(outcome: Outcome, name: str) -> "pd.DataFrame":
    """Read a published table, such as ``plan`` or ``orders``, as a pandas frame.

    Raises
    ------
    UsageError
        If the run has no table of that name.
    """
    import pandas as pd

    known = sorted(Path(file).stem for file in outcome.artifacts if file.endswith(".parquet"))
    if name not in known:
        raise UsageError(
            f"run {outcome.run_id} has no table {name!r}{did_you_mean(name, known)}",
            code="SC-C026",
            details=[f"its tables: {', '.join(known)}"],
        )
    return pd.read_parquet(outcome.artifacts[f"{name}.parquet"])


def _command(
    name: str,
    module: str,
    config: str | Path | None,
    *,
    as_of: date | None = None,
    out: str | Path | None = None,
    forecast_file: str | Path | None = None,
    overrides: Sequence[str] = (),
    **options: Any,
) -> Outcome:
    calm_threads()
    loaded = load(find(None if config is None else Path(config)), tuple(overrides))
    job = Job(
        config=loaded,
        command=name,
        as_of=as_of,
        out=None if out is None else Path(out).absolute(),
        forecast_file=None if forecast_file is None else Path(forecast_file).absolute(),
        overrides=tuple(overrides),
        **options,
    )
    outcome: Outcome = importlib.import_module(f"stockcast.runs.{module}").run(job)
    return outcome
