"""``report.html``: one page for the planner, in one file that loads nothing and runs nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stockcast.core.findings import Alert, Issue
from stockcast.report.charts import bar_chart
from stockcast.report.content import ReportData
from stockcast.report.disk import write_file
from stockcast.report.markup import Cell, section, soft, table
from stockcast.report.network import network_figures
from stockcast.report.outlook import costliest_lines, total_demand
from stockcast.report.style import CSS
from stockcast.report.tables import Columns, rank_alerts
from stockcast.report.text import number, plain
from stockcast.report.transfers import transfers_section

__all__ = ["ReportData", "page", "write_report"]

SHOWN_ALERTS, SHOWN_LINES, SHOWN_SUPPLIERS, SHOWN_ISSUES = 20, 40, 12, 15


def write_report(path: Path, data: ReportData) -> None:
    """Write the page; the same bytes for the same data.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    write_file(path, page(data).encode())


def page(data: ReportData) -> str:
    """Give the page's HTML; every text of the data is inert in it."""
    sections = [
        _tiles(data),
        _exceptions(data.alerts),
        transfers_section(data.transfers),
        _orders(data.plan),
        total_demand(data),
        costliest_lines(data),
        _models(data),
        _data_quality(data),
        _notes(data.notes),
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return "\n".join([
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{plain(data.title)} · {data.panel.origin}</title>",
        f"<style>{CSS}</style></head><body>",
        _head(data),
        "<main>",
        *(part for part in sections if part),
        "</main>",
        '<footer class="soft">The tables behind this page lie beside it: plan.csv, waterfall.csv, '
        "orders.csv, forecast.csv, exceptions.csv, issues.csv.</footer>",
        "</body></html>\n",
    ])


def _head(data: ReportData) -> str:
    days = "day" if data.panel.time.step == "day" else "week"
    first, last = data.demand.time.start, data.demand.time.last
    return (
        f'<header><h1>{plain(data.title)} <span class="badge {plain(data.status)}">{plain(data.status)}</span></h1>'
        f'<p class="soft">As of {data.panel.origin}, by {days}; orders of {first}; forecast {first} to {last}. '
        f"<code>{plain(data.command)}</code></p></header>"
    )


def _tiles(data: ReportData) -> str:
    tiles: list[tuple[str, str]] = []
    if data.plan is not None:
        ordered = data.plan["order_quantity"] > 0
        value = data.plan["line_value"][ordered]
        unknown = int(np.isnan(value).sum())
        name = "order value" if not unknown else f"order value, {unknown} lines without a cost"
        tiles.append((number(float(np.nansum(value).round())), name))
        tiles.append((number(int(ordered.sum())), "order lines"))
        tiles.append((number(len(np.unique(data.plan["supplier"][ordered]))), "suppliers"))
    tiles.append((number(len(data.panel.series)), "series"))
    tiles.append((number(len(data.alerts)), "exceptions"))
    tiles.append((number(sum(issue.count for issue in data.issues)), "data issues"))
    return (
        '<div class="tiles">'
        + "".join(f'<div class="tile"><b>{value}</b><span class="soft">{name}</span></div>' for value, name in tiles)
        + "</div>"
    )


def _exceptions(alerts: Sequence[Alert]) -> str:
    if not alerts:
        return section("Exceptions", soft("None: nothing needs a look before the orders go out."))
    ranked = rank_alerts(alerts)
    rows = []
    for alert in ranked[:SHOWN_ALERTS]:
        where = " · ".join(part for part in (alert.sku, alert.location, alert.supplier) if part)
        rows.append((alert.severity, alert.code, where, alert.value or "", alert.message, alert.suggested_action))
    more = f"The costliest {SHOWN_ALERTS} of {len(ranked):,}; all are in exceptions.csv."
    return section(
        "Exceptions",
        soft(more if len(ranked) > SHOWN_ALERTS else "The costliest first."),
        table(("", "code", "where", "at stake", "what", "what to do"), rows),
    )


def _orders(plan: Columns | None) -> str:
    if plan is None:
        return ""
    lines = np.flatnonzero(plan["order_quantity"] > 0)
    if not len(lines):
        return section("Orders", soft("Nothing to order: stock and open orders cover the demand."))
    names, group = np.unique(plan["supplier"][lines], return_inverse=True)
    values = np.bincount(group, weights=np.nan_to_num(plan["line_value"][lines]), minlength=len(names))
    units = np.bincount(group, weights=plan["order_quantity"][lines], minlength=len(names))
    counts = np.bincount(group, minlength=len(names))
    rank = sorted(range(len(names)), key=lambda at: (-values[at], str(names[at])))
    shown = [str(names[at]) or "(no supplier)" for at in rank[:SHOWN_SUPPLIERS]]
    rows: list[tuple[Cell, ...]] = []
    for at in rank:
        receipts = plan["expected_receipt_date"][lines][group == at]
        when = f"{receipts.min()}" if receipts.min() == receipts.max() else f"{receipts.min()} … {receipts.max()}"
        rows.append((str(names[at]) or "(no supplier)", int(counts[at]), float(units[at]), float(values[at]), when))
    rows.append(("Total", int(counts.sum()), float(units.sum()), float(values.sum()), ""))
    chart = bar_chart(shown, [float(values[at]) for at in rank[:SHOWN_SUPPLIERS]], label="order value by supplier")
    more = "" if len(rank) <= SHOWN_SUPPLIERS else soft(f"The {SHOWN_SUPPLIERS} largest of {len(rank):,} suppliers.")
    figure = ""
    if values.any():
        figure = f'<figure class="wide">{chart}<figcaption>Order value by supplier</figcaption></figure>{more}'
    lines_of = table(("supplier", "lines", "units", "value", "expected receipt"), rows)
    return section("Orders by supplier", figure, lines_of, _order_lines(plan, lines))


def _order_lines(plan: Columns, lines: np.ndarray) -> str:
    first = lines[np.argsort(plan["priority"][lines], kind="stable")][:SHOWN_LINES]
    header = ("sku", "location", "supplier", "quantity", "value", "on hand", "on order", "stockout risk", "why")
    rows = [
        (
            str(plan["sku"][at]),
            str(plan["location"][at]),
            str(plan["supplier"][at]),
            float(plan["order_quantity"][at]),
            float(plan["line_value"][at]),
            float(plan["on_hand"][at]),
            float(plan["on_order"][at]),
            f"{plan['stockout_risk_without'][at]:.0%} → {plan['stockout_risk_with'][at]:.0%}",
            str(plan["reason"][at]),
        )
        for at in first.tolist()
    ]
    title = f"The first {len(rows):,} of {len(lines):,} lines by priority" if len(lines) > len(rows) else "All lines"
    return f"<details><summary>{title}</summary>{table(header, rows)}</details>"


def _models(data: ReportData) -> str:
    horizon = max(data.demand.horizon, 1)
    model, fallback = data.forecast["model"][::horizon], data.forecast["fallback"][::horizon]
    n = max(len(model), 1)
    parts = []
    if data.scores:
        parts.append(_leaderboard(data.scores))
    names, counts = np.unique(model, return_counts=True)
    order = np.lexsort((names, -counts))
    used = [(str(names[at]), int(counts[at]), f"{counts[at] / n:.0%}") for at in order.tolist()]
    parts.append(table(("model used", "series", "share"), used))
    reasons, times = np.unique(fallback[fallback != ""], return_counts=True)
    if len(reasons):
        worst = np.lexsort((reasons, -times))[:SHOWN_ISSUES].tolist()
        parts.append(table(("fallback", "series"), [(str(reasons[at]), int(times[at])) for at in worst]))
    else:
        parts.append(soft("No series needed a fallback."))
    if data.network:
        parts.append(f"<details><summary>What the network looked at</summary>{network_figures(data.network)}</details>")
    return section("Forecast", *parts)


def _leaderboard(scores: Sequence[tuple[str, str, str, float]]) -> str:
    segments = list(dict.fromkeys(segment for segment, *_ in scores))
    first = "all" if "all" in segments else segments[0]
    said = soft(f"Backtest over rolling origins, segment {plain(first)}; the best of each column is bold. "
                "Models for rare demand compete for intermittent and lumpy segments only.")  # fmt: skip
    more = [
        f"<details><summary>segment {plain(segment)}</summary>{_scores_of(segment, scores)}</details>"
        for segment in segments
        if segment != first
    ]
    return said + _scores_of(first, scores) + "".join(more)


def _scores_of(segment: str, scores: Sequence[tuple[str, str, str, float]]) -> str:
    mine = {(model, metric): value for where, model, metric, value in scores if where == segment}
    metrics = list(dict.fromkeys(metric for _, metric in mine))
    models = sorted(
        dict.fromkeys(model for model, _ in mine), key=lambda model: (mine.get((model, metrics[0]), np.inf), model)
    )
    best = {}
    for column, metric in enumerate(metrics, 1):
        values = [_off(metric, mine.get((model, metric), np.nan)) for model in models]
        if np.isfinite(values).any():
            best[column] = int(np.nanargmin(values))
    rows: list[tuple[Cell, ...]] = [
        (model, *(float(mine.get((model, metric), np.nan)) for metric in metrics)) for model in models
    ]
    return table(("model", *metrics), rows, best=best)


def _off(metric: str, value: float) -> float:
    """Give how far a measure is from the best there is: no bias, a coverage of its level, no error."""
    if metric.startswith("coverage_"):
        return abs(value - float(metric.rpartition("_")[2]))
    return abs(value) if metric.startswith("bias") else value


def _data_quality(data: ReportData) -> str:
    parts = []
    if data.rows:
        header = ("source", "read", "kept", "merged", "returned", "quarantined", "blanked", "left out")
        parts.append(
            table(
                header,
                [
                    (name, row.read, row.kept, row.merged, row.returned, row.quarantined, row.blanked, row.left_out)
                    for name, row in data.rows.items()
                ],
            )
        )
    kinds: dict[tuple[str, str, str], list[Issue]] = {}
    for issue in data.issues:
        kinds.setdefault((issue.severity, issue.code, issue.source), []).append(issue)
    if not kinds:
        parts.append(soft("No issues in the input data."))
        return section("Input data", *parts)
    ranked = sorted(
        kinds.items(),
        key=lambda item: (("error", "warning", "info").index(item[0][0]), -sum(i.count for i in item[1]), item[0]),
    )
    rows = [
        (severity, code, source, sum(issue.count for issue in found), found[0].message, found[0].action)
        for (severity, code, source), found in ranked[:SHOWN_ISSUES]
    ]
    parts.append(soft("Issues by kind, each with its first message; all are in issues.csv."))
    parts.append(table(("", "code", "source", "rows", "first", "done"), rows))
    return section("Input data", *parts)


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    return section("Notes", "<ul>", *(f"<li><bdi>{plain(note)}</bdi></li>" for note in notes), "</ul>")
