"""Exponential smoothing and Theta of all series at once, in torch: one recursion over time, on any device."""

from stockcast.models.smoothing.ets import SES, FittedSmoothing, Holt, Smoothing, one_step_errors
from stockcast.models.smoothing.recursion import States, recursion
from stockcast.models.smoothing.theta import FittedTheta, Theta

__all__ = [
    "SES",
    "FittedSmoothing",
    "FittedTheta",
    "Holt",
    "Smoothing",
    "States",
    "Theta",
    "one_step_errors",
    "recursion",
]
