"""stockcast: from a retailer's sales history to the orders that should go out tonight.

The commands are functions here, too: ``stockcast.run("stockcast.yml")`` publishes what ``stockcast run`` would, and
``stockcast.table(outcome, "plan")`` reads a table of it as a frame. Nothing heavy is loaded before it is used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stockcast.api.commands import backtest, check, forecast, plan, rank_features, run, table
    from stockcast.core.errors import (
        AlignmentError,
        DataError,
        HeldBackError,
        InvariantError,
        LockedError,
        ResourceError,
        StockcastError,
        UsageError,
    )

_ERRORS, _COMMANDS = "stockcast.core.errors", "stockcast.api.commands"
_HOMES = {
    "AlignmentError": _ERRORS,
    "DataError": _ERRORS,
    "HeldBackError": _ERRORS,
    "InvariantError": _ERRORS,
    "LockedError": _ERRORS,
    "ResourceError": _ERRORS,
    "StockcastError": _ERRORS,
    "UsageError": _ERRORS,
    "backtest": _COMMANDS,
    "check": _COMMANDS,
    "forecast": _COMMANDS,
    "plan": _COMMANDS,
    "rank_features": _COMMANDS,
    "run": _COMMANDS,
    "table": _COMMANDS,
}

__all__ = [
    "AlignmentError",
    "DataError",
    "HeldBackError",
    "InvariantError",
    "LockedError",
    "ResourceError",
    "StockcastError",
    "UsageError",
    "backtest",
    "check",
    "forecast",
    "plan",
    "rank_features",
    "run",
    "table",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'stockcast' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
