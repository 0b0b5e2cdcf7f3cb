"""Codes SC-G…: computed, but held back by a guardrail."""

from stockcast.core.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "SC-G001",
        "plan value far above the naive plan",
        "The orders are worth more than guardrails.max_value_ratio times a naive plan made from recent sales, and more "
        "than guardrails.min_value. An input in the wrong unit (sales ×10, a price in cents) looks like this.",
        "look at the held run's plan.csv; if it is right, raise guardrails.max_value_ratio for this run with --set",
    ),
    Code(
        "SC-G002",
        "plan value far above like runs",
        "The orders are worth more than guardrails.max_value_ratio times the median of earlier published runs.",
        "compare with the earlier plan; if it is right, raise guardrails.max_value_ratio for this run with --set",
    ),
    Code(
        "SC-G003",
        "too many failed models",
        "The chosen model failed for more than guardrails.max_fallback_share of the series; a short history does not "
        "count as a failure.",
        "look at the fallback column of forecast.csv, then at the history of those series",
    ),
    Code(
        "SC-G004",
        "forecast far above recent sales",
        "The mean forecast of all series together is more than guardrails.max_value_ratio times the best week of sales "
        "until 28 days ago.",
        "look at the newest sales: a changed unit or a doubled file looks like this",
    ),
)
