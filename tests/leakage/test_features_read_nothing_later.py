"""Rule 6 for every feature: a row reads the same where all that came after its origin is scrambled, or cut off."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "features"))
from made_features import HORIZON, full_panel, scrambled, told, whole_block

from stockcast.features import FAMILIES, Groups, Spec, build, gather

ORIGINS = (0, 1, 6, 40, 130, 371, 417)


def rows_at(panel, origin, seed=3):
    draw = np.random.default_rng(seed)
    n = 60
    return draw.integers(0, len(panel.series), n), np.full(n, origin), draw.integers(1, HORIZON + 1, n)


@pytest.mark.parametrize("change", [scrambled, lambda panel, known: panel], ids=["scrambled", "cut off"])
@pytest.mark.parametrize("step", ["day", "week"])
def test_no_column_reads_past_the_origin_but_what_was_planned(step, change):
    panel = full_panel(step)
    spec = Spec.of(panel)
    assert spec.families == FAMILIES
    groups = Groups.fit(panel, told)
    block = build(panel, *told(panel), HORIZON, spec, groups)
    for origin in ORIGINS:
        past = change(panel, origin + 1).until(origin + 1)
        then = build(past, *told(past), HORIZON, spec, Groups.fit(past, told, like=groups))
        assert then.columns == block.columns
        rows = rows_at(panel, origin)
        for column, now, before in zip(block.columns, gather(block, *rows).T, gather(then, *rows).T, strict=True):
            np.testing.assert_array_equal(now, before, err_msg=f"{column.name} at origin {origin}")


@pytest.mark.parametrize("step", ["day", "week"])
def test_the_scrambling_is_seen_by_every_column_that_could_see_it(step):
    # a read of a later period does see it: what the test above compares is not constant
    panel = full_panel(step)
    groups = Groups.fit(panel, told)
    spec = Spec.of(panel)
    other = scrambled(panel, 20)
    now, then = (build(p, *told(p), HORIZON, spec, Groups.fit(p, told, like=groups)) for p in (panel, other))
    blind = {
        c.name
        for c, a, b in zip(now.columns, now.values, then.values, strict=True)
        if np.array_equal(a, b, equal_nan=True)
    }
    fixed = {c.name for c in now.columns if c.family in ("calendar", "static")}
    assert blind == fixed


@pytest.mark.parametrize("step", ["day", "week"])
def test_the_columns_vary(step):
    block = whole_block(full_panel(step))
    for column, values in zip(block.columns, block.values, strict=True):
        known = values[~np.isnan(values)]
        assert len(known), column.name
        assert known.min() < known.max(), column.name
