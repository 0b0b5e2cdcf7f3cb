"""Cells that cannot be used: what a row can do without is blanked, and what was sold stays known or is not known."""

import numpy as np
import pytest
from ingest_project import load_tables

from stockcast.ingest import RefusedInput

NAN = np.nan
DAYS = [f"2026-11-{n}" for n in range(11, 19)]


def sales_of(*cells, columns="quantity,price,promotion,temp"):
    """Give eight days of sales of A: 5 units and cells of their own each."""
    rows = [f"{date},A,{cells[at] if at < len(cells) else '5,2,0,20'}" for at, date in enumerate(DAYS)]
    return "\n".join([f"date,sku,{columns}", *rows]) + "\n"


@pytest.mark.parametrize(
    ("cells", "column", "value", "code"),
    [("5,2,0,n/a", "temp", "n/a", "SC-D014"), ("5,2,0,inf", "temp", "inf", "SC-D015"),
     ("5,x,0,20", "price", "x", "SC-D014"), ("5,2,maybe,20", "promotion", "maybe", "SC-D014")],
)  # fmt: skip
def test_what_a_sale_can_do_without_is_blanked_and_counted(tmp_path, cells, column, value, code):
    got = load_tables(tmp_path, {"sales": sales_of("5,2,0,20", cells)}, covariates=("temp",))
    (issue,) = [one for one in got.issues if one.action == "value taken as blank, row kept"]
    assert (issue.severity, issue.code, issue.line, issue.column, issue.value) == ("warning", code, 3, column, value)
    count = got.rows["sales"]
    assert (count.read, count.kept, count.quarantined, count.blanked) == (8, 8, 0, 1)
    assert got.panel.sales[0].tolist() == [5] * 8
    assert got.panel.observed[0].all()
    known = {"price": got.panel.known.price, "promotion": got.panel.known.promotion, **got.panel.known.covariates}
    blank = {name: np.isnan(values[0, :8]).tolist() for name, values in known.items()}
    assert blank.pop(column) == [False, True] + [False] * 6
    assert not any(any(of) for of in blank.values())


def test_a_column_that_is_wrong_throughout_stops_the_run(tmp_path):
    with pytest.raises(RefusedInput, match="8 of 8 rows are refused or lose a value") as told:
        load_tables(tmp_path, {"sales": sales_of(*["5,2,0,n/a"] * 8)}, covariates=("temp",))
    assert told.value.code == "SC-D010"
    assert told.value.rows["sales"].blanked == 8


def test_refused_rows_and_blanked_ones_count_to_one_limit(tmp_path):
    sales = sales_of("5,2,0,20", "5,2,0,n/a", "5,x,0,n/a", "many,2,0,20")
    with pytest.raises(RefusedInput, match="3 of 8 rows"):
        load_tables(tmp_path, {"sales": sales}, covariates=("temp",), max_bad_rows=0.3)
    assert load_tables(tmp_path, {"sales": sales}, covariates=("temp",), max_bad_rows=0.4).rows["sales"].blanked == 2


@pytest.mark.parametrize("cell", ["", " "])
def test_a_covariate_without_a_single_value_is_told(tmp_path, cell):
    got = load_tables(tmp_path, {"sales": sales_of(*[f"5,2,0,{cell}"] * 8)}, covariates=("temp", "price"))
    told = [(i.severity, i.source, i.column, i.message) for i in got.issues if i.code == "SC-D093"]
    assert told == [("warning", "sales", "temp", "sales.csv: covariate temp has no values")]
    some = load_tables(tmp_path, {"sales": sales_of(*[f"5,2,0,{cell}"] * 7)}, covariates=("temp",))
    assert "SC-D093" not in {i.code for i in some.issues}


def test_a_price_below_zero_is_no_blank_price(tmp_path):
    got = load_tables(tmp_path, {"sales": sales_of("5,2,0,20", "1,-900,0,20")})
    assert (got.rows["sales"].quarantined, got.rows["sales"].blanked) == (1, 0)
    assert got.panel.observed[0].tolist() == [True, False] + [True] * 6


@pytest.mark.parametrize("cells", ["many,1", ",1", "inf,1", "5,7"])  # the last: in stock for seven times the day
def test_a_period_whose_row_is_quarantined_is_not_known(tmp_path, cells):
    sales = sales_of("5,1", cells, *["5,1"] * 6, columns="quantity,in_stock")
    got = load_tables(tmp_path, {"sales": sales})
    assert got.panel.observed[0].tolist() == [True, False] + [True] * 6
    assert "1 periods of which every row was quarantined are not known, and are no zero sales" in got.notes
    assert not any("count as zero sales" in note for note in got.notes)


def test_a_period_of_which_other_rows_stand_counts_them_and_is_told(tmp_path):
    sales = sales_of(*["5"] * 8, columns="quantity") + f"{DAYS[2]},A,many\n"
    got = load_tables(tmp_path, {"sales": sales})
    assert got.panel.sales[0].tolist() == [5] * 8
    assert got.panel.observed[0].all()
    assert "1 periods of which some rows were quarantined count what their other rows say" in got.notes


def test_a_row_whose_key_is_bad_makes_no_period_unknown(tmp_path):
    sales = sales_of(*["5"] * 8, columns="quantity").replace(f"{DAYS[3]},A", f"{DAYS[3]},").replace(DAYS[5], "soon")
    got = load_tables(tmp_path, {"sales": sales})
    assert got.panel.observed[0].all()
    assert got.panel.sales[0].tolist() == [5, 5, 5, 0, 5, 0, 5, 5]
    assert "2 periods without a record, after a series' first, count as zero sales" in got.notes
