"""Stock, terms of supply, and what is known when an order is placed."""

from stockcast.inventory.lanes import Lanes, Transfers
from stockcast.inventory.outlook import Outlook
from stockcast.inventory.plan import ReorderPlan
from stockcast.inventory.situation import Situation
from stockcast.inventory.state import InventoryState
from stockcast.inventory.terms import PriceBreak, SharedTerms, SupplierTerms, SupplyTerms

__all__ = [
    "InventoryState",
    "Lanes",
    "Outlook",
    "PriceBreak",
    "ReorderPlan",
    "SharedTerms",
    "Situation",
    "SupplierTerms",
    "SupplyTerms",
    "Transfers",
]
