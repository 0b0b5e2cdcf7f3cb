"""Gradient boosting over all series at once: one model of trees, its features, and a distribution from its errors."""

from stockcast.models.boosting.model import Boosting

__all__ = ["Boosting"]
