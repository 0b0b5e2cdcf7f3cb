"""CSV and Parquet: what a program reads back is what was meant, and the same bytes every time."""

import csv
import io
from decimal import Decimal

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.core.errors import InvariantError, ResourceError
from stockcast.report import files
from stockcast.report.disk import replace_file, write_file
from stockcast.report.files import round_significant, to_arrow, to_csv, write_table

AWKWARD = [
    "007",
    "1E5",
    "NA",
    "null",
    "TRUE",
    "=cmd|'/C calc'!A0",
    "@SUM",
    "a,b",
    'say "x"',
    "two\nlines",
    "Ünï 😀",
    "",
]


def text(table) -> str:
    return b"".join(to_csv(to_arrow(table))).decode()


def test_ids_come_back_exactly(tmp_path):
    table = {"sku": np.array(AWKWARD), "n": np.arange(len(AWKWARD))}
    rows = list(csv.reader(io.StringIO(text(table), newline="")))
    assert rows[0] == ["sku", "n"]
    assert [row[0] for row in rows[1:]] == AWKWARD
    write_table(tmp_path, "t", table)
    assert pq.read_table(tmp_path / "t.parquet").column("sku").to_pylist() == AWKWARD


def test_kinds_of_values():
    table = {
        "day": np.array(["2026-11-22", "NaT"], dtype="datetime64[D]"),
        "x": np.array([0.1 + 0.2, np.nan]),
        "y": np.array([1e6 / 3, -0.0]),
        "whole": np.array([12345678.0, np.inf]),
        "n": np.array([3, 10**9]),
        "yes": np.array([True, False]),
    }
    assert text(table) == "day,x,y,whole,n,yes\n2026-11-22,0.3,333333,12345678,3,true\n,,0,,1000000000,false\n"


def test_an_empty_table_has_its_header(tmp_path):
    table = {"sku": np.zeros(0, dtype="<U1"), "value": np.zeros(0)}
    assert text(table) == "sku,value\n"
    write_table(tmp_path, "t", table)
    assert pq.read_table(tmp_path / "t.parquet").column_names == ["sku", "value"]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False), max_size=30))
def test_six_significant_digits_as_python_rounds_them(values):
    got = round_significant(np.array(values, dtype=np.float64))
    for value, rounded in zip(values, got.tolist(), strict=True):
        if value == round(value):
            assert rounded == value
            continue
        near = Decimal(repr(rounded))
        assert len(near.normalize().as_tuple().digits) <= 6
        half_a_digit = Decimal(10) ** (Decimal(value).adjusted() - 5) / 2
        assert abs(Decimal(value) - near) <= half_a_digit * (1 + Decimal("1e-9"))


def test_rounding_keeps_order():
    rng = np.random.default_rng(3)
    values = np.sort(rng.lognormal(0, 6, 20_000))
    assert (np.diff(round_significant(values)) >= 0).all()


def test_same_bytes_in_any_number_of_pieces_and_duckdb_agrees(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    table = {
        "sku": np.array([f"{n:05d}" for n in range(1000)]),
        "x": rng.gamma(1, 5, 1000),
        "k": rng.integers(0, 9, 1000),
    }
    whole = text(table)
    monkeypatch.setattr(files, "ROWS_AT_ONCE", 7)
    assert text(table) == whole
    for name in ("one", "two"):
        write_table(tmp_path, name, table)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    read = f"SELECT * FROM read_csv('{tmp_path}/one.csv', all_varchar=false, types={{'sku': 'VARCHAR'}})"
    differ = f"({read} EXCEPT SELECT * FROM '{tmp_path}/two.parquet')"
    assert duckdb.sql(f"SELECT count(*) FROM {differ}").fetchall() == [(0,)]


def test_unequal_columns_are_a_bug():
    with pytest.raises(InvariantError):
        to_arrow({"a": np.zeros(2), "b": np.zeros(3)})


def test_a_failed_replacement_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "latest.json"
    replace_file(path, b"old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ResourceError, match="No space left") as caught:
        replace_file(path, b"new")
    assert caught.value.code == "SC-E001"
    assert [p.name for p in tmp_path.iterdir()] == ["latest.json"]
    assert path.read_bytes() == b"old"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ResourceError, match="gone") as caught:
        write_file(tmp_path / "gone" / "x", b"")
    assert caught.value.exit_code == 6
