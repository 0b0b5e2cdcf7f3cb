"""A warehouse and the places that it feeds: how its stock is shared out, and what it buys for all of them."""

from stockcast.policies.echelon.feeding import Group, groups, next_shipment, shipped
from stockcast.policies.echelon.ordering import Bought, bought

__all__ = ["Bought", "Group", "bought", "groups", "next_shipment", "shipped"]
