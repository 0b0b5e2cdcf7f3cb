"""The config: strict YAML 1.2 to frozen dataclasses whose attribute paths are the keys of the file."""

from stockcast.runs.config.load import FILE_NAME, find, load
from stockcast.runs.config.names import MODEL_GROUPS, MODELS, POLICIES
from stockcast.runs.config.schema import schema
from stockcast.runs.config.sections import (
    Backtest,
    Defaults,
    Forecast,
    Guardrails,
    Holidays,
    Limits,
    Output,
    Plan,
    RunConfig,
    Service,
    Simulate,
    Source,
)
from stockcast.runs.config.show import effective, show

__all__ = [
    "FILE_NAME",
    "MODELS",
    "MODEL_GROUPS",
    "POLICIES",
    "Backtest",
    "Defaults",
    "Forecast",
    "Guardrails",
    "Holidays",
    "Limits",
    "Output",
    "Plan",
    "RunConfig",
    "Service",
    "Simulate",
    "Source",
    "effective",
    "find",
    "load",
    "schema",
    "show",
]
