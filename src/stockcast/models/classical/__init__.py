"""Models that are fitted series by series with statsmodels: slow, and for what the batched models do not have."""

from stockcast.models.classical.components import Components, FittedComponents
from stockcast.models.classical.reference import FittedReferenceSmoothing, ReferenceSmoothing
from stockcast.models.classical.sarimax import FittedSarimax, Sarimax

__all__ = [
    "Components",
    "FittedComponents",
    "FittedReferenceSmoothing",
    "FittedSarimax",
    "ReferenceSmoothing",
    "Sarimax",
]
