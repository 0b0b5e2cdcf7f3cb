import csv
import importlib
import io

import duckdb
import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_project import ITEMS, SALES, codes, load_tables

from stockcast.core.errors import DataError, UsageError
from stockcast.ingest import IngestSpec, RefusedInput, SourceSpec, load
from stockcast.ingest.convert import to_dates, to_numbers, to_texts
from stockcast.ingest.raw import RawColumn
from stockcast.ingest.scan import OpenQuoteError, scan

FIELD = st.text(alphabet='ab",\n 1', max_size=5)


@given(st.lists(st.lists(FIELD, min_size=2, max_size=4), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_records_lines_and_fields_are_those_of_the_csv_module(rows, newline):
    out = io.StringIO()
    csv.writer(out, lineterminator=newline).writerows(rows)
    text = out.getvalue()
    found = scan(np.frombuffer(text.encode(), dtype=np.uint8), ord(","))
    assert found.fields.tolist() == [len(row) for row in rows]
    cut = [text.encode()[a:b].decode() for a, b in zip(found.begin, found.end, strict=True)]
    assert [next(csv.reader(io.StringIO(record, newline=""))) for record in cut] == rows
    reader, lines = csv.reader(io.StringIO(text, newline="")), [1]
    for _ in reader:
        lines.append(1 + reader.line_num)
    assert found.line.tolist() == lines[:-1]


def test_a_quote_inside_an_unquoted_field_is_a_letter(tmp_path):
    got = load_tables(
        tmp_path,
        {
            "items": ITEMS
            .replace("price", "price,description")
            .replace("5\n", '5,2" nail\n')
            .replace("9\n", '9,"a ""b"", c"\n')
        },
    )
    assert got.panel.attributes.column("description").tolist() == ['2" nail', 'a "b", c']


@pytest.mark.parametrize("text", [b'a,b\n1,"x\n2,y\n', b'a,b\n1,"x\n2,"y"\n', b'a,b\n1,"x"y\n'])
def test_an_open_quote_is_told_where_it_opened(text):
    with pytest.raises(OpenQuoteError) as told:
        scan(np.frombuffer(text, dtype=np.uint8), ord(","))
    assert told.value.line == 2


@pytest.mark.parametrize(
    "written", ["007", "1E5", "NA", "null", "TRUE", "-", "nan", "2-Mar", "1.0", "'; DROP TABLE x;--"]
)
def test_an_id_stays_as_it_is_written(written):
    assert to_texts(RawColumn(np.array([0]), [written])).values.texts().tolist() == [written]


@pytest.mark.parametrize(
    ("written", "value"), [("12", 12), ("-3.5", -3.5), (".5", 0.5), ("1e3", 1000), (" 7\u00a0", 7), (True, 1), (4, 4)]
)
def test_a_number(written, value):
    assert to_numbers(RawColumn(np.array([0]), [written])).values.tolist() == [value]


@pytest.mark.parametrize("written", ["12,5", "1 000", "0x10", "1_000", "many", "1e400", "inf", "nan", "٣", "--1", "."])
def test_no_number(written):
    assert to_numbers(RawColumn(np.array([0]), [written])).faulty_rows().tolist() == [0]


@pytest.mark.parametrize(
    ("written", "zone", "day"),
    [("2026-03-01", None, "2026-03-01"), ("20260301", None, "2026-03-01"), ("2026/03/01", None, "2026-03-01"),
     ("2026-03-01T23:30:00Z", "Europe/Paris", "2026-03-02"), ("2026-03-01 23:30:00+01:00", "America/New_York", "2026-03-01"),
     ("2026-03-29 02:30:00", "Europe/Paris", "2026-03-29"), ("2010-12-01 08:26:00", None, "2010-12-01")],
)  # fmt: skip
def test_a_date(written, zone, day):
    from zoneinfo import ZoneInfo

    got = to_dates(RawColumn(np.array([0]), [written]), zone=ZoneInfo(zone) if zone else None)
    assert got.values.astype(str).tolist() == [day]


@pytest.mark.parametrize(
    "written", ["2024-0", "2026-02-30", "2026-3-1", "20261301", "0001-01-01", "12 Nov", "2026-11-20x"]
)
def test_no_date(written):
    assert to_dates(RawColumn(np.array([0]), [written])).faulty_rows().tolist() == [0]


def test_every_refused_row_is_on_the_error(tmp_path):
    text = "date,sku,quantity\n" + "2026-11-18,A,1\n" * 10 + "2026-11-18,A,x\n" * 5
    with pytest.raises(RefusedInput, match="5 of 15 rows are refused") as told:
        load_tables(tmp_path, {"sales": text}, max_bad_rows=0.1)
    assert [i.line for i in told.value.issues if i.code == "SC-D014"] == [12, 13, 14, 15, 16]
    assert told.value.rows["sales"].quarantined == 5


def test_a_conflicting_key_names_its_lines(tmp_path):
    with pytest.raises(RefusedInput, match="1 key stands on rows that differ") as told:
        load_tables(tmp_path, {"inventory": "sku,on_hand\nA,1\nB,2\nA,3\n"})
    assert told.value.details == ("sku A, location main: lines 2, 4",)


def parquet_of(path, query):
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def test_parquet_of_typed_columns(tmp_path):
    query = """SELECT DATE '2026-11-18' AS date, 7::SMALLINT AS sku, 2::TINYINT AS quantity
               UNION ALL SELECT DATE '2026-11-17', 8, NULL UNION ALL SELECT DATE '2026-11-17', 8, 3"""
    got = load_tables(
        tmp_path,
        {"sales.parquet": parquet_of(tmp_path / "made", query), "sales": None, "items": None, "inventory": None},
    )
    assert got.panel.series.sku.tolist() == ["7", "8"]
    assert got.panel.sales.tolist() == [[0, 2], [3, 0]]
    assert [(i.code, i.line) for i in got.issues if i.severity == "error"] == [("SC-D012", 2)]


def test_a_duckdb_table_and_a_query_over_it(tmp_path):
    with duckdb.connect(tmp_path / "sales.duckdb") as connection:
        connection.execute("CREATE TABLE till AS SELECT '2026-11-18' AS d, '007' AS sku, 4 AS n")
    content = (tmp_path / "sales.duckdb").read_bytes()
    tables = {"sales.duckdb": content, "sales": None, "items": None, "inventory": None}
    mapped = load_tables(tmp_path, tables, sources={"sales": {"columns": {"date": "d", "quantity": "n"}}})
    for query in ("SELECT d AS date, sku, n AS quantity FROM source", "SELECT d AS date, sku, n AS quantity FROM till"):
        asked = load_tables(tmp_path, tables, sources={"sales": {"query": query}})
        assert asked.panel.sales.tolist() == mapped.panel.sales.tolist() == [[4]]
    assert mapped.panel.series.sku.tolist() == ["007"]


@pytest.mark.parametrize(
    "query",
    ["DROP VIEW source", "SELECT 1; SELECT 2", "SELECT * FROM read_csv('stockcast.yml')", "SELECT nothing FROM source"],
)
def test_a_query_can_only_read_its_file(tmp_path, query):
    with pytest.raises(DataError) as told:
        load_tables(tmp_path, sources={"sales": {"query": query}})
    assert told.value.code == "SC-D044"


def workbook(rows, path):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path.read_bytes()


def test_a_workbook_names_the_cell(tmp_path):
    import datetime as dt

    rows = [
        ["date", "sku", "quantity"],
        [dt.date(2026, 11, 18), "007", 2],
        ["2026-11-18", "A", "x"],
        [None, None, None],
        ["2026-11-17", 12, 3],
    ]
    got = load_tables(
        tmp_path, {"sales.xlsx": workbook(rows, tmp_path / "b.xlsx"), "sales": None, "items": None, "inventory": None}
    )
    assert got.panel.series.sku.tolist() == ["007", "12"]
    assert [(i.cell, i.line, i.value) for i in got.issues if i.severity == "error"] == [("C3", None, "x")]
    assert "SC-D024" in codes(got)


def test_a_star_in_a_name_is_no_pattern(tmp_path):
    content = parquet_of(tmp_path / "made", "SELECT DATE '2026-11-18' AS date, 'A' AS sku, 2 AS quantity")
    (tmp_path / "sales1.parquet").write_bytes(content)
    (tmp_path / "sales*.parquet").write_bytes(content)
    spec = IngestSpec({"sales": SourceSpec("sales", tmp_path / "sales*.parquet", "sales*.parquet")})
    assert load(spec).rows["sales"].read == 1


def test_a_mapped_name_that_no_table_has_is_told(tmp_path):
    with pytest.raises(UsageError, match="'quantty' is no column of sales, did you mean quantity"):
        load_tables(tmp_path, sources={"sales": {"columns": {"quantty": "quantity"}}})


def test_the_hash_is_that_of_the_file(tmp_path):
    import hashlib

    assert load_tables(tmp_path).hashes["sales"] == hashlib.sha256(SALES.encode()).hexdigest()


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path, monkeypatch):
    read = importlib.import_module("stockcast.ingest.read")  # the package has a function of this name

    def while_something_writes(source, table, covariates):
        found = as_ever(source, table, covariates)
        if source.name == "sales":
            source.path.write_text(SALES + "2026-11-18,A,1\n")
        return found

    def while_something_breaks_it(source, table, covariates):
        if source.name == "sales":
            source.path.write_text("half a fi")
            raise IndexError("no such line")
        return as_ever(source, table, covariates)

    as_ever = read._read_table
    for reading in (while_something_writes, while_something_breaks_it):
        monkeypatch.setattr(read, "_read_table", reading)
        with pytest.raises(DataError, match=r"sales\.csv: changed while it was read") as refused:
            load_tables(tmp_path)
        assert refused.value.code == "SC-D006"
