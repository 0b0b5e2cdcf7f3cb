"""The last stage of a night: move stock where that pays, then turn the forecast into orders on what is left."""

import time
from dataclasses import replace

import numpy as np

from stockcast import ingest, policies
from stockcast.core.errors import UsageError
from stockcast.core.findings import Alert
from stockcast.inventory import ReorderPlan, Situation, SupplyTerms, Transfers
from stockcast.report.transfers import reasons_with_transfers
from stockcast.runs import assemble
from stockcast.runs.stages import Forecasted, Night

SOLVE_SECONDS = 60.0  # for one supplier's model; most take a fraction of a second


def plan(
    night: Night, inputs: ingest.Inputs, made: Forecasted, terms: SupplyTerms
) -> tuple[Situation, "policies.Planned"]:
    """Move stock between locations where that pays, then turn the forecast into orders on what is left."""
    situation = Situation(inputs.panel, inputs.state, made.demand, terms, inputs.shared)
    moved = move(night, inputs, situation)
    situation = replace(situation, state=moved.state)
    policy = night.job.config.plan.policy
    if night.clock.struck:
        night.cut_short("the joint constraints were not optimised; each series was ordered by itself")
        policy = "newsvendor"
    if night.job.rank_by not in (None, "value"):
        raise UsageError(f"--rank-by {night.job.rank_by}: only value is known", code="SC-C021")
    if night.job.budget is not None and night.job.rank_by is None:
        raise UsageError(
            "a budget for a ranking needs the ranking", code="SC-C021", help="rank_by value, or plan.budget"
        )
    with night.clock.stage("plan"), night.job.progress.stage("ordering") as done:
        planned = policies.plan(
            policy,
            situation,
            next_review=inputs.next_review,
            time_limit=SOLVE_SECONDS,
            until=time.monotonic() + night.clock.left,
            outlook=inputs.outlook,
            ranked_budget=night.job.budget,
            workers=assemble.workers_of(night.job),
            done=done,
        )
    night.alerts.extend(planned.alerts)
    if planned.coarse:
        night.notes.append(f"limits moved {planned.coarse:,} lines, too many to look for more quantities of each")
    nobody = (planned.plan.order_quantity > 0) & (terms.supplier == "")
    if nobody.any():
        night.alerts.append(
            Alert(
                severity="warning",
                code="SC-X014",
                message=f"ordered from nobody: no supplier is named for {int(nobody.sum())} of the order lines",
                suggested_action="name a supplier in items",
                value=float(np.nansum((planned.plan.order_quantity * terms.unit_cost)[nobody])),
            )
        )
    reasoned = replace(planned.plan, reason=_say_why_held(inputs, planned.plan))
    reasoned = replace(reasoned, reason=reasons_with_transfers(reasoned, moved.transfers, situation))
    prices = {name: max(price, moved.prices.get(name, 0.0)) for name, price in planned.prices.items()}
    return situation, replace(planned, plan=reasoned, prices=prices)


def move(night: Night, inputs: ingest.Inputs, situation: Situation) -> "policies.Proposed":
    """Propose transfers along the lanes; none where there are no lanes, or the deadline has struck."""
    if not len(situation.shared.lanes):
        return policies.Proposed(Transfers(situation.terms.series), situation.state)
    with night.clock.stage("transfers"), night.job.progress.stage("moving stock") as done:
        moved = policies.propose(
            situation,
            movable=inputs.movable,
            until=time.monotonic() + night.clock.left,
            workers=assemble.workers_of(night.job),
            done=done,
        )
    night.moved = moved.transfers
    if moved.cut:
        night.cut_short("transfers between locations were not all looked at")
    night.alerts.extend(moved.alerts)
    if night.job.select:
        night.notes.append("transfers were looked at between the series selected only")
    if len(moved.transfers):
        units, saved = moved.transfers.quantity.sum(), moved.transfers.saving.sum()
        one = len(moved.transfers) == 1
        night.notes.append(
            f"{len(moved.transfers)} transfer{'' if one else 's'} of {units:,.6g} units between locations "
            f"{'is' if one else 'are'} expected to save {saved:,.2f}; the plan counts {'it' if one else 'them'} as sent"
        )
    return moved


def _say_why_held(inputs: ingest.Inputs, made: ReorderPlan) -> np.ndarray:
    """Name what keeps a line from being ordered; the policy knows only that it may not be."""
    held = np.flatnonzero((made.binding == "not_orderable") & (inputs.terms.fed_by == ""))
    reason = made.reason.astype(object)
    for row in held.tolist():
        why = [
            text
            for text, true in (
                ("no row in items", not inputs.has_item[row]),
                ("no row in inventory: its stock is not known", not inputs.has_stock[row]),
                ("the newest sales of its location are missing", inputs.held[row]),
            )
            if true
        ]
        reason[row] = f"not ordered: {', '.join(why) or 'ended, or no order can arrive within a year'}"
    return reason.astype(np.str_)
