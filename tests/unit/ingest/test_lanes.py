import numpy as np
import pytest
from ingest_project import codes, day, load_tables

from stockcast.core.errors import DataError
from stockcast.ingest import RefusedInput

INVENTORY = "sku,location,on_hand\nA,PARIS,5\nA,LYON,1\nB,PARIS,2\n"
SALES = "date,sku,location,quantity\n2026-11-17,A,PARIS,1\n2026-11-18,A,LYON,1\n2026-11-18,B,PARIS,2\n"
HEADER = "from_location,to_location,lead_time_days,unit_cost,order_cost,pack_size\n"


def load(tmp_path, lanes, **more):
    orders = more.pop("open_orders", None)
    tables = {"inventory": INVENTORY, "sales": SALES, "lanes": lanes}
    if orders is not None:
        tables["open_orders"] = orders
    return load_tables(tmp_path, tables, **{"max_bad_rows": 0.9, **more})


def told(got, code):
    return [
        (issue.severity, issue.source, issue.line, issue.column, issue.value)
        for issue in got.issues
        if issue.code == code
    ]


def test_lanes_are_sorted_and_in_periods(tmp_path):
    lanes = load(
        tmp_path, HEADER + "PARIS,LYON,8,0.5,20,6\nLYON,PARIS,0,,,\n", step="week", as_of=day("2026-11-18")
    ).shared.lanes
    assert [lanes.name(at) for at in range(2)] == ["LYON → PARIS", "PARIS → LYON"]
    assert lanes.lead_time.tolist() == [0, 2]
    assert lanes.unit_cost.tolist() == [0, 0.5]
    assert lanes.order_cost.tolist() == [0, 20]
    assert lanes.pack_size.tolist() == [0, 6]


def test_days_that_are_rounded_up_and_lead_times_that_lack_are_told(tmp_path):
    got = load(
        tmp_path,
        "from_location,to_location,lead_time_days\nPARIS,LYON,8\nLYON,PARIS,\n",
        step="week",
        as_of=day("2026-11-18"),
    )
    assert {"SC-D089", "SC-D122"} <= set(codes(got))
    assert "SC-D030" not in codes(got)


def test_a_lane_to_itself_and_negative_numbers_are_refused_with_their_line(tmp_path):
    got = load(tmp_path, HEADER + "PARIS,LYON,1,1,1,1\nLYON,LYON,1,1,1,1\nLYON,PARIS,-1,1,1,1\nLYON,PARIS,1,1,1,-6\n")
    assert told(got, "SC-D120") == [("error", "lanes", 3, "to_location", "LYON")]
    assert told(got, "SC-D016") == [
        ("error", "lanes", 4, "lead_time_days", "-1"),
        ("error", "lanes", 5, "pack_size", "-6"),
    ]
    assert len(got.shared.lanes) == 1
    assert (got.rows["lanes"].read, got.rows["lanes"].kept, got.rows["lanes"].quarantined) == (4, 1, 3)


def test_unknown_locations_are_told_with_their_line_and_left_out(tmp_path):
    got = load(tmp_path, "from_location,to_location\nPARIS,LYON\nPARIS,NOWHERE\nMOON,LYON\n")
    assert told(got, "SC-D121") == [
        ("warning", "lanes", 3, "to_location", "NOWHERE"),
        ("warning", "lanes", 4, "from_location", "MOON"),
    ]
    assert len(got.shared.lanes) == 1


def test_two_meanings_of_a_lane_are_refused(tmp_path):
    with pytest.raises(RefusedInput, match="1 key stands on rows that differ"):
        load(tmp_path, HEADER + "PARIS,LYON,1,1,1,1\nPARIS,LYON,2,1,1,1\n")


def test_a_required_column_is_required(tmp_path):
    with pytest.raises(DataError, match="no column 'to_location'"):
        load(tmp_path, "from_location\nPARIS\n")


def test_an_open_order_from_a_place_with_a_lane_is_supply_and_nothing_bought(tmp_path):
    header = "sku,location,quantity,expected_date,order_date,supplier\n"
    rows = "A,LYON,4,2026-11-20,2026-11-19,PARIS\nA,PARIS,7,2026-11-20,2026-11-19,acme\n"
    got = load(tmp_path, "from_location,to_location\nPARIS,LYON\n", open_orders=header + rows, budget=100.0)
    assert got.state.on_order.tolist() == [4, 7, 0]
    assert got.terms.ordered_now.tolist() == [0, 7, 0]
    assert got.shared.budget_used == 7 * got.terms.unit_cost[1]
    assert "SC-D123" in codes(got)
    without = load(tmp_path, "from_location,to_location\nLYON,PARIS\n", open_orders=header + rows)
    assert without.terms.ordered_now.tolist() == [4, 7, 0]


def test_the_lanes_of_a_selection_are_those_of_all(tmp_path):
    got = load(tmp_path, "from_location,to_location\nPARIS,LYON\n", select="sku:A")
    assert np.array_equal(got.panel.series.location, ["LYON", "PARIS"])
    assert len(got.shared.lanes) == 1


def test_warehouses_are_told_with_what_they_feed(tmp_path):
    places = "location,warehouse\nLYON,PARIS\nPARIS,\n"
    tables = {"inventory": INVENTORY, "sales": SALES, "locations": places}
    got = load_tables(tmp_path, {**tables, "lanes": "from_location,to_location\nPARIS,LYON\n"})
    assert got.shared.warehouses == ("PARIS",)
    assert told(got, "SC-D124") == [("info", "locations", None, "warehouse", None)]
    apart = load_tables(tmp_path, {**tables, "lanes": "from_location,to_location\nLYON,PARIS\n"})
    assert apart.shared.warehouses == ()
    assert [issue.column for issue in apart.issues if issue.code == "SC-D121"] == ["warehouse"]
