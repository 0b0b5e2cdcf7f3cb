"""What is kept and told, what is held, and what never becomes another value."""

import datetime as dt
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_project import ITEMS, SALES, STOCK, codes, day, load_tables, spec_of

from stockcast.core.errors import DataError, ResourceError, UsageError
from stockcast.ingest import RefusedInput, check, read
from stockcast.ingest.convert import day_in_zone, to_dates, to_numbers
from stockcast.ingest.doubts import price_jumps
from stockcast.ingest.raw import RawColumn
from stockcast.ingest.schema import TABLES
from stockcast.panel import outliers

VALID = {"id": "A", "text": "", "date": "2026-11-18", "number": "0.5", "flag": "1"}
ALONE = {"sales": SALES, "items": ITEMS, "inventory": STOCK}


def row_of(table, changed=None, value="", **keys):
    """One row of a table, with a value of each column's kind."""
    cells = {name: VALID[column.kind] for name, column in TABLES[table].columns.items()}
    keys = {"to_location": "B", **keys} if "to_location" in cells else keys  # a lane leads elsewhere
    return ",".join({**cells, **keys, **({changed: value} if changed else {})}.values())


def load_rows(folder, table, *rows):
    """Read and check sources, one of them made of these rows."""
    text = "\n".join([",".join(TABLES[table].columns), *rows]) + "\n"
    return check(read(spec_of(folder, {**ALONE, table: text}, max_bad_rows=0.9)))


COLUMNS = [(table, name, column) for table, schema in TABLES.items() for name, column in schema.columns.items()]


@pytest.mark.parametrize(
    ("table", "column"), [(t, n) for t, n, c in COLUMNS if c.kind in ("number", "flag")], ids=lambda word: word
)
def test_a_number_that_is_not_finite_or_none_is_refused_or_blanked_in_every_table(tmp_path, table, column):
    written = {"NaN": "SC-D015", "-inf": "SC-D015", "1e400": "SC-D015", "x": "SC-D014", "1 204": "SC-D014"}
    spare = column in ("price", "promotion", "returned") and table in ("sales", "known_future")
    days = [{"date": f"2026-11-{at}"} if "date" in TABLES[table].columns else {} for at in (13, 14, 15, 16, 17)]
    rows = [row_of(table, column, value, **date) for value, date in zip(written, days, strict=True)]
    got = load_rows(tmp_path, table, row_of(table), *rows)
    told = {i.value: (i.code, i.column, i.line) for i in got.findings.issues if i.code in written.values()}
    assert told == {value: (code, column, 3 + at) for at, (value, code) in enumerate(written.items())}
    count = got.tables[table].count
    whole = (count.read, count.kept, count.quarantined, count.blanked)
    assert whole == ((6, 6, 0, 5) if spare else (6, 1, 5, 0))


@pytest.mark.parametrize(
    ("table", "column"), [(t, n) for t, n, c in COLUMNS if c.kind == "id" and c.refuses_blank], ids=lambda word: word
)
def test_a_blank_id_is_refused_in_every_table(tmp_path, table, column):
    got = load_rows(tmp_path, table, row_of(table), *(row_of(table, column, value) for value in ("", " ", "\u00a0")))
    told = [(i.code, i.column, i.line) for i in got.findings.issues if i.severity == "error"]
    assert told == [("SC-D012", column, line) for line in (3, 4, 5)]


@pytest.mark.parametrize("table", [name for name, schema in TABLES.items() if schema.key])
def test_equal_rows_are_merged_and_a_key_with_two_meanings_is_refused(tmp_path, table):
    got = load_rows(tmp_path, table, row_of(table), row_of(table), row_of(table))
    count = got.tables[table].count
    assert (count.read, count.kept, count.merged) == (3, 1, 2)
    free = next((n for n, c in TABLES[table].columns.items() if n not in TABLES[table].key and c.kind != "date"), None)
    if free is None:
        return  # every column is part of the key
    other = {"text": "other", "id": "other", "number": "0.25", "flag": "0"}[TABLES[table].columns[free].kind]
    with pytest.raises(RefusedInput, match="1 key stands on rows that differ") as told:
        load_rows(tmp_path, table, row_of(table), row_of(table, free, other))
    assert told.value.code == "SC-D021"
    assert "lines 2, 3" in told.value.details[0]


@pytest.mark.parametrize("table", ["sales", "overrides"])
def test_equal_rows_without_a_key_are_kept_and_flagged(tmp_path, table):
    got = load_rows(tmp_path, table, row_of(table), row_of(table))
    assert got.tables[table].count.kept == 2
    assert [(i.code, i.line) for i in got.findings.issues if i.code == "SC-D020"] == [("SC-D020", 3)]


@given(
    st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2100, 1, 1)),
    st.sampled_from(["Europe/Paris", "America/New_York", "Africa/Cairo", "Pacific/Apia", "Australia/Lord_Howe", "UTC"]),
)
def test_the_day_of_an_instant_is_that_of_its_zone_and_a_time_of_day_moves_at_most_past_a_gap(moment, name):
    zone = ZoneInfo(name)
    at_offset = moment.replace(tzinfo=dt.UTC)
    assert day_in_zone(at_offset, zone) == (at_offset.astimezone(zone).date(), False)
    got, skipped = day_in_zone(moment, zone)
    assert got == moment.date() or (skipped and got - moment.date() == dt.timedelta(1))


@pytest.mark.parametrize(
    ("written", "zone", "wanted", "skipped"),
    [("2026-03-29 02:30", "Europe/Paris", "2026-03-29", 1), ("2026-10-25 02:30", "Europe/Paris", "2026-10-25", 0),
     ("2026-04-24 00:30", "Africa/Cairo", "2026-04-24", 1), ("2011-12-30 09:00", "Pacific/Apia", "2011-12-31", 1),
     ("2026-03-29T01:30Z", "Europe/Paris", "2026-03-29", 0), ("2026-03-29", "Europe/Paris", "2026-03-29", 0)],
)  # fmt: skip
def test_an_hour_that_the_clocks_skip_is_counted(written, zone, wanted, skipped):
    got = to_dates(RawColumn(np.array([0]), [written]), zone=ZoneInfo(zone))
    assert (got.values.astype(str).tolist(), got.skipped_hour, got.offset) == ([wanted], skipped, 0)


@pytest.mark.parametrize("value", [dt.datetime.max.replace(tzinfo=dt.UTC), dt.datetime.min.replace(tzinfo=dt.UTC)])
def test_a_moment_at_the_end_of_time_is_refused(value):
    for zone in ("Pacific/Apia", "America/New_York"):
        assert len(to_dates(RawColumn(np.array([0]), [value]), zone=ZoneInfo(zone)).faulty_rows()) == 1


def test_the_day_of_a_parquet_timestamp_is_not_that_of_the_machine(tmp_path, monkeypatch):
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT TIMESTAMPTZ '2026-11-18 23:30:00+00' AS date, 'A' AS sku, 2 AS quantity) "
            f"TO '{tmp_path / 'made'}' (FORMAT parquet)"
        )
    tables = {"sales": None, "sales.parquet": (tmp_path / "made").read_bytes()}
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    got = load_tables(tmp_path, tables)
    assert got.panel.origin == day("2026-11-18")
    assert "SC-D077" in codes(got)
    zoned = load_tables(tmp_path, tables, sources={"sales": {"timezone": "Europe/Paris"}})
    assert zoned.panel.origin == day("2026-11-19")
    assert "SC-D077" not in codes(zoned)


def test_a_parquet_date_beyond_the_calendar_refuses_its_row(tmp_path):
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT DATE '5874897-12-31' AS date, 'A' AS sku, 2 AS quantity UNION ALL "
            f"SELECT DATE '2026-11-18', 'A', 3) TO '{tmp_path / 'made'}' (FORMAT parquet)"
        )
    got = load_tables(tmp_path, {"sales": None, "sales.parquet": (tmp_path / "made").read_bytes()})
    assert [(i.code, i.column) for i in got.issues if i.severity == "error"] == [("SC-D017", "date")]
    assert got.panel.sales[0].tolist() == [3]


@given(st.floats(-1e15, 1e15), st.sampled_from([",", ".", " ", "'", "\u202f", "_"]))
def test_a_number_with_thousands_marks_is_refused_or_doubted(value, mark):
    written = f"{value:,.0f}".replace(",", mark)
    got = to_numbers(RawColumn(np.array([0]), [written]))
    plain = f"{value:.0f}"
    if written != plain:
        assert len(got.faulty_rows()) == 1 or got.grouped == written
    else:
        assert got.values.tolist() == [float(plain)]


@pytest.mark.parametrize(
    ("written", "doubted"), [(["1.204", "12"], "1.204"), (["1.204", "1.5"], ""), (["0.204"], ""), (["3"], "")]
)
def test_points_that_may_stand_between_thousands(written, doubted):
    assert to_numbers(RawColumn(np.arange(len(written)), written)).grouped == doubted


def naive_outliers(values):
    sold = sorted(value for value in values if value > 0)
    if len(sold) < 8:
        return []
    median, high = np.median(sold), sold[(9 * (len(sold) - 1)) // 10]
    return [at for at, value in enumerate(values) if value > 50 * median and value > 10 * high]


@given(st.lists(st.one_of(st.integers(0, 5), st.sampled_from([300, 20_000, 10**6])), min_size=1, max_size=40))
def test_outliers_are_those_of_the_rule(values):
    units = np.array(values, dtype=float)
    got, median = outliers(np.zeros(len(units), dtype=np.int64), units)
    assert got.tolist() == naive_outliers(values)
    if len(got):
        assert median.tolist() == [float(np.median(units[units > 0]))] * len(got)


def test_outliers_of_one_series_are_not_measured_by_another():
    series = np.repeat(np.array([0, 1], dtype=np.int64), 10)
    assert outliers(series, np.repeat([1.0, 1000.0], 10))[0].tolist() == []
    assert price_jumps(series, np.repeat([1.0, 1000.0], 10)).tolist() == []
    price = np.where(np.arange(20) == 13, 2.0, np.repeat([1.0, 100.0], 10))
    assert price_jumps(series, price).tolist() == [13]


def test_an_outlier_is_kept_and_named_with_the_largest_of_its_rows(tmp_path):
    rows = "".join(f"{day('2026-10-01') + n},A,{1 + n % 3}\n" for n in range(40))
    got = load_tables(tmp_path, {"sales": "date,sku,quantity\n2026-11-09,A,5\n2026-11-09,A,20000\n" + rows})
    assert [(i.code, i.line, i.value, i.severity) for i in got.issues if i.code == "SC-D082"] == [
        ("SC-D082", 3, "20006", "warning")
    ]
    assert got.panel.sales.max() > 20000
    (message,) = [i.message for i in got.issues if i.code == "SC-D082"]
    assert message[:90].endswith("line 3, column quantity: sold 20006, usual 2: an outlier of A@main of 2026-11-09")


@pytest.mark.parametrize(
    ("reason", "calendar"),
    [("1", None), ("0", "date,event\n2026-11-09,Fair\n"), ("0", "date,location,event\n2026-11-09,main,Fair\n")],
)
def test_outliers_under_promotions_and_events_are_counted_and_not_doubted(tmp_path, reason, calendar):
    rows = "".join(f"{day('2026-10-01') + n},A,{1 + n % 3},0\n" for n in range(40) if n != 39)
    sales = f"date,sku,quantity,promotion\n2026-11-09,A,20000,{reason}\n2026-10-20,A,700,0\n" + rows
    got = load_tables(tmp_path, {"sales": sales, "calendar": calendar})
    told = [(i.severity, i.line, i.count) for i in got.issues if i.code == "SC-D082"]
    assert told == [("info", None, 1), ("warning", 3, 1)]
    message = next(i.message for i in got.issues if i.code == "SC-D082")
    assert "2 periods are far above the usual of their series, 1 of them under promotions or events" in message


def test_a_closed_place_is_not_missing(tmp_path):
    skip = {("X", ago) for ago in range(3)}
    stock = "sku,location,on_hand\nA,X,5\nA,Y,5\nA,Z,5\n"
    shut = "date,location,open\n" + "".join(f"{day('2026-11-18') - ago},X,0\n" for ago in range(3))
    for calendar, held in ((None, True), (shut, False), (shut.replace(",X,", ",Y,"), True)):
        got = load_tables(tmp_path, {"sales": daily("XYZ", skip=skip), "inventory": stock, "calendar": calendar})
        assert got.held.any() == held


@pytest.mark.parametrize(("closed", "few"), [(70, False), (22, True)])
def test_rows_of_closed_places_are_not_few(tmp_path, closed, few):
    places = [f"L{at:03d}" for at in range(100)]
    sales = daily(places, days=70, skip={(place, 0) for place in places[:70]})
    shut = "date,location,open\n" + "".join(f"2026-11-28,{place},0\n" for place in places[:closed])
    got = load_tables(tmp_path, {"sales": sales, "inventory": None, "calendar": shut})
    assert ("SC-D081" in codes(got)) == few


def test_parts_are_told_of_items_that_must_be_whole_only(tmp_path):
    items = "sku,unit_cost,price,must_be_whole\nA,2,5,TRUE\nB,4,9,0\n"
    stock = "sku,on_hand\nA,1.5\nB,2.5\n"
    got = load_tables(tmp_path, {"items": items, "inventory": stock, "sales": SALES + "2026-11-18,B,0.5\n"})
    assert [(i.source, i.line, i.column) for i in got.issues if i.code == "SC-D084"] == [("inventory", 2, "on_hand")]
    assert got.state.on_hand.tolist() == [1.5, 2.5]


def daily(places, days=60, skip=()):
    """Sales of one item at each place on every day, but for the (place, days before the newest) to skip."""
    return "date,sku,location,quantity\n" + "".join(
        f"{day('2026-09-20') + n},A,{place},1\n" for n in range(days) for place in places if (place, days - 1 - n) not in skip
    )  # fmt: skip


def places_held(folder, places, **made):
    stock = "sku,location,on_hand\n" + "".join(f"A,{place},5\n" for place in places)
    got = load_tables(folder, {"sales": daily(places, **made), "inventory": stock})
    assert (got.terms.orderable == ~got.held).all()
    alerts = [alert.location for alert in got.alerts if alert.code == "SC-D080"]
    assert alerts == sorted(set(got.panel.series.location[got.held].tolist()))
    return alerts


def test_the_lines_of_a_location_that_is_missing_are_held(tmp_path):
    assert places_held(tmp_path, "XYZ") == []
    assert places_held(tmp_path, "XYZ", skip={("Y", 0)}) == ["Y"]
    assert places_held(tmp_path, "XYZ", skip={("Y", 0), ("Y", 1), ("Y", 20)}) == ["Y"], "one day off before"


def test_a_location_that_sells_on_some_days_only_is_not_missing(tmp_path):
    assert places_held(tmp_path, "XYZ", skip={("Y", n) for n in (0, 9, 20, 31)}) == []
    sundays = {("Y", n) for n in range(0, 60, 7)}
    assert places_held(tmp_path, "XYZ", skip=sundays) == [], "closed on that weekday"
    assert places_held(tmp_path, "XYZ", skip={(p, 0) for p in "XYZ"}) == [], "nobody sold"
    assert places_held(tmp_path, "XYZ", skip={("Y", n) for n in range(29)}) == [], "closed for four weeks"
    assert places_held(tmp_path, "XYZ", days=15, skip={("Y", 0)}) == [], "too short a past"


def test_most_locations_missing_is_refused(tmp_path):
    with pytest.raises(RefusedInput, match="2 of 3 locations lack the newest days: Y, Z") as told:
        places_held(tmp_path, "XYZ", skip={("Y", 0), ("Z", 0)})
    assert told.value.code == "SC-D080"


@pytest.mark.parametrize(("last", "told"), [(7, True), (8, False), (20, False)])
def test_few_rows_on_the_newest_day_are_told_with_numbers(tmp_path, last, told):
    rows = [f"{day('2026-10-01') + n},A{k},1\n" for n in range(36) for k in range(20 if n < 35 else last)]
    got = load_tables(tmp_path, {"sales": "date,sku,quantity\n" + "".join(rows)})
    found = [i.message for i in got.issues if i.code == "SC-D081"]
    assert bool(found) == told
    assert not found or "7 rows on 2026-11-05, -65% against the same weekday (20, the median of 5 weeks)" in found[0]


def test_a_panel_larger_than_half_the_memory_is_refused_before_it_is_made(tmp_path, monkeypatch):
    from stockcast.ingest import memory

    sales = "date,sku,quantity\n1995-01-01,A,1\n" + "".join(f"{day('2026-11-01') + n},B,1\n" for n in range(10))
    monkeypatch.setattr(memory, "memory_bytes", lambda: 2_000_000)
    with pytest.raises(ResourceError, match=r"2 series of \d+ periods need about") as told:
        load_tables(tmp_path, {"sales": sales})
    assert told.value.code == "SC-D075"
    assert "1995-01-01 (1 rows)" in told.value.details[0]
    monkeypatch.setattr(memory, "memory_bytes", lambda: 4_000_000)
    assert load_tables(tmp_path, {"sales": sales}).panel.sales.shape[0] == 2


def test_the_memory_of_this_machine_is_known_or_none():
    from stockcast.ingest.memory import memory_bytes

    assert memory_bytes() is None or memory_bytes() > 1 << 20


def test_rows_weeks_ahead_of_all_others_move_no_as_of_where_they_are_few(tmp_path):
    rows = "".join(f"{day('2026-09-01') + n},A{k},1\n" for n in range(40) for k in range(12))
    got = load_tables(tmp_path, {"sales": "date,sku,quantity\n" + rows + "2026-12-24,A1,1\n"})
    assert got.panel.origin == day("2026-10-10")
    assert [(i.code, i.line) for i in got.issues if i.severity == "error"] == [("SC-D028", 482)]
    reopened = "".join(f"2026-12-24,A{k},1\n" for k in range(8))
    got = load_tables(tmp_path, {"sales": "date,sku,quantity\n" + rows + reopened})
    assert got.panel.origin == day("2026-12-24")
    assert "SC-D087" in codes(got)
    told = next(issue.message for issue in got.issues if issue.code == "SC-D087")
    assert "8 rows from 2026-12-24 on, and none in the 74 days before" in told


def test_dates_at_the_end_of_a_known_rhythm_are_not_doubted(tmp_path):
    assert not {"SC-D028", "SC-D087"} & codes(load_tables(tmp_path))


def test_costs_of_zero_and_none_are_named(tmp_path):
    items = "sku,unit_cost,price\nA,0,0\nB,,9\n"
    got = load_tables(tmp_path, {"items": items}, objective="fill_rate", target=0.9)
    told = [i.message for i in got.issues if i.code == "SC-D086"]
    assert told == ["unit_cost is not known for 1 series: B@main", "unit_cost is 0 for 1 series: A@main"]
    assert "SC-D045" in codes(got)


def test_an_order_without_a_date_is_placed_by_its_lead_time_and_told(tmp_path):
    orders = "order_id,sku,quantity,expected_date,order_date\n5,B,3,,2026-11-18\n6,B,4,,2026-10-01\n"
    got = load_tables(tmp_path, {"open_orders": orders})
    assert got.state.pipeline[1, :3].tolist() == [4, 0, 3]
    told = {(a.code, a.severity, a.message.split()[2]) for a in got.alerts if a.code in ("SC-D085", "SC-D064")}
    assert told == {("SC-D085", "info", "5"), ("SC-D085", "info", "6"), ("SC-D064", "warning", "6")}
    assert any("2026-11-21" in a.suggested_action for a in got.alerts if a.code == "SC-D085")


def test_without_an_item_master_it_is_said_once(tmp_path):
    got = load_tables(tmp_path, {"items": None, "inventory": "sku,on_hand\nA,1\n"})
    assert [(a.code, a.sku) for a in got.alerts] == [("SC-D065", ""), ("SC-D066", "B")]
    got = load_tables(tmp_path, {"items": None, "inventory": None})
    assert [(a.code, a.sku) for a in got.alerts] == [("SC-D065", ""), ("SC-D066", "")]


def test_storage_of_a_place_that_is_not_planned_is_told(tmp_path):
    got = load_tables(tmp_path, storage={"elsewhere": 4.0})
    assert [(i.source, i.column) for i in got.issues if i.code == "SC-D112"] == [("", None)]


def test_a_columns_map_is_held_to_the_table(tmp_path):
    with pytest.raises(
        UsageError, match=r"sources.sales.columns: 'quantty' is no column of sales, did you mean quantity"
    ):
        load_tables(tmp_path, sources={"sales": {"columns": {"quantty": "quantity"}}})


def test_an_attribute_that_is_nearly_a_column_is_told(tmp_path):
    got = load_tables(tmp_path, {"items": "sku,unit_cost,price,Lead Time Days,brand\nA,2,5,9,x\nB,4,9,9,y\n"})
    assert [i.column for i in got.issues if i.code == "SC-D079"] == ["Lead Time Days"]


def workbook(path, rows, change=lambda book: None):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    change(book)
    book.save(path)
    return {"sales": None, "sales.xlsx": path.read_bytes()}


ROWS = [["date", "sku", "quantity"], [dt.date(2026, 11, 17), "A", 4], [dt.date(2026, 11, 18), "A", "7"]]


def test_a_workbook_of_the_1904_date_system(tmp_path):
    def change(book):
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        for row, date in ((2, dt.date(2026, 11, 17)), (3, dt.date(2026, 11, 18))):
            book.active.cell(row, 1).value = date

    got = load_tables(tmp_path, workbook(tmp_path / "made.xlsx", ROWS, change))
    assert got.panel.origin == day("2026-11-18")
    assert got.panel.sales[0].tolist() == [4, 7], "a number that is stored as text is a number"


def test_a_hidden_sheet_is_not_the_first(tmp_path):
    def change(book):
        book.create_sheet("old", 0).append(["date", "sku", "quantity"])
        book["old"].append([dt.date(2026, 11, 18), "A", 999])
        book["old"].sheet_state = "hidden"

    assert load_tables(tmp_path, workbook(tmp_path / "made.xlsx", ROWS, change)).panel.sales[0].tolist() == [4, 7]


def test_a_formula_without_a_value_and_a_merged_cell_name_their_cells(tmp_path):
    def change(book):
        book.active.append([dt.date(2026, 11, 18), "A", "=1+1"])
        book.active.append([dt.date(2026, 11, 18), "B", 5])
        book.active.append([dt.date(2026, 11, 18), None, 6])
        book.active.merge_cells("B5:B6")

    got = load_tables(tmp_path, workbook(tmp_path / "made.xlsx", ROWS, change))
    assert {(i.code, i.cell) for i in got.issues if i.severity == "error"} == {("SC-D012", "C4"), ("SC-D012", "B6")}


def test_a_header_that_names_a_column_twice_is_refused(tmp_path):
    with pytest.raises(DataError, match="line 1: two columns are named 'sku'"):
        load_tables(
            tmp_path,
            workbook(tmp_path / "made.xlsx", [["date", "sku", "quantity", "sku"], ["2026-11-18", "A", 1, "B"]]),
        )
