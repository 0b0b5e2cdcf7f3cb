"""``stockcast explain SKU[@LOCATION]``: why this forecast and why this quantity, from the files of a published run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, final

from stockcast.core.errors import UsageError, did_you_mean
from stockcast.policies.explain import NO_ORDER, NOTHING_FITS, ON_AVERAGE
from stockcast.report import why_forecast, why_network, why_quantity
from stockcast.report.network import network_of
from stockcast.report.reading import columns_of, rows_of
from stockcast.runs import earlier, manifest
from stockcast.runs.config import RunConfig
from stockcast.runs.publish import latest

OF_SERIES = ("sku", "location", "model", "fallback")
AHEAD = 28  # periods of the forecast in the JSON object


@final
@dataclass(frozen=True, slots=True)
class Explained:
    """What is told of one series, or the list of a sku's series where several are meant.

    Parameters
    ----------
    facts
        For the JSON object, numbers as the run's files have them.
    title, quantity, forecast
        For a person: a line, and sentences.
    waterfall, exceptions, series
        For a person: the steps with their units; codes and messages; and one line a series of a sku at several places.
    """

    run_id: str
    facts: dict[str, Any]
    title: str
    quantity: Sequence[str] = ()
    forecast: Sequence[str] = ()
    waterfall: Sequence[dict[str, Any]] = ()
    exceptions: Sequence[tuple[str, str]] = ()
    series: Sequence[tuple[str, str]] = ()


def run(config: RunConfig, named: str, run: str | None = None) -> Explained:
    """Explain a series of the newest published run, or of another one.

    Parameters
    ----------
    named
        ``SKU`` or ``SKU@LOCATION``.
    run
        The id of a run of this project, or the folder of any.

    Raises
    ------
    UsageError
        If there is no such run, it has neither a plan nor a forecast, or no such series (exit 2).
    """
    base = config.root / config.output.dir
    folder = _folder(base, run)
    facts = manifest.read(folder)
    table = next((name for name in ("plan", "history") if (folder / f"{name}.parquet").is_file()), None)
    if table is None:
        other = next((found.name for found, _ in earlier.manifests(base) if (found / "plan.parquet").is_file()), None)
        raise UsageError(
            f"run {facts.run_id} has neither a plan nor a forecast to explain", code="SC-C027",
            help=f"stockcast explain {named} --run {other}" if other else "stockcast run",
        )  # fmt: skip
    places = _places(folder, table, named, facts.run_id)
    if len(places) > 1:
        return _several(folder, table, places, facts)
    return _one(base, folder, facts, *places[0], step=config.step)


def _folder(base: Path, run: str | None) -> Path:
    if run is None:
        newest = latest(base)
        if newest is None:
            raise UsageError("no run was published yet", code="SC-C027", help="stockcast run")
        return newest
    inside = base / run
    return inside if (inside / manifest.NAME).is_file() else Path(run)


def _places(folder: Path, table: str, named: str, run_id: str) -> list[tuple[str, str]]:
    """Give the series that are meant; a sku that holds an @ itself is found as it stands."""
    known = columns_of(folder, table, ("sku", "location"))
    skus = {sku for sku, _ in known}
    if named in skus:
        return [(sku, location) for sku, location in known if sku == named]
    sku, at, location = named.rpartition("@")
    if at and sku in skus:
        found = [(one, place) for one, place in known if one == sku and place == location]
        if found:
            return found
        there = [place for one, place in known if one == sku]
        near = did_you_mean(location, there) or f"; it is at {', '.join(there[:5])}"
        raise UsageError(
            f"{sku} is not at {location!r} in run {run_id}{near}", code="SC-C027",
            help=f"stockcast explain {sku} lists its locations",
        )  # fmt: skip
    near = did_you_mean(sku if at else named, sorted(skus))
    raise UsageError(
        f"no sku {(sku if at else named)!r} in run {run_id}{near}", code="SC-C027",
        help="name a sku of plan.csv, with @LOCATION where it is at several",
    )  # fmt: skip


def _several(folder: Path, table: str, places: list[tuple[str, str]], facts: manifest.Manifest) -> Explained:
    sku = places[0][0]
    rows = rows_of(folder, table, sku=sku)
    lines = [(row["location"], why_quantity.headline(row) if table == "plan" else "forecast only") for row in rows]
    found = [
        {
            "location": row["location"],
            **(
                {name: row[name] for name in ("order_quantity", "binding_constraint", "reason")}
                if table == "plan"
                else {}
            ),
        }
        for row in rows
    ]
    title = f"{sku} is at {len(places)} locations; stockcast explain {sku}@LOCATION tells more"
    return Explained(facts.run_id, {"sku": sku, "as_of": facts.as_of, "series": found}, title, series=lines)


def _one(base: Path, folder: Path, facts: manifest.Manifest, sku: str, location: str, *, step: str) -> Explained:
    where = {"sku": sku, "location": location}
    plan = next(iter(rows_of(folder, "plan", **where)), None)
    row = next(iter(rows_of(folder, "waterfall", **where)), None)
    told: dict[str, Any] = {"sku": sku, "location": location, "as_of": facts.as_of, "command": facts.command}
    quantity: list[str] = []
    steps: list[dict[str, Any]] = []
    title = f"{sku} at {location}, as of {facts.as_of}"
    if plan is not None:
        lines = len(columns_of(folder, "orders", ("sku",)))
        prices, coarse = _prices(folder, facts)
        quantity = why_quantity.sentences(plan, row, prices, lines, coarse)
        steps = [] if row is None else why_quantity.waterfall_of(row, plan)
        told |= {"plan": dict(plan), "line": {} if row is None else dict(row), "waterfall": steps,
                 "order_lines": lines, "prices": dict(facts.prices), "why_quantity": quantity}  # fmt: skip
        title = f"{title}: {why_quantity.headline(plan)}"
        moved = rows_of(folder, "transfers", sku=sku)
        moved = [one for one in moved if location in (one["from_location"], one["to_location"])]
        quantity += why_quantity.moves(moved, location)
        told["transfers"] = [dict(one) for one in moved]
    forecast, of_forecast = _forecast(base, folder, facts, where, step)
    alerts = [row for row in rows_of(folder, "exceptions", sku=sku) if row["location"] in ("", location)]
    told |= of_forecast | {"why_forecast": forecast, "exceptions": [dict(alert) for alert in alerts]}
    return Explained(
        facts.run_id, json.loads(json.dumps(told, default=_plain)), title, quantity, forecast, steps,
        [(alert["code"], alert["message"]) for alert in alerts],
    )  # fmt: skip


def _prices(folder: Path, facts: manifest.Manifest) -> tuple[dict[str, float], frozenset[str]]:
    """Give the prices that say something, as the exceptions tell, and the limits of which one unit changes nothing."""
    messages = {
        f"{name} {row['location']}".strip(): row["message"]
        for code, name in (("SC-P016", "budget"), ("SC-P019", "storage"))
        for row in rows_of(folder, "exceptions", code=code)
    }
    coarse = frozenset(name for name, text in messages.items() if NOTHING_FITS in text and ON_AVERAGE in text)
    idle = {name for name, text in messages.items() if NO_ORDER in text or NOTHING_FITS in text} - coarse
    return {name: price for name, price in facts.prices.items() if name not in idle}, coarse


def _forecast(
    base: Path, folder: Path, facts: manifest.Manifest, where: dict[str, str], step: str
) -> tuple[list[str], dict[str, Any]]:
    """Say why this forecast; what a forecast used again rests on stands in the run that made it."""
    rows = rows_of(folder, "forecast", **where)
    if not rows:
        return [], {}
    made = base / facts.forecast_from if facts.forecast_from and (base / facts.forecast_from).is_dir() else folder
    history = next(iter(rows_of(folder, "history", **where)), None)
    if made != folder and history is not None and not history["segment"]:
        by = next(iter(rows_of(made, "history", **where)), None)
        known = {} if by is None else {name: by[name] for name in ("segment", "sales_stand_in")}
        history = {**history, **known}
    model, fallback = rows[0]["model"], rows[0]["fallback"]
    members = why_forecast.members_of(model)
    segment = "" if history is None else history["segment"]
    backtest = why_forecast.backtest_of(rows_of(made, "backtest"), segment, list(members)) if segment else {}
    season = why_forecast.season_of(rows, step)
    said = why_forecast.sentences(model, fallback, history, season, backtest, step)
    if facts.forecast_from:
        said.append(f"It comes from {facts.forecast_from}.")
    found: dict[str, Any] = {
        "model": model, "weights": members, "fallback": fallback, "history": history, "season": season,
        "backtest": backtest, "forecast_from": facts.forecast_from,
        "forecast": [{name: value for name, value in row.items() if name not in OF_SERIES} for row in rows[:AHEAD]],
    }  # fmt: skip
    if "tft" in members:
        network = network_of(made, **where, forecast=not why_network.stood_in(fallback, "tft"))
        if network is not None:
            found["network"] = {"of": network.whose, "shares": network.shares, "attention": network.attention}
        if network is not None and network.whose != "others":
            of_all = network.whose == "all"
            said += why_network.network_sentences(network.shares, network.attention, step, of_all=of_all)
    return said, found


def _plain(value: object) -> object:
    return str(value) if isinstance(value, date) else value
