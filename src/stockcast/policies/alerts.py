"""What a planner should look at in a plan, with the money at stake and what to do."""

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.findings import Alert
from stockcast.inventory import Situation
from stockcast.inventory.timing import FAR
from stockcast.policies.coupling import money
from stockcast.policies.end_alerts import end_alerts
from stockcast.policies.explain import below_what, contradicting
from stockcast.policies.figures import exact_text, units_text
from stockcast.policies.lines import Lines
from stockcast.policies.onward import goes_on
from stockcast.policies.transfers.network import feeds, lies_for_others

OFTEN = 0.25  # a stockout before the receipt is told from this probability on
LONG_COVER_DAYS = 182  # cover beyond this is overstock
MOQ_DAYS = 56  # a minimum above this many days' demand is told


def line_alerts(situation: Situation, lines: Lines, quantity: Float[np.ndarray, " series"]) -> list[Alert]:
    """Tell of stockouts no order can prevent, overstock, minimums beyond weeks of demand, and terms that forbid any.

    Overstock is also what will be left where a sale ends (``policies.end_alerts``).
    """
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

    arrives, (onward, _) = terms.first_review + terms.lead_time, goes_on(terms)

    feeds = np.isin(np.arange(len(arrives)), terms.feeder)

    def until(at: int) -> str:
        there = time.date(time.n + int(arrives[at]))
        if not feeds[at]:
            return f"an order can arrive on {there}"
        if onward[at] >= FAR:
            return f"an order that arrives on {there} can go on: no shipment is known"
        goes = f", with the shipment of {time.date(time.n + int(onward[at]))}" if onward[at] > arrives[at] else ""
        return f"an order that arrives on {there} is at the places{goes}"

    lost = lines.shortage_cost * lines.unmet_before
    late = terms.orderable & (lines.risk_before_open >= OFTEN)
    near = terms.orderable & (lines.risk_before >= OFTEN) & ~late
    first = np.argmax(state.open_orders > 0, axis=1)
    add(
        late, "SC-P011", lines.shortage_cost * lines.unmet_before_open,
        lambda at: f"the open order of {time.date(time.n + int(first[at]))} comes late: "
        f"{lines.risk_before_open[at]:.0%} risk of a stockout before it, "
        f"{units_text(float(lines.unmet_before_open[at]))} units",
        "expedite the open order",
    )  # fmt: skip
    add(
        near, "SC-P010", lost,
        lambda at: f"{lines.risk_before[at]:.0%} risk of a stockout before {until(at)}, "
        f"{units_text(float(lines.unmet_before[at]))} units",
        "look for a faster source, or move stock from another location",
    )  # fmt: skip
    cost = money(terms.unit_cost)
    served, others = _demand_served(situation, lines)
    daily = lines.rate / time.days
    position = state.inventory_position
    excess = np.maximum(position - LONG_COVER_DAYS * served / time.days, 0.0)
    ends, told = end_alerts(situation, lines, quantity)
    found += ends
    stuck = (excess > 0) & (position > lines.level + 1.0) & ~told
    add(
        stuck, "SC-P012", excess * cost,
        lambda at: f"{position[at]:.6g} on hand and on order are more than {LONG_COVER_DAYS} days of "
        f"demand{others[at]} ({units_text(float(served[at] / time.days * 7))} a week)",
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
    nothing = contradicting(terms)
    add(
        nothing, "SC-D047", lines.shortage_cost * lines.unmet_without,
        lambda at: f"no order is possible: the maximum of {exact_text(float(terms.max_order[at]))} is below "
        f"{below_what(terms, at)}; {units_text(float(lines.free[at]))} would do",
        "correct max_order, moq or pack_size",
    )  # fmt: skip
    return found


def _demand_served(situation: Situation, lines: Lines) -> tuple[Float[np.ndarray, " series"], list[str]]:
    """Give the mean demand a period that each series' stock is there for, and words for whose it is.

    A warehouse's is that of the places that it feeds; where it feeds nobody and sells nothing itself, of the places
    that its lanes lead to.
    """
    axis, lanes = situation.terms.series, situation.shared.lanes
    demand = lines.rate.copy()
    words = np.where(feeds(situation), " here and at the places that it feeds", "").astype(object)
    for row in np.flatnonzero(lies_for_others(situation)).tolist():
        ends = lanes.to_location[lanes.from_location == axis.location[row]]
        there = axis.locate(np.full(len(ends), axis.sku[row]), ends)
        demand[row] += lines.rate[there[there >= 0]].sum()
        words[row] = " at the places that it has lanes to"
    return demand, words.tolist()


def solver_alert(supplier: str, text: str, value: float) -> Alert:
    """Tell that the solver's plan was replaced by the analytic one."""
    return Alert("warning", "SC-P017", text, "look at solves in manifest.json", supplier=supplier, value=value)


def ranked(alerts: list[Alert]) -> tuple[Alert, ...]:
    """Give the costliest first, in a stable order."""
    return tuple(sorted(alerts, key=lambda a: (-a.value, a.code, a.sku, a.location, a.supplier)))
