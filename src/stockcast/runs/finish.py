"""The end of every run: judge it, write its tables and its manifest, publish them all at once, and sum it up."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import final

import numpy as np

from stockcast import ingest, policies
from stockcast.core.errors import HeldBackError
from stockcast.inventory import Situation
from stockcast.report import files, html, recorded, tables
from stockcast.runs import assemble, earlier, guard, manifest
from stockcast.runs.job import Job, Outcome, Status
from stockcast.runs.publish import Publication
from stockcast.runs.stages import Forecasted, Night

SHOWN = 5  # rows of a summary table on the terminal


@final
@dataclass(frozen=True, slots=True)
class Result:
    """What a run made; what it did not make is None."""

    inputs: ingest.Inputs
    forecast: Forecasted | None = None
    situation: Situation | None = None
    plan: "policies.Planned | None" = None
    report: bool = False
    extra: Mapping[str, int | float | str] = field(default_factory=dict)


def finish(night: Night, result: Result) -> Outcome:
    """Write everything into a staging folder, publish it in one step, and give the outcome.

    A run that a guardrail holds back is published for a person to look at, under its own name with the status
    ``held``; ``latest.json`` and ``--out`` stay with the run before it.
    """
    job = night.job
    held = _guard(night, result)
    status: Status = "held" if held else ("degraded" if reasons_to_doubt(night, result) else "ok")
    run_id = _run_id(job, result) + ("-held" if held else "")
    counts = _counts(night, result)
    with job.progress.stage("publishing"):
        out = None if held else job.out
        base, keep = night.folder, job.config.output.keep
        with Publication(base, run_id, out, keep=keep, name_it=held is None) as staging:
            with night.clock.stage("write"):
                _write(staging, night, result, status)
            manifest.write(staging, _manifest(night, result, run_id, status, counts))
    folder = job.out.resolve() if job.out is not None and held is None else night.folder / run_id
    if held is not None:
        held.kept = f"the newest published run; what was held back: {folder}"
        held.outcome = {"run_id": run_id, "status": status, "counts": counts, "artifacts": _artifacts(folder)}
        raise held
    return Outcome(
        run_id=run_id,
        status=status,
        exit_code=4 if job.strict and status == "degraded" else 0,
        counts=counts,
        artifacts=_artifacts(folder),
        issues=tuple(night.issues),
        headline=_headline(result, counts),
        tables=_tables(night, result),
    )


def reasons_to_doubt(night: Night, result: Result) -> list[str]:
    """Give why the run is degraded: each is told in an output too (rule 10)."""
    reasons = list(night.cut)
    refused = sum(count.quarantined for count in result.inputs.rows.values())
    if refused:
        reasons.append(f"{refused} rows were quarantined")
    if result.forecast is not None and failures(result.forecast).any():
        reasons.append(f"the chosen model failed for {int(failures(result.forecast).sum())} series")
    if result.plan is not None:
        if any(text for text in np.unique(result.plan.plan.fallback).tolist()):
            reasons.append("the solver's plan was replaced for some lines")
        if any(alert.severity == "error" and alert.code.startswith("SC-P") for alert in result.plan.alerts):
            reasons.append("a limit of the plan was broken at a price")
        if not result.inputs.has_stock.all():
            reasons.append(f"{int((~result.inputs.has_stock).sum())} series are held without a stock row")
    return reasons


def failures(made: Forecasted) -> np.ndarray:
    """Tell where the chosen model failed; a history too short for it is no failure."""
    return np.array([bool(text) and "history" not in text for text in made.fallback.tolist()], dtype=bool)


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
    parts = [
        job.command,
        dict(result.inputs.hashes),
        job.config.text_hash,
        list(job.overrides),
        job.select,
        assemble.seed_of(job),
        result.forecast.origin_of_forecast if result.forecast and job.forecast_file else "",
    ]
    return f"{result.inputs.panel.origin}-{job.command}-{assemble.digest(parts)[:8]}"


def _write(staging: Path, night: Night, result: Result, status: Status) -> None:
    made, planned, situation = result.forecast, result.plan, result.situation
    files.write_table(staging, "issues", tables.issues_table(night.issues))
    if made is None:
        return
    forecast = tables.forecast_table(made.demand, night.job.config.forecast.levels, made.model, made.fallback)
    files.write_table(staging, "forecast", forecast)
    recorded.write_forecast(staging / "forecast", made.demand, made.model, made.fallback)
    files.write_table(staging, "exceptions", tables.exceptions_table(night.alerts))
    if planned is None or situation is None:
        return
    plan = tables.plan_table(planned.plan, situation, made.model, made.fallback)
    files.write_table(staging, "plan", plan)
    scope = night.job.config.plan.order_scope
    files.write_table(staging, "orders", tables.orders_table(plan, result.inputs.panel.origin, scope))
    if result.report:
        data = html.ReportData(
            title="Reorder plan",
            command=night.job.command,
            status=status,
            panel=result.inputs.panel,
            demand=made.demand,
            forecast=forecast,
            plan=plan,
            state=result.inputs.state,
            issues=night.issues,
            alerts=night.alerts,
            rows=result.inputs.rows,
            scores=_leaderboard(made),
            notes=[*night.notes, *reasons_to_doubt(night, result)],
        )
        html.write_report(staging / "report.html", data)


def _leaderboard(made: Forecasted) -> list[tuple[str, str, str, float]]:
    """Average the backtest's scores over its origins."""
    if made.evaluation is None:
        return []
    cells: dict[tuple[str, str, str], list[float]] = {}
    for score in made.evaluation.scores:
        cells.setdefault((score.segment, score.model, score.metric), []).append(score.value)
    return [(*cell, float(np.mean(values))) for cell, values in cells.items()]


def _manifest(
    night: Night, result: Result, run_id: str, status: Status, counts: Mapping[str, int | float | str]
) -> manifest.Manifest:
    made, planned = result.forecast, result.plan
    job = night.job
    models: dict[str, dict[str, float]] = {}
    fallbacks: Counter[str] = Counter()
    if made is not None:
        if made.evaluation is not None:
            models = {
                name: {"fit_s": t.fit_s, "predict_s": t.predict_s, "series": t.series, "share": t.share}
                for name, t in made.evaluation.timings.items()
            }
        fallbacks.update(text for text in made.fallback.tolist() if text)
    if planned is not None:
        fallbacks.update(text for text in planned.plan.fallback.tolist() if text)
    return manifest.Manifest(
        run_id=run_id,
        as_of=str(result.inputs.panel.origin),
        status=status,
        seed=assemble.seed_of(job),
        command=job.command,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        inputs=result.inputs.hashes,
        config=job.config.text_hash,
        forecast_key=made.key if made is not None else "",
        versions=manifest.versions(),
        rows=result.inputs.rows,
        models=models,
        fallbacks=dict(sorted(fallbacks.items())),
        solves=[_solve(solve) for solve in planned.solves] if planned is not None else [],
        gap=planned.gap if planned is not None else None,
        timings={name: round(seconds, 4) for name, seconds in night.clock.timings.items()},
        peak_memory_mb=manifest.peak_memory_mb(),
        notes=[*night.notes, *reasons_to_doubt(night, result)],
        cut=list(night.cut),
        counts=counts,
    )


def _solve(solve: "policies.Solve") -> dict[str, object]:
    return {name: getattr(solve, name) for name in ("supplier", "solver", "status", "objective", "bound", "gap", "seconds")}


def _counts(night: Night, result: Result) -> dict[str, int | float | str]:
    rows = result.inputs.rows.values()
    counts: dict[str, int | float | str] = {
        "series": len(result.inputs.panel.series),
        "rows_read": sum(row.read for row in rows),
        "quarantined": sum(row.quarantined for row in rows),
        "issues": len(night.issues),
        "exceptions": len(night.alerts),
    }
    if result.forecast is not None:
        counts["horizon"] = result.forecast.demand.horizon
        counts["fallbacks"] = int((result.forecast.fallback != "").sum())
        if result.forecast.evaluation is not None:
            counts["clipped"] = result.forecast.evaluation.clipped
    if result.plan is not None and result.situation is not None:
        plan, terms = result.plan.plan, result.situation.terms
        ordered = plan.order_quantity > 0
        counts["order_lines"] = int(ordered.sum())
        counts["suppliers"] = len(np.unique(terms.supplier[ordered]))
        counts["order_value"] = round(guard.order_value(plan, terms.unit_cost), 2)
        counts["lines_without_cost"] = int((ordered & np.isnan(terms.unit_cost)).sum())
    return counts | dict(result.extra)


def _artifacts(folder: Path) -> dict[str, Path]:
    return {path.name: path.resolve() for path in sorted(folder.iterdir()) if path.is_file()}


def _headline(result: Result, counts: Mapping[str, int | float | str]) -> str:
    as_of = result.inputs.panel.origin
    if result.plan is not None:
        return (
            f"{counts['order_lines']} order lines for {counts['suppliers']} suppliers, worth {counts['order_value']:,.2f}, "
            f"as of {as_of}"
        )
    if result.forecast is not None:
        return f"{counts['series']} series forecast for {counts['horizon']} periods after {as_of}"
    return f"{counts['rows_read']} rows read, {counts['quarantined']} quarantined; as of {as_of}, {counts['series']} series"


def _tables(night: Night, result: Result) -> Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]]:
    shown = []
    if result.forecast is None:
        header = ("source", "read", "kept", "merged", "returned", "quarantined", "left out")
        rows = [
            (name, *(f"{n:,}" for n in (c.read, c.kept, c.merged, c.returned, c.quarantined, c.left_out)))
            for name, c in result.inputs.rows.items()
        ]
        shown.append(("rows", header, rows))
    if night.issues:
        kinds: Counter[tuple[str, str, str]] = Counter()
        for issue in night.issues:
            kinds[(issue.severity, issue.code, issue.source)] += issue.count
        first = {(i.severity, i.code, i.source): i for i in reversed(night.issues)}
        rows = [
            (severity, code, source, f"{count:,}", _where(first[severity, code, source].message))
            for (severity, code, source), count in kinds.most_common(2 * SHOWN)
        ]
        shown.append(("issues, like ones together", ("severity", "code", "source", "rows", "the first"), rows))
    if result.forecast is not None:
        models, series = np.unique(result.forecast.model, return_counts=True)
        rows = [(str(m), str(n)) for n, m in sorted(zip(series.tolist(), models.tolist(), strict=True), reverse=True)]
        shown.append(("models", ("model", "series"), rows))
    if result.plan is not None:
        worst = sorted(night.alerts, key=lambda a: (-a.value, a.code, a.sku, a.location))[:SHOWN]
        rows = [(a.code, a.sku, a.location, f"{a.value:,.0f}", _where(a.message)) for a in worst]
        if rows:
            shown.append(("exceptions, the costliest first", ("code", "sku", "location", "value", "what"), rows))
    return shown


def _where(text: str, width: int = 90) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
