"""How well the models do on rolling origins, and which of them is chosen for whom."""

from stockcast.evaluation.comparison import BENCHMARK, SELECTED, Comparison, compare
from stockcast.evaluation.forecasting import Forecasted, forecast
from stockcast.evaluation.leaderboard import Line, leaderboard
from stockcast.evaluation.scores import ModelTiming, Score

__all__ = [
    "BENCHMARK",
    "SELECTED",
    "Comparison",
    "Forecasted",
    "Line",
    "ModelTiming",
    "Score",
    "compare",
    "forecast",
    "leaderboard",
]
