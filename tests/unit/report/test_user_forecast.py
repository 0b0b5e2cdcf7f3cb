"""A forecast that the user brings: read exactly, or refused with the place."""

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import DataError
from stockcast.core.random import Stream
from stockcast.report.user_forecast import read_user_forecast

SERIES = SeriesAxis(np.array(["007", "b"]), np.array(["main", "main"]))
TIME = TimeAxis(np.datetime64("2026-11-22"), 3, "day")
NEED = np.array([3, 2])
STREAM = Stream(7, "user")
QUANTILES = """sku,location,date,mean,q0.1,q0.5,q0.9
007,main,2026-11-22,2,1,2,4
007,main,2026-11-23,2,1,2,4
007,main,2026-11-24,2,1,2,4
b,main,2026-11-22,0,0,0,0
b,main,2026-11-23,5,5,5,5
other,main,2026-11-23,5,5,5,5
007,main,2027-01-01,9,9,9,9
"""


def read(path, text, need=NEED):
    path.write_text(text)
    return read_user_forecast(path, SERIES, TIME, need, STREAM, n_paths=400)


def test_quantiles_become_paths_with_the_law_that_fallback_states(tmp_path):
    demand, model, fallback = read(tmp_path / "f.csv", QUANTILES)
    assert model.tolist() == ["user", "user"]
    assert fallback.tolist() == [
        "user quantiles: Gaussian copula, correlation 0.2, flat tails",
        "user quantiles: Gaussian copula, correlation 0.2, flat tails; "
        "user forecast has no 2026-11-24: last period repeated",
    ]
    paths = demand.paths()
    assert (paths[0].min(), paths[0].max()) == (1.0, 4.0)
    assert abs(np.quantile(paths[0], 0.5) - 2.0) < 0.1
    assert (paths[1] == [0.0, 5.0, 5.0]).all()
    together = np.corrcoef(paths[0].T)[0, 1]
    assert 0.05 < together < 0.35


def test_parquet_and_csv_and_any_order_of_rows_give_the_same(tmp_path):
    lines = QUANTILES.splitlines()
    one = read(tmp_path / "f.csv", QUANTILES)[0].paths()
    assert (read(tmp_path / "g.csv", "\n".join([lines[0], *lines[:0:-1]]) + "\n")[0].paths() == one).all()
    as_text = pyarrow.csv.ConvertOptions(column_types={"sku": "string"})
    pq.write_table(pyarrow.csv.read_csv(tmp_path / "f.csv", convert_options=as_text), tmp_path / "f.parquet")
    again = read_user_forecast(tmp_path / "f.parquet", SERIES, TIME, NEED, STREAM, n_paths=400)[0].paths()
    assert (again == one).all()


def test_samples_are_joint_paths_as_given(tmp_path):
    rows = ["sku,date,sample,value"]
    values = {("007", p, t): 10 * p + t for p in range(3) for t in range(3)}
    values |= {("b", p, t): p for p in range(3) for t in range(2)}
    rows += [f"{s},2026-11-{22 + t},{p},{v}" for (s, p, t), v in reversed(values.items())]
    demand, _, fallback = read(tmp_path / "f.csv", "\n".join(rows) + "\n")
    assert demand.n_paths == 3
    assert demand.paths()[0].tolist() == [[0.0, 1.0, 2.0], [10.0, 11.0, 12.0], [20.0, 21.0, 22.0]]
    assert demand.paths()[1].tolist() == [[0.0] * 3, [1.0] * 3, [2.0] * 3]
    assert fallback.tolist() == ["", "user forecast has no 2026-11-24: last period repeated"]


def test_what_is_missing_up_to_the_end_of_the_interval_is_named(tmp_path):
    with pytest.raises(DataError, match="1 periods are missing") as caught:
        read(tmp_path / "f.csv", QUANTILES, np.array([3, 3]))
    assert caught.value.exit_code == 3
    assert caught.value.details == ("first: b at main, 2026-11-24",)


def test_a_series_that_needs_none_may_have_none(tmp_path):
    text = "".join(line + "\n" for line in QUANTILES.splitlines() if line[:2] != "b,")
    demand, _, fallback = read(tmp_path / "f.csv", text, np.array([3, 0]))
    assert (demand.paths()[1] == 0).all()
    assert "zero where none is given" in fallback[1]


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("2,1,2,4", "2,1,x,4", "SC-D072", "row 1, column q0.5"),
        ("2,1,2,4", "2,-1,2,4", "SC-D072", "row 1, column q0.1"),
        ("2,1,2,4", "2,1,nan,4", "SC-D072", "column q0.5"),
        ("2,1,2,4", "2,1,,4", "SC-D072", "column q0.5"),
        ("2,1,2,4", "2,3,2,4", "SC-D072", "row 1: the quantiles decrease"),
        ("2026-11-24", "24.11.2026", "SC-D072", "row 3, column date"),
        ("2026-11-24", "2026-11-31", "SC-D072", "row 3, column date"),
        ("2026-11-24", "2026-11-23", "SC-D073", "1 rows repeat"),
        ("sku,", "SKU_ID,", "SC-D071", "no column sku"),
        ("q0.1,q0.5,q0.9", "a,b,c", "SC-D071", "neither sample and value"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(tmp_path, old, new, code, said):
    with pytest.raises(DataError) as caught:
        read(tmp_path / "f.csv", QUANTILES.replace(old, new, 1))
    assert caught.value.code == code
    assert said in caught.value.message


def test_a_path_must_go_on_over_all_periods(tmp_path):
    text = "sku,date,sample,value\n007,2026-11-22,0,1\n007,2026-11-22,1,1\n007,2026-11-23,0,1\n"
    with pytest.raises(DataError, match="1 of 2 samples"):
        read(tmp_path / "f.csv", text, np.array([2, 0]))


def test_a_file_that_is_no_table(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_user_forecast(tmp_path / "gone.csv", SERIES, TIME, NEED, STREAM)
    (tmp_path / "f.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match="cannot be read"):
        read_user_forecast(tmp_path / "f.parquet", SERIES, TIME, NEED, STREAM)
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "empty.csv", "")
