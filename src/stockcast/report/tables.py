"""The output tables as columns: names and order are those of the interface page, fixed here and nowhere else."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float, Shaped

from stockcast.core.errors import InvariantError
from stockcast.core.findings import Alert, Issue
from stockcast.demand import SampledForecast
from stockcast.evaluation import Score
from stockcast.inventory import ReorderPlan, Situation
from stockcast.inventory.timing import FAR

OrderScope = Literal["supplier", "supplier_location"]
Columns = dict[str, np.ndarray]
_SEVERITIES = ("error", "warning", "info")


def forecast_table(
    demand: SampledForecast,
    levels: Sequence[float],
    model: Shaped[np.ndarray, " series"],
    fallback: Shaped[np.ndarray, " series"],
) -> Columns:
    """Give ``forecast.csv``: one row a series and future period, in one pass over the paths.

    Raises
    ------
    InvariantError
        If a value is not finite, or negative.
    """
    mean, values = demand.summary(levels)
    if not (np.isfinite(mean).all() and np.isfinite(values).all() and (mean >= 0).all() and (values >= 0).all()):
        raise InvariantError("a forecast is not finite or negative", code="SC-B011")
    n, horizon = mean.shape
    table: Columns = {
        "sku": np.repeat(demand.series.sku, horizon),
        "location": np.repeat(demand.series.location, horizon),
        "date": np.tile(demand.time.dates(), n),
        "mean": mean.ravel(),
    }
    for at, level in enumerate(levels):
        table[f"q{level:g}"] = values[:, :, at].ravel()
    table["model"] = np.repeat(model, horizon)
    table["fallback"] = np.repeat(fallback, horizon)
    return table


def plan_table(
    plan: ReorderPlan,
    situation: Situation,
    model: Shaped[np.ndarray, " series"],
    forecast_fallback: Shaped[np.ndarray, " series"],
) -> Columns:
    """Give ``plan.csv``: one row a series, ordered or not.

    Dates are blank where nothing is ordered, money where the cost is unknown, ``review_period`` where no further
    review is known, ``days_of_cover`` where no demand is expected. Without a pack size the pack is one unit, so that
    ``order_packs`` × ``pack_size`` is always the quantity.

    Raises
    ------
    InvariantError
        If a quantity is not finite, or negative.
    """
    plan.series.require(situation.past.series, "plan and situation")
    terms, state, time = situation.terms, situation.state, situation.demand.time
    quantity = plan.order_quantity
    if not (np.isfinite(quantity).all() and (quantity >= 0).all()):
        raise InvariantError("an order quantity is not finite or negative", code="SC-B011")
    ordered = quantity > 0
    never = np.datetime64("NaT", "D")
    receipt = time.start + terms.lead_time * np.timedelta64(time.days, "D")
    pack = np.where(terms.pack_size > 0, terms.pack_size, 1.0)
    known_review = terms.review_period < FAR
    return {
        "sku": plan.series.sku,
        "location": plan.series.location,
        "supplier": terms.supplier,
        "order_quantity": quantity,
        "order_packs": quantity / pack,
        "order_date": np.where(ordered, time.start, never),
        "expected_receipt_date": np.where(ordered, receipt, never),
        "unit_cost": terms.unit_cost,
        "line_value": quantity * terms.unit_cost,
        "on_hand": state.on_hand,
        "on_order": state.on_order,
        "backorders": state.backorders,
        "inventory_position": state.inventory_position,
        "lead_time": terms.lead_time,
        "review_period": np.where(known_review, terms.review_period, np.nan),
        "demand_mean": plan.demand_mean,
        "demand_q0.5": plan.demand_median,
        "demand_q0.9": plan.demand_q90,
        "safety_stock": plan.safety_stock,
        "reorder_point": plan.reorder_point,
        "order_up_to_level": plan.order_up_to_level,
        "unconstrained_quantity": plan.unconstrained_quantity,
        "moq": terms.moq,
        "pack_size": pack,
        "binding_constraint": plan.binding,
        "stockout_risk_without": plan.stockout_risk_without,
        "stockout_risk_with": plan.stockout_risk_with,
        "days_of_cover": plan.days_of_cover,
        "expected_cost_saving": plan.expected_cost_saving,
        "marginal_value": plan.marginal_value,
        "priority": plan.priority,
        "cumulative_spend": plan.cumulative_spend,
        "reason": plan.reason,
        "policy": plan.policy,
        "model": model,
        "fallback": join_texts(plan.fallback, forecast_fallback),
    }


def join_texts(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Join two columns of texts with ``; ``, leaving out what is blank.

    Examples
    --------
    >>> join_texts(np.array(["a", "", ""]), np.array(["b", "c", ""])).tolist()
    ['a; b', 'c', '']
    """
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    return np.array(["; ".join(text for text in pair if text) for pair in pairs], dtype=np.str_)


def order_ids(
    as_of: np.datetime64, supplier: str, location: str, sku: str, scope: OrderScope = "supplier"
) -> tuple[str, str]:
    """Give the ids of a line's order and of the line: the same for the same day, supplier, location and sku.

    A name may hold any character, so the ids carry a hash of it: 50 bits for the order, 60 for the line in its order.

    Examples
    --------
    >>> order_ids(np.datetime64("2026-11-22"), "ACME", "LYON", "007")
    ('20261122-DHKSQQHVHE', '20261122-DHKSQQHVHE-HYPUXUZ7OS2W')
    """
    day = str(as_of.astype("datetime64[D]")).replace("-", "")
    whole = [day, supplier] + ([location] if scope == "supplier_location" else [])
    order = f"{day}-{_short(whole, 10)}"
    return order, f"{order}-{_short([day, supplier, location, sku], 12)}"


def _short(names: Sequence[str], length: int) -> str:
    digest = hashlib.blake2b("\x1f".join(names).encode(), digest_size=10).digest()
    return base64.b32encode(digest).decode()[:length]


def orders_table(plan: Columns, as_of: np.datetime64, scope: OrderScope = "supplier") -> Columns:
    """Give ``orders.csv`` from the columns of ``plan.csv``: what is ordered, by supplier, location and sku.

    Raises
    ------
    InvariantError
        If two lines would have one id.
    """
    lines = np.flatnonzero(plan["order_quantity"] > 0)
    keys = [plan[name][lines] for name in ("sku", "location", "supplier")]
    lines = lines[np.lexsort(keys)] if len(lines) else lines
    chosen = {name: column[lines] for name, column in plan.items()}
    names = zip(chosen["supplier"].tolist(), chosen["location"].tolist(), chosen["sku"].tolist(), strict=True)
    ids = [order_ids(as_of, supplier, location, sku, scope) for supplier, location, sku in names]
    if len({line for _, line in ids}) < len(ids):
        raise InvariantError("two order lines have one line_id", code="SC-B012")
    return {
        "order_id": np.array([order for order, _ in ids], dtype=np.str_),
        "line_id": np.array([line for _, line in ids], dtype=np.str_),
        **chosen,
    }


def rank_alerts(alerts: Sequence[Alert]) -> list[Alert]:
    """Give the alerts with the costliest first; among equals, errors before warnings, then by code and series."""
    return sorted(
        alerts,
        key=lambda a: (-a.value, _SEVERITIES.index(a.severity), a.code, a.sku, a.location, a.supplier, a.message),
    )


def exceptions_table(alerts: Sequence[Alert]) -> Columns:
    """Give ``exceptions.csv``, the costliest first."""
    ranked = rank_alerts(alerts)
    value: Float[np.ndarray, " alert"] = np.array([a.value for a in ranked], dtype=np.float64)
    texts = {
        name: np.array([getattr(a, name) for a in ranked], dtype=np.str_)
        for name in ("severity", "code", "sku", "location", "supplier", "message", "suggested_action")
    }
    order = ("severity", "code", "sku", "location", "supplier", "value", "message", "suggested_action")
    return {name: value if name == "value" else texts[name] for name in order}


def backtest_table(scores: Sequence[Score]) -> Columns:
    """Give ``backtest.csv`` in the order of the scores: by segment, model, origin and metric."""
    texts = ("segment", "model", "origin", "metric")
    table: Columns = {name: np.array([getattr(score, name) for score in scores], dtype=np.str_) for name in texts}
    table["origin"] = table["origin"].astype("datetime64[D]")
    table["value"] = np.array([score.value for score in scores], dtype=float)
    return table


def issues_table(issues: Sequence[Issue]) -> Columns:
    """Give ``issues.csv`` in the order of the checks; ``line`` holds the physical line, or the cell of a sheet."""
    rows = [
        (
            issue.severity,
            issue.code,
            issue.source,
            issue.cell or ("" if issue.line is None else str(issue.line)),
            issue.column or "",
            issue.value or "",
            issue.message,
            issue.action,
        )
        for issue in issues
    ]
    names = ("severity", "code", "source", "line", "column", "value", "message", "action")
    return {name: np.array([row[at] for row in rows], dtype=np.str_) for at, name in enumerate(names)}
