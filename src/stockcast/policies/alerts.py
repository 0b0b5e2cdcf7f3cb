"""What a planner should look at in a plan, with the money at stake and what to do."""

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.findings import Alert
from stockcast.inventory import Situation
from stockcast.policies.coupling import Order, money
from stockcast.policies.explain import units_text
from stockcast.policies.lines import Lines

OFTEN = 0.25  # a stockout before the receipt is told from this probability on
LONG_COVER_DAYS = 182  # cover beyond this is overstock
MOQ_DAYS = 56  # a minimum above this many days' demand is told
TOP_UP = 3  # lines that a top-up list names


def line_alerts(situation: Situation, lines: Lines, quantity: Float[np.ndarray, " series"]) -> list[Alert]:
    """Tell of stockouts no order can prevent, of overstock, and of minimums beyond weeks of demand."""
    terms, state, time = situation.terms, situation.state, situation.past.time
    found: list[Alert] = []

    def add(rows: Bool[np.ndarray, " series"], code: str, value: np.ndarray, message: object, action: str) -> None:
        for at in np.flatnonzero(rows).tolist():
            found.append(
                Alert(
                    "warning", code, message(at), action,  # type: ignore[operator]
                    str(terms.series.sku[at]), str(terms.series.location[at]), str(terms.supplier[at]),
                    float(np.nan_to_num(value[at])),
                )
            )  # fmt: skip

    lost = lines.shortage_cost * lines.unmet_before
    late = terms.orderable & (lines.risk_before_open >= OFTEN)
    near = terms.orderable & (lines.risk_before >= OFTEN) & ~late
    first = np.argmax(state.pipeline > 0, axis=1)
    add(
        late, "SC-P011", lines.shortage_cost * lines.unmet_before_open,
        lambda at: f"the open order of {time.date(time.n + int(first[at]))} comes late: "
        f"{lines.risk_before_open[at]:.0%} risk of a stockout before it, "
        f"{units_text(float(lines.unmet_before_open[at]))} units",
        "expedite the open order",
    )  # fmt: skip
    add(
        near, "SC-P010", lost,
        lambda at: f"{lines.risk_before[at]:.0%} risk of a stockout before an order can arrive on "
        f"{time.date(time.n + int(terms.first_review[at] + terms.lead_time[at]))}, "
        f"{units_text(float(lines.unmet_before[at]))} units",
        "look for a faster source, or move stock from another location",
    )  # fmt: skip
    cost = money(terms.unit_cost)
    daily = lines.rate / time.days
    excess = np.maximum(state.inventory_position - LONG_COVER_DAYS * daily, 0.0)
    stuck = (excess > 0) & (state.inventory_position > lines.level + 1.0)
    add(
        stuck, "SC-P012", excess * cost,
        lambda at: f"{state.inventory_position[at]:.6g} on hand and on order are more than {LONG_COVER_DAYS} days of "
        f"demand ({units_text(float(daily[at] * 7))} a week)",
        "mark down, return or move the excess; cancel open orders that are not needed",
    )  # fmt: skip
    large = terms.orderable & terms.at_review & (terms.moq > MOQ_DAYS * daily) & (lines.free > 0)
    large &= lines.free < terms.moq - terms.ordered_now  # else the minimum is not what sets the order
    add(
        large, "SC-P013", np.where(quantity > 0, np.maximum(terms.moq - lines.free, 0.0), 0.0) * cost,
        lambda at: f"the minimum of {terms.moq[at]:g} is more than {MOQ_DAYS // 7} weeks of demand; "
        f"{units_text(float(lines.free[at]))} would do, {quantity[at]:g} are ordered",
        "negotiate the minimum, or order with another item or location",
    )  # fmt: skip
    return found


def order_alerts(
    situation: Situation,
    lines: Lines,
    every: list[Order],
    alone: Float[np.ndarray, " series"],
    joined: Float[np.ndarray, " series"],
) -> list[Alert]:
    """Tell which orders were given up because of their minimum or header cost, with what would fill them up."""
    found = []
    chosen = lines.cost[np.arange(len(alone)), lines.chosen]
    for order in every:
        wished = order.rows[alone[order.rows] > 0]
        if not order.coupled or not len(wished) or (joined[order.rows] > 0).any():
            continue
        cost = money(situation.terms.unit_cost)
        value, units = float((alone[wished] * cost[wished]).sum()), float(alone[wished].sum())
        saved = float(np.maximum(lines.cost[order.rows, 0] - chosen[order.rows], 0.0).sum())
        short = value < order.value or units < order.units
        wants = []
        if value < order.value:
            wants.append(f"the minimum value is {order.value:g}")
        if units < order.units:
            wants.append(f"the minimum is {order.units:g} units")
        if order.header > 0:
            wants.append(f"the order costs {order.header:g}")
        further = order.rows[np.argsort(-lines.demand_mean[order.rows], kind="stable")][:TOP_UP]
        axis = situation.terms.series
        names = ", ".join(f"{axis.sku[at]}@{axis.location[at]}" for at in further.tolist())
        found.append(
            Alert(
                "warning", "SC-P014",
                f"{_lines(len(wished))} of {order.supplier} ({units_text(units)} units, worth {value:,.2f}) would save "
                f"{saved:,.2f} but {'is' if len(wished) == 1 else 'are'} not ordered: {', '.join(wants)}",
                f"top up to reach it, e.g. {names}; or wait for the next review" if short
                else "wait for the next review, when more lines share the order cost",
                supplier=order.supplier, value=saved,
            )
        )  # fmt: skip
    return found


def _lines(count: int) -> str:
    return f"{count} line{'s' * (count != 1)}"


def budget_alerts(
    situation: Situation,
    lines: Lines,
    joined: Float[np.ndarray, " series"],
    final: Float[np.ndarray, " series"],
    loss: float,
) -> list[Alert]:
    """Tell of a budget that cut the plan, and of one that open orders exceed by themselves (slack used)."""
    shared = situation.shared
    if shared.budget is None:
        return []
    found = []
    over = shared.budget_used - shared.budget
    if over > 0:
        found.append(
            Alert(
                "error", "SC-P015", f"open orders of this period exceed the budget by {over:.6g}: nothing was added",
                "raise the budget, or cancel open orders", value=float(over),
            )
        )  # fmt: skip
    cut = np.flatnonzero(final != joined)
    if len(cut):
        wanted = float((joined * money(situation.terms.unit_cost)).sum())
        found.append(
            Alert(
                "warning", "SC-P016",
                f"the budget of {shared.budget:g} changed {_lines(len(cut))}; {wanted:,.2f} were wanted",
                "raise the budget; priority and cumulative_spend rank the lines", value=max(loss, 0.0),
            )
        )  # fmt: skip
    return found


def solver_alert(supplier: str, text: str, value: float) -> Alert:
    """Tell that the solver's plan was replaced by the analytic one."""
    return Alert("warning", "SC-P017", text, "look at solves in manifest.json", supplier=supplier, value=value)


def ranked(alerts: list[Alert]) -> tuple[Alert, ...]:
    """Give the costliest first, in a stable order."""
    return tuple(sorted(alerts, key=lambda a: (-a.value, a.code, a.sku, a.location, a.supplier)))
