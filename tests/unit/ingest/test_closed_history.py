"""Closed days in the history: no evidence of zero demand, counted; sales on them are kept and doubted."""

import numpy as np
from ingest_project import codes, day, load_tables

START = day("2026-11-02")  # a Monday


def sales(days, places="X", skip=()):
    rows = "".join(
        f"{START + n},A,{place},{n + 1}\n" for n in range(days) for place in places if (place, n) not in skip
    )
    return "date,sku,location,quantity\n" + rows


def load(folder, text, calendar, **options):
    return load_tables(folder, {"sales": text, "inventory": None, "calendar": calendar}, **options)


def test_a_closed_day_without_sales_is_no_part_of_the_record_and_no_gap(tmp_path):
    text = sales(9, "XY", skip={("X", 6), ("X", 4), ("Y", 6)})
    got = load(tmp_path, text, "date,location,open\n2026-11-08,X,0\n")
    assert got.panel.observed[0].tolist() == [True] * 6 + [False] + [True] * 2
    assert got.panel.observed[1].all()  # open: a zero sale
    assert got.panel.in_stock.min() == 1.0  # nothing was out of stock
    assert got.panel.closed.tolist()[0] == [False] * 6 + [True] + [False] * 2
    assert "1 periods without sales, at 1 closed places, tell nothing of demand" in got.notes
    assert "2 periods without a record, after a series' first, count as zero sales" in got.notes


def test_a_recorded_zero_on_a_closed_day_says_nothing_either(tmp_path):
    got = load(tmp_path, sales(5) + "2026-11-07,A,X,0\n2026-11-08,A,X,3\n", "date,open\n2026-11-07,0\n")
    assert got.panel.observed[0].tolist() == [True] * 5 + [False, True]


def test_sales_on_a_closed_day_are_kept_and_doubted(tmp_path):
    got = load(tmp_path, sales(9), "date,open\n2026-11-08,0\n2026-11-09,0\n")
    assert got.panel.observed.all()
    assert not got.panel.closed.any()
    told = [(i.severity, i.count, i.message) for i in got.issues if i.code == "SC-D090"]
    assert [(severity, count) for severity, count, _ in told] == [("warning", 2)]
    assert "the first, A@X of 2026-11-08, sold 7" in told[0][2]


def test_a_week_is_closed_only_if_all_of_its_days_are(tmp_path):
    text = "date,sku,location,quantity\n" + "".join(f"{START + 7 * n},A,X,5\n" for n in (0, 3))
    six = "date,open\n" + "".join(f"{START + 7 + n},0\n" for n in range(6))
    seven = six + f"{START + 13},0\n"
    options = {"step": "week", "as_of": START + 27}
    assert load(tmp_path, text, six, **options).panel.observed.tolist() == [[True, True, True, True]]
    assert load(tmp_path, text, seven, **options).panel.observed.tolist() == [[True, False, True, True]]


def test_unknown_gaps_stay_unknown(tmp_path):
    got = load(
        tmp_path, sales(9, skip={("X", 6), ("X", 4)}), "date,open\n2026-11-08,0\n",
        sources={"sales": {"gaps": "missing"}},
    )  # fmt: skip
    assert got.panel.observed[0].tolist() == [True] * 4 + [False, True, False, True, True]
    assert "1 periods without a record, after a series' first, are not known" in got.notes
    assert "SC-D090" not in codes(got)


def test_a_calendar_that_closes_nothing_changes_nothing(tmp_path):
    text = sales(9, "XY", skip={("X", 6)})
    bare, open_ = (load(tmp_path, text, c).panel for c in (None, "date,event,open\n2026-11-08,Fair,1\n"))
    for name in ("sales", "observed", "in_stock"):
        np.testing.assert_array_equal(getattr(bare, name), getattr(open_, name))
