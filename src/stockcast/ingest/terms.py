"""The terms of each line for an order of the first period after the origin, and what is doubtful about them."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import SeriesAxis, Step
from stockcast.core.errors import DataError
from stockcast.core.findings import Alert
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.lookup import Lookup, name_some
from stockcast.ingest.origin import Origin
from stockcast.ingest.refusal import Findings
from stockcast.ingest.review import Reviews, order_days_of, resolve_reviews
from stockcast.inventory.terms import OBJECTIVES, SupplyTerms
from stockcast.inventory.timing import periods_of_days

LONG_LEAD_TIME = 365  # days, above which a lead time is doubted


@final
@dataclass(frozen=True, slots=True)
class Resolved:
    """The terms, and the review calendar behind them."""

    terms: SupplyTerms
    reviews: Reviews


def may_be_ordered(
    checked: CheckedTables, lookup: Lookup, origin: Origin, has_stock: Bool[np.ndarray, " series"]
) -> Bool[np.ndarray, " series"]:
    """Tell which series have an item, stock that counts, and no end before the order date; the ended ones are told."""
    return np.asarray(lookup.has_item & has_stock & _not_ended(lookup, origin, checked.findings))


def resolve_terms(
    checked: CheckedTables,
    lookup: Lookup,
    origin: Origin,
    orderable: Bool[np.ndarray, " series"],
    last_price: Float[np.ndarray, " series"],
    shipper: np.ndarray | None = None,
) -> Resolved:
    """Resolve every term of every series, for an order of the first period after the origin.

    Parameters
    ----------
    orderable
        What :func:`may_be_ordered` gives.
    shipper
        The location that feeds each series, empty where none does: its row in ``suppliers`` tells the reviews. Nobody
        is fed when left out.

    Raises
    ------
    DataError
        If a lead time, a review period or (under ``objective: cost``) a cost is known nowhere for a series that would
        be ordered.
    """
    axis, spec, findings = lookup.axis, checked.spec, checked.findings
    fed_by = np.full(len(axis), "") if shipper is None else shipper
    lead_days = _lead_time_days(lookup, orderable & (fed_by == ""), findings)
    lead_time = periods_of_days(lead_days, spec.step)
    sd = np.nan_to_num(lookup.number("lead_time_sd_days", 0.0)) / (7 if spec.step == "week" else 1)
    reviews = _reviews(checked, lookup, origin, orderable, fed_by)
    added = np.flatnonzero(lead_time * (7 if spec.step == "week" else 1) > lead_days + 1e-9)
    if len(added):
        findings.inform(
            "SC-D089", "items",
            f"lead_time_days is no whole number of {spec.step}s for {len(added)} series: {name_some(axis, added)}",
            f"rounded up to whole {spec.step}s, which adds days", count=len(added), column="lead_time_days",
        )  # fmt: skip
    objective, target = _targets(lookup, checked)
    unit_cost = lookup.number("unit_cost")
    _tell_of_unit_costs(axis, unit_cost, orderable, findings)
    holding, shortage = _costs(checked, lookup, orderable, objective, unit_cost, last_price)
    pack = lookup.number("pack_size", 0.0)
    moq = lookup.number("moq", 0.0)
    whole = np.where(pack > 0, np.ceil(moq / np.where(pack > 0, pack, 1.0) - 1e-9) * pack, moq)
    if (whole > moq).any():
        up = np.flatnonzero(whole > moq)
        findings.inform(
            "SC-D088", "items", f"moq is no whole number of packs for {len(up)} series: {name_some(axis, up)}",
            "rounded up to whole packs", count=len(up), column="moq",
        )  # fmt: skip
    max_order = lookup.number("max_order", np.inf)
    below = np.flatnonzero(orderable & (max_order < np.maximum(whole, pack)))
    if len(below):
        findings.warn(
            "SC-D047", "items", f"max_order is below moq or one pack: {name_some(axis, below)}",
            "these lines can order nothing", count=len(below), column="max_order",
        )  # fmt: skip
    terms = SupplyTerms(
        axis,
        lookup.supplier,
        lead_time,
        sd,
        reviews.at_review,
        reviews.first_review,
        reviews.review_period,
        whole,
        pack,
        max_order,
        lookup.number("min_stock", 0.0),
        unit_cost,
        lookup.number("order_cost", 0.0),
        holding,
        shortage,
        objective,
        target,
        np.zeros(len(axis)),
        orderable,
        np.nan_to_num(lookup.number("volume")),
        np.nan_to_num(lookup.number("weight")),
        _shelf_life(lookup, spec.step, findings),
        _sold_for(lookup, origin, spec.step),
    )
    return Resolved(terms, reviews)


def _reviews(
    checked: CheckedTables, lookup: Lookup, origin: Origin, orderable: np.ndarray, fed_by: np.ndarray
) -> Reviews:
    """Resolve the reviews: of the supplier of the item, or of the warehouse that feeds a place, which needs no row."""
    seen = lookup.supplied_by(np.where(fed_by == "", lookup.supplier, fed_by))
    days = seen.number("review_period_days")
    open_days = order_days_of(checked)
    always = np.array([not open_days.get(name, "").strip() for name in seen.supplier.tolist()], dtype=bool)
    free = np.flatnonzero(orderable & (fed_by != "") & np.isnan(days) & always)
    if len(free):
        step = checked.spec.step
        checked.findings.inform(
            "SC-D128", "suppliers",
            f"no order_days and no review period for {len(free)} series that a warehouse feeds: "
            f"{name_some(lookup.axis, free)}", f"taken to be shipped to every {step}", count=len(free),
            column="order_days",
        )  # fmt: skip
        days[free] = 1.0
    return resolve_reviews(checked, seen.supplier, days, orderable, lookup.axis, origin)


def _shelf_life(lookup: Lookup, step: Step, findings: Findings) -> np.ndarray:
    """Give the whole periods in which a unit can be sold, rounded down: what is not certain to keep is not sold."""
    days = lookup.number("shelf_life_days", np.inf)
    length = 7 if step == "week" else 1
    short = np.flatnonzero(days < length)
    if len(short):
        findings.warn(
            "SC-D110", "items",
            f"shelf_life_days is below one {step} for {len(short)} series: {name_some(lookup.axis, short)}",
            f"taken as one {step}: what is left at its end is waste", count=len(short), column="shelf_life_days",
        )  # fmt: skip
    whole: np.ndarray = np.maximum(np.floor(days / length + 1e-9), 1.0)
    return whole


def _sold_for(lookup: Lookup, origin: Origin, step: Step) -> np.ndarray:
    """Give the periods from now on up to the one that holds the end date, that one included; infinite without one."""
    days = (lookup.date("end_date") - origin.last_day) / np.timedelta64(1, "D")
    periods = np.ceil(days / (7 if step == "week" else 1) - 1e-9)
    return np.where(np.isnan(periods), np.inf, np.maximum(periods, 0.0))


def _not_ended(lookup: Lookup, origin: Origin, findings: Findings) -> np.ndarray:
    end = lookup.date("end_date")
    order_date = origin.last_day + np.timedelta64(1, "D")
    ended = ~np.isnat(end) & (end < order_date)
    for at in np.flatnonzero(ended).tolist():
        findings.alerts.append(
            Alert(
                "info", "SC-D061", f"ended on {end[at]}", "sell off what is left, or correct end_date",
                str(lookup.axis.sku[at]), str(lookup.axis.location[at]), str(lookup.supplier[at]),
            )
        )  # fmt: skip
    going_on: np.ndarray = ~ended
    return going_on


def _lead_time_days(lookup: Lookup, orderable: np.ndarray, findings: Findings) -> np.ndarray:
    days = lookup.number("lead_time_days")
    missing = np.flatnonzero(orderable & np.isnan(days))
    if len(missing):
        raise DataError(
            f"no lead time for {len(missing)} series: {name_some(lookup.axis, missing)}",
            code="SC-D033",
            help="give lead_time_days in items or suppliers, or set plan.defaults.lead_time_days",
        )
    long = np.flatnonzero(days > LONG_LEAD_TIME)
    if len(long):
        findings.warn(
            "SC-D042", "items",
            f"lead_time_days is above {LONG_LEAD_TIME} (up to {days[long].max():g}): {name_some(lookup.axis, long)}",
            "used as it is; check it", count=len(long), column="lead_time_days",
        )  # fmt: skip
    known: np.ndarray = np.nan_to_num(days)
    return known


def _targets(lookup: Lookup, checked: CheckedTables) -> tuple[np.ndarray, np.ndarray]:
    """Give the objective and service level of each series: its own, where one is given, else the config's."""
    spec, axis = checked.spec, lookup.axis
    objective = np.full(len(axis), OBJECTIVES.index(spec.objective), dtype=np.int64)
    target = np.full(len(axis), float(spec.target) if spec.objective != "cost" else 0.0)
    for given in (spec.defaults, *(table for table, _ in reversed(lookup.levels))):
        for name in ("fill_rate", "cycle_service_level"):  # where a row gives both, the cycle service level holds
            if isinstance(given, CheckedTable):
                row = next(row for table, row in lookup.levels if table is given)
                level = np.append(given.numbers(name), np.nan)[row]
            else:
                level = np.full(len(axis), np.nan if given.get(name) is None else float(str(given[name])))
            told = ~np.isnan(level)
            objective = np.where(told, OBJECTIVES.index(name), objective)
            target = np.where(told, level, target)
    for table, _ in lookup.levels:
        both = ~np.isnan(table.numbers("fill_rate")) & ~np.isnan(table.numbers("cycle_service_level"))
        if both.any():
            checked.findings.warn(
                "SC-D043", table.source.name,
                f"{table.source.label}: {int(both.sum())} rows give cycle_service_level and fill_rate",
                "cycle_service_level is used", count=int(both.sum()), column="fill_rate",
            )  # fmt: skip
    return objective, target


def _tell_of_unit_costs(axis: SeriesAxis, unit_cost: np.ndarray, orderable: np.ndarray, findings: Findings) -> None:
    """Name the lines without a unit cost, or with one of 0: they are planned in units, and have no line value."""
    for rows, what, action in (
        (np.isnan(unit_cost), "not known", "planned in units: line_value is blank, and counts 0 to the budget"),
        (unit_cost == 0, "0", "used as it is: holding such stock costs nothing; leave it blank where it is not known"),
    ):
        found = np.flatnonzero(orderable & rows)
        if len(found):
            findings.warn(
                "SC-D086", "items", f"unit_cost is {what} for {len(found)} series: {name_some(axis, found)}", action,
                count=len(found), column="unit_cost",
            )  # fmt: skip


def _costs(
    checked: CheckedTables,
    lookup: Lookup,
    orderable: np.ndarray,
    objective: np.ndarray,
    unit_cost: np.ndarray,
    last_price: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Give holding and shortage cost; under ``cost`` both must be known of a line that may be ordered.

    Where no orders are to come of it, a cost that they would need is told and taken as 0.
    """
    spec, axis, findings = checked.spec, lookup.axis, checked.findings
    days = 7 if spec.step == "week" else 1
    holding = lookup.number("holding_cost")
    holding = np.where(np.isnan(holding), lookup.number("holding_rate") * unit_cost * days / 365, holding)
    price = lookup.number("price")
    free = np.flatnonzero(price == 0)
    if len(free):
        findings.inform(
            "SC-D045", "items", f"price is 0: {name_some(axis, free)}", "price taken as not known", count=len(free),
            column="price",
        )  # fmt: skip
        price = np.where(price == 0, np.nan, price)
    margin = np.where(np.isnan(price), last_price, price) - unit_cost
    given = lookup.number("shortage_cost")
    derived = np.isnan(given) & ~np.isnan(margin)
    shortage = np.where(derived, np.maximum(margin, 0.0), given)
    needed = orderable & (objective == OBJECTIVES.index("cost"))
    for name, values, remedy in (
        ("shortage_cost", shortage, "give shortage_cost, or price and unit_cost"),
        ("holding_cost", holding, "give holding_cost, or unit_cost and plan.defaults.holding_rate"),
    ):
        missing = np.flatnonzero(needed & np.isnan(values))
        said = f"{name} is not known for {len(missing)} series: {name_some(axis, missing)}"
        if len(missing) and spec.orders:
            raise DataError(
                said,
                code="SC-D034",
                details=["plan.objective is cost, which needs it"],
                help=f"{remedy}, or set plan.objective to a service level",
            )
        if len(missing):
            findings.warn(
                "SC-D034", "items", said, f"no forecast needs it; plan and run stop at it: {remedy}",
                count=len(missing), column=name,
            )  # fmt: skip
        absent = int((orderable & ~needed & np.isnan(values)).sum())
        if absent:
            findings.notes.append(f"{name} is not known for {absent} series with a service level: 0 is used")
    used = np.flatnonzero(needed & derived)
    if len(used):
        findings.warn(
            "SC-D035", "items", f"shortage_cost is not given for {len(used)} series: price - unit_cost is used",
            "give shortage_cost in items", count=len(used), column="shortage_cost",
        )  # fmt: skip
    for at in np.flatnonzero(needed & derived & (margin <= 0)).tolist():
        findings.alerts.append(
            Alert(
                "warning", "SC-D062", "the price is not above unit_cost, so that a lost sale costs nothing",
                "give shortage_cost, or correct price and unit_cost",
                str(axis.sku[at]), str(axis.location[at]), str(lookup.supplier[at]),
            )
        )  # fmt: skip
    return np.nan_to_num(holding), np.nan_to_num(shortage)
