"""The curve of service against stock beside a plan: ``stockcast plan --tradeoff``."""

import time

from stockcast import policies
from stockcast.inventory import Situation
from stockcast.runs import assemble
from stockcast.runs.ordering import SOLVE_SECONDS
from stockcast.runs.stages import Night


def tradeoff(night: Night, situation: Situation, planned: "policies.Planned") -> "policies.Tradeoff | None":
    """Plan for less and for more service than the config asks for; None where the deadline has struck."""
    if night.clock.struck:
        night.cut_short("no curve of service against stock was made")
        return None
    factors, names = policies.grid(*assemble.objective_of(night.job.config))
    with night.clock.stage("tradeoff"), night.job.progress.stage("trading off") as done:
        found = policies.tradeoff(
            night.job.config.plan.policy,
            situation,
            planned.plan.order_quantity,
            factors,
            names,
            time_limit=SOLVE_SECONDS,
            until=time.monotonic() + night.clock.left,
            workers=assemble.workers_of(night.job),
            done=done,
        )
    if found.dominated.any():
        night.notes.append(
            f"tradeoff.csv: {int(found.dominated.sum())} of {len(factors)} points hold more stock for no more service "
            "than another: minimums, trucks or a limit are in the way"
        )
    return found


def table_of(found: "policies.Tradeoff") -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    """Give the curve for the terminal as title, header and rows."""
    header = ("", "setting", "no stockout", "fill rate", "mean stock", "order value", "saves")
    rows: list[tuple[str, ...]] = [
        (
            "→" if found.chosen[at] else "",
            found.setting[at],
            f"{found.cycle_service[at]:.1%}",
            f"{found.fill_rate[at]:.1%}",
            f"{found.stock_value[at]:,.0f}",
            f"{found.order_value[at]:,.0f}",
            "" if found.cost_saving[at] != found.cost_saving[at] else f"{found.cost_saving[at]:,.0f}",
        )
        for at in range(len(found.setting))
    ]
    return "service against stock, → is the plan", header, rows
