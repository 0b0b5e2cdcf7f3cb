"""The one noun between forecasting and replenishment: the distribution of future demand."""

from stockcast.demand.adjusted import Adjusted
from stockcast.demand.blend import Blend
from stockcast.demand.counts import Counts
from stockcast.demand.coursed import Coursed
from stockcast.demand.forecast import DemandForecast, QuantileForecast, SampledForecast
from stockcast.demand.innovations import Innovations
from stockcast.demand.lead_time import LeadTimeDemand
from stockcast.demand.ranked import Ranked
from stockcast.demand.ratios import Ratios
from stockcast.demand.reconciled import Reconciled, Scaled
from stockcast.demand.responses import Responses
from stockcast.demand.sources import Marginals, PathSource, RecordedPaths, Stacked

__all__ = [
    "Adjusted",
    "Blend",
    "Counts",
    "Coursed",
    "DemandForecast",
    "Innovations",
    "LeadTimeDemand",
    "Marginals",
    "PathSource",
    "QuantileForecast",
    "Ranked",
    "Ratios",
    "Reconciled",
    "RecordedPaths",
    "Responses",
    "SampledForecast",
    "Scaled",
    "Stacked",
]
