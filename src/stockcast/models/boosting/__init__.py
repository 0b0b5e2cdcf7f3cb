"""Gradient boosting over all series at once: trees for the mean, and a forest that finds the past like tonight."""

from stockcast.models.boosting.model import Boosting

__all__ = ["Boosting"]
