"""Codes SC-X…: what a planner should look at, raised by the run itself."""

from stockcast.core.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "SC-X010",
        "no order within a year",
        "Lead time, order days and closures put the arrival of the next order but one more than a year ahead.",
        "check lead_time_days (days, not another unit), order_days and supplier_closures",
    ),
    Code(
        "SC-X011",
        "the deadline struck",
        "The run's deadline passed, and what was left was done in a shorter way.",
        "give the run more time (deadline:), or less to do (effort: fast)",
    ),
    Code(
        "SC-X012",
        "no GPU used",
        "--device cuda was asked for, and PyTorch finds no CUDA device: its build has none, or the machine.",
        "leave --device at auto, or install PyTorch's CUDA build (stockcast doctor tells which is there)",
    ),
    Code(
        "SC-X014",
        "ordered from nobody",
        "Lines are ordered whose item names no supplier: orders.csv has them with a blank supplier.",
        "name a supplier in items or item_locations",
    ),
    Code(
        "SC-X013",
        "a model failed for a series",
        "The chosen model gave no usable forecast for this series, and the next rung of the ladder took over.",
        "look at the series' history; the fallback column says which rung forecast it",
    ),
)
