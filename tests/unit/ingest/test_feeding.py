import numpy as np
import pytest
from ingest_project import codes, load_tables

from stockcast.ingest import RefusedInput

LANES = "from_location,to_location,lead_time_days,unit_cost,pack_size\nHUB,LYON,1,0.1,6\nHUB,PARIS,2,0.1,\n"
STOCK = "sku,location,on_hand\nA,HUB,50\nA,LYON,5\nA,PARIS,5\nB,LYON,1\n"
SALES = "date,sku,location,quantity\n2026-11-17,A,PARIS,1\n2026-11-18,A,LYON,1\n2026-11-18,B,LYON,2\n"
PLACES = "location,warehouse\nHUB,\nLYON,HUB\nPARIS,HUB\n"


def load(tmp_path, **tables):
    given = {"inventory": STOCK, "sales": SALES, "lanes": LANES, "locations": PLACES, **tables}
    return load_tables(tmp_path, {name: text for name, text in given.items() if text}, max_bad_rows=0.9)


def fed(got):
    axis = got.terms.series
    return {(s, p): by for s, p, by in zip(axis.sku, axis.location, got.terms.fed_by, strict=True) if by}


def told(got, code):
    return [issue.message for issue in got.issues if issue.code == code]


def test_the_warehouse_of_a_place_feeds_it_what_it_carries(tmp_path):
    got = load(tmp_path)
    assert fed(got) == {("A", "LYON"): "HUB", ("A", "PARIS"): "HUB"}
    terms = got.terms
    rows = np.flatnonzero(terms.fed_by == "HUB")
    assert terms.supplier[rows].tolist() == ["HUB", "HUB"]
    assert terms.lead_time[rows].tolist() == [1, 2]
    assert terms.pack_size[rows].tolist() == [6, 0]
    assert not terms.orderable[rows].any()
    assert terms.orderable[terms.feeder[rows]].all()
    assert terms.reach[rows].tolist() == [terms.protection_interval[terms.feeder[rows]][0] + far for far in (1, 2)]
    assert "2 series are fed by a warehouse: 2 by HUB" in told(got, "SC-D124")[0]
    assert "the warehouse does not carry the item: B@LYON" in told(got, "SC-D125")[0]


def test_a_supplier_that_is_a_location_feeds_too(tmp_path):
    items = "sku,supplier,unit_cost,price\nA,HUB,1,2\nB,acme,1,2\n"
    own = "sku,location,supplier\nA,HUB,acme\n"
    got = load(tmp_path, items=items, item_locations=own, locations=None)
    assert fed(got) == {("A", "LYON"): "HUB", ("A", "PARIS"): "HUB"}
    assert got.terms.supplier[got.terms.feeder[got.terms.feeder >= 0]].tolist() == ["acme", "acme"]


def test_a_supplier_of_its_own_lets_a_place_buy_for_itself(tmp_path):
    got = load(tmp_path, item_locations="sku,location,supplier\nA,LYON,acme\n")
    assert fed(got) == {("A", "PARIS"): "HUB"}


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        ({"lanes": "from_location,to_location,lead_time_days\nHUB,PARIS,2\n"}, "no lane leads there"),
        (
            {"lanes": "from_location,to_location,lead_time_days\nHUB,PARIS,2\nHUB,LYON,400\n"},
            "the lane takes longer than 371 days",
        ),
    ],
)
def test_what_cannot_be_fed_buys_on_and_is_told(tmp_path, tables, why):
    got = load(tmp_path, **tables)
    assert fed(got) == {("A", "PARIS"): "HUB"}
    at = got.terms.series.locate(np.array(["A"]), np.array(["LYON"]))
    assert got.terms.orderable[at].all()
    assert any(why in text and "A@LYON" in text for text in told(got, "SC-D125"))


def test_a_warehouse_that_is_fed_itself_is_an_ordinary_place(tmp_path):
    lanes = "from_location,to_location,lead_time_days\nHUB,LYON,1\nLYON,PARIS,1\n"
    got = load(tmp_path, lanes=lanes, locations="location,warehouse\nHUB,\nLYON,HUB\nPARIS,LYON\n")
    assert fed(got) == {("A", "LYON"): "HUB"}
    assert any("fed by another one: A@PARIS" in text for text in told(got, "SC-D125"))


def test_a_shipment_on_its_way_is_supply_and_nothing_bought(tmp_path):
    orders = "sku,location,quantity,expected_date,order_date,supplier\nA,LYON,4,2026-11-20,2026-11-19,HUB\n"
    got = load(tmp_path, open_orders=orders)
    assert got.state.on_order.sum() == 4
    assert got.terms.ordered_now.tolist() == [0, 0, 0, 0]
    assert "SC-D123" in codes(got)


def test_a_selected_warehouse_brings_its_places_along(tmp_path):
    got = load_tables(
        tmp_path, {"inventory": STOCK, "sales": SALES, "lanes": LANES, "locations": PLACES}, select="location:HUB"
    )
    assert got.terms.series.location.tolist() == ["HUB", "LYON", "PARIS"]
    assert any("2 series were added" in note for note in got.notes)


def test_a_warehouse_whose_stock_is_not_known_feeds_nobody(tmp_path):
    got = load(tmp_path, inventory=STOCK.replace("A,HUB,50\n", ""), item_locations="sku,location\nA,HUB\n")
    assert fed(got) == {}
    assert any("stock of the warehouse is not known" in text for text in told(got, "SC-D125"))


def reviews_of(got, sku, location):
    at = got.terms.series.locate(np.array([sku]), np.array([location]))
    terms = got.terms
    columns = (terms.at_review, terms.first_review, terms.review_period)
    return (*(column[at].item() for column in columns), str(got.next_review[at][0]))


def test_a_fed_place_follows_the_order_days_of_its_warehouse_not_those_of_the_items_supplier(tmp_path):
    suppliers = 'supplier,order_days,review_period_days\nacme,thu,\nHUB,"mon,wed",\n'  # the order date is a Thursday
    got = load(tmp_path, suppliers=suppliers)
    assert reviews_of(got, "A", "LYON") == (False, 4, 2, "2026-11-23")
    assert reviews_of(got, "A", "PARIS") == (False, 4, 2, "2026-11-23")
    assert reviews_of(got, "A", "HUB") == (True, 0, 7, "2026-11-19")
    assert reviews_of(got, "B", "LYON") == (True, 0, 7, "2026-11-19"), "not fed: bought from acme"
    at = got.terms.series.locate(np.array(["A"]), np.array(["PARIS"]))
    assert got.terms.protection_interval[at].item() == 4 + 2 + 2, "until the shipment after the next one is there"


def test_a_closed_warehouse_ships_on_the_first_open_day_and_its_suppliers_closure_closes_no_lane(tmp_path):
    closures = "supplier,from,to\nacme,2026-11-19,2026-12-24\nHUB,2026-11-18,2026-11-21\n"
    got = load(tmp_path, supplier_closures=closures, suppliers="supplier,order_days\nacme,\nHUB,\n")
    assert reviews_of(got, "A", "LYON")[:2] == (False, 3)
    assert got.shared.lanes.first_shipment.tolist() == [3, 3]
    free = load(tmp_path, supplier_closures="supplier,from,to\nacme,2026-11-19,2026-12-24\n", suppliers=None)
    assert reviews_of(free, "A", "LYON") == (True, 0, 7, "2026-11-19")
    assert free.shared.lanes.first_shipment.tolist() == [0, 0]


def test_what_supplies_the_item_tells_no_review_period_of_a_fed_place(tmp_path):
    given = {"lead_time_days": 3, "holding_rate": 0.25}
    tables = {"inventory": STOCK, "sales": SALES, "lanes": LANES, "locations": PLACES}

    def reviews(suppliers):
        got = load_tables(tmp_path, {**tables, "suppliers": suppliers}, max_bad_rows=0.9, defaults=given)
        return reviews_of(got, "A", "LYON")[:3], told(got, "SC-D128")

    silent = "supplier,order_days,review_period_days\nacme,thu,14\n"
    assert reviews(silent)[0] == (True, 0, 1)
    assert "2 series that a warehouse feeds" in reviews(silent)[1][0]
    assert reviews(silent + "HUB,,5\n") == ((True, 0, 5), [])
    assert reviews(silent + "HUB,fri,\n") == ((False, 1, 7), [])


def test_a_fed_place_needs_no_lead_time_but_its_lanes(tmp_path):
    suppliers = "supplier,lead_time_days,review_period_days\nacme,3,7\n"
    items = "sku,supplier,unit_cost,price\nA,,1,2\nB,acme,1,2\n"
    own = "sku,location,supplier\nA,HUB,acme\n"
    got = load_tables(
        tmp_path, {"inventory": STOCK, "sales": SALES, "lanes": LANES, "locations": PLACES, "suppliers": suppliers,
                   "items": items, "item_locations": own}, max_bad_rows=0.9, defaults={"holding_rate": 0.25},
    )  # fmt: skip
    assert got.terms.lead_time[got.terms.fed_by == "HUB"].tolist() == [1, 2]


def test_a_warehouse_without_an_open_day_is_told_and_ships_nothing(tmp_path):
    got = load(
        tmp_path, suppliers="supplier,order_days\nHUB,mon\n", supplier_closures="supplier,from,to\nHUB,2026-01-01,2029-01-01\n"
    )  # fmt: skip
    assert reviews_of(got, "A", "LYON")[3] == "NaT"
    assert not got.shared.lanes.open_now.any()
    assert any(alert.code == "SC-D063" and alert.location == "LYON" for alert in got.alerts)


def test_order_days_of_a_warehouse_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(RefusedInput, match="suppliers.csv line 2, column order_days"):
        load(tmp_path, suppliers="supplier,order_days\nHUB,someday\n")


def test_a_warehouse_that_sold_nothing_sells_nothing_and_one_that_sold_something_is_a_place_too(tmp_path):
    got = load(tmp_path)
    axis = got.panel.series
    assert got.panel.attributes.column("sells_nothing")[axis.location == "HUB"].tolist() == ["warehouse"]
    assert not (got.panel.attributes.column("sells_nothing")[axis.location != "HUB"] != "").any()
    assert any("forecast as 0, for nothing was ever sold there: HUB" in note for note in got.notes)
    sold = load(tmp_path, sales=SALES + "2026-11-18,A,HUB,1\n")
    assert not (sold.panel.attributes.column("sells_nothing") != "").any()


def test_the_shipments_of_a_warehouse_reach_as_far_as_its_orders_may_wait(tmp_path):
    assert load(tmp_path).terms.shipments.shape[1] == 0, "it ships every day"
    terms = (
        "supplier,lead_time_days,review_period_days,order_days\nacme,3,7,\nHUB,,,1st\n",
        "sku,supplier,unit_cost,price,lead_time_days,review_period_days\nA,acme,1,2,3,7\nB,acme,1,2,3,7\n",
    )
    got = load(tmp_path, suppliers=terms[0], items=terms[1])
    fed_rows = np.flatnonzero(got.terms.fed_by == "HUB")
    hub = int(got.terms.feeder[fed_rows[0]])
    # orders of 19 November come on the 22nd, those of the week after on the 29th: both wait for 1 December, period 12
    assert got.terms.protection_interval[hub] == 10
    assert got.terms.shipments[fed_rows].tolist() == [[12], [12]]
    assert got.terms.shipments[hub].tolist() == [10**6]
    assert got.terms.reach[fed_rows].tolist() == [12 + 31 + 1, 12 + 31 + 2], "to their own next shipment"
