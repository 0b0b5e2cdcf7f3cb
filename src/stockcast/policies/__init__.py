"""From a forecast to an order: the newsvendor on paths, packs, models of what couples lines, the check."""

from stockcast.policies.base import Policy
from stockcast.policies.check import Violation, check
from stockcast.policies.check_lines import OrderLines, check_lines
from stockcast.policies.check_transfers import TransferLines, check_transfers
from stockcast.policies.milp import Solve
from stockcast.policies.newsvendor import Newsvendor
from stockcast.policies.orderable import Orderable
from stockcast.policies.reorder import POLICIES, Optimizer, Planned, plan
from stockcast.policies.shadow import naive_shadow
from stockcast.policies.tradeoff import Tradeoff, grid, tradeoff
from stockcast.policies.transfers import Proposed, propose
from stockcast.policies.waterfall import STEPS, Waterfall

__all__ = [
    "POLICIES",
    "STEPS",
    "Newsvendor",
    "Optimizer",
    "OrderLines",
    "Orderable",
    "Planned",
    "Policy",
    "Proposed",
    "Solve",
    "Tradeoff",
    "TransferLines",
    "Violation",
    "Waterfall",
    "check",
    "check_lines",
    "check_transfers",
    "grid",
    "naive_shadow",
    "plan",
    "propose",
    "tradeoff",
]
