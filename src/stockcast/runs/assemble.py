"""From the config and the command's options to what each stage takes: the one place that knows both."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np

from stockcast import ingest
from stockcast.core.axes import WEEKDAYS
from stockcast.core.errors import UsageError
from stockcast.core.findings import Alert
from stockcast.inventory import Outlook, SharedTerms, SupplyTerms
from stockcast.inventory.terms import OBJECTIVES, Objective
from stockcast.models.catalogue import Pretrained, Setting
from stockcast.runs.config import RunConfig
from stockcast.runs.job import Job

AT_LEAST = {"day": 28, "week": 8}  # periods that a forecast reaches by default
WITHOUT_ORDERS = ("forecast", "backtest", "features-rank")  # commands that no cost is needed for
AT_MOST_DAYS = 371  # a protection interval beyond this is a supplier without a known review, and is cut to it


def ingest_spec(job: Job) -> ingest.IngestSpec:
    """Say what to read, and how the tables become arrays."""
    config = job.config
    objective, target = objective_of(config)
    sources: dict[str, ingest.SourceSpec] = {
        name: ingest.SourceSpec(
            name=name,
            path=config.root / source.path,
            label=config.references.get(f"sources.{name}.path", str(source.path)),  # never a ${VAR}'s value
            columns=dict(source.columns),
            format=source.format,
            delimiter=source.delimiter,
            decimal=source.decimal,
            encoding=source.encoding,
            date_format=source.date_format,
            timezone=source.timezone,
            sheet=source.sheet,
            table=source.table,
            query=source.query,
            gaps=source.gaps,
            returns=source.returns,
            status=dict(source.status),
        )
        for name, source in config.sources.items()
    }
    return ingest.IngestSpec(
        sources=sources,
        step=config.step,
        week_start=WEEKDAYS.index(config.week_start),
        as_of=None if job.as_of is None else np.datetime64(job.as_of, "D"),
        max_bad_rows=config.limits.max_bad_rows,
        select=job.select,
        root=config.root,
        defaults=defaults_of(config),
        objective=objective,
        target=target,
        unmet_demand=config.plan.unmet_demand,
        budget=config.plan.budget,
        order_scope=config.plan.order_scope,
        covariates=tuple(config.forecast.covariates),
        country=config.forecast.holidays.country,
        region=config.forecast.holidays.region,
        horizon=config.forecast.horizon if isinstance(config.forecast.horizon, int) else 0,
        storage=dict(config.plan.storage),
        reviews_ahead=config.plan.reviews_ahead,
        orders=job.command not in WITHOUT_ORDERS,
    )


def objective_of(config: RunConfig) -> tuple[Objective, float]:
    """Give the objective's kind and its service level (0 under ``cost``)."""
    objective = config.plan.objective
    if isinstance(objective, str):
        return "cost", 0.0
    given = {name: value for name, value in as_mapping(objective).items() if value is not None}
    ((kind, target),) = given.items()
    return next(known for known in OBJECTIVES if known == kind), float(target)


def defaults_of(config: RunConfig) -> dict[str, object]:
    """Give the terms that ``plan.defaults`` states."""
    return {name: value for name, value in as_mapping(config.plan.defaults).items() if value is not None}


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Give a config section as a mapping."""
    return value if isinstance(value, Mapping) else asdict(value)


def horizon_of(
    config: RunConfig, terms: SupplyTerms, outlook: Outlook | None = None, shared: SharedTerms | None = None
) -> tuple[int, SupplyTerms, tuple[Alert, ...]]:
    """Resolve the horizon: the longest protection interval, and at least 28 days or 8 weeks.

    With ``plan.reviews_ahead`` it reaches the arrival of the last order that is looked at, where timing matters; a year
    at most, and a horizon that the config names stays as it is.

    A series whose next receipt but one lies more than a year away (no review is known, or a lead time typed in the
    wrong unit) does not stretch the horizon for all: it is held, with an alert.

    Returns
    -------
    horizon, terms, alerts
        The terms with the series that are held out of ``orderable``.

    Raises
    ------
    UsageError
        If the config names a horizon that is too short (exit 2).
    """
    longest = AT_MOST_DAYS if config.step == "day" else AT_MOST_DAYS // 7
    reach = terms.reach
    beyond = terms.protection_interval + np.ceil(3.0 * terms.lead_time_sd) > longest
    far = beyond | np.append(beyond, False)[terms.feeder]  # a place of a warehouse for which nothing is ordered
    need = int(reach[~far].max(initial=1))
    wanted = config.forecast.horizon
    ahead = _further(terms, outlook, shared)
    further = int(ahead[ahead <= longest].max(initial=0))
    horizon = max(need, further, AT_LEAST[config.step]) if wanted == "auto" else int(wanted)
    if horizon < need:
        at = int(np.flatnonzero(~far & (reach == need))[0])
        raise UsageError(
            f"forecast.horizon: {horizon} periods end before the longest protection interval, {need} periods",
            code="SC-C020",
            details=[
                f"{terms.series.sku[at]} at {terms.series.location[at]}: lead time {terms.lead_time[at]}, "
                f"review period {terms.review_period[at]}"
            ],
            help=f"set forecast.horizon: auto, or at least {need}",
        )
    alerts = tuple(
        Alert(
            severity="warning",
            code="SC-X010",
            sku=str(terms.series.sku[row]),
            location=str(terms.series.location[row]),
            supplier=str(terms.supplier[row]),
            message=f"lead time and next review reach {reach[row]} periods ahead, over a year: nothing is ordered",
            suggested_action="check lead_time_days, order_days and supplier_closures",
        )
        for row in np.flatnonzero(beyond & terms.orderable)
    )
    lead_time = np.where(beyond, np.minimum(terms.lead_time, horizon - 1), terms.lead_time)
    held = terms.replace(
        orderable=terms.orderable & ~beyond,
        lead_time=lead_time,
        lead_time_sd=np.where(beyond, 0.0, terms.lead_time_sd),
        first_review=np.where(beyond, 0, terms.first_review),
        review_period=np.where(beyond, horizon - lead_time, terms.review_period),
    )
    return horizon, held, alerts


def _further(terms: SupplyTerms, outlook: Outlook | None, shared: SharedTerms | None) -> np.ndarray:
    """Give how far the orders reach that are planned over several reviews; 0 where they are not."""
    if outlook is None or shared is None:
        return np.zeros(len(terms.series), dtype=np.int64)
    reach = outlook.end() + terms.lead_time + np.ceil(3.0 * terms.lead_time_sd).astype(np.int64)
    return np.where(outlook.matters(terms, shared), reach, 0)


def workers_of(job: Job) -> int:
    """Give the number of worker processes: as asked for, or one a core."""
    return job.workers if job.workers is not None else (os.cpu_count() or 1)


def setting_of(job: Job) -> Setting:
    """Say what the models are made with beside their names."""
    forecast = job.config.forecast
    given = forecast.pretrained
    pretrained = None if given is None else Pretrained(job.config.root / given.path, given.sha256.lower())
    return Setting(forecast.effort, pretrained=pretrained)


def seed_of(job: Job) -> int:
    """Give the seed: the option's, or the config's."""
    return job.config.seed if job.seed is None else job.seed


def digest(value: object) -> str:
    """Give a short stable hash of plain values."""
    text = json.dumps(value, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: object) -> object:
    if isinstance(value, date | np.datetime64):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def forecast_key(job: Job, inputs: ingest.Inputs, *, everything: bool = False) -> str:
    """Name what a forecast depends on: as-of, the sales as read, the forecast settings, the seed, the selection.

    With ``everything`` the key is that of the same forecast without a selection.
    """
    settings = as_mapping(job.config.forecast)
    sources = {
        name: inputs.hashes.get(name, "")
        for name in ("sales", "stock_history", "known_future", "calendar", "locations", "items")
    }
    reading = {name: as_mapping(source) for name, source in job.config.sources.items() if name in sources}
    axes = [str(inputs.panel.origin), "" if everything else job.select or "", job.config.step]
    return digest([*axes, sources, reading, settings, seed_of(job)])
