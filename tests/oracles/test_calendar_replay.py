"""Order days and closures in a closed loop: an order lasts exactly until the next one can arrive, and not a unit longer."""

import numpy as np
import pytest

from planning_case import case
from stockcast.core.axes import TimeAxis
from stockcast.inventory import InventoryState
from stockcast.inventory.timing import next_reviews, review_periods
from stockcast.policies import Newsvendor, Orderable
from stockcast.simulation import step

DAYS = 60
RATE = 5.0


def replay(order_days, closures, lead_time, less=0.0):
    """Walk through sixty days of known demand; give what was lost and what was left on each day."""
    time = TimeAxis(np.datetime64("2026-01-05"), DAYS + 60, "day")
    takes = review_periods(time, order_days, [(np.datetime64(a), np.datetime64(b)) for a, b in closures])
    paths = np.full((1, 2, 50), RATE)
    on_hand, pipe = np.array([RATE * 40]), np.zeros((1, 60))
    lost, left = [], []
    for t in range(DAYS):
        at_review, first, gap = next_reviews(takes[t:], 7)
        situation = case(
            paths, on_hand=on_hand, pipeline=pipe[:, :51], lead_time=lead_time, at_review=at_review,
            first_review=min(first, 30), review_period=min(gap, 30), holding_cost=0.01, shortage_cost=50.0,
        )  # fmt: skip
        order = Orderable(Newsvendor()).order(situation) if at_review else np.zeros(1)
        order = np.maximum(order - less, 0.0)
        state = InventoryState(situation.state.series, on_hand, np.zeros(1), pipe)
        state, costs = step(state, order, np.array([lead_time]), np.array([RATE]), situation.terms, "lost")
        on_hand, pipe = state.on_hand, state.pipeline
        lost.append(float(costs.lost[0]))
        left.append(float(on_hand[0]))
    return np.array(lost), np.array(left), takes[:DAYS]


@pytest.mark.parametrize("lead_time", [0, 2, 5])
@pytest.mark.parametrize(
    ("order_days", "closures"),
    [("", []), ("mon,thu", []), ("1st,15th", []), ("tue", [("2026-01-27", "2026-02-06")]), ("", [("2026-02-02", "2026-02-08")])],
)  # fmt: skip
def test_an_order_lasts_until_the_next_can_arrive_and_no_longer(order_days, closures, lead_time):
    lost, left, takes = replay(order_days, closures, lead_time)
    assert not lost.any()
    reviews = np.flatnonzero(takes)
    if not order_days:
        return  # every day is a review, and each order is to last for seven of them
    for one, other in zip(reviews, reviews[1:], strict=False):
        if one >= 40 - lead_time and other + lead_time < DAYS:
            assert left[other + lead_time - 1] == 0.0
    short, _, _ = replay(order_days, closures, lead_time, less=1.0)
    assert short.any()
