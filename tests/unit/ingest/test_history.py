import itertools

import numpy as np
import pytest
from ingest_project import SALES, codes, day, load_tables

from stockcast.ingest import RefusedInput


def test_a_missing_day_is_a_zero_sale_from_the_first_row_on(tmp_path):
    got = load_tables(tmp_path)
    assert got.panel.sales.tolist() == [[3, 0, 1], [0, 2, 0]]
    assert got.panel.observed.tolist() == [[True, True, True], [False, True, True]]
    assert got.panel.origin == day("2026-11-18")


def test_a_missing_day_is_not_known_where_declared(tmp_path):
    got = load_tables(tmp_path, sources={"sales": {"gaps": "missing"}})
    assert got.panel.observed.tolist() == [[True, False, True], [False, True, False]]


def test_rows_of_a_period_are_summed_with_the_price_by_quantity(tmp_path):
    text = "date,sku,quantity,price,promotion\n2026-11-18,A,3,2,0\n2026-11-18,A,1,6,1\n2026-11-18,A,2,,0\n"
    got = load_tables(tmp_path, {"sales": text})
    assert got.panel.sales[0, 0] == 6
    assert got.panel.known.price[0, 0] == pytest.approx((3 * 2 + 1 * 6) / 4)
    assert got.panel.known.promotion[0, 0] == 1
    assert (got.rows["sales"].read, got.rows["sales"].kept, got.rows["sales"].merged) == (3, 1, 2)


def test_the_order_of_rows_changes_no_byte(tmp_path):
    rows = ["2026-11-18,A,0.1,3,1", "2026-11-18,A,0.2,5,0", "2026-11-18,A,0.3,7,1", "2026-11-18,A,1e15,2,0"]
    seen = set()
    for order in itertools.permutations(rows):
        got = load_tables(tmp_path, {"sales": "\n".join(["date,sku,quantity,price,in_stock", *order]) + "\n"})
        seen.add((got.panel.sales.tobytes(), got.panel.known.price.tobytes(), got.panel.in_stock.tobytes()))
    assert len(seen) == 1


@pytest.mark.parametrize(("returns", "sold", "returned"), [("separate", 5.0, 1), ("net", 1.0, 0)])
def test_returns(tmp_path, returns, sold, returned):
    text = "date,sku,quantity\n2026-11-18,A,5\n2026-11-18,A,-4\n"
    got = load_tables(tmp_path, {"sales": text}, sources={"sales": {"returns": returns}})
    assert got.panel.sales[0, 0] == sold
    assert got.rows["sales"].returned == returned


def test_more_returned_than_sold_nets_to_zero_and_is_told(tmp_path):
    text = "date,sku,quantity\n2026-11-18,A,5\n2026-11-18,A,-9\n"
    got = load_tables(tmp_path, {"sales": text}, sources={"sales": {"returns": "net"}})
    assert got.panel.sales[0, 0] == 0
    assert any("returns exceed sales" in issue.message for issue in got.issues)


def test_a_week_has_any_first_day_and_iso_week_53_is_one(tmp_path):
    text = "date,sku,quantity\n" + "".join(f"{day('2026-12-21') + n},A,1\n" for n in range(14))
    got = load_tables(tmp_path, {"sales": text}, step="week")
    assert got.panel.time.dates().astype(str).tolist() == ["2026-12-21", "2026-12-28"]
    assert got.panel.sales[0].tolist() == [7, 7]
    sunday = load_tables(tmp_path, {"sales": text}, step="week", week_start=6)
    assert sunday.panel.time.dates().astype(str).tolist() == ["2026-12-20", "2026-12-27"]
    assert sunday.panel.sales[0].tolist() == [6, 7]


def test_an_unfinished_week_is_left_out_and_named(tmp_path):
    text = "date,sku,quantity\n2026-11-09,A,1\n2026-11-15,A,1\n2026-11-18,A,9\n"
    got = load_tables(tmp_path, {"sales": text}, step="week")
    assert got.panel.origin == day("2026-11-09")
    assert got.rows["sales"].left_out == 1
    assert any("--as-of 2026-11-18" in note for note in got.notes)
    whole = load_tables(tmp_path, {"sales": text}, step="week", as_of=day("2026-11-18"))
    assert whole.panel.sales[0].tolist() == [2, 9]


def test_as_of_leaves_later_rows_unread(tmp_path):
    got = load_tables(tmp_path, as_of=day("2026-11-17"))
    assert got.panel.sales.tolist() == [[3, 0], [0, 2]]
    assert (got.rows["sales"].read, got.rows["sales"].left_out) == (2, 1)


def test_as_of_long_after_the_newest_sale_is_refused_and_a_little_after_is_told(tmp_path):
    with pytest.raises(RefusedInput, match=r"newest sale 2026-11-18, as-of 2027-11-18 \(365 days\)"):
        load_tables(tmp_path, as_of=day("2027-11-18"))
    assert "SC-D026" in codes(load_tables(tmp_path, as_of=day("2026-11-20")))


def test_as_of_before_the_first_sale_is_refused(tmp_path):
    with pytest.raises(RefusedInput, match="no sale in or before"):
        load_tables(tmp_path, as_of=day("2026-11-01"))


def test_in_stock_comes_from_the_stock_history(tmp_path):
    stock = "date,sku,on_hand\n2026-11-16,A,4\n2026-11-17,A,0\n2026-11-18,A,-1\n"
    got = load_tables(tmp_path, {"stock_history": stock})
    assert got.panel.in_stock.tolist() == [[1, 0, 0], [1, 1, 1]]


def test_a_week_is_in_stock_for_the_share_of_its_days(tmp_path):
    rows = "".join(f"{day('2026-11-09') + n},A,1,{int(n < 3)}\n" for n in range(7))
    got = load_tables(tmp_path, {"sales": "date,sku,quantity,in_stock\n" + rows}, step="week")
    assert got.panel.in_stock[0, 0] == pytest.approx(3 / 7)


def test_planned_prices_reach_past_the_origin_and_a_place_of_its_own_stands_above(tmp_path):
    sales = "date,sku,location,quantity,price\n2026-11-18,A,X,1,5\n2026-11-18,A,Y,1,5\n"
    future = "date,sku,location,price,promotion\n2026-11-20,A,,4,1\n2026-11-20,A,Y,3,\n2026-11-01,A,,9,1\n"
    got = load_tables(tmp_path, {"sales": sales, "known_future": future, "inventory": None})
    assert got.panel.known.recorded == 1
    np.testing.assert_array_equal(got.panel.known.price, [[5, np.nan, 4, np.nan], [5, np.nan, 3, np.nan]])
    np.testing.assert_array_equal(got.panel.known.promotion[:, 1:], [[np.nan, 1, 0], [np.nan, 1, 0]])


def test_series_are_those_of_sales_inventory_and_item_locations(tmp_path):
    got = load_tables(
        tmp_path,
        {
            "inventory": "sku,on_hand\nA,1\nC,1\n",
            "item_locations": "sku,location\nD,main\n",
            "items": "sku,unit_cost,price\nA,1,2\nZ,1,2\n",
        },
    )
    assert got.panel.series.sku.tolist() == ["A", "B", "C", "D"]
    assert got.has_item.tolist() == [True, False, False, True]
    assert got.has_stock.tolist() == [True, False, True, False]
    assert got.terms.orderable.tolist() == [True, False, False, False]
    assert {(a.code, a.sku) for a in got.alerts} == {
        ("SC-D065", "B"), ("SC-D065", "C"), ("SC-D066", "B"), ("SC-D066", "D")
    }  # fmt: skip


def test_few_dates_far_off_stretch_no_series(tmp_path):
    rows = "".join(f"{day('2026-01-01') + n},A,1\n" for n in range(300))
    got = load_tables(tmp_path, {"sales": "date,sku,quantity\n1970-01-01,A,1\n" + rows + "2062-01-01,A,1\n"})
    assert got.panel.time.n == 300
    assert got.rows["sales"].quarantined == 2


def test_sales_after_a_quarantined_row_still_add_up(tmp_path):
    got = load_tables(tmp_path, {"sales": SALES + "2026-11-18,A,x\n2026-11-18,,1\n"})
    count = got.rows["sales"]
    assert (count.read, count.kept, count.quarantined) == (5, 3, 2)
    assert {(i.line, i.code, i.column) for i in got.issues if i.severity == "error"} == {
        (5, "SC-D014", "quantity"), (6, "SC-D012", "sku")
    }  # fmt: skip
