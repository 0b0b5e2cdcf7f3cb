"""What a run says of itself."""

import json

import numpy as np
import pytest

from stockcast.core.errors import UsageError
from stockcast.core.findings import RowCount
from stockcast.runs import manifest
from stockcast.runs.manifest import Manifest

KEYS = (
    "schema_version run_id as_of status seed inputs config outputs versions rows models fallbacks solves gap timings "
    "peak_memory_mb"
).split()


def test_it_comes_back_as_it_was_written(tmp_path):
    (tmp_path / "plan.csv").write_text("x")
    made = Manifest(
        run_id="r1",
        as_of="2026-11-22",
        status="ok",
        seed=7,
        rows={"sales": RowCount(10, 7, 1, 1, 1)},
        models={"ets": {"fit_s": 1.5, "predict_s": 0.5, "series": 3, "share": 1.0}},
        solves=({"supplier": "Ünï", "gap": np.float64(0.0)},),
        gap=float("nan"),
        counts={"series": 3},
    )
    manifest.write(tmp_path, made)
    facts = json.loads((tmp_path / "manifest.json").read_text())
    assert set(KEYS) <= set(facts)
    assert facts["gap"] is None
    assert facts["rows"]["sales"]["quarantined"] == 1
    again = manifest.read(tmp_path)
    assert again.rows == made.rows
    assert again.as_dict() == facts


def test_verify_names_what_changed(tmp_path):
    for name in ("plan.csv", "orders.csv"):
        (tmp_path / name).write_text("x")
    manifest.write(tmp_path, Manifest("r1", "2026-11-22", "ok", 7))
    assert manifest.verify(tmp_path) == []
    (tmp_path / "plan.csv").write_text("y")
    (tmp_path / "orders.csv").unlink()
    (tmp_path / "stray").write_text("")
    assert manifest.verify(tmp_path) == ["orders.csv: missing", "stray: not part of the run", "plan.csv: changed"]


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"schema_version": 2}', '{"schema_version": 1}'])
def test_what_is_no_run_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UsageError) as caught:
        manifest.read(tmp_path)
    assert caught.value.code == "SC-E006"
    assert not manifest.is_run(tmp_path)


def test_versions_and_memory():
    found = manifest.versions()
    assert {"python", "stockcast", "numpy", "highspy"} <= set(found)
    assert "pytest" not in found
    assert manifest.peak_memory_mb() > 10
