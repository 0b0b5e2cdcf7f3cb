"""What a run came to, in numbers and in words: counts for the manifest, a headline and small tables for a person."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from stockcast.runs import guard, ranking, tradeoff
from stockcast.runs.result import Result
from stockcast.runs.stages import Night

SHOWN = 5  # rows of a table on the terminal
Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]


def counts_of(night: Night, result: Result) -> dict[str, int | float | str]:
    """Count what the summary, the JSON output and the manifest say."""
    rows = result.inputs.rows.values()
    counts: dict[str, int | float | str] = {
        "series": len(result.inputs.panel.series),
        "rows_read": sum(row.read for row in rows),
        "quarantined": sum(row.quarantined for row in rows),
        "blanked": sum(row.blanked for row in rows),
        "issues": len(night.issues),
        "exceptions": len(night.alerts),
    }
    if result.forecast is not None:
        counts["horizon"] = result.forecast.demand.horizon
        counts["fallbacks"] = int((result.forecast.fallback != "").sum())
        if result.forecast.evaluation is not None:
            counts["clipped"] = result.forecast.evaluation.clipped
    if result.comparison is not None:
        counts["models"], counts["origins"] = len(result.comparison.timings), len(result.comparison.origins)
    if result.importance is not None:
        found = result.importance
        counts["features"], counts["rows_learnt"] = len(found.ranked.names), found.learnt
        counts["rows_explained"] = found.explained
    if result.plan is not None and result.situation is not None:
        plan, terms = result.plan.plan, result.situation.terms
        ordered = plan.order_quantity > 0
        counts["order_lines"] = int(ordered.sum())
        counts["suppliers"] = len(np.unique(terms.supplier[ordered]))
        counts["order_value"] = round(guard.order_value(plan, terms.unit_cost), 2)
        if "lanes" in result.inputs.rows:
            counts["transfers"] = 0 if night.moved is None else len(night.moved)
        counts["lines_without_cost"] = int((ordered & np.isnan(terms.unit_cost)).sum())
    return counts


def headline(result: Result, counts: Mapping[str, int | float | str]) -> str:
    """Say in one sentence what came out."""
    as_of = result.inputs.panel.origin
    if result.plan is not None:
        moved = f", and {_many(counts['transfers'], 'transfer')}" if counts.get("transfers") else ""
        return (
            f"{_many(counts['order_lines'], 'order line')} for {_many(counts['suppliers'], 'supplier')}, "
            f"worth {counts['order_value']:,.2f}{moved}, as of {as_of}"
        )
    if result.forecast is not None:
        return f"{counts['series']} series forecast for {counts['horizon']} periods after {as_of}"
    if result.comparison is not None:
        models, origins = _many(counts["models"], "model"), _many(counts["origins"], "origin")
        return f"{models} judged on {counts['series']} series at {origins}, as of {as_of}"
    if result.importance is not None:
        return f"{_many(counts['features'], 'feature')} of {counts['series']} series ranked, as of {as_of}"
    read, refused, series = counts["rows_read"], counts["quarantined"], counts["series"]
    return f"{read} rows read, {refused} quarantined; as of {as_of}, {series} series"


def tables_of(night: Night, result: Result) -> list[Table]:
    """Give small tables for the terminal: rows or models, issues, and the costliest exceptions."""
    shown: list[Table] = []
    rows: list[tuple[str, ...]]
    if result.comparison is not None and result.comparison.scores:
        shown.append(ranking.table_of(result.comparison))
    elif result.importance is not None and result.importance.ranked.names:
        shown.append(ranking.features_of(result.importance.ranked))
    elif result.forecast is None:
        header = ("source", "read", "kept", "merged", "returned", "quarantined", "blanked", "left out")
        rows = [
            (name, *(f"{n:,}" for n in (c.read, c.kept, c.merged, c.returned, c.quarantined, c.blanked, c.left_out)))
            for name, c in result.inputs.rows.items()
        ]
        shown.append(("rows", header, rows))
    if night.issues:
        kinds: Counter[tuple[str, str, str]] = Counter()
        for issue in night.issues:
            kinds[(str(issue.severity), issue.code, issue.source)] += issue.count
        first = {(str(i.severity), i.code, i.source): i for i in reversed(night.issues)}
        rows = [
            (severity, code, source, f"{count:,}", _where(first[severity, code, source].message))
            for (severity, code, source), count in kinds.most_common(2 * SHOWN)
        ]
        shown.append(("issues, like ones together", ("severity", "code", "source", "rows", "the first"), rows))
    if result.forecast is not None:
        models, series = np.unique(result.forecast.model, return_counts=True)
        rows = [(str(m), str(n)) for n, m in sorted(zip(series.tolist(), models.tolist(), strict=True), reverse=True)]
        shown.append(("models", ("model", "series"), rows))
    if result.tradeoff is not None:
        shown.append(tradeoff.table_of(result.tradeoff))
    if result.plan is not None:
        worst = sorted(night.alerts, key=lambda a: (-a.value, a.code, a.sku, a.location))[:SHOWN]
        rows = [(a.code, a.sku, a.location, f"{a.value:,.0f}", _where(a.message)) for a in worst]
        if rows:
            shown.append(("exceptions, the costliest first", ("code", "sku", "location", "value", "what"), rows))
    return shown


def _many(count: int | float | str, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _where(text: str, width: int = 90) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
