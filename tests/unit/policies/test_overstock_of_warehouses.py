"""Overstock of a location that lies there for others is told against the demand that it is there for."""

import numpy as np

from echelon_case import fed_network
from planning_case import reviews
from stockcast.policies import plan
from transfer_case import lanes, network

HORIZON = 14


def told(situation):
    made = plan("auto", situation, next_review=reviews(situation))
    return [(one.location, one.message, one.value) for one in made.alerts if one.code == "SC-P012"]


def of_places(*rates):
    return np.stack([np.full((20, HORIZON), rate) for rate in rates])


def stored(units, way="W"):
    """W sells nothing and feeds nobody, but is named as the warehouse of A and B, and has lanes to them."""
    return network(
        of_places(1.0, 1.0, 0.0), places="ABW", on_hand=[10.0, 10.0, units], sales=[1.0, 1.0, 0.0], lead_time=2,
        ways=lanes(("W", "A", 1, 0.0, 0.0, 0.0), ("W", "B", 1, 0.0, 0.0, 0.0)), review_period=3, holding_cost=0.01,
        shortage_cost=2.0, unit_cost=2.0, shared={"warehouses": (way,)},
    )  # fmt: skip


def test_stock_that_lies_there_for_others_is_no_overstock_while_they_sell_it():
    assert told(stored(200.0)) == []
    (there,) = told(stored(500.0))
    assert there[0] == "W"
    assert (
        there[1]
        == "500 on hand and on order are more than 182 days of demand at the places that it has lanes to (14 a week)"
    )
    assert there[2] == (500 - 182 * 2) * 2.0


def test_a_place_that_sells_nothing_and_is_nobodys_warehouse_is_told_as_before():
    (there,) = told(stored(200.0, way="A"))
    assert there[1] == "200 on hand and on order are more than 182 days of demand (0 a week)"


def test_a_warehouse_that_feeds_places_is_judged_by_the_demand_of_all_of_them():
    def fed(units):
        return fed_network(
            of_places(1.0, 2.0, 0.0), places="AB", lane=1, lead_time=2, review_period=2, holding_cost=0.01,
            on_hand=np.array([3.0, 6.0, units]), shortage_cost=2.0, unit_cost=2.0, sales=np.array([1.0, 2.0, 0.0]),
        )  # fmt: skip

    assert told(fed(500.0)) == []
    (there,) = told(fed(600.0))
    assert there[1] == (
        "600 on hand and on order are more than 182 days of demand here and at the places that it feeds (21 a week)"
    )
    assert there[2] == (600 - 182 * 3) * 2.0
