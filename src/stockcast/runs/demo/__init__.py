"""A generated, realistic data set: two years of a made-up retailer, stepped with the same rules as the plan's."""

from stockcast.runs.demo.text import CONFIG
from stockcast.runs.demo.write import DemoSummary, write

__all__ = ["CONFIG", "DemoSummary", "write"]
