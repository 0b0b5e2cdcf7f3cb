"""A command loads what it computes with and nothing else; thread pools are calm before they are made."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "duckdb", "highspy", "holidays", "lightgbm", "lightning", "matplotlib", "numpy", "pandas", "pulp", "pyarrow",
    "pytorch_forecasting", "scipy", "scipy.stats", "sklearn", "statsmodels", "torch",
)  # fmt: skip
TABLES = {"duckdb", "holidays", "numpy", "pandas", "pyarrow"}  # the demo's locations name their country
THREADS = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "OMP_NUM_THREADS")
# tells what the environment was when a library with threads of its own was first looked for
WATCH = f"""
import json, os, sys
class Watch:
    seen = {{}}
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "lightgbm"):
            self.seen.setdefault(name, [os.environ.get(one) for one in {THREADS!r}])
sys.meta_path.insert(0, Watch())
def tell():
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    sys.stderr.write("\\n" + json.dumps({{"loaded": loaded, "seen": Watch.seen}}))
"""
COMMAND = WATCH + "from stockcast.cli import main\ncode = main(sys.argv[1:])\ntell()\nsys.exit(code)"
PYTHON = WATCH + "import stockcast\nstockcast.forecast(sys.argv[1], overrides=sys.argv[2:])\ntell()"


def environment(**given: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in THREADS} | given


def child(code: str, *argv: str, cwd: Path, env: dict[str, str] | None = None) -> dict:
    run = subprocess.run(
        [sys.executable, "-c", code, *argv], cwd=cwd, env=env or environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stderr.splitlines()[-1])


@pytest.fixture
def folder(demo_folder, tmp_path) -> Path:
    return Path(shutil.copytree(demo_folder, tmp_path / "project"))


@pytest.mark.parametrize("argv", [["--help"], ["models", "list"], ["doctor"], ["config", "show"]], ids=" ".join)
def test_showing_something_loads_nothing_heavy(argv, folder):
    assert child(COMMAND, *argv, cwd=folder)["loaded"] == []


def test_checking_loads_what_reads_tables(folder):
    assert set(child(COMMAND, "check", cwd=folder)["loaded"]) <= TABLES


def test_simple_models_load_no_more(folder):
    told = child(COMMAND, "forecast", "--set", "forecast.models=[seasonal_naive, tsb]", cwd=folder)
    assert set(told["loaded"]) <= TABLES
    assert told["seen"] == {}


def test_a_plan_of_a_forecast_at_hand_loads_no_model(project):
    made = project("forecast", "--set", "forecast.models=[seasonal_naive]")
    rows = project.file(made, "forecast.csv").read_text(encoding="utf-8").splitlines()
    keep = [at for at, name in enumerate(rows[0].split(",")) if name not in {"model", "fallback"}]
    own = project.folder / "own.csv"
    own.write_text("\n".join(",".join(row.split(",")[at] for at in keep) for row in rows) + "\n", encoding="utf-8")
    told = child(COMMAND, "plan", "--forecast", str(own), cwd=project.folder)
    assert set(told["loaded"]) <= TABLES | {"highspy", "pulp", "scipy"}


def test_threads_are_calm_before_torch_is_loaded(folder):
    ets = "forecast.models=ets"
    command = child(COMMAND, "forecast", "--set", ets, cwd=folder)
    python = child(PYTHON, str(folder / "stockcast.yml"), ets, cwd=folder)
    assert command["seen"] == python["seen"] == {"torch": ["PASSIVE", "0", None]}


def test_what_the_user_set_about_threads_stays(folder):
    mine = environment(OMP_WAIT_POLICY="ACTIVE", KMP_BLOCKTIME="5", OMP_NUM_THREADS="2")
    told = child(COMMAND, "forecast", "--set", "forecast.models=ets", cwd=folder, env=mine)
    assert told["seen"] == {"torch": ["ACTIVE", "5", "2"]}


def test_two_jobs_at_once_both_finish_with_the_same_bytes(demo_folder, tmp_path):
    folders = [Path(shutil.copytree(demo_folder, tmp_path / name)) for name in ("one", "other")]
    code = "import sys; from stockcast.cli import main; sys.exit(main())"
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", code, "forecast", "--out", str(folder / "out"), "--workers", "2"],
            cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for folder in folders
    ]  # fmt: skip
    for job in jobs:
        _, told = job.communicate(timeout=250)
        assert job.returncode == 0, told
    one, other = (
        {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.glob("out/**/*")) if p.is_file()}
        for folder in folders
    )
    assert one.keys() == other.keys()
    assert "out/forecast.csv" in one
    assert [name for name in one if one[name] != other[name]] == ["out/manifest.json"]
