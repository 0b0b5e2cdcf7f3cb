"""What the command line says: one screen, one JSON object, one exit code; the programs behind it are stood in for."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from stockcast.cli import main
from stockcast.core.errors import DataError, HeldBackError, StockcastError
from stockcast.core.findings import Issue
from stockcast.runs.job import Outcome


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "stockcast.yml").write_text("version: 1\nsources: {sales: {path: data/sales.csv}}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def behind(monkeypatch):
    """Stand in for ``stockcast.runs.check``: the jobs that it gets are kept, and it does what it is told."""
    stand_in = SimpleNamespace(jobs=[], does=lambda job: outcome())

    def run(job):
        stand_in.jobs.append(job)
        return stand_in.does(job)

    import stockcast.runs

    module = SimpleNamespace(run=run)
    monkeypatch.setitem(sys.modules, "stockcast.runs.check", module)
    monkeypatch.setattr(stockcast.runs, "check", module, raising=False)
    return stand_in


def outcome(**changed):
    facts = {
        "run_id": "2026-11-20-check-1a2b3c4d",
        "status": "ok",
        "exit_code": 0,
        "counts": {"series": 3},
        "artifacts": {"issues.csv": Path("/elsewhere/issues.csv")},
        "issues": (Issue("warning", "SC-D001", "sales", "odd", "kept", line=4),),
        "headline": "all well",
        "tables": (("rows", ("source", "read"), (("sales", "5"),)),),
    }
    return Outcome(**{**facts, **changed})


def raising(error):
    def does(job):
        raise error

    return does


def test_options_become_a_job(project, behind):
    line = (
        "check --as-of 2026-11-20 --out out --select sku:A --seed 3 --device cpu --workers 2 --strict --wait 1.5 "
        "--set plan.budget=9"
    )
    assert main(line.split()) == 0
    (job,) = behind.jobs
    assert (str(job.as_of), job.out, job.select, job.seed) == ("2026-11-20", project / "out", "sku:A", 3)
    assert (job.device, job.workers, job.strict, job.wait) == ("cpu", 2, True, 1.5)
    assert (job.overrides, job.config.plan.budget) == (("plan.budget=9",), 9.0)
    assert job.config.root == project.resolve()


def test_a_result_as_text(project, behind, capsys):
    assert main(["check"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("all well\n\nrows\n  source  read\n  sales      5\n")
    assert "issues.csv" in out
    assert err == ""


def test_a_result_as_json(project, behind, capsys):
    assert main(["check", "--output-format", "json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert list(found) == ["run_id", "status", "exit_code", "counts", "artifacts", "issues", "error"]
    assert (found["run_id"], found["exit_code"], found["error"]) == ("2026-11-20-check-1a2b3c4d", 0, None)
    assert found["artifacts"] == {"issues.csv": "/elsewhere/issues.csv"}
    assert found["issues"][0]["line"] == 4
    assert err == ""


def test_degraded_under_strict_is_exit_4_and_says_so(project, behind, capsys):
    behind.does = lambda job: outcome(status="degraded", exit_code=4)
    assert main(["check", "--strict", "--output-format=json"]) == 4
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["status"], found["exit_code"], found["error"]["code"]) == ("degraded", 4, "SC-C022")
    assert "error[SC-C022]" in err
    assert main(["check"]) == 4
    assert "status: degraded" in capsys.readouterr().out


def test_an_error_is_one_screen(project, behind, capsys):
    (project / "runs").mkdir()
    (project / "runs" / "latest.json").write_text('{"run_id": "2026-11-19-run-00000000"}')
    error = DataError("sales.csv line 4: bad", code="SC-D014", details=["read so", "two\nlines"], help="do this")
    error.issues = (Issue("error", "SC-D014", "sales", "bad", "refused", line=4),)
    behind.does = raising(error)
    assert main(["check"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "error[SC-D014]: sales.csv line 4: bad",
        "  read so",
        "  two",
        "  lines",
        "  help: do this",
        "  kept: the published run 2026-11-19-run-00000000 is untouched · every row: runs/failed/issues.csv · "
        "stockcast explain --code SC-D014",
    ]


def test_an_error_as_json_has_the_same_object(project, behind, capsys):
    error = DataError("bad", code="SC-D014")
    error.issues = (Issue("error", "SC-D014", "sales", "bad", "refused", line=4),)
    behind.does = raising(error)
    assert main(["check", "--output-format", "json"]) == 3
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["run_id"], found["status"], found["exit_code"]) == (None, "failed", 3)
    assert found["error"]["code"] == "SC-D014"
    assert found["error"]["kept"]
    assert found["issues"][0]["code"] == "SC-D014"
    assert err.startswith("error[SC-D014]")


def test_a_held_run_is_named_in_the_json(project, behind, capsys):
    error = HeldBackError("too much", code="SC-G001")
    error.outcome = {
        "run_id": "r",
        "status": "held",
        "counts": {"order_value": 9},
        "artifacts": {"plan.csv": Path("/p")},
    }
    behind.does = raising(error)
    assert main(["check", "--output-format", "json"]) == 7
    found = json.loads(capsys.readouterr().out)
    assert (found["run_id"], found["status"], found["exit_code"], found["artifacts"]) == (
        "r",
        "held",
        7,
        {"plan.csv": "/p"},
    )


def test_a_thousand_details_stay_one_screen(project, behind, capsys):
    behind.does = raising(DataError("bad", code="SC-D014", details=["x" * 5000] * 1000))
    assert main(["check"]) == 3
    err = capsys.readouterr().err
    assert len(err.splitlines()) <= 40
    assert "and 984 lines more" in err


def test_no_id_can_move_the_cursor(project, behind, capsys):
    behind.does = raising(DataError("sku \x1b[2J\u202eabc", code="SC-D014"))
    main(["check"])
    assert capsys.readouterr().err.startswith(r"error[SC-D014]: sku \x1b[2J\u202eabc")


@pytest.mark.parametrize("argv", [["check"], ["check", "--output-format", "json"]])
def test_an_unexpected_error_is_a_bug_on_one_screen(project, behind, capsys, argv):
    behind.does = raising(ZeroDivisionError("one\ntwo"))
    assert main(argv) == 1
    out, err = capsys.readouterr()
    assert "error[SC-B001]: unexpected ZeroDivisionError: one" in err
    assert "Traceback" not in out + err
    assert out == "" or json.loads(out)["error"]["code"] == "SC-B001"


def test_debug_shows_the_traceback(project, behind, capsys):
    behind.does = raising(ZeroDivisionError("one"))
    assert main(["check", "--debug"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "ZeroDivisionError: one" in err


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "SC-E001"), (errno.EACCES, "SC-E002"), (errno.EIO, "SC-E003")]
)
def test_what_the_system_refuses_is_exit_6(project, behind, capsys, number, code):
    behind.does = raising(OSError(number, os.strerror(number), "some/file"))
    assert main(["check"]) == 6
    assert capsys.readouterr().err.startswith(f"error[{code}]: some/file: ")


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command(project, behind, capsys, number, exit_code):
    behind.does = lambda job: os.kill(os.getpid(), number)
    before = signal.getsignal(number)
    assert main(["check", "--output-format", "json"]) == exit_code
    out, err = capsys.readouterr()
    assert json.loads(out)["exit_code"] == exit_code
    assert err.startswith("error[SC-C023]: interrupted")
    assert signal.getsignal(number) is before


def test_secrets_are_masked_on_every_screen(project, behind, capsys, monkeypatch):
    monkeypatch.setenv("STOCKCAST_TEST_SECRET", "canary-4711")
    (project / "stockcast.yml").write_text("version: 1\nsources: {sales: {path: '${STOCKCAST_TEST_SECRET}/x.csv'}}\n")
    behind.does = raising(
        DataError("canary-4711/x.csv: not there", code="SC-D001", details=["canary-4711"], help="canary-4711")
    )
    for argv in (["check"], ["check", "--output-format", "json"]):
        assert main(argv) == 3
        out, err = capsys.readouterr()
        assert "canary" not in out + err
    assert "${STOCKCAST_TEST_SECRET}/x.csv: not there" in err


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["chek"], "unknown command chek, did you mean check?"),
        (["simulate"], "unknown command simulate"),
        (["config", "shw"], "unknown command shw, did you mean show?"),
        (["check", "--worker", "2"], "unknown option --worker, did you mean --workers?"),
        (["check", "--workers", "0"], "--workers"),
        (["check", "--workers", "two"], "--workers"),
        (["check", "--device", "tpu"], "--device"),
        (["check", "--as-of"], "--as-of"),
        (["check", "--as-of", "2026-1-2"], "--as-of 2026-1-2: not a date"),
        (["check", "--as-of", "22.11.2026"], "not a date"),
        (["check", "extra"], "extra"),
        (["check", "--output-format", "xml"], "--output-format"),
        (["explain"], "--code"),
        (["explain", "--code", "SC-C00"], "no code"),
        (["init"], "DIR"),
        (["init", "x", "--skus", "3"], "--skus: for --demo only"),
        (["init", "x", "--demo", "--from", "m5"], "exclude each other"),
        (["init", "x", "--from", "m6"], "--from"),
        (["doctor", "--max-age", "old"], "--max-age"),
    ],
)
def test_a_wrong_command_line_is_exit_2_in_the_same_form(project, capsys, argv, told):
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error[SC-C0")
    assert told in err.splitlines()[0]
    if "xml" not in argv:
        assert main([*argv, "--output-format", "json"]) == 2
        assert json.loads(capsys.readouterr().out)["error"]["code"].startswith("SC-C0")
    assert [path.name for path in project.iterdir()] == ["stockcast.yml"]


def test_help_and_version_are_exit_0(capsys):
    assert main(["--help"]) == 0
    assert "nightly" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("stockcast 0.")
    assert main([]) == 2
    assert "Usage: stockcast" in capsys.readouterr().out


def test_every_data_command_has_the_common_options(capsys):
    from stockcast.cli.options import Given

    for command in ("check", "forecast", "plan", "run"):
        assert main([command, "--help"]) == 0
        shown = capsys.readouterr().out
        for name in Given.__dataclass_fields__:
            assert f"--{name.replace('_', '-')}" in shown, (command, name)


def test_explain_knows_every_code(capsys):
    from stockcast.core.codes import every_code

    for code in every_code():
        assert main(["explain", "--code", code.name.lower()]) == 0
        assert code.remedy in capsys.readouterr().out


def test_models_list_names_those_of_the_interface(capsys):
    from stockcast.runs.config import MODELS

    assert main(["models", "list", "--output-format", "json"]) == 0
    models = json.loads(capsys.readouterr().out)["models"]
    assert [model["name"] for model in models] == list(MODELS)
    assert main(["models", "list"]) == 0
    assert "with the extra pretrained" in capsys.readouterr().out


def test_config_schema_is_json_in_both_forms(capsys):
    assert main(["config", "schema"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert main(["config", "schema", "--output-format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == plain


# --- as a process of its own ---------------------------------------------------------------------------------------------

CODE = "import sys; from stockcast.cli import main; sys.exit(main())"
HEAVY = ("numpy", "pandas", "torch", "lightgbm", "pulp", "duckdb", "pyarrow", "scipy", "statsmodels")


@pytest.mark.parametrize(
    "argv",
    [
        ["--help"],
        ["check", "--help"],
        ["config", "show"],
        ["config", "schema"],
        ["doctor"],
        ["explain", "--code", "SC-C001"],
        ["models", "list"],
        ["init", "new"],
        ["check", "--as-of", "x"],
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_loaded_where_nothing_is_computed(project, argv):
    code = f"import sys\nfrom stockcast.cli import main\nmain({argv!r})\nsys.stderr.write(repr([m for m in {HEAVY!r} if m in sys.modules]))"
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.endswith("[]")


def test_a_reader_that_goes_away_is_no_error(project):
    with subprocess.Popen(
        [sys.executable, "-c", CODE, "config", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_bars_are_drawn_and_cleared(monkeypatch):
    import io

    from rich.console import Console

    from stockcast.cli.bars import Bars

    bars, shown = Bars(print), io.StringIO()
    real = Console
    monkeypatch.setattr("rich.console.Console", lambda **named: real(file=shown, force_terminal=True, width=100))
    with bars.stage("forecasting", total=4) as done, bars.stage("inner"):
        done(2)
        bars.say("half")
    with bars.stage("again"):
        pass
    assert "forecasting" in shown.getvalue()
    assert "half" in shown.getvalue()


def test_a_kept_line_is_never_left_out(project, behind, capsys):
    behind.does = raising(StockcastError("odd"))
    main(["check"])
    assert "kept: no run was published before, and none is now" in capsys.readouterr().err
    (project / "out").mkdir()
    (project / "out" / "manifest.json").write_text("{}")
    behind.does = raising(StockcastError("odd"))
    main(["check", "--out", "out"])
    assert "kept: the run in out is untouched" in capsys.readouterr().err
