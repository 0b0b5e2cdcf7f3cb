"""The convention's rule 2 as an oracle: receive → review and order → demand → costs, counted by ``simulation.step``."""

import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis, first_day_of_period
from stockcast.inventory import InventoryState, SupplyTerms
from stockcast.inventory.timing import periods_of_days
from stockcast.simulation import step


def names(n: int) -> SeriesAxis:
    return SeriesAxis(np.array([f"{at:07d}" for at in range(n)]), np.full(n, "main"))


def terms(series: SeriesAxis, *, holding=1.0, shortage=4.0, order_cost=0.0) -> SupplyTerms:
    n = len(series)
    zero = np.zeros(n)
    return SupplyTerms(
        series,
        supplier=np.full(n, "s"),
        lead_time=np.zeros(n, dtype=np.int64),
        lead_time_sd=zero,
        at_review=np.ones(n, dtype=bool),
        first_review=np.zeros(n, dtype=np.int64),
        review_period=np.ones(n, dtype=np.int64),
        moq=zero,
        pack_size=zero,
        max_order=np.full(n, np.inf),
        min_stock=zero,
        unit_cost=np.ones(n),
        order_cost=np.full(n, order_cost),
        holding_cost=np.full(n, holding),
        shortage_cost=np.full(n, shortage),
        objective=np.zeros(n, dtype=np.int64),
        target=zero,
        ordered_now=zero,
        orderable=np.ones(n, dtype=bool),
    )


def order_up_to(
    level: float, lead_time: int, review_period: int, unmet: str, demand: float, periods: int
) -> np.ndarray:
    """Follow one series from a full shelf; give the units short (lost, or waiting at the end) of each period."""
    series = names(1)
    supply = terms(series)
    state = InventoryState(series, np.array([level]), np.zeros(1), np.zeros((1, lead_time + 1)))
    short = []
    for period in range(periods):
        quantity = np.zeros(1)
        if period % review_period == 0:
            quantity = np.maximum(level - state.inventory_position, 0.0)
        state, costs = step(state, quantity, np.array([lead_time]), np.array([demand]), supply, unmet)
        short.append(float((costs.lost + state.backorders)[0]))
    return np.array(short)


@pytest.mark.parametrize("unmet", ["lost", "backorder"])
@pytest.mark.parametrize("review_period", [1, 2, 3, 4])
@pytest.mark.parametrize("lead_time", [0, 1, 2, 3, 4, 5])
def test_order_up_to_the_demand_of_the_protection_interval_never_runs_short_and_one_unit_less_always_does(
    lead_time, review_period, unmet
):
    demand, interval = 3.0, lead_time + review_period
    periods = 6 * interval
    assert order_up_to(demand * interval, lead_time, review_period, unmet, demand, periods).max() == 0.0
    short = order_up_to(demand * interval - 1, lead_time, review_period, unmet, demand, periods)
    for begin in range(0, periods - interval + 1, review_period):  # every interval from a review to the next arrival
        assert short[begin : begin + interval].sum() >= 1.0


def average_cost_of_base_stock(level: int, lead_time: int, shortage: float, mean: float = 5.0) -> float:
    """Solve the Markov chain of a base stock policy with lost sales exactly, its transitions taken by ``step``.

    The state is what stands before a period's order: stock after the receipt, and the orders on their way.
    """
    if lead_time == 1:
        states = np.array([[on_hand, 0] for on_hand in range(level + 1)])
    else:
        states = np.array([
            [on_hand, level - on_hand - short] for on_hand in range(level + 1) for short in range(level + 1 - on_hand)
        ])
    demands = np.arange(30)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 30)))])
    chance = np.exp(-mean + demands * np.log(mean) - log_factorial)
    chance[-1] += 1.0 - chance.sum()

    now = np.repeat(np.arange(len(states)), len(demands))
    series = names(len(now))
    pipeline = np.zeros((len(now), lead_time + 1))
    if lead_time == 2:
        pipeline[:, 1] = states[now, 1]
    before = InventoryState(series, states[now, 0].astype(float), np.zeros(len(now)), pipeline)
    after, costs = step(
        before,
        level - before.inventory_position,
        np.full(len(now), lead_time),
        np.tile(demands, len(states)).astype(float),
        terms(series, shortage=shortage),
        "lost",
    )
    arrived = (after.on_hand + after.pipeline[:, 0]).astype(int)  # the next period begins with its receipt
    coming = after.pipeline[:, 1].astype(int) if lead_time == 2 else np.zeros(len(now), dtype=int)
    at = {tuple(state): row for row, state in enumerate(states.tolist())}
    to = np.array([at[pair] for pair in zip(arrived.tolist(), coming.tolist(), strict=True)])

    weight = np.tile(chance, len(states))
    move = np.zeros((len(states), len(states)))
    np.add.at(move, (now, to), weight)
    balance = np.vstack([move.T - np.eye(len(states)), np.ones(len(states))])
    stationary = np.linalg.lstsq(balance, np.append(np.zeros(len(states)), 1.0), rcond=None)[0]
    assert stationary.min() > -1e-9
    return float(stationary @ np.bincount(now, weight * costs.total, len(states)))


@pytest.mark.parametrize(
    ("lead_time", "shortage", "levels", "cost"),
    [
        (1, 4.0, range(9, 14), 4.16),
        (1, 9.0, range(10, 15), 5.55),
        (2, 4.0, range(14, 19), 4.64),
        (2, 9.0, range(16, 21), 6.31),
    ],
)
def test_best_base_stock_with_lost_sales_costs_what_zipkin_2008_tabulates(lead_time, shortage, levels, cost):
    costs = [average_cost_of_base_stock(level, lead_time, shortage) for level in levels]
    best = int(np.argmin(costs))
    assert 0 < best < len(costs) - 1, f"the best level lies at the end of the range: {costs}"
    assert costs[best] == pytest.approx(cost, abs=0.01)


def test_the_example_of_the_time_convention_on_the_types():
    """Step week, as-of 2024-03-04: first forecast row and order 2024-03-11, fourteen days → receipt 2024-03-25."""
    origin = first_day_of_period(np.array(["2024-03-04"], dtype="datetime64[D]"), "week")[0]
    past = TimeAxis(origin - np.timedelta64(51 * 7, "D"), 52, "week")
    assert past.last == np.datetime64("2024-03-04")
    future = past.after(8)
    assert future.date(0) == np.datetime64("2024-03-11")

    lead_time = periods_of_days(np.array([14.0]), "week")
    assert lead_time.tolist() == [2]
    assert future.date(int(lead_time[0])) == np.datetime64("2024-03-25")

    series = names(1)
    state = InventoryState(series, np.zeros(1), np.zeros(1), np.zeros((1, 4)))
    arrived = []
    for period in range(4):
        quantity = np.array([10.0 if period == 0 else 0.0])
        state, costs = step(state, quantity, lead_time, np.zeros(1), terms(series), "lost")
        if costs.received[0]:
            arrived.append(str(future.date(period)))
    assert arrived == ["2024-03-25"]
