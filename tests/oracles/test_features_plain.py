"""Every column of every family against its plain twin, row by row, and the windows against SQL."""

import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "features"))
sys.path.insert(0, str(Path(__file__).parent))
from made_features import HORIZON, full_panel, told, whole_block
from plain_features import Plain

from stockcast.features import gather


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("step", ["day", "week"])
def test_every_column_is_what_a_loop_finds(step, seed):
    panel = full_panel(step, seed=seed, start="2020-08-03")  # over a year of 53 weeks
    block = whole_block(panel)
    twin = Plain(panel, *told(panel))
    draw = np.random.default_rng(seed)
    n = 70
    s, h = draw.integers(0, len(panel.series), n), draw.integers(1, HORIZON + 1, n)
    o = np.concatenate([[0, 1, 6, 12, 27, 28, 419, 419], draw.integers(0, panel.time.n, n - 8)])
    found = gather(block, s, o, h)
    rows = [twin.row(*place) for place in zip(s.tolist(), o.tolist(), h.tolist(), strict=True)]
    assert set(rows[0]) == set(block.names)  # a new column needs a twin
    for at, column in enumerate(block.columns):
        expected = [row[column.name] for row in rows]
        np.testing.assert_allclose(found[:, at], expected, rtol=2e-5, atol=1e-6, err_msg=column.name)


SQL = """
    SELECT avg(y) OVER w AS mean, stddev_samp(y) OVER w AS sd, max(y) OVER w AS max,
           quantile_cont(y, 0.1) OVER w AS q10, median(y) OVER w AS q50, quantile_cont(y, 0.9) OVER w AS q90,
           avg(CASE WHEN y = 0 THEN 1 WHEN y > 0 THEN 0 END) OVER w AS zero_share
    FROM told WINDOW w AS (PARTITION BY s ORDER BY t ROWS BETWEEN {before} PRECEDING AND CURRENT ROW) ORDER BY s, t
"""


@pytest.mark.parametrize(("step", "window"), [("day", 28), ("day", 56), ("week", 8), ("week", 26)])
def test_windows_are_what_sql_finds(step, window):
    panel = full_panel(step, time=200)
    demand, used = told(panel)
    demand = demand + np.where(used, 0.25 * (np.arange(200) % 3), 0.0)  # not whole units only
    block = whole_block(panel, demand=lambda p: (demand[: len(p.series)], used[: len(p.series)]))
    base = duckdb.connect()
    s, t = np.indices(used.shape)
    columns = {"s": s.ravel(), "t": t.ravel(), "y": demand.ravel(), "used": used.ravel()}  # noqa: F841  read by name
    base.execute("CREATE TABLE told AS SELECT s, t, CASE WHEN used THEN y END AS y FROM columns")
    found = base.execute(SQL.format(before=window - 1)).fetchnumpy()
    for name, values in found.items():
        expected = np.ma.filled(np.ma.asarray(values).astype(float), np.nan).reshape(used.shape)
        mine = block.values[block.names.index(f"{name}_{window}"), :, :200]
        np.testing.assert_allclose(mine, expected, rtol=2e-5, atol=1e-6, err_msg=name)
