"""A small demo project, made once and copied for each test, and a way to run commands in it.

Its config names three quick models, for most tests are of what comes after the choice; `every_model` has it as made.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stockcast.cli import main


class Project:
    """A project folder in which commands run as a user would type them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *argv: str, expect: int = 0) -> dict:
        self._capsys.readouterr()
        command, *rest = argv
        code = main([command, "-c", str(self.folder / "stockcast.yml"), "--output-format", "json", *rest])
        told = self._capsys.readouterr()
        assert code == expect, told.err + told.out
        return json.loads(told.out)

    def file(self, outcome: dict, name: str) -> Path:
        return Path(outcome["artifacts"][name])


@pytest.fixture(scope="session")
def made_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the demo as `stockcast init` makes it."""
    folder = tmp_path_factory.mktemp("demo") / "project"
    assert main(["init", str(folder), "--demo", "--skus", "8", "--locations", "2", "--days", "220"]) == 0
    return folder


@pytest.fixture(scope="session")
def demo_folder(made_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(made_demo, tmp_path_factory.mktemp("quick") / "project"))
    config = folder / "stockcast.yml"
    text = config.read_text(encoding="utf-8")
    assert "forecast:\n" in text
    quick = "forecast:\n  models: [seasonal_naive, moving_average, ets]\n  paths: 200\n  backtest: {folds: 2}\n"
    config.write_text(text.replace("forecast:\n", quick), encoding="utf-8")
    return folder


@pytest.fixture
def project(demo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    shutil.copytree(demo_folder, tmp_path / "project")
    return Project(tmp_path / "project", capsys)


@pytest.fixture
def every_model(made_demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    """Give the project that tries every model that `models: auto` means."""
    shutil.copytree(made_demo, tmp_path / "project")
    return Project(tmp_path / "project", capsys)


@pytest.fixture
def make_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[dict[str, str]], Project]:
    """Give a maker of projects from the texts of their files."""

    def make(texts: dict[str, str]) -> Project:
        folder = tmp_path / "made"
        for name, text in texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        return Project(folder, capsys)

    return make
