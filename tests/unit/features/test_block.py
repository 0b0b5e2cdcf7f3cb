import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from made_features import HORIZON, full_panel, told, whole_block

from stockcast.core.errors import AlignmentError, UsageError
from stockcast.features import Block, Column, Groups, Spec, build, gather
from stockcast.panel import Panel


@pytest.mark.parametrize("step", ["day", "week"])
def test_rows_are_read_one_by_one_as_their_columns_say(step):
    panel = full_panel(step)
    block = whole_block(panel)
    draw = np.random.default_rng(0)
    rows = draw.integers(0, len(panel.series), 300), draw.integers(0, panel.time.n, 300), draw.integers(1, 17, 300)
    found = gather(block, *rows)
    for at, (s, o, h) in enumerate(zip(*(r.tolist() for r in rows), strict=True)):
        for f, column in enumerate(block.columns):
            period = o
            if column.read == "target":
                period = o + min(h, int(block.reach[f, s]))
            elif column.read == "season":
                period = o + h
                while period > o:
                    period -= block.season
            expected = block.values[f, s, period] if period >= 0 else np.nan
            np.testing.assert_array_equal(found[at, f], expected, err_msg=column.name)


def test_rows_are_written_where_asked_and_more_than_a_batch_of_them(monkeypatch):
    monkeypatch.setattr("stockcast.features.block.BATCH", 50)
    monkeypatch.setattr("stockcast.features.block.TURNED", 7)
    panel = full_panel()
    block = whole_block(panel)
    draw = np.random.default_rng(0)
    rows = draw.integers(0, len(panel.series), 120), draw.integers(0, panel.time.n, 120), draw.integers(1, 17, 120)
    out = np.empty((120, len(block.columns)), dtype=np.float32)
    assert gather(block, *rows, out) is out
    one_by_one = np.vstack([gather(block, *(r[at : at + 1] for r in rows)) for at in range(120)])
    np.testing.assert_array_equal(out, one_by_one)
    none = np.zeros(0, dtype=int)
    assert gather(block, none, none, none).shape == (0, len(block.columns))


@pytest.mark.parametrize("row", [(15, 5, 1), (-1, 5, 1), (0, -1, 1), (0, 5, 0), (0, 419, HORIZON + 1)])
def test_a_row_outside_the_block_is_an_error(row):
    block = whole_block(full_panel())
    with pytest.raises(IndexError, match="outside"):
        gather(block, *(np.array([part]) for part in row))


def test_a_block_checks_its_shapes_and_names():
    values, reach = np.zeros((2, 1, 3), dtype=np.float32), np.zeros((2, 1), dtype=int)
    one = Column("a", "origin", False, "")
    with pytest.raises(AlignmentError, match="same name"):
        Block((one, one), values, reach)
    with pytest.raises(AlignmentError, match="1 columns"):
        Block((one,), values, reach)


@pytest.mark.parametrize("step", ["day", "week"])
def test_features_do_not_depend_on_the_chunk(step):
    panel = full_panel(step)
    spec, groups = Spec.of(panel), Groups.fit(panel, told)
    block = build(panel, *told(panel), HORIZON, spec, groups)
    for rows in (np.array([4]), np.arange(3, 9), np.array([0, 7, 14])):
        part = panel.take(rows)
        some = build(part, *told(part), HORIZON, spec, groups)
        assert some.columns == block.columns
        assert some.values.tobytes() == block.values[:, rows].tobytes()
        assert some.reach.tobytes() == block.reach[:, rows].tobytes()


@pytest.mark.parametrize("absurd", [2.0**53, 1e300])
def test_an_absurd_series_changes_no_other(absurd):
    panel = full_panel()
    row, at = 4, int(np.flatnonzero(panel.fully_in_stock[4])[30])
    groups = Groups.fit(panel, told)
    spec = Spec.of(panel)
    values = []
    for amount in (absurd, 3 * absurd):
        sales = panel.sales.copy()
        sales[row, at:] = amount
        price = panel.known.price.copy()
        price[row, at:] = amount
        known = type(panel.known)(
            panel.known.time, price, panel.known.promotion, panel.known.recorded, dict(panel.known.covariates),
            dict(panel.known.ahead), panel.known.calendar,
        )  # fmt: skip
        sales = np.where(panel.observed, sales, 0.0)
        other = Panel(panel.series, panel.time, sales, panel.observed, panel.in_stock, known, panel.attributes)
        values.append(build(other, *told(other), HORIZON, spec, Groups.fit(other, told, like=groups)).values)
    rest = np.arange(len(panel.series)) != row
    assert values[0][:, rest].tobytes() == values[1][:, rest].tobytes()
    assert not np.isinf(values[1]).any()
    clean = build(panel, *told(panel), HORIZON, spec, groups)
    np.testing.assert_array_equal(clean.values[:, rest, :at], values[0][:, rest, :at])


def test_what_is_said_of_periods_that_tell_nothing_is_not_read():
    panel = full_panel()

    def otherwise(p):
        demand, used = told(p)
        return np.where(used, demand, 1e6), used

    assert whole_block(panel).values.tobytes() == whole_block(panel, demand=otherwise).values.tobytes()


def test_a_spec_makes_what_the_panel_has_something_for():
    panel = full_panel()
    assert Spec.of(panel).covariates == ("footfall",)
    nothing = np.full_like(panel.known.price, np.nan)
    bare = type(panel.known)(panel.known.time, nothing, nothing, panel.time.n)
    bare = Panel(panel.series, panel.time, panel.sales, panel.observed, panel.in_stock, bare, panel.attributes)
    spec = Spec.of(bare)
    assert {"price", "promotion", "covariates"}.isdisjoint(spec.families)
    names = {c.family for c in build(bare, *told(bare), 3, spec.without("lags")).columns}
    assert names == {"windows", "season", "calendar", "availability"}
    with pytest.raises(UsageError, match=r"no family 'lag'"):
        type(spec)(**{f: getattr(spec, f) for f in spec.__dataclass_fields__} | {"families": ("lag",)})
    with pytest.raises(AlignmentError, match="evidence has shape"):
        build(panel, np.zeros((1, 1)), np.zeros((1, 1), dtype=bool), 3)


@pytest.mark.parametrize("step", ["day", "week"])
@pytest.mark.parametrize("time", [1, 2, 8])
def test_a_short_history_has_the_same_columns(step, time):
    whole = full_panel(step)
    groups = Groups.fit(whole, told)
    past = whole.until(time)
    block = build(past, *told(past), HORIZON, Spec.of(whole), Groups.fit(past, told, like=groups))
    assert block.columns == whole_block(whole).columns
    assert block.values.shape[2] == time + HORIZON
