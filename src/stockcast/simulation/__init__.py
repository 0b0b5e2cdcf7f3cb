"""The closed loop of stock and orders, one period at a time and in money."""

from stockcast.simulation.step import PeriodCosts, step

__all__ = ["PeriodCosts", "step"]
