"""A small night: three series, two suppliers, made by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.random import Stream
from stockcast.demand import RecordedPaths, SampledForecast
from stockcast.inventory import InventoryState, ReorderPlan, SharedTerms, Situation, SupplyTerms
from stockcast.inventory.timing import FAR
from stockcast.panel import Attributes, KnownFuture, Panel

EVIL = '<script>alert(1)</script>"onmouseover='


@pytest.fixture
def night() -> SimpleNamespace:
    n, horizon = 3, 4
    series = SeriesAxis(np.array(["007", EVIL, "b\u202ec😀"]), np.array(["Lyon", "Lyon", "Nice"]))
    time = TimeAxis(np.datetime64("2024-01-01"), 10, "week")  # its last week is that of 2024-03-04
    unknown = np.full((n, 10), np.nan)
    sales = np.arange(30.0).reshape(n, 10)
    panel = Panel(
        series,
        time,
        sales,
        np.ones((n, 10), dtype=bool),
        np.ones((n, 10)),
        KnownFuture(time, unknown, unknown, 10),
        Attributes(series, {}),
    )
    paths = np.arange(n * 5 * horizon, dtype=float).reshape(n, 5, horizon)
    demand = SampledForecast(series, time.after(horizon), RecordedPaths(paths), Stream(7, "test"), 5)
    state = InventoryState(series, np.array([5.0, 0.0, 9.0]), np.array([0.0, 2.0, 0.0]), np.ones((n, 5)))
    zero, whole = np.zeros(n), np.zeros(n, dtype=np.int64)
    terms = SupplyTerms(
        series,
        supplier=np.array(["Zeta", "Acme", "Acme"]),
        lead_time=np.array([2, 0, 1]),
        lead_time_sd=zero,
        at_review=np.ones(n, dtype=bool),
        first_review=whole,
        review_period=np.array([1, 1, FAR]),
        moq=zero,
        pack_size=np.array([6.0, 0.0, 1.0]),
        max_order=np.full(n, np.inf),
        min_stock=zero,
        unit_cost=np.array([2.5, np.nan, 1.0]),
        order_cost=zero,
        holding_cost=zero,
        shortage_cost=zero,
        objective=whole,
        target=zero,
        ordered_now=zero,
        orderable=np.ones(n, dtype=bool),
    )
    plan = ReorderPlan(
        series,
        order_quantity=np.array([12.0, 7.0, 0.0]),
        unconstrained_quantity=np.array([11.0, 7.0, 0.0]),
        demand_mean=np.array([10.0, 5.0, 1.0]),
        demand_median=zero,
        demand_q90=zero,
        reorder_point=zero,
        order_up_to_level=np.array([16.0, 9.0, 3.0]),
        stockout_risk_without=np.full(n, 0.5),
        stockout_risk_with=np.full(n, 0.05),
        days_of_cover=np.array([3.0, 4.0, np.inf]),
        expected_cost_saving=zero,
        marginal_value=zero,
        priority=np.array([1, 2, 3]),
        cumulative_spend=zero,
        binding=np.array(["pack", "none", "none"]),
        reason=np.array(["rounded up", EVIL, "enough"]),
        policy=np.full(n, "newsvendor"),
        fallback=np.array(["", "analytic", ""]),
    )
    return SimpleNamespace(
        panel=panel,
        demand=demand,
        state=state,
        plan=plan,
        situation=Situation(panel, state, demand, terms, SharedTerms()),
        model=np.array(["ets", "theta", "ets"]),
        fallback=np.array(["", "too short", ""]),
    )
