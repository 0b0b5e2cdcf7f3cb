"""Doctor: what it finds, and the exit code that follows."""

import json
import os
import socket
from datetime import UTC, datetime

import pytest

from stockcast.core.errors import UsageError
from stockcast.runs import doctor

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "_broken", lambda names: {})  # loading everything takes seconds
    (tmp_path / "stockcast.yml").write_text("version: 1\nsources: {sales: {path: sales.csv}}\n")
    (tmp_path / "sales.csv").write_text("date,sku,quantity\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def publish(project, finished):
    run = project / "runs" / "r1"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text(json.dumps({"finished": finished, "status": "ok"}))
    (project / "runs" / "latest.json").write_text('{"run_id": "r1"}')


def found(name, **options):
    diagnosis = doctor.run(now=NOW, **options)
    return next(check for check in diagnosis.checks if check.name == name)


def test_a_whole_installation_is_well(project):
    checks = {check.name: check.state for check in doctor.run(now=NOW).checks}
    assert {"python", "pandas", "torch", "solver", "cores", "config", "disk", "output", "lock", "sources.sales"} <= set(
        checks
    )
    assert "bad" not in checks.values()
    assert checks["sources.sales"] == "ok"


@pytest.mark.parametrize(
    ("finished", "state"), [("2026-11-22T10:00:00+00:00", "ok"), ("2026-11-21T09:59:00+00:00", "bad")]
)
def test_the_age_of_the_newest_run(project, finished, state):
    publish(project, finished)
    last = found("last run", max_age="26h")
    assert last.state == state
    assert (last.error is not None) == (state == "bad")
    assert found("last run").error is None
    if last.error is not None:
        assert (last.error.exit_code, last.error.code) == (6, "SC-C024")


def test_a_library_that_cannot_be_loaded_is_not_well(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text('raise ImportError("libcudart.so.12: cannot open shared object file")')
    (tmp_path / "pulp.py").write_text("import os; os._exit(3)")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.chdir(tmp_path)
    checks = {check.name: check for check in doctor.run(now=NOW).checks}
    assert checks["torch"].state == checks["pulp"].state == "bad"
    assert "libcudart.so.12" in checks["torch"].what
    assert "the process ended with 3" in checks["pulp"].what
    assert checks["numpy"].state == checks["safetensors"].state == checks["scikit-learn"].state == "ok"
    first = next(check.error for check in checks.values() if check.error is not None)
    assert (first.exit_code, first.code, first.message) == (6, "SC-C025", "torch cannot be loaded")


def test_no_run_at_all_is_only_bad_where_one_is_asked_for(project):
    assert found("last run").state == "note"
    assert found("last run", max_age="90m").error.exit_code == 6


def test_a_wrong_config_is_told(project):
    (project / "stockcast.yml").write_text("version: 1\n")
    assert found("config").error.exit_code == 2


def test_weights_that_cannot_be_used_are_told(project):
    text = (project / "stockcast.yml").read_text()
    (project / "stockcast.yml").write_text(f"{text}forecast: {{pretrained: {{path: weights, sha256: {64 * '0'}}}}}\n")
    error = found("forecast.pretrained").error
    assert error.exit_code == 2
    assert error.code in {"SC-M008", "SC-M009"}  # no folder; or, before that is looked at, no extra


def test_outside_a_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert found("config").state == "note"
    assert found("last run", max_age="26h").error.exit_code == 6
    assert found("config", config_file=tmp_path / "none.yml").error.exit_code == 2


def test_who_holds_the_lock(project):
    (project / "runs").mkdir()
    lock = project / "runs" / ".lock"
    for facts, state in (
        ({"pid": os.getpid(), "host": socket.gethostname(), "start": "2026"}, "note"),
        ({"pid": 2**22 + 1, "host": socket.gethostname(), "start": "2026"}, "ok"),
        ({"pid": 1, "host": "elsewhere.invalid", "start": "2026"}, "note"),
    ):
        lock.write_text(json.dumps(facts))
        assert found("lock").state == state
    lock.write_text("")
    assert found("lock").what == "free"


def test_torch_builds_are_told_apart_without_loading_torch():
    assert doctor._build_of_torch("2.13.0+cpu") == "2.13.0+cpu (CPU)"
    assert doctor._build_of_torch("2.13.0+cu130") == "2.13.0+cu130 (CUDA 13.0)"
    assert "default build" in doctor._build_of_torch("2.13.0")


def test_max_age_is_a_time_span():
    with pytest.raises(UsageError, match="--max-age"):
        doctor.run(max_age="yesterday")
