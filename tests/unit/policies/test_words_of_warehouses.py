"""What a warehouse that ships on days of its own says of its orders: the shipment they go with, and what they are for."""

import numpy as np
import pytest

from echelon_case import fed_network, warehouses
from planning_case import reviews
from stockcast.inventory.timing import FAR
from stockcast.policies import plan
from stockcast.policies.onward import goes_on
from stockcast.report import why_quantity
from stockcast.report.waterfall import waterfall_table


def tonight(lead_time, shipments=(0, 14, 28, 42), *, own=0.0, on_hand=0.0):
    """W, reviewed every 7 periods, feeds A over a lane of 2; both are known to sell the same on all paths."""
    paths = np.concatenate([np.ones((1, 20, 60)), np.full((1, 20, 60), own)])
    made = fed_network(
        paths, places="A", lane=2, lead_time=lead_time, review_period=np.array([14, 7]), holding_cost=0.01,
        on_hand=on_hand, shortage_cost=2.0, sales=np.array([1.0, own]),
    )  # fmt: skip
    known = np.array(shipments) if shipments else np.full(4, FAR)
    return made if shipments == () else _with(made, known)


def _with(made, known):
    terms = made.terms.replace(shipments=np.stack([known, np.full(len(known), FAR)]))
    return type(made)(made.past, made.state, made.demand, terms, made.shared)


def day(situation, periods):
    return str(situation.past.time.date(situation.past.time.n + periods))


def of_w(situation):
    (row,) = warehouses(situation)
    made = plan("auto", situation, next_review=reviews(situation))
    return int(row), made


def stockout(made):
    return [alert.message for alert in made.alerts if alert.code == "SC-P010" and alert.location == "W"]


def test_a_stockout_before_the_shipment_names_the_shipment():
    situation = tonight(8)
    _, made = of_w(situation)
    (message,) = stockout(made)
    assert (
        f"before an order that arrives on {day(situation, 8)} is at the places, with the shipment of "
        f"{day(situation, 14)}, 16 units" in message
    )
    daily = tonight(8, ())
    (message,) = stockout(of_w(daily)[1])
    assert f"before an order that arrives on {day(daily, 8)} is at the places, 10 units" in message


def test_a_warehouse_that_waits_for_a_later_order_says_for_which_shipment_it_is_in_time():
    situation = tonight(2)
    row, made = of_w(situation)
    assert made.plan.order_quantity[row] == 0
    assert made.plan.reason[row].startswith(
        f"nothing: a later order is in time for the shipment of {day(situation, 14)}, 0 on hand and on order"
    )
    sells = tonight(2, own=1.0, on_hand=np.array([0.0, 50.0]))
    row, made = of_w(sells)
    assert "nothing: stock covers it, 50 on hand" in made.plan.reason[row]


@pytest.mark.parametrize(("lead_time", "ends"), [(2, (14, 14)), (8, (14, 28)), (14, (14, 28)), (40, (42, FAR))])
def test_the_shipments_that_this_order_and_the_next_one_go_with(lead_time, ends):
    situation = tonight(lead_time)
    (row,) = warehouses(situation)
    assert tuple(int(one[row]) for one in goes_on(situation.terms)) == ends
    daily = tonight(lead_time, ())
    assert tuple(int(one[row]) for one in goes_on(daily.terms)) == (lead_time, lead_time + 7)


def test_explain_names_the_day_until_which_demand_counts():
    situation = tonight(8)
    row, made = of_w(situation)
    table = {name: column[row].item() for name, column in waterfall_table(made, situation).items()}
    assert str(table["next_receipt_date"]) == day(situation, 15)
    assert str(table["demand_until"]) == day(situation, 28 + 2)
    published = {
        "pack_size": 0.0, "supplier": "a", "location": "W", "order_quantity": 14.0, "stockout_risk_without": 1.0,
        "stockout_risk_with": 0.0, "expected_cost_saving": 1.0, "demand_mean": 30.0, "demand_q0.9": 30.0,
    }  # fmt: skip
    steps = {one["step"]: one["what"] for one in why_quantity.waterfall_of(table, published)}
    assert steps["need"] == f"mean demand until {day(situation, 30)}"
    assert f"Until {day(situation, 30)}, when what the next order brings" in why_quantity._outlook(published, table)
    assert f"to {day(situation, 30)} is" in why_quantity._risk(published, table)[0]
