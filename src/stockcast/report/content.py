"""What the page for the planner is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from stockcast.core.findings import Alert, Issue, RowCount
from stockcast.demand import SampledForecast
from stockcast.inventory import InventoryState
from stockcast.panel import Panel
from stockcast.report.tables import Columns


@final
@dataclass(frozen=True, slots=True)
class ReportData:
    """What the page is made of: arrays, columns and findings that the run has at hand.

    Parameters
    ----------
    forecast
        The columns of ``forecast.csv``.
    plan, state
        The columns of ``plan.csv`` and the stock they start from; None where no plan was made.
    transfers
        The columns of ``transfers.csv``; None where lanes are no source.
    scores
        Backtest averages as (segment, model, metric, value); lower is better.
    network
        The text of ``models/tft_importance.csv``, where the run keeps one.
    """

    title: str
    command: str
    status: str
    panel: Panel
    demand: SampledForecast
    forecast: Columns
    plan: Columns | None = None
    state: InventoryState | None = None
    transfers: Columns | None = None
    issues: Sequence[Issue] = ()
    alerts: Sequence[Alert] = ()
    rows: Mapping[str, RowCount] | None = None
    scores: Sequence[tuple[str, str, str, float]] = ()
    notes: Sequence[str] = ()
    network: str = ""
