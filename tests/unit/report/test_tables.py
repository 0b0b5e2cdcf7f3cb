"""Columns and rows of the interface page."""

import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import InvariantError
from stockcast.core.findings import Alert, Issue
from stockcast.core.random import Stream
from stockcast.demand import RecordedPaths, SampledForecast
from stockcast.report.tables import (
    exceptions_table,
    forecast_table,
    issues_table,
    order_ids,
    orders_table,
    plan_table,
)

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995)
FORECAST = "sku location date mean q0.05 q0.1 q0.25 q0.5 q0.75 q0.9 q0.95 q0.975 q0.99 q0.995 model fallback".split()
PLAN = (
    "sku, location, supplier, order_quantity, order_packs, order_date, expected_receipt_date, unit_cost, line_value, "
    "on_hand, on_order, backorders, inventory_position, lead_time, review_period, demand_mean, demand_q0.5, "
    "demand_q0.9, safety_stock, reorder_point, order_up_to_level, unconstrained_quantity, moq, pack_size, "
    "binding_constraint, stockout_risk_without, stockout_risk_with, days_of_cover, expected_cost_saving, "
    "marginal_value, priority, cumulative_spend, reason, policy, model, fallback"
).split(", ")


def test_forecast(night):
    table = forecast_table(night.demand, LEVELS, night.model, night.fallback)
    assert list(table) == FORECAST
    assert {len(column) for column in table.values()} == {3 * 4}
    assert table["date"][:4].astype(str).tolist() == ["2024-03-11", "2024-03-18", "2024-03-25", "2024-04-01"]
    assert table["mean"][:4].tolist() == [8.0, 9.0, 10.0, 11.0]
    assert table["q0.5"][4:8].tolist() == [28.0, 29.0, 30.0, 31.0]
    assert table["fallback"][4:8].tolist() == ["too short"] * 4
    quantiles = np.stack([table[f"q{level:g}"] for level in LEVELS])
    assert (np.diff(quantiles, axis=0) >= 0).all()


def test_a_forecast_that_is_not_finite_is_a_bug():
    axis, time = SeriesAxis(np.array(["a"]), np.array(["x"])), TimeAxis(np.datetime64("2026-01-01"), 1, "day")
    demand = SampledForecast(axis, time, RecordedPaths(np.full((1, 2, 1), np.nan)), Stream(7, "x"), 2)
    with pytest.raises(InvariantError):
        forecast_table(demand, (0.5,), np.array(["ets"]), np.array([""]))


def test_plan(night):
    table = plan_table(night.plan, night.situation, night.model, night.fallback)
    assert list(table) == PLAN
    # the example of the interface page: as of 2024-03-04, lead time of two weeks
    assert table["order_date"].astype(str).tolist() == ["2024-03-11", "2024-03-11", "NaT"]
    assert table["expected_receipt_date"].astype(str).tolist() == ["2024-03-25", "2024-03-11", "NaT"]
    assert table["order_packs"].tolist() == [2.0, 7.0, 0.0]
    assert (table["order_packs"] * table["pack_size"] == table["order_quantity"]).all()
    assert table["line_value"][0] == 30.0
    assert np.isnan(table["line_value"][1])
    assert table["inventory_position"].tolist() == [10.0, 3.0, 14.0]
    assert table["safety_stock"].tolist() == [6.0, 4.0, 2.0]
    assert table["fallback"].tolist() == ["", "analytic; too short", ""]
    assert np.isnan(table["review_period"][2])


def test_orders_are_the_ordered_lines_by_supplier(night):
    plan = plan_table(night.plan, night.situation, night.model, night.fallback)
    orders = orders_table(plan, night.panel.origin)
    assert list(orders) == ["order_id", "line_id", *PLAN]
    assert orders["supplier"].tolist() == ["Acme", "Zeta"]
    assert orders["order_quantity"].tolist() == [7.0, 12.0]
    assert len(set(orders["order_id"].tolist())) == 2
    nothing = orders_table({**plan, "order_quantity": np.zeros(3)}, night.panel.origin)
    assert list(nothing) == ["order_id", "line_id", *PLAN]
    assert {len(column) for column in nothing.values()} == {0}


def test_ids_follow_from_day_supplier_location_and_sku():
    day = np.datetime64("2026-11-22")
    one, other = order_ids(day, "Acme", "Lyon", "a"), order_ids(day, "Acme", "Nice", "a")
    assert one == order_ids(day, "Acme", "Lyon", "a")
    assert one[0] == other[0]
    assert one[1] != other[1]
    assert (
        order_ids(day, "Acme", "Lyon", "a", "supplier_location")[0]
        != (order_ids(day, "Acme", "Nice", "a", "supplier_location")[0])
    )
    assert order_ids(day + 1, "Acme", "Lyon", "a")[0] != one[0]
    assert order_ids(day, "Acme", "Ly", "ona")[1] != order_ids(day, "Acme", "Lyon", "a")[1]


def test_exceptions_come_costliest_first_and_stable():
    alerts = [
        Alert("info", "SC-X002", "m", "a", sku="b"),
        Alert("warning", "SC-X001", "m", "a", sku="a", value=5.0),
        Alert("error", "SC-X009", "m", "a", sku="c"),
        Alert("warning", "SC-X001", "m", "a", sku="z", value=50.0),
    ]
    table = exceptions_table(alerts)
    assert list(table) == "severity code sku location supplier value message suggested_action".split()
    assert table["sku"].tolist() == ["z", "a", "c", "b"]
    again = exceptions_table(alerts[::-1])
    assert all((again[name] == column).all() for name, column in table.items())
    assert {len(column) for column in exceptions_table([]).values()} == {0}


def test_issues_name_line_or_cell():
    table = issues_table([
        Issue("error", "SC-D014", "sales.csv", "m", "refused", line=12, column="quantity", value="x"),
        Issue("warning", "SC-D015", "stock.xlsx", "m", "kept", cell="B7"),
        Issue("info", "SC-D016", "items.csv", "m", "counted"),
    ])
    assert list(table) == "severity code source line column value message action".split()
    assert table["line"].tolist() == ["12", "B7", ""]
    assert list(issues_table([])) == list(table)
