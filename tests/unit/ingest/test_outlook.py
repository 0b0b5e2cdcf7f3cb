import numpy as np
from ingest_project import codes, day, load_tables

SUPPLIERS = "supplier,order_days,order_cost\nacme,thu,50\n"


def load(tmp_path, changes=None, *, ahead=3, **tables):
    given = {"suppliers": SUPPLIERS, **tables}
    if changes is not None:
        given["cost_changes"] = changes
    return load_tables(tmp_path, given, reviews_ahead=ahead)


def test_reviews_are_the_order_days_and_one_more_for_the_end(tmp_path):
    got = load(tmp_path)  # the order date is Thursday, 2026-11-19
    assert got.outlook.reviews.tolist() == [[0, 7, 14, 21]] * 2
    assert np.isnat(got.outlook.closed_until).all()
    assert got.outlook.ahead == 3
    assert got.state.pipeline.shape[1] >= 21 + 3
    assert load(tmp_path, ahead=1).outlook is None


def test_the_first_review_and_the_next_are_those_of_the_terms(tmp_path):
    closed = "supplier,from,to\nacme,2026-11-20,2026-11-27\n"
    for suppliers in (SUPPLIERS, "supplier,order_cost\nacme,50\n", "supplier,order_days,order_cost\nacme,fri,50\n"):
        got = load(tmp_path, suppliers=suppliers, supplier_closures=closed)
        terms = got.terms
        assert (got.outlook.reviews[:, 0] == terms.first_review).all()
        assert (np.diff(got.outlook.reviews[:, :2], axis=1)[:, 0] == terms.review_period).all()
        assert (got.outlook.closed_until == day("2026-11-27")).all()


def test_announced_costs_hold_from_their_day_and_the_place_stands_above_all_places(tmp_path):
    stock = "sku,location,on_hand\nA,X,1\nA,Y,1\nB,X,1\n"
    sales = "date,sku,location,quantity\n2026-11-17,A,X,1\n2026-11-18,A,Y,1\n2026-11-18,B,X,2\n"
    changes = "sku,from,unit_cost,location\nA,2026-11-27,2.5,\nA,2026-12-03,3,\nA,2026-12-10,9,Y\n"
    got = load(tmp_path, changes, inventory=stock, sales=sales)
    assert got.outlook.unit_cost.tolist() == [[2, 2, 3, 3], [2, 2, 2, 9], [4, 4, 4, 4]]
    assert got.outlook.changes.astype(str).tolist() == ["2026-12-03", "2026-12-10", "NaT"]
    assert got.outlook.price_moves().tolist() == [True, True, False]


def test_what_cannot_be_used_is_told(tmp_path):
    changes = "sku,from,unit_cost\nA,2026-11-19,3\nZ,2026-12-03,3\nB,2026-12-03,-1\nB,soon,2\n"
    got = load(tmp_path, changes)
    assert {"SC-D126", "SC-D041", "SC-D016"} <= set(codes(got))
    assert got.rows["cost_changes"].quarantined == 2
    assert not got.outlook.price_moves().any()
    assert "SC-D127" in codes(load(tmp_path, "sku,from,unit_cost\nA,2026-12-19,3\n", ahead=1))
    uncosted = load(
        tmp_path,
        "sku,from,unit_cost\nA,2026-12-03,3\n",
        items="sku,supplier,unit_cost,price,shortage_cost,holding_cost\nA,acme,,5,1,0.1\nB,acme,4,9,1,0.1\n",
    )
    assert "SC-D126" in codes(uncosted)
    assert np.isnan(uncosted.outlook.unit_cost[0]).all()


def test_where_timing_matters(tmp_path):
    plain = "supplier,order_days\nacme,thu\n"
    got = load(tmp_path, suppliers=plain)
    assert not got.outlook.matters(got.terms, got.shared).any()
    got = load(tmp_path)
    assert got.outlook.matters(got.terms, got.shared).all()
    got = load(tmp_path, "sku,from,unit_cost\nA,2026-12-03,3\n", suppliers=plain)
    assert got.outlook.matters(got.terms, got.shared).all()
