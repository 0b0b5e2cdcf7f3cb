"""What is planned, and the user's covariates: joined with what the sales tell, each as far ahead as it is known."""

import numpy as np
import pytest
from ingest_project import codes, day, load_tables

from stockcast.core.errors import UsageError

NAN = np.nan
SALES = (
    "date,sku,location,quantity,price,promotion,weather\n"
    "2026-11-16,A,X,3,5,0,10\n2026-11-16,A,Y,3,5,0,12\n2026-11-16,A,Y,1,5,0,16\n"
    "2026-11-18,A,X,1,6,1,11\n2026-11-18,A,Y,1,,,\n"
)


def load(folder, future=None, sales=SALES, **options):
    return load_tables(folder, {"sales": sales, "inventory": None, "known_future": future}, **options)


def ahead_of(got):
    return [note for note in got.notes if "known ahead" in note]


def test_a_covariate_of_sales_is_the_mean_of_its_period_and_known_at_no_time_ahead(tmp_path):
    known = load(tmp_path, covariates=("weather",)).panel.known
    np.testing.assert_array_equal(known.covariates["weather"], [[10, NAN, 11], [14, NAN, NAN]])
    assert known.reach("weather").tolist() == [0, 0]
    assert ahead_of(load(tmp_path, covariates=("weather",))) == [
        "no plan tells of weather after the origin for 2 series: there it counts as recorded, not as known ahead"
    ]
    weekly = load(tmp_path, step="week", as_of=day("2026-11-18"), covariates=("weather",)).panel.known
    np.testing.assert_array_equal(weekly.covariates["weather"], [[10.5], [14]])


def test_a_covariate_of_known_future_is_known_as_far_as_it_is_planned(tmp_path):
    future = "date,sku,location,ads\n2026-11-19,A,,7\n2026-11-21,A,Y,8\n2026-11-17,A,Y,2\n"
    known = load(tmp_path, future, covariates=("ads",)).panel.known
    np.testing.assert_array_equal(known.covariates["ads"], [[NAN, NAN, NAN, 7, NAN, NAN], [NAN, 2, NAN, 7, NAN, 8]])
    assert known.reach("ads").tolist() == [1, 3]
    assert ahead_of(load(tmp_path, future, covariates=("ads",))) == []
    some = load(tmp_path, "date,sku,location,ads\n2026-11-21,A,Y,8\n", covariates=("ads",))
    assert ["ads after the origin for 1 series" in note for note in ahead_of(some)] == [True]
    blank = load(tmp_path, "date,sku,location,ads\n2026-11-21,A,Y,\n", covariates=("ads",))
    assert ahead_of(blank) == []  # that it has no values at all is told as an issue
    assert "SC-D093" in codes(blank)


def test_a_name_in_sales_and_known_future_is_one_covariate(tmp_path):
    future = "date,sku,weather\n2026-11-17,A,9\n2026-11-18,A,99\n2026-11-20,A,20\n"
    got = load(tmp_path, future, covariates=("weather",))
    np.testing.assert_array_equal(got.panel.known.covariates["weather"], [[10, 9, 11, NAN, 20], [14, 9, 99, NAN, 20]])
    assert got.panel.known.reach("weather").tolist() == [2, 2]
    assert any(note.startswith("3 values of weather up to the origin are those planned") for note in got.notes)


def test_what_was_planned_for_the_past_stands_where_sales_tell_nothing_and_is_counted(tmp_path):
    future = "date,sku,price,promotion\n2026-11-17,A,4,1\n2026-11-18,A,3,0\n"
    got = load(tmp_path, future)
    np.testing.assert_array_equal(got.panel.known.price, [[5, 4, 6], [5, 4, 3]])
    np.testing.assert_array_equal(got.panel.known.promotion, [[0, 1, 1], [0, 1, 0]])
    told = [note for note in got.notes if "no sale tells them" in note]
    assert [note.split()[:4] for note in told] == [["3", "values", "of", "price"], ["3", "values", "of", "promotion"]]
    assert got.panel.known.reach("price").tolist() == [0, 0]


def test_a_blank_within_the_plans_is_no_promotion_one_that_ends_them_is_over_and_before_them_is_not_known(tmp_path):
    future = "date,sku,location,price,promotion\n2026-11-20,A,,4,\n2026-11-22,A,X,4,1\n2026-11-22,A,Y,4,\n"
    got = load(tmp_path, future)
    np.testing.assert_array_equal(got.panel.known.promotion[:, 3:], [[NAN, 0, 0, 1, 0], [NAN, 0, 0, 0, NAN]])
    np.testing.assert_array_equal(got.panel.known.price[:, 3:], [[NAN, 4, NAN, 4, NAN], [NAN, 4, NAN, 4, NAN]])
    assert [note for note in got.notes if "known_future" in note] == [
        "5 periods within the plans of known_future name no promotion: they count as without one",
        "the plans of 1 series in known_future end in a promotion: it counts as over after them",
        "2 periods after the origin lie before the first that known_future plans for their series: whether they have a "
        "promotion is not known",
    ]


@pytest.mark.parametrize("first", ["2026-11-17", "2026-11-19"])
def test_plans_from_the_origin_on_leave_no_promotion_unknown_within_them(tmp_path, first):
    got = load(tmp_path, f"date,sku,price,promotion\n{first},A,4,0\n2026-11-21,A,4,0\n")
    np.testing.assert_array_equal(got.panel.known.promotion[:, 3:], [[0, 0, 0], [0, 0, 0]])
    assert not any("is not known" in note or "as over" in note for note in got.notes)


def test_plans_without_a_column_of_promotions_tell_of_none(tmp_path):
    got = load(tmp_path, "date,sku,price\n2026-11-20,A,4\n")
    assert np.isnan(got.panel.known.promotion[:, 3:]).all()


def test_plans_of_nobody_and_of_long_ago_are_told(tmp_path):
    got = load(
        tmp_path, "date,sku,location,price\n2026-11-20,Q,,4\n2026-11-20,A,Z,4\n2020-01-01,A,,4\n2026-11-19,A,,4\n"
    )
    told = {(i.code, i.count) for i in got.issues if i.source == "known_future"}
    assert told == {("SC-D041", 2), ("SC-D091", 1)}


def test_the_order_of_planned_rows_changes_nothing(tmp_path):
    rows = [f"2026-11-{at},A,{place},{price},{promotion}" for at, place, price, promotion in
            [(23, "X", 0.1, ""), (24, "", 0.2, 1), (25, "X", 0.3, ""), (26, "", 1e15, 0), (19, "Y", 2, "")]]  # fmt: skip
    seen = set()
    for turn in range(5):
        text = "\n".join(["date,sku,location,price,promotion", *rows[turn:], *rows[:turn]]) + "\n"
        known = load(tmp_path, text, step="week", as_of=day("2026-11-18")).panel.known
        seen.add(known.price.tobytes() + known.promotion.tobytes())
    assert len(seen) == 1


def test_a_covariate_that_no_table_has_names_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="no source has a column 'wether', did you mean weather"):
        load(tmp_path, covariates=("wether",))


def test_a_covariate_elsewhere_is_told_to_be_none(tmp_path):
    items = "sku,unit_cost,price,brand\nA,2,5,x\n"
    got = load_tables(tmp_path, {"items": items}, covariates=("brand", "price"))
    assert [(i.severity, i.source, i.column) for i in got.issues if i.code == "SC-D093"] == [("info", "items", "brand")]
    assert not got.panel.known.covariates
    stock = "sku,on_hand,shelf\nA,10,1\n"
    with pytest.raises(UsageError, match="no source has a column 'shelf'") as told:
        load_tables(tmp_path, {"inventory": stock}, covariates=("shelf",))
    assert told.value.details == ("inventory.csv has it; covariates come from sales, known_future, calendar",)


@pytest.mark.parametrize("name", ["quantity", "in_stock", "event", "open"])
def test_a_column_with_a_meaning_of_its_own_is_no_covariate(tmp_path, name):
    with pytest.raises(UsageError, match=f"forecast.covariates: {name} of .* has a meaning of its own"):
        load_tables(tmp_path, covariates=(name,))


def test_a_covariate_that_is_no_number_is_blanked_and_its_row_stands(tmp_path):
    got = load(tmp_path, "date,sku,ads\n2026-11-20,A,many\n2026-11-21,A,3\n", covariates=("ads",))
    told = [(i.code, i.severity, i.line, i.column, i.value) for i in got.issues if i.action.startswith("value taken")]
    assert told == [("SC-D014", "warning", 2, "ads", "many")]
    count = got.rows["known_future"]
    assert (count.read, count.kept, count.quarantined, count.blanked) == (2, 2, 0, 1)
    assert "SC-D030" not in codes(got)
