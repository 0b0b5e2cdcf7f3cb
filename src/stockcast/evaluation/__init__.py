"""How well the models do on rolling origins, and which of them is chosen for whom."""

from stockcast.evaluation.forecasting import Forecasted, forecast
from stockcast.evaluation.scores import ModelTiming, Score

__all__ = ["Forecasted", "ModelTiming", "Score", "forecast"]
