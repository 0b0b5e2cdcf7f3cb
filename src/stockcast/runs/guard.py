"""Guardrails: what holds a computed plan back (exit 7), on the side of too much only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from stockcast import policies
from stockcast.core.errors import HeldBackError
from stockcast.inventory import ReorderPlan, Situation

FEW = 3  # earlier plans below which their median says nothing
RECENT_DAYS = 28


@final
@dataclass(frozen=True, slots=True)
class Limits:
    """What the config's ``guardrails`` say: a ratio, a share, and the money below which nothing is held."""

    max_value_ratio: float
    max_fallback_share: float
    min_value: float


def order_value(plan: ReorderPlan, unit_cost: np.ndarray) -> float:
    """Give the money of all lines whose unit cost is known."""
    return float(np.nansum(plan.order_quantity * unit_cost))


def hold_back(
    limits: Limits,
    situation: Situation | None,
    plan: ReorderPlan | None,
    failed: np.ndarray,
    earlier_values: Sequence[float] = (),
) -> HeldBackError | None:
    """Give the reason to hold a run back, or None.

    Parameters
    ----------
    plan
        None where the run makes none (``forecast``).
    failed
        Whether the chosen model failed for each series (Bool, one a series).
    earlier_values
        Order values of earlier published plans that had orders.
    """
    share = float(failed.mean()) if len(failed) else 0.0
    if share > limits.max_fallback_share:
        return HeldBackError(
            f"the chosen model failed for {failed.sum()} of {len(failed)} series",
            code="SC-G003",
            details=[f"guardrails.max_fallback_share: {limits.max_fallback_share:g}, this run: {share:.2f}"],
            help="look at the fallback column of forecast.csv",
        )
    if plan is None or situation is None:
        return None
    value = order_value(plan, situation.terms.unit_cost)
    if value <= limits.min_value:
        return None
    shadow = float(np.nansum(policies.naive_shadow(situation) * situation.terms.unit_cost))
    if value > max(limits.max_value_ratio * shadow, limits.min_value):
        return _too_much("SC-G001", value, shadow, "a naive plan from recent sales", limits, _ahead(situation, plan))
    positive = [earlier for earlier in earlier_values if earlier > 0]
    if len(positive) >= FEW:
        median = float(np.median(positive))
        if value > max(limits.max_value_ratio * median, limits.min_value):
            against = f"the median of {len(positive)} earlier plans"
            return _too_much("SC-G002", value, median, against, limits, _ahead(situation, plan))
    return _level_shift(limits, situation, plan)


def _level_shift(limits: Limits, situation: Situation, plan: ReorderPlan) -> HeldBackError | None:
    """Hold back when all series together left what any week before the newest four has seen.

    The forecast's mean a period is held against the highest 7-day average of total sales up to 28 days ago. A season's
    peak or a growing shop stays within a small multiple of its best week; sales in another unit don't.
    """
    panel = situation.past
    week, recent = max(7 // panel.time.days, 1), max(RECENT_DAYS // panel.time.days, 1)
    before = panel.sales.sum(axis=0)[: panel.time.n - recent]
    if len(before) < recent:
        return None
    best = float(np.convolve(before, np.full(week, 1.0 / week), mode="valid").max())
    # over each protection interval, which the plan knows already: the paths need not be drawn once more
    periods = np.minimum(situation.terms.protection_interval, situation.demand.horizon)
    feeder = situation.terms.feeder
    others = ~np.isin(np.arange(len(feeder)), feeder[feeder >= 0])  # a warehouse's demand is that of its places
    forecast = float((plan.demand_mean / periods)[others].sum())
    if best > 0 and forecast > limits.max_value_ratio * best:
        return HeldBackError(
            f"the forecast of all series together is {forecast:,.6g} a period; the best week until {RECENT_DAYS} days "
            f"ago had {best:,.6g}",
            code="SC-G004",
            details=[f"guardrails.max_value_ratio: {limits.max_value_ratio:g}"],
            help="look at the newest sales: a changed unit or a doubled file looks like this",
        )
    return None


def _ahead(situation: Situation, plan: ReorderPlan) -> str:
    """Say what of the orders looks further than the next review, which neither comparison does; empty where nothing."""
    rows = plan.binding == "later"
    value = float((plan.order_quantity * np.nan_to_num(situation.terms.unit_cost))[rows].sum())
    if value <= 0:
        return ""
    lines = int((plan.order_quantity[rows] > 0).sum())
    return f"plan.reviews_ahead: {lines} line{'s' * (lines != 1)}, worth {value:,.0f}, look beyond the next review"


def _too_much(code: str, value: float, normal: float, against: str, limits: Limits, ahead: str = "") -> HeldBackError:
    details = [f"guardrails.max_value_ratio: {limits.max_value_ratio:g}, min_value: {limits.min_value:g}"]
    return HeldBackError(
        f"the orders are worth {value:,.0f}, against {normal:,.0f} for {against}",
        code=code,
        details=[*details, ahead] if ahead else details,
        help="look at the held plan.csv; if it is right, run again with --set guardrails.max_value_ratio=…",
    )
