"""Models of what couples lines, solved in a process of their own that can be killed; the only place that knows PuLP."""

from stockcast.policies.milp.ahead import AheadModel, solve_ahead
from stockcast.policies.milp.model import Model, Solve, Solved, Solving, solve
from stockcast.policies.milp.problem import Answer, Problem
from stockcast.policies.milp.worker import Solver, Worker

__all__ = [
    "AheadModel",
    "Answer",
    "Model",
    "Problem",
    "Solve",
    "Solved",
    "Solver",
    "Solving",
    "Worker",
    "solve",
    "solve_ahead",
]
