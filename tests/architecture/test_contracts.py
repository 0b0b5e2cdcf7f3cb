"""The architecture holds: layers and owners, sizes, and what the command line loads."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "stockcast"
HEAVY = ("numpy", "pandas", "torch", "lightgbm", "pulp", "duckdb", "pyarrow", "statsmodels", "scipy")


def test_the_import_contracts_hold():
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c(['--no-cache'])"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    "statement", ["import stockcast", "import stockcast.cli", "from stockcast.cli import main; main(['--help'])"]
)
def test_nothing_heavy_is_loaded_before_it_is_used(statement):
    code = f"import sys\ntry:\n    {statement}\nexcept SystemExit:\n    pass\nprint([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.strip().splitlines()[-1] == "[]"


def test_a_file_is_one_idea():
    long = {str(p.relative_to(SOURCE)): n for p in SOURCE.rglob("*.py") if (n := len(p.read_text().splitlines())) > 450}
    assert not long


def test_no_module_is_a_drawer():
    drawers = {"utils", "helpers", "common", "constants", "misc"}
    assert not [p for p in SOURCE.rglob("*.py") if p.stem in drawers or drawers & set(p.relative_to(SOURCE).parts)]


def test_no_broad_excepts():
    broad = [
        f"{p.relative_to(SOURCE)}:{at}"
        for p in SOURCE.rglob("*.py")
        for at, line in enumerate(p.read_text().splitlines(), 1)
        if line.strip().startswith(("except:", "except Exception:", "except BaseException:"))
    ]
    assert not broad


def test_codes_are_unique_and_told():
    from stockcast.core.codes import every_code

    names = [code.name for code in every_code()]
    assert len(names) == len(set(names))


def test_every_code_that_is_used_is_in_the_catalogue():
    import re

    from stockcast.core.codes import every_code

    known = {code.name for code in every_code()}
    used = {
        code: p.name for p in SOURCE.rglob("*.py") for code in re.findall(r"[\"'](SC-[A-Z]\d{3})[\"']", p.read_text())
    }
    assert not {code: where for code, where in used.items() if code not in known}
