import numpy as np
import pytest
from ingest_project import DEFAULTS, codes, day, load_tables

from stockcast.core.errors import UsageError
from stockcast.ingest import RefusedInput
from stockcast.ingest.schema import ITEM_COLUMNS


def test_terms_come_from_the_place_then_the_item_then_the_supplier_then_the_defaults(tmp_path):
    got = load_tables(
        tmp_path,
        {
            "items": "sku,supplier,unit_cost,price,lead_time_days\nA,acme,2,5,\nB,acme,4,9,5\nC,other,1,2,\nD,acme,1,2,5\n",
            "inventory": "sku,on_hand\nA,1\nB,1\nC,1\nD,1\n",
            "suppliers": "supplier,lead_time_days,order_cost\nacme,4,30\nother,,\n",
            "item_locations": "sku,location,lead_time_days\nD,main,6\n",
        },
    )
    assert got.terms.lead_time.tolist() == [4, 5, 3, 6]
    assert got.terms.order_cost.tolist() == [0, 0, 0, 0], "a supplier's order cost is never a line's"
    assert [(s.supplier, s.order_cost) for s in got.shared.suppliers] == [("acme", 30.0), ("other", 0.0)]


def test_costs_are_derived_as_the_interface_says(tmp_path):
    got = load_tables(tmp_path, step="week", as_of=day("2026-11-18"))
    assert got.terms.holding_cost.tolist() == pytest.approx([0.25 * 2 * 7 / 365, 0.25 * 4 * 7 / 365])
    assert got.terms.shortage_cost.tolist() == [3, 5]
    assert "SC-D035" in codes(got)


def test_days_become_whole_periods_rounded_up_with_a_note(tmp_path):
    got = load_tables(tmp_path, step="week", as_of=day("2026-11-18"), defaults={**DEFAULTS, "lead_time_days": 8})
    assert got.terms.lead_time.tolist() == [2, 2]
    (told,) = [issue for issue in got.issues if issue.code == "SC-D089"]
    assert told.count == 2
    assert "A@main" in told.message


def test_a_cost_that_nobody_orders_by_is_told_and_no_reason_to_stop(tmp_path):
    got = load_tables(tmp_path, {"items": "sku,unit_cost,price\nA,2,\nB,,9\n"}, orders=False)
    told = [(i.severity, i.column, i.count, i.message) for i in got.issues if i.code == "SC-D034"]
    assert told == [
        ("warning", "shortage_cost", 2, "shortage_cost is not known for 2 series: A@main, B@main"),
        ("warning", "holding_cost", 1, "holding_cost is not known for 1 series: B@main"),
    ]
    assert not any("service level" in note for note in got.notes)
    assert got.terms.orderable.tolist() == [True, True]


def test_a_cost_that_is_needed_and_not_known_is_refused(tmp_path):
    items = "sku,unit_cost\nA,2\nB,4\n"
    with pytest.raises(RefusedInput, match=r"shortage_cost is not known for 2 series: A@main, B@main"):
        load_tables(tmp_path, {"items": items})
    served = load_tables(tmp_path, {"items": items}, objective="fill_rate", target=0.9)
    assert served.terms.objective.tolist() == [2, 2]
    assert served.terms.target.tolist() == [0.9, 0.9]
    assert any("shortage_cost is not known" in note for note in served.notes)


def test_the_last_recorded_price_stands_in_for_the_price(tmp_path):
    sales = "date,sku,quantity,price\n2026-11-17,A,1,7\n2026-11-18,A,1,\n2026-11-18,B,1,9\n"
    got = load_tables(tmp_path, {"items": "sku,unit_cost\nA,2\nB,4\n", "sales": sales})
    assert got.terms.shortage_cost.tolist() == [5, 5]


def test_an_item_has_its_own_service_level(tmp_path):
    got = load_tables(tmp_path, {"items": "sku,unit_cost,price,cycle_service_level\nA,2,5,0.97\nB,4,9,\n"})
    assert got.terms.objective.tolist() == [1, 0]
    assert got.terms.target.tolist() == [0.97, 0.0]


def test_a_lead_time_that_nobody_gives_is_refused(tmp_path):
    with pytest.raises(RefusedInput, match="no lead time for 2 series"):
        load_tables(tmp_path, defaults={"review_period_days": 7, "holding_rate": 0.25})


def test_moq_is_rounded_up_to_packs(tmp_path):
    got = load_tables(tmp_path, {"items": "sku,unit_cost,price,moq,pack_size\nA,2,5,10,4\nB,4,9,0,0\n"})
    assert (got.terms.moq.tolist(), got.terms.pack_size.tolist()) == ([12, 0], [4, 0])


def test_an_ended_item_is_not_ordered(tmp_path):
    got = load_tables(tmp_path, {"items": "sku,unit_cost,price,end_date\nA,2,5,2026-11-18\nB,4,9,2026-11-19\n"})
    assert got.terms.orderable.tolist() == [False, True]
    assert [(a.code, a.sku) for a in got.alerts] == [("SC-D061", "A")]


def test_an_end_date_says_for_how_many_periods_an_item_is_still_sold(tmp_path):
    """The night of Wednesday, 2026-11-18: the first period ahead is the 19th."""
    ends = ("2026-11-19", "2026-11-25", "2026-11-01", "")
    items = "sku,unit_cost,price,end_date\n" + "".join(
        f"{sku},2,5,{end}\n" for sku, end in zip("AB", ends[:2], strict=True)
    )
    assert load_tables(tmp_path, {"items": items}).terms.sold_for.tolist() == [1.0, 7.0]
    items = "sku,unit_cost,price,end_date\n" + "".join(
        f"{sku},2,5,{end}\n" for sku, end in zip("AB", ends[2:], strict=True)
    )
    assert load_tables(tmp_path, {"items": items}).terms.sold_for.tolist() == [0.0, np.inf]


def test_order_days_and_closures_set_the_reviews(tmp_path):
    suppliers = "supplier,order_days\nacme,mon\n"
    items = "sku,supplier,unit_cost,price\nA,acme,2,5\nB,none,4,9\n"
    closed = "supplier,from,to\nacme,2026-11-23,2026-11-23\n"
    got = load_tables(tmp_path, {"suppliers": suppliers, "items": items})
    assert got.terms.at_review.tolist() == [False, True]
    assert got.terms.first_review.tolist() == [4, 0]
    assert got.next_review.astype(str).tolist() == ["2026-11-23", "2026-11-19"]
    assert got.terms.review_period.tolist() == [7, 7]
    shut = load_tables(tmp_path, {"suppliers": suppliers, "items": items, "supplier_closures": closed})
    assert shut.next_review.astype(str).tolist() == ["2026-11-30", "2026-11-19"]


def test_a_closure_alone_keeps_the_review_period(tmp_path):
    closed = "supplier,from,to\nacme,2026-12-20,2026-12-26\n"
    got = load_tables(tmp_path, {"supplier_closures": closed})
    assert got.terms.review_period.tolist() == [7, 7]


def test_a_supplier_that_takes_no_order_is_told(tmp_path):
    closed = "supplier,from,to\nacme,2026-11-01,2030-01-01\n"
    got = load_tables(tmp_path, {"supplier_closures": closed})
    assert not got.terms.at_review.any()
    assert np.isnat(got.next_review).all()
    assert "SC-D063" in codes(got)


def test_a_word_that_is_no_order_day_is_told_with_its_line(tmp_path):
    with pytest.raises(RefusedInput, match=r"suppliers.csv line 2, column order_days: 'fryday'"):
        load_tables(tmp_path, {"suppliers": "supplier,order_days\nacme,fryday\n"})


@pytest.mark.parametrize(("unmet", "on_hand", "backorders"), [("lost", [0, 0], [0, 1]), ("backorder", [0, 0], [4, 1])])
def test_stock_is_net_of_reserved_and_never_negative(tmp_path, unmet, on_hand, backorders):
    stock = "sku,on_hand,reserved,backorders\nA,-4,,\nB,3,5,1\n"
    got = load_tables(tmp_path, {"inventory": stock}, unmet_demand=unmet)
    assert got.state.on_hand.tolist() == on_hand
    assert got.state.backorders.tolist() == backorders
    assert {"SC-D038", "SC-D039"} <= codes(got)


def test_open_orders_arrive_in_the_period_of_their_date(tmp_path):
    orders = (
        "order_id,sku,quantity,expected_date,order_date,status\n"
        "1,A,5,2026-11-19,,sent\n2,A,7,2026-11-21,,In Transit\n3,A,100,2026-11-21,,received\n"
        "4,A,2,2026-11-10,,draft\n5,B,3,,2026-11-18,confirmed\n6,B,4,,,confirmed\n7,B,9,2028-01-01,,sent\n"
    )
    got = load_tables(tmp_path, {"open_orders": orders})
    assert got.state.pipeline[0, :3].tolist() == [7, 0, 7]
    assert got.state.pipeline[1, [0, 2, -1]].tolist() == [4, 3, 9]
    assert got.state.on_order.tolist() == [14, 16]
    assert sorted(a.message.split()[2] for a in got.alerts if a.code == "SC-D064") == ["4", "6"]
    assert got.state.pipeline.shape[1] > got.terms.protection_interval.max()


def test_orders_of_tonight_count_against_tonight(tmp_path):
    orders = (
        "order_id,sku,quantity,expected_date,order_date,supplier\n"
        "1,A,5,2026-11-25,2026-11-19,\n2,B,2,2026-11-25,2026-11-19,rival\n3,B,50,2026-11-25,2026-11-18,\n"
    )
    got = load_tables(tmp_path, {"open_orders": orders}, budget=100.0)
    assert got.terms.ordered_now.tolist() == [5, 2]
    assert (got.shared.budget, got.shared.budget_used) == (100.0, 5 * 2 + 2 * 4)
    assert [(s.supplier, s.committed_value, s.committed_units) for s in got.shared.suppliers] == [
        ("acme", 10, 5), ("rival", 8, 2)
    ]  # fmt: skip


def test_each_location_can_be_an_order_of_its_own(tmp_path):
    sales = "date,sku,location,quantity\n2026-11-18,A,X,1\n2026-11-18,A,Y,1\n"
    stock = "sku,location,on_hand\nA,X,1\nA,Y,1\n"
    suppliers = "supplier,min_order_value\nacme,50\n"
    got = load_tables(
        tmp_path, {"sales": sales, "inventory": stock, "suppliers": suppliers}, order_scope="supplier_location"
    )
    assert got.terms.supplier.tolist() == ["acme @ X", "acme @ Y"]
    assert [got.shared.supplier(name).min_order_value for name in got.terms.supplier] == [50, 50]


def test_a_status_can_be_mapped(tmp_path):
    orders = "sku,quantity,expected_date,status\nA,5,2026-11-25,Unterwegs\n"
    with pytest.raises(RefusedInput, match=r"unknown order status 'Unterwegs' \(1 rows\)"):
        load_tables(tmp_path, {"open_orders": orders})
    got = load_tables(
        tmp_path, {"open_orders": orders}, sources={"open_orders": {"status": {"unterwegs": "in_transit"}}}
    )
    assert got.state.on_order.tolist() == [5, 0]


def test_tables_that_nothing_uses_yet_are_told(tmp_path):
    got = load_tables(tmp_path, {"overrides": "sku,from,to,factor\nA,2026-11-20,2026-11-30,2\n"})
    assert [(i.source, i.severity) for i in got.issues if i.code == "SC-D030"] == [("overrides", "warning")]


def test_no_column_that_is_used_is_told_to_be_unused(tmp_path):
    items = f"sku,{','.join(ITEM_COLUMNS)}\n"
    full = {"supplier": "acme", "category": "food", "description": "soup", "launch_date": "2026-01-05",
            "end_date": "2027-01-05", "successor": "B", "cycle_service_level": "0.9", "fill_rate": "0.9"}  # fmt: skip
    row = ",".join(full.get(name, "3") for name in ITEM_COLUMNS)
    got = load_tables(tmp_path, {"items": f"{items}A,{row}\nB,{row}\n"})
    assert got.panel.attributes.column("successor").tolist() == ["B", "B"]
    assert "SC-D030" not in codes(got)


def test_attributes_are_those_of_the_master(tmp_path):
    got = load_tables(tmp_path, {"items": "sku,unit_cost,price,category,brand\nA,2,5,food,007\nB,4,9,,\n"})
    assert got.panel.attributes.column("category").tolist() == ["food", ""]
    assert got.panel.attributes.column("brand").tolist() == ["007", ""]


@pytest.mark.parametrize(
    ("expression", "skus"),
    [("sku:A", ["A"]), ("sku:A sku:B", ["A", "B"]), ("supplier:acme sku:B*", ["B"]), ("abc:A", ["A"]),
     ("location:main", ["A", "B"]), ("@wanted.txt", ["B"])],
)  # fmt: skip
def test_select(tmp_path, expression, skus):
    (tmp_path / "wanted.txt").write_text("B@main\n", encoding="utf-8")
    sales = "date,sku,quantity\n2026-11-18,A,90\n2026-11-18,B,10\n"
    got = load_tables(tmp_path, {"sales": sales}, select=expression)
    assert got.panel.series.sku.tolist() == got.terms.series.sku.tolist() == got.state.series.sku.tolist() == skus


def test_select_that_matches_nothing_names_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="matches 0 of 2 items") as told:
        load_tables(tmp_path, select="location:mian")
    assert "nearest: main" in told.value.details[0]
    with pytest.raises(UsageError, match="unknown term 'suplier:x', did you mean supplier"):
        load_tables(tmp_path, select="suplier:x")


WHOLE = {
    "items": "sku,supplier,unit_cost,price,volume,weight,shelf_life_days\nA,acme,2,5,0.5,3,10\nB,acme,4,9,,,\n",
    "suppliers": "supplier,order_cost,min_order_weight,truck_volume,truck_weight,truck_cost,truck_min_fill\n"
    "acme,5,40,12,900,70,0.5\n",
    "price_breaks": "supplier,min_value,discount\nacme,500,0.05\nacme,100,0.02\nacme,900,0.05\n",
    "locations": "location,volume\nmain,80\nfar,9\n",
}


def test_the_terms_of_whole_orders_are_read(tmp_path):
    got = load_tables(tmp_path, WHOLE)
    (acme,) = got.shared.suppliers
    assert (acme.min_order_weight, acme.truck_volume, acme.truck_weight) == (40, 12, 900)
    assert (acme.truck_cost, acme.truck_min_fill, acme.order_cost) == (70, 0.5, 5)
    assert [(tier.min_value, tier.discount) for tier in acme.price_breaks] == [(100, 0.02), (500, 0.05)]
    assert got.terms.volume.tolist() == [0.5, 0.0]
    assert got.terms.weight.tolist() == [3.0, 0.0]
    assert got.terms.shelf_life.tolist() == [10.0, np.inf]
    assert got.shared.storage == {"main": 80.0}
    assert {"SC-D111", "SC-D113"} <= codes(got)
    assert "SC-D030" not in codes(got)


def test_the_config_says_over_the_table_what_a_location_holds(tmp_path):
    assert load_tables(tmp_path, WHOLE, storage={"main": 7.0}).shared.storage == {"main": 7.0}


def test_orders_of_this_period_load_trucks_and_count_to_weight_and_breaks(tmp_path):
    now = "order_id,sku,quantity,expected_date,order_date,supplier\n1,A,6,2026-11-25,2026-11-19,acme\n"
    (acme,) = load_tables(tmp_path, WHOLE | {"open_orders": now}).shared.suppliers
    assert (acme.committed_units, acme.committed_value) == (6, 12)
    assert (acme.committed_volume, acme.committed_weight) == (3, 18)


def test_a_shelf_life_is_rounded_down_to_whole_periods(tmp_path):
    got = load_tables(tmp_path, {"items": "sku,unit_cost,price,shelf_life_days\nA,2,5,0.5\nB,4,9,3.9\n"})
    assert got.terms.shelf_life.tolist() == [1.0, 3.0]
    assert "SC-D110" in codes(got)
