"""The documents are true: their config loads, their commands exist, their links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from stockcast.runs.config import load

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


def test_the_readme_config_loads(tmp_path):
    block, ahead = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "ahead.yml").write_text(ahead, encoding="utf-8")
    assert {"calendar", "known_future", "locations"} < set(load(tmp_path / "ahead.yml").sources)
    (tmp_path / "stockcast.yml").write_text(block, encoding="utf-8")
    config = load(tmp_path / "stockcast.yml")
    assert config.sources["sales"].columns["sku"] == "item_id"
    assert len([line for line in block.splitlines() if line.strip()]) <= 12


def test_the_readme_opens_with_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = text.index("```console")
    assert text.index("make demo") > first
    assert text.index("make test") < text.index("## ")


def test_every_command_of_the_readme_exists():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`stockcast (\w+)", text)) | set(re.findall(r"^\$ stockcast (\w+)", text, re.MULTILINE))
    assert {"init", "check", "forecast", "plan", "run", "config", "models", "doctor", "explain"} <= named | {
        "models",
        "explain",
        "doctor",
    }
    for command in sorted(named):
        run = subprocess.run(
            [sys.executable, "-c", "import sys; from stockcast.cli import main; sys.exit(main())", command, "--help"],
            capture_output=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0, command


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8"))
    missing = [t for t in targets if "://" not in t and not (document.parent / t).exists()]
    assert not missing


def test_no_document_names_a_path_of_a_machine():
    for document in DOCUMENTS:
        assert not re.search(r"/(tmp|work|root|home)/\w", document.read_text(encoding="utf-8")), document
