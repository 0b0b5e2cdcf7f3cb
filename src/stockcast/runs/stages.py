"""The stages of a night up to its forecast, each one step of the picture: read, forecast; and the backtest."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

import numpy as np

from stockcast import evaluation, ingest
from stockcast.core.deadline import STRUCK
from stockcast.core.device import choose
from stockcast.core.errors import DataError
from stockcast.core.findings import Alert, Issue
from stockcast.core.libraries import require_library
from stockcast.core.random import Stream
from stockcast.demand import SampledForecast
from stockcast.evaluation.folds import LEAST
from stockcast.inventory import SupplyTerms, Transfers
from stockcast.models.boosting.importance import Importance, importance
from stockcast.models.boosting.model import foretold
from stockcast.models.catalogue import GONE_ON, NEEDS, Setting, candidates
from stockcast.models.ladder import failed
from stockcast.models.lifecycle import ends, led
from stockcast.models.pretrained.folder import installed, require
from stockcast.panel import Panel
from stockcast.panel.aggregation import require_columns
from stockcast.report.recorded import read_forecast
from stockcast.report.user_forecast import MODEL, read_user_forecast
from stockcast.runs import assemble, earlier, learning
from stockcast.runs.clock import Clock
from stockcast.runs.job import Job
from stockcast.runs.publish import publish_issues
from stockcast.runs.ranking import chosen_where


@final
@dataclass(slots=True)
class Night:
    """One run under way: what was asked for, its clock, and what it has to tell so far."""

    job: Job
    clock: Clock
    alerts: list[Alert] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    warm_start: dict[str, str] = field(default_factory=dict)
    moved: Transfers | None = None  # between locations, before anything is bought; None without lanes

    @property
    def folder(self) -> Path:
        """Give the folder that runs are published in."""
        return self.job.config.root / self.job.config.output.dir

    def cut_short(self, what: str) -> None:
        """Record that the deadline struck and what was left out for it (rule 10)."""
        self.cut.append(what)
        self.alerts.append(
            Alert(
                severity="warning",
                code="SC-X011",
                message=f"{STRUCK}: {what}",
                suggested_action="give the run more time (deadline:), or less to do (effort: fast)",
            )
        )


@final
@dataclass(frozen=True, slots=True)
class Forecasted:
    """A forecast for every series, with who made it; ``evaluation`` is None where it was read, not made."""

    demand: SampledForecast
    model: np.ndarray
    fallback: np.ndarray
    evaluation: "evaluation.Forecasted | None"
    key: str
    origin_of_forecast: str  # "made", a run's id, or a file's name


def read(night: Night) -> ingest.Inputs:
    """Read, check and build the inputs; what was refused stays readable when the inputs broke their contract."""
    with night.clock.stage("ingest"), night.job.progress.stage("reading") as done:
        try:
            inputs = ingest.load(assemble.ingest_spec(night.job), done=done)
        except ingest.RefusedInput as refused:
            publish_issues(night.folder, refused.issues)
            raise
    night.issues.extend(inputs.issues)
    night.alerts.extend(inputs.alerts)
    night.notes.extend(inputs.notes)
    return inputs


def forecast(night: Night, inputs: ingest.Inputs) -> tuple[Forecasted, SupplyTerms]:
    """Choose a model per segment by backtest, fit it, and forecast every series."""
    job, config = night.job, night.job.config.forecast
    horizon, terms, alerts = assemble.horizon_of(job.config, inputs.terms, inputs.outlook, inputs.shared)
    night.alerts.extend(alerts)
    folds = config.backtest.folds
    names = _names(night, inputs)
    if night.clock.struck:
        names, folds = ["moving_average"], 0
        night.cut_short("no model was chosen by backtest; the moving average forecast every series")
    choose(job.device)
    setting = _begun(night, inputs, names)
    _foretell(night, inputs, names)
    require_columns(inputs.panel, config.hierarchy)
    with night.clock.stage("forecast"), job.progress.stage("forecasting") as done:
        made = evaluation.forecast(
            names,
            inputs.panel,
            horizon=horizon,
            periods=terms.protection_interval,
            folds=folds,
            refit_every=config.backtest.refit_every,
            effort=config.effort,
            levels=tuple(config.levels),
            n_paths=config.paths,
            seed=assemble.seed_of(job),
            workers=assemble.workers_of(job),
            hierarchy=tuple(config.hierarchy),
            reconcile="none" if night.clock.struck else config.reconcile,
            done=done,
            setting=setting,
        )
    _tell(night, made.notes)
    for note in made.notes:
        if GONE_ON in note and setting.warm_start is not None:
            night.warm_start["tft"] = setting.warm_start.relative_to(night.folder).parts[0]
    night.clock.timings["finish"] = made.finish_s  # a part of the stage "forecast"
    _say_device(night)
    series = inputs.panel.series
    night.alerts.extend(
        Alert(
            severity="warning",
            code="SC-X013",
            sku=str(series.sku[row]),
            location=str(series.location[row]),
            message=f"the chosen model failed: {made.fallback[row]}",
            suggested_action="look at the series' history",
        )
        for row in np.flatnonzero(failed(made.fallback))
    )
    key = assemble.forecast_key(job, inputs)
    return Forecasted(made.demand, made.model, made.fallback, made, key, "made"), terms


def _names(night: Night, inputs: ingest.Inputs) -> list[str]:
    """Give the models to try; weights from elsewhere are looked at before anything is computed.

    Raises
    ------
    UsageError
        If the config names models that cannot be had.
    ResourceError
        If a library of a deep model cannot be loaded.
    """
    config = night.job.config.forecast
    setting = assemble.setting_of(night.job)
    there = setting.pretrained is not None and installed()
    names = candidates(
        config.models, config.effort, n_series=len(inputs.panel.series), folds=config.backtest.folds,
        extras=("pretrained",) if there else (),
    )  # fmt: skip
    if "chronos" in names:
        require(setting.pretrained)
    elif setting.pretrained is not None and not there:
        night.notes.append("forecast.pretrained is left out: the extra pretrained of stockcast is not installed")
    for name in names:
        require_library(*NEEDS.get(name, ()))
    return names


def _foretell(night: Night, inputs: ingest.Inputs, names: Sequence[str]) -> None:
    """Say before the long part of the night what it will not look at; what came of it is among the notes."""
    if "lightgbm" in names and (budget := foretold(inputs.panel)):
        night.job.progress.say(budget)


def _begun(night: Night, inputs: ingest.Inputs, names: Sequence[str]) -> Setting:
    """Say what the models are made with; tft goes on from its own state of a killed run, or from an earlier night."""
    setting = assemble.setting_of(night.job)
    if "tft" not in names:
        return setting
    left, begun = learning.place(night.folder, learning.key(night.job, inputs))
    if begun:
        night.job.progress.say("a run that was ended had begun to learn the network of tft: it is gone on with")
    setting = replace(setting, checkpoint=left)
    if night.job.config.forecast.warm_start == "never":
        return setting
    found = earlier.network(night.folder, before=str(inputs.panel.origin))
    if found is not None and not earlier.as_written(found):
        run = found.relative_to(night.folder).parts[0]
        night.notes.append(f"tft: the network was learnt anew: that of {run} is not what its manifest says")
        return setting
    return replace(setting, warm_start=found)


def judge(night: Night, inputs: ingest.Inputs) -> "evaluation.Comparison":
    """Judge every model at every origin, the seasonal naive among them, and the choices made on the way.

    Raises
    ------
    DataError
        If the history is too short for a single origin.
    """
    job, config = night.job, night.job.config.forecast
    if night.clock.struck:
        night.cut_short("no model was judged")
        return evaluation.Comparison()
    horizon, terms, _ = assemble.horizon_of(job.config, inputs.terms, inputs.outlook, inputs.shared)
    folds = config.backtest.folds
    names = _names(night, inputs)
    choose(job.device)
    _foretell(night, inputs, names)
    with night.clock.stage("backtest"), job.progress.stage("judging models") as done:
        found = evaluation.compare(
            names,
            inputs.panel,
            horizon=horizon,
            periods=terms.protection_interval,
            folds=folds,
            refit_every=config.backtest.refit_every,
            effort=config.effort,
            levels=tuple(config.levels),
            n_paths=config.paths,
            seed=assemble.seed_of(job),
            workers=assemble.workers_of(job),
            done=done,
            setting=assemble.setting_of(job),
        )
    if not found.origins:
        raise DataError(
            f"the history of {inputs.panel.time.n} {job.config.step}s is too short to judge models on it",
            code="SC-M040",
            details=[f"it ends with {inputs.panel.origin}; a model is given {LEAST[job.config.step]} periods at least"],
            help="give a longer history, or a later --as-of; stockcast forecast works without a backtest",
        )
    _tell(night, [*found.notes, *filter(None, [chosen_where(found)])])
    _say_device(night)
    return found


def rank(night: Night, inputs: ingest.Inputs) -> Importance:
    """Rank the features of the boosted model by what it makes of them; none where the deadline has struck.

    Raises
    ------
    DataError
        If there is too little to rank them by.
    """
    if night.clock.struck:
        night.cut_short("no feature was ranked")
        return Importance()
    choose(night.job.device)
    _foretell(night, inputs, ["lightgbm"])
    with night.clock.stage("features"), night.job.progress.stage("ranking features"):
        found = importance(inputs.panel, seed=assemble.seed_of(night.job))
    sampled = f" of {found.offered:,}" if found.offered > found.learnt else ""
    night.notes.append(
        f"learnt from {found.learnt:,}{sampled} rows before {found.since}; SHAP values are of {found.explained:,} of "
        f"{found.held_out:,} rows from then on, which the model has not seen"
    )
    night.notes.extend(found.notes)
    return found


def _tell(night: Night, notes: Sequence[str]) -> None:
    """Take notes over; what the deadline cut is told as such, and makes the run degraded."""
    for note in notes:
        if STRUCK in note:
            night.cut_short(note.replace(f"{STRUCK}: ", ""))
        else:
            night.notes.append(note)


def _say_device(night: Night) -> None:
    """Record a GPU that was used, and one that was asked for and is not there; torch is loaded for no other reason."""
    if night.job.device != "cuda" and "torch" not in sys.modules:
        return
    from stockcast.models.smoothing.device import device, device_name

    if device() == "cuda":
        night.notes.append(f"batched models computed on {device_name()}")
    elif night.job.device == "cuda":
        night.issues.append(
            Issue("warning", "SC-X012", "", "PyTorch finds no CUDA device", "batched models computed on the CPU")
        )


def forecast_at_hand(night: Night, inputs: ingest.Inputs) -> tuple[Forecasted, SupplyTerms]:
    """Take the user's forecast, or the newest one of the same as-of and sales, or make one."""
    horizon, terms, alerts = assemble.horizon_of(night.job.config, inputs.terms, inputs.outlook, inputs.shared)
    key = assemble.forecast_key(night.job, inputs)
    file = night.job.forecast_file
    if file is not None:
        night.alerts.extend(alerts)
        with night.clock.stage("forecast"):
            demand, model, fallback = read_user_forecast(
                file,
                inputs.panel.series,
                inputs.panel.time.after(horizon),
                _required(terms),
                Stream(assemble.seed_of(night.job), "user forecast"),
                n_paths=night.job.config.forecast.paths,
            )
            demand, fallback = _until_the_end(demand, fallback, inputs.panel)
        return Forecasted(demand, model, fallback, None, key, str(file)), terms
    # a selection takes its series from the forecast of all, if there is one: the same orders as in the nightly plan
    for wanted in dict.fromkeys((assemble.forecast_key(night.job, inputs, everything=True), key)):
        found = earlier.newest_forecast(night.folder, wanted)
        if found is None:
            continue
        with night.clock.stage("forecast"):
            demand, model, fallback = read_forecast(found / "forecast")
        series = inputs.panel.series
        rows = demand.series.locate(series.sku, series.location)
        if demand.horizon >= horizon and (rows >= 0).all():
            night.alerts.extend(alerts)
            night.notes.append(f"forecast of run {found.name} used again")
            return Forecasted(demand.take(rows), model[rows], fallback[rows], None, key, found.name), terms
    return forecast(night, inputs)


def _required(terms: SupplyTerms) -> np.ndarray:
    """Give the leading periods that a user's forecast must have: none after the end of a sale."""
    needed = np.where(terms.feeder >= 0, terms.reach, terms.protection_interval)
    return np.minimum(needed, terms.sold_for).astype(np.int64)


def _until_the_end(demand: SampledForecast, fallback: np.ndarray, panel: Panel) -> tuple[SampledForecast, np.ndarray]:
    """Forecast nothing after an ``end_date``, whoever forecasts, and say so."""
    life = ends(panel, demand.horizon)
    said = [
        f"{text}; {why}" if text and why else text or (f"{MODEL}→{what}: {why}" if why else "")
        for text, what, why in zip(fallback.tolist(), life.what.tolist(), life.why.tolist(), strict=True)
    ]
    return replace(demand, source=led(demand.source, life)), np.array(said, dtype=np.str_)
