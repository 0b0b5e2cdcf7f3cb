"""The end of every run: judge it, write its tables and its manifest, publish them all at once, and sum it up."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from stockcast import policies
from stockcast.core.errors import HeldBackError, InvariantError
from stockcast.ingest.shared import order_names
from stockcast.models.ladder import failed
from stockcast.report import files, html, recorded, suppliers, tables
from stockcast.report.history import history_table
from stockcast.report.importance import write_importance
from stockcast.report.network import OF_ALL
from stockcast.report.tradeoff import write_tradeoff
from stockcast.report.waterfall import write_waterfall
from stockcast.runs import assemble, earlier, guard, learning, manifest, transfers
from stockcast.runs.job import Job, Outcome, Status
from stockcast.runs.publish import LATEST, Publication
from stockcast.runs.result import Result
from stockcast.runs.stages import Forecasted, Night
from stockcast.runs.summary import counts_of, headline, tables_of

WIDE_GAP = 0.02  # of what the orders save: a joint gap beyond this is told and makes a run degraded
SOLVE = ("supplier", "solver", "status", "objective", "bound", "gap", "seconds")


def finish(night: Night, result: Result) -> Outcome:
    """Write everything into a staging folder, publish it in one step, and give the outcome.

    A run that a guardrail holds back is published for a person to look at, under its own name with the status
    ``held``; ``latest.json`` and ``--out`` stay with the run before it.
    """
    job = night.job
    held = _guard(night, result)
    doubts = reasons_to_doubt(night, result)
    night.notes.extend(doubts)
    status: Status = "held" if held else ("degraded" if doubts else "ok")
    run_id = _run_id(job, result) + ("-held" if held else "")
    counts = counts_of(night, result)
    with job.progress.stage("publishing"):
        out = None if held else job.out
        base, keep = night.folder, job.config.output.keep
        with Publication(base, run_id, out, keep=keep, name_it=held is None) as staging:
            with night.clock.stage("write"):
                _write(staging, night, result, status)
            manifest.write(staging, _manifest(night, result, run_id, status, counts))
    if result.forecast is not None and result.forecast.origin_of_forecast == "made":
        learning.clear(night.folder)
    folder = job.out.resolve() if job.out is not None and held is None else night.folder / run_id
    if held is not None:
        newest = "the newest published run is untouched" if _published(night.folder) else "no run was published before"
        held.kept = f"{newest}; what was held back lies in {folder}"
        held.outcome = {"run_id": run_id, "status": status, "counts": counts, "artifacts": _artifacts(folder)}
        raise held
    return Outcome(
        run_id=run_id,
        status=status,
        exit_code=4 if job.strict and status == "degraded" else 0,
        counts=counts,
        artifacts=_artifacts(folder),
        issues=tuple(night.issues),
        headline=headline(result, counts),
        tables=tables_of(night, result),
        notes=tuple(night.notes),
    )


def reasons_to_doubt(night: Night, result: Result) -> list[str]:
    """Give why the run is degraded: each is told in an output too (rule 10)."""
    reasons = list(night.cut)
    refused = sum(count.quarantined for count in result.inputs.rows.values())
    if refused:
        reasons.append(f"{refused} rows were quarantined")
    blanked = sum(count.blanked for count in result.inputs.rows.values())
    if blanked:
        reasons.append(f"{blanked} rows count without a value that could not be read")
    if result.forecast is not None and failures(result.forecast).any():
        reasons.append(f"the chosen model failed for {int(failures(result.forecast).sum())} series")
    if result.plan is not None:
        if result.plan.gap > WIDE_GAP:
            reasons.append(f"the orders may cost up to {result.plan.gap:.1%} of their saving more than the best ones")
        if any(text for text in np.unique(result.plan.plan.fallback).tolist()):
            reasons.append("the solver's plan was replaced for some lines")
        if any(alert.severity == "error" and alert.code.startswith("SC-P") for alert in result.plan.alerts):
            reasons.append("a limit of the plan was broken at a price")
        if result.inputs.held.any():
            held = int(result.inputs.held.sum())
            reasons.append(f"{held} lines are held: the newest sales of their location are missing")
        if not result.inputs.has_stock.all():
            reasons.append(f"{int((~result.inputs.has_stock).sum())} series are held without a stock row")
    return reasons


def failures(made: Forecasted) -> np.ndarray:
    """Tell where the chosen model failed; a history too short for it is no failure."""
    return failed(made.fallback)


def _guard(night: Night, result: Result) -> HeldBackError | None:
    if result.forecast is None:
        return None
    rails = night.job.config.guardrails
    limits = guard.Limits(rails.max_value_ratio, rails.max_fallback_share, rails.min_value)
    return guard.hold_back(
        limits,
        result.situation,
        result.plan.plan if result.plan is not None else None,
        failures(result.forecast),
        earlier.plan_values(night.folder, before=str(result.inputs.panel.origin)),
    )


def _run_id(job: Job, result: Result) -> str:
    """Name the run after what goes in: the same inputs and config give the same name, and replace the run."""
    parts: list[object] = [
        job.command,
        dict(result.inputs.hashes),
        job.config.text_hash,
        list(job.overrides),
        job.select,
        assemble.seed_of(job),
        result.forecast.origin_of_forecast if result.forecast and job.forecast_file else "",
    ]
    if job.budget is not None or job.tradeoff:
        parts.append([job.rank_by, job.budget, job.tradeoff])
    return f"{result.inputs.panel.origin}-{job.command}-{assemble.digest(parts)[:8]}"


def _write(staging: Path, night: Night, result: Result, status: Status) -> None:
    made, planned, situation = result.forecast, result.plan, result.situation
    files.write_table(staging, "issues", tables.issues_table(night.issues))
    if result.comparison is not None:
        files.write_table(staging, "backtest", tables.backtest_table(result.comparison.scores))
    if result.importance is not None:
        write_importance(staging, result.importance.ranked)
    if made is None:
        return
    forecast = tables.forecast_table(made.demand, night.job.config.forecast.levels, made.model, made.fallback)
    files.write_table(staging, "forecast", forecast)
    recorded.write_forecast(staging / "forecast", made.demand, made.model, made.fallback)
    told = made.evaluation
    of_series = (None, None) if told is None else (told.segment, told.censored)
    files.write_table(staging, "history", history_table(result.inputs.panel, *of_series))
    if told is not None and told.scores:
        files.write_table(staging, "backtest", tables.backtest_table(told.scores))
    texts = {} if told is None else told.texts
    night.notes.extend(
        f"{name} is not kept: it is larger than {recorded.MOST >> 20} MB"
        for name in recorded.write_models(staging / "models", texts)
    )
    scope = night.job.config.plan.order_scope
    alerts = night.alerts
    if situation is not None and scope != "supplier":
        alerts = suppliers.with_bare_suppliers(alerts, situation.terms.supplier, situation.terms.series.location)
    files.write_table(staging, "exceptions", tables.exceptions_table(alerts))
    if planned is None or situation is None:
        return
    plan = tables.plan_table(planned.plan, situation, made.model, made.fallback)
    if scope != "supplier":
        plan["supplier"] = suppliers.bare_suppliers(plan["supplier"], plan["location"])
    files.write_table(staging, "plan", plan)
    write_waterfall(staging, planned, situation)
    if result.tradeoff is not None:
        write_tradeoff(staging, result.tradeoff)
    orders = tables.orders_table(plan, result.inputs.panel.origin, scope)
    _hold(result, orders, scope)
    files.write_table(staging, "orders", orders)
    sent = transfers.held(result.inputs, situation, night.moved)
    if sent is not None:
        files.write_table(staging, "transfers", sent)
    if result.report:
        data = html.ReportData(
            title="Reorder plan",
            command=night.job.command,
            status=status,
            panel=result.inputs.panel,
            demand=made.demand,
            forecast=forecast,
            plan=plan,
            state=situation.state,
            transfers=sent,
            issues=night.issues,
            alerts=alerts,
            rows=result.inputs.rows,
            scores=_leaderboard(made),
            notes=night.notes,
            network=str(texts.get(OF_ALL, "")),
        )
        html.write_report(staging / "report.html", data)


def _hold(result: Result, orders: Mapping[str, np.ndarray], scope: str) -> None:
    """Hold the order lines as they go out against the plan and every rule.

    Raises
    ------
    InvariantError
        If a line is broken: a bug, and nothing is published.
    """
    planned, situation = result.plan, result.situation
    if planned is None or situation is None:
        return
    lines = policies.OrderLines(
        sku=orders["sku"],
        location=orders["location"],
        supplier=order_names(orders["supplier"], orders["location"], scope),
        quantity=orders["order_quantity"],
        packs=orders["order_packs"],
        value=orders["line_value"],
        order_date=orders["order_date"],
        receipt_date=orders["expected_receipt_date"],
        total=float(np.nansum(orders["line_value"])),
    )
    broken = policies.check_lines(situation, lines, planned.plan.order_quantity, planned.held)
    if broken:
        raise InvariantError(
            f"the orders break {len(broken)} rules, first: {broken[0].rule}, {broken[0].where}",
            code="SC-P004",
            details=[f"{one.rule}: {one.where}: {one.message}" for one in broken[:10]],
            help="this is a fault of stockcast; nothing is published",
        )


def _leaderboard(made: Forecasted) -> list[tuple[str, str, str, float]]:
    """Average the backtest's scores over its origins."""
    if made.evaluation is None:
        return []
    cells: dict[tuple[str, str, str], list[float]] = {}
    for score in made.evaluation.scores:
        if score.model not in made.evaluation.timings:
            continue  # what the origins told of widths and groups is no model
        cells.setdefault((score.segment, score.model, score.metric), []).append(score.value)
    return [(*cell, float(np.mean(values))) for cell, values in cells.items()]


def _learnt(made: Forecasted) -> dict[str, dict[str, dict[str, float]]]:
    """Give what the origins told beside the models: widths by segment, and the scores of reconciliation by method."""
    out: dict[str, dict[str, dict[str, list[float]]]] = {}
    for score in made.evaluation.scores if made.evaluation is not None else ():
        if score.model in made.evaluation.timings:  # type: ignore[union-attr]
            continue
        what, _, method = score.model.partition(":")
        out.setdefault(what, {}).setdefault(method or score.segment, {}).setdefault(score.metric, []).append(
            score.value
        )
    return {
        what: {name: {metric: round(float(np.mean(v)), 6) for metric, v in cells.items()} for name, cells in of.items()}
        for what, of in out.items()
    }


def _manifest(
    night: Night, result: Result, run_id: str, status: Status, counts: Mapping[str, int | float | str]
) -> manifest.Manifest:
    made, planned = result.forecast, result.plan
    job = night.job
    models: dict[str, dict[str, float]] = {}
    fallbacks: Counter[str] = Counter()
    told = result.comparison if made is None else made.evaluation
    if told is not None:
        models = {
            name: {"fit_s": t.fit_s, "predict_s": t.predict_s, "series": t.series, "share": t.share}
            for name, t in told.timings.items()
        }
    if made is not None:
        fallbacks.update(text for text in made.fallback.tolist() if text)
    if planned is not None:
        fallbacks.update(text for text in planned.plan.fallback.tolist() if text)
    return manifest.Manifest(
        run_id=run_id,
        as_of=str(result.inputs.panel.origin),
        status=status,
        seed=assemble.seed_of(job),
        command=job.command,
        started=night.clock.started,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        inputs=result.inputs.hashes,
        config=job.config.text_hash,
        forecast_key=made.key if made is not None else "",
        forecast_from="" if made is None or made.origin_of_forecast == "made" else Path(made.origin_of_forecast).name,
        versions=manifest.versions(),
        rows=result.inputs.rows,
        models=models,
        learnt={} if made is None else _learnt(made),
        warm_start=night.warm_start,
        fallbacks=dict(sorted(fallbacks.items())),
        solves=[_solve(solve) for solve in planned.solves] if planned is not None else [],
        gap=planned.gap if planned is not None else None,
        prices=dict(planned.prices) if planned is not None else {},
        timings={name: round(seconds, 4) for name, seconds in night.clock.timings.items()},
        peak_memory_mb=manifest.peak_memory_mb(),
        notes=night.notes,
        cut=list(night.cut),
        counts=counts,
    )


def _solve(solve: "policies.Solve") -> dict[str, object]:
    return {name: getattr(solve, name) for name in SOLVE}


def _published(folder: Path) -> bool:
    return (folder / LATEST).is_file()


def _artifacts(folder: Path) -> dict[str, Path]:
    return {path.name: path.resolve() for path in sorted(folder.iterdir()) if path.is_file()}
