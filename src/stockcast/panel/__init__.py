"""The history of all series as aligned arrays."""

from stockcast.panel.attributes import Attributes
from stockcast.panel.calendar import Calendar
from stockcast.panel.known import KnownFuture
from stockcast.panel.outliers import calmed, excused, outliers
from stockcast.panel.panel import Panel

__all__ = ["Attributes", "Calendar", "KnownFuture", "Panel", "calmed", "excused", "outliers"]
