"""Orders of several reviews ahead, where the calendar makes timing matter: fixed costs, closures, announced prices."""

from stockcast.policies.ahead.cycles import Cycles, cycles
from stockcast.policies.ahead.looking import Seen, look_ahead
from stockcast.policies.ahead.schedule import Schedule, best_schedule

__all__ = ["Cycles", "Schedule", "Seen", "best_schedule", "cycles", "look_ahead"]
