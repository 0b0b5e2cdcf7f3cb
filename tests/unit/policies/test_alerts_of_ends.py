"""What will be left when a sale ends, and what comes after it, is told before it is too late to do something."""

import numpy as np
import pytest

from echelon_case import fed_network
from planning_case import case, reviews
from stockcast.policies import plan

HORIZON = 30


def told(situation):
    made = plan("auto", situation, next_review=reviews(situation))
    return [one for one in made.alerts if one.code == "SC-P012"]


def ending(end, *, on_hand=0.0, comes=(), step="day", **over):
    """3 a period up to the end, with an order possible in 10 periods; the first future period is that of 15 January."""
    paths = np.where(np.arange(HORIZON) < end, 3.0, 0.0)[None, None, :].repeat(4, axis=1)
    pipeline = np.zeros((1, HORIZON + 1))
    for at, units in comes:
        pipeline[0, at] += units
    given = {"lead_time": 10, "review_period": 7, "holding_cost": 0.01, "shortage_cost": 5.0, "unit_cost": 4.0}
    return case(paths, on_hand=on_hand, pipeline=pipeline, sold_for=float(end), step=step, **given | over)


def test_what_lies_there_and_will_not_be_sold_is_told_with_its_value():
    (alert,) = told(ending(6, on_hand=300.0))
    assert alert.message == (
        "282 of the 300 units on hand are expected to be left at the end of its sale on 2026-01-20"
    )
    assert (alert.severity, alert.value) == ("warning", 282 * 4.0)
    assert alert.suggested_action == "mark down, or move it to where its sale goes on"


def test_an_order_that_comes_too_late_is_told_and_what_comes_in_time_is_stock():
    (alert,) = told(ending(6, on_hand=10.0, comes=[(12, 100.0)]))
    assert alert.message == "100 on order arrive after the end of its sale on 2026-01-20"
    assert alert.value == 400.0
    assert alert.suggested_action.startswith("cancel the order that comes too late")
    both = told(ending(6, on_hand=10.0, comes=[(3, 20.0), (6, 7.0)]))[0]
    assert both.message == (
        "12 of the 30 units on hand and on order are expected to be left at the end of its sale on 2026-01-20; "
        "7 more on order arrive after it"
    )
    assert both.value == (12 + 7) * 4.0
    assert "cancel open orders that are not needed; cancel the order" in both.suggested_action


@pytest.mark.parametrize(("on_hand", "count"), [(18.0, 0), (19.5, 0), (20.0, 1), (12.0, 0)])
def test_less_than_a_tenth_is_not_told(on_hand, count):
    assert len(told(ending(6, on_hand=on_hand))) == count


def test_tonights_order_counts_and_weeks_are_named():
    (alert,) = told(ending(14, on_hand=30.0, pack_size=24.0, shortage_cost=90.0, step="week"))
    assert alert.message == (
        "12 of the 54 units on hand and ordered now are expected to be left at the end of its sale in the week of "
        "2026-06-15"
    )


def test_without_an_end_or_with_one_far_ahead_stock_is_judged_by_half_a_year_of_demand():
    paths = np.full((1, 4, HORIZON), 3.0)
    given = {"lead_time": 10, "review_period": 7, "holding_cost": 0.01, "unit_cost": 4.0}
    assert told(case(paths, on_hand=300.0, **given)) == []
    (whole,) = told(case(paths, on_hand=600.0, **given))
    assert whole.message.startswith("600 on hand and on order are more than 182 days")
    assert told(case(paths, on_hand=600.0, sold_for=200.0, **given))[0].message == whole.message, (
        "540 would be no tenth"
    )
    (alert,) = told(case(paths, on_hand=600.0, sold_for=100.0, **given))
    assert alert.message.startswith("300 of the 600 units on hand")


def test_what_is_still_on_order_of_goods_that_have_ended_is_told_as_before():
    (alert,) = told(ending(0, on_hand=0.0, comes=[(4, 9.0)], orderable=False))
    assert alert.message == "9 on hand and on order are more than 182 days of demand (0 a week)"
    assert alert.value == 36.0


def test_a_warehouse_is_judged_by_what_its_places_lack_until_their_end():
    def fed(units, end_of_b=10.0):
        rates, ends = np.array([1.0, 2.0, 0.0]), np.array([10.0, end_of_b, 10.0])
        at = np.arange(HORIZON)
        paths = np.where(at < ends[:, None], rates[:, None], 0.0)[:, None, :].repeat(4, axis=1)
        return fed_network(
            paths, places="AB", lane=1, lead_time=2, review_period=2, holding_cost=0.01, shortage_cost=2.0,
            on_hand=np.array([4.0, 8.0, units]), unit_cost=2.0, sales=np.array([1.0, 2.0, 0.0]), sold_for=ends,
        )  # fmt: skip

    assert [one for one in told(fed(18.0)) if one.location == "W"] == []
    (there,) = (one for one in told(fed(40.0)) if one.location == "W")
    assert there.message.startswith("22 of the 40 units on hand are expected to be left at the end")
    assert [one for one in told(fed(40.0, np.inf)) if one.location == "W"] == [], "B goes on selling"
