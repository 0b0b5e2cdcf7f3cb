"""Which commands need the costs that an order needs."""

import pytest

from stockcast.runs import assemble
from stockcast.runs.config import load
from stockcast.runs.job import Job


@pytest.mark.parametrize(
    ("command", "orders"),
    [
        ("check", True),
        ("plan", True),
        ("run", True),
        ("forecast", False),
        ("backtest", False),
        ("features-rank", False),
    ],
)
def test_only_what_orders_or_checks_needs_costs(tmp_path, command, orders):
    path = tmp_path / "stockcast.yml"
    path.write_text("version: 1\nsources:\n  sales: {path: sales.csv}\n", encoding="utf-8")
    assert assemble.ingest_spec(Job(load(path), command)).orders is orders
