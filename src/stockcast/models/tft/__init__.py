"""The Temporal Fusion Transformer over all series: pytorch-forecasting's network, fed by index on the device."""

from stockcast.models.tft.course import Budget
from stockcast.models.tft.fitted import FittedTft
from stockcast.models.tft.interpretation import Interpretation, interpret
from stockcast.models.tft.model import Tft
from stockcast.models.tft.network import Size

__all__ = ["Budget", "FittedTft", "Interpretation", "Size", "Tft", "interpret"]
