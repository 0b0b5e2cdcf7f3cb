"""Features as arrays: what is known of a series at an origin and of a period ahead of it, and nothing later."""

from stockcast.features.block import ALWAYS, Block, Column, Read, gather
from stockcast.features.groups import Groups
from stockcast.features.spec import FAMILIES, Spec, build

__all__ = ["ALWAYS", "FAMILIES", "Block", "Column", "Groups", "Read", "Spec", "build", "gather"]
