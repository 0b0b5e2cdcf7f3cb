"""When each series can be ordered: the suppliers' order days and closures over a long future."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Int

from stockcast.core.axes import SeriesAxis, Step, TimeAxis
from stockcast.core.errors import DataError
from stockcast.core.findings import Alert
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.origin import Origin
from stockcast.inventory.timing import FAR, next_reviews, periods_of_days, review_periods

LOOK_AHEAD_DAYS = 400  # how far a review is looked for


@final
@dataclass(frozen=True, slots=True)
class Reviews:
    """The review calendar of each series, seen from the first period after the origin.

    ``known`` is False where no review lies within ``LOOK_AHEAD_DAYS``; ``date`` is the first day of the period of the
    first review, NaT where none is known.
    """

    at_review: Bool[np.ndarray, " series"]
    first_review: Int[np.ndarray, " series"]
    review_period: Int[np.ndarray, " series"]
    known: Bool[np.ndarray, " series"]
    date: np.ndarray


def order_days_of(checked: CheckedTables) -> dict[str, str]:
    """Give the order days of each supplier."""
    suppliers = checked.tables.get("suppliers")
    if suppliers is None:
        return {}
    return dict(zip(suppliers.texts("supplier").tolist(), suppliers.texts("order_days").tolist(), strict=True))


def closures_of(checked: CheckedTables) -> dict[str, list[tuple[np.datetime64, np.datetime64]]]:
    """Give the first and last day of each supplier's closures."""
    closed = checked.tables.get("supplier_closures")
    closures: dict[str, list[tuple[np.datetime64, np.datetime64]]] = {}
    if closed is not None:
        for name, begin, end in zip(
            closed.texts("supplier").tolist(), closed.dates("from"), closed.dates("to"), strict=True
        ):
            closures.setdefault(name, []).append((begin, end))
    return closures


def resolve_calendar(
    time: TimeAxis, order_days: str, closures: list[tuple[np.datetime64, np.datetime64]], review_period: int
) -> tuple[bool, int, int]:
    """Resolve one supplier's calendar for one review period: at review, first review, periods to the next.

    Without order days every run is a review and the next lies ``review_period`` later, or on the first open day
    after that; with them, the next is the next such day.

    Examples
    --------
    >>> time = TimeAxis(np.datetime64("2026-11-23"), 30, "day")
    >>> resolve_calendar(time, "", [(np.datetime64("2026-11-30"), np.datetime64("2026-12-01"))], 7)
    (True, 0, 9)
    >>> resolve_calendar(time, "tue", [], 1)
    (False, 1, 7)
    """
    reviews = review_periods(time, order_days, closures)
    if not order_days.strip() and reviews.any() and not reviews.all():
        reviews = reviews.copy()
        first = int(reviews.argmax())
        reviews[first + 1 : first + review_period] = False
        later = np.flatnonzero(reviews[first + 1 :])
        return first == 0, first, int(later[0]) + 1 if len(later) else FAR
    return next_reviews(reviews, review_period)


def first_reviews(checked: CheckedTables, supplier: np.ndarray, origin: Origin) -> Int[np.ndarray, " supplier"]:
    """Give the periods until each supplier's first open day; ``FAR`` where none lies within ``LOOK_AHEAD_DAYS``.

    Raises
    ------
    DataError
        If order days cannot be read.
    """
    time = future(checked.spec.step, origin)
    order_days, closures = order_days_of(checked), closures_of(checked)
    found: dict[str, int] = {}
    for name in sorted(set(supplier.tolist())):
        try:
            open_now = review_periods(time, order_days.get(name, ""), closures.get(name, []))
        except DataError as error:
            raise _of_supplier(checked.tables["suppliers"], name, error) from None
        found[name] = int(open_now.argmax()) if open_now.any() else FAR
    return np.array([found[name] for name in supplier.tolist()], dtype=np.int64)


def future(step: Step, origin: Origin) -> TimeAxis:
    """Give the periods after the origin in which reviews are looked for."""
    far = -(-LOOK_AHEAD_DAYS // (7 if step == "week" else 1))
    return TimeAxis(origin.last_day + np.timedelta64(1, "D"), far, step)


def resolve_reviews(
    checked: CheckedTables,
    supplier: np.ndarray,
    review_days: np.ndarray,
    orderable: Bool[np.ndarray, " series"],
    axis: SeriesAxis,
    origin: Origin,
) -> Reviews:
    """Resolve the review calendar of every series.

    Raises
    ------
    DataError
        If a series would be ordered and neither order days nor a review period are known; or order days cannot be
        read.
    """
    spec = checked.spec
    time = future(spec.step, origin)
    far = time.n
    order_days, closures = order_days_of(checked), closures_of(checked)
    has_days = np.array([bool(order_days.get(name, "").strip()) for name in supplier.tolist()], dtype=bool)
    missing = np.flatnonzero(orderable & np.isnan(review_days) & ~has_days)
    if len(missing):
        raise DataError(
            f"no review period for {len(missing)} series, e.g. {axis.sku[missing[0]]}@{axis.location[missing[0]]}",
            code="SC-D036",
            help="give review_period_days in items or suppliers, order_days, or plan.defaults.review_period_days",
        )
    period = np.clip(periods_of_days(np.nan_to_num(review_days), spec.step), 1, far)
    cases = list(zip(supplier.tolist(), period.tolist(), strict=True))
    solved: dict[tuple[str, int], tuple[bool, int, int]] = {}
    for name, periods in sorted(set(cases)):
        try:
            solved[name, periods] = resolve_calendar(time, order_days.get(name, ""), closures.get(name, []), periods)
        except DataError as error:
            raise _of_supplier(checked.tables["suppliers"], name, error) from None
    found = np.array([solved[case] for case in cases], dtype=np.int64).reshape(len(axis), 3)
    known = found[:, 1] < FAR
    for at in np.flatnonzero(orderable & ~known).tolist():
        checked.findings.alerts.append(
            Alert(
                "warning", "SC-D063", f"no review is known within {LOOK_AHEAD_DAYS} days",
                "check order_days and supplier_closures",
                str(axis.sku[at]), str(axis.location[at]), str(supplier[at]),
            )
        )  # fmt: skip
    first = np.minimum(found[:, 1], far)
    date = np.where(known, time.start + first * np.timedelta64(time.days, "D"), np.datetime64("NaT")).astype(
        "datetime64[D]"
    )
    return Reviews(found[:, 0] > 0, first, np.minimum(found[:, 2], far), known, date)


def _of_supplier(suppliers: CheckedTable, name: str, error: DataError) -> DataError:
    row = suppliers.texts("supplier").tolist().index(name)
    place = suppliers.place.say(int(suppliers.row[row]), "order_days")
    return DataError(
        f"{suppliers.source.label} {place}, column order_days: {error.message}", code=error.code, help=error.help
    )
