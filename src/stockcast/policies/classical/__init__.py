"""The classical inventory policies, each on its textbook formula: lots, levels, reorder points, rules to plan by."""

from stockcast.policies.classical.demand import (
    FromPaths,
    Gamma,
    LeadTimeDistribution,
    NegativeBinomial,
    Normal,
    Poisson,
)
from stockcast.policies.classical.lots import economic_order_quantity, power_of_two, with_backorders, with_price_breaks
from stockcast.policies.classical.serial import Serial, serial_levels
from stockcast.policies.classical.stochastic import (
    Found,
    base_stock,
    period_cost,
    reorder_and_level,
    reorder_and_level_poisson,
    reorder_and_lot,
    review_and_level,
)
from stockcast.policies.classical.wagner_whitin import wagner_whitin

__all__ = [
    "Found",
    "FromPaths",
    "Gamma",
    "LeadTimeDistribution",
    "NegativeBinomial",
    "Normal",
    "Poisson",
    "Serial",
    "base_stock",
    "economic_order_quantity",
    "period_cost",
    "power_of_two",
    "reorder_and_level",
    "reorder_and_level_poisson",
    "reorder_and_lot",
    "review_and_level",
    "serial_levels",
    "wagner_whitin",
    "with_backorders",
    "with_price_breaks",
]
