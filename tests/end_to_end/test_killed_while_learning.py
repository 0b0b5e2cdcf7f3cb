"""A run that was killed while its network learnt goes on where it was, to the bytes of one that was never killed."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_deep import SMALL

from stockcast.models import catalogue
from stockcast.models.tft import Tft
from stockcast.runs.learning import FOLDER

NIGHT = ("--set", "forecast.models=tft", "--set", "forecast.paths=40", "--set", "forecast.backtest.folds=1")

BUDGET = replace(SMALL, few=400, most=400)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def network(monkeypatch):
    """Make networks of a few steps; the one of the forecast dies where it is told to, and its steps are counted."""
    told = {"dies_at": None, "steps": 0}

    def made(setting):
        def stop():
            if setting.checkpoint is None:
                return False
            if told["dies_at"] == told["steps"]:
                raise Killed
            told["steps"] += 1
            return False

        return Tft(budget=BUDGET, effort="thorough", stop=stop, checkpoint=setting.checkpoint, keep_every=3)

    monkeypatch.setitem(catalogue.MAKERS, "tft", made)
    return told


def contents(folder):
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def killed(project, network, at, command="run", *more):
    network.update(steps=0, dies_at=at)
    with pytest.raises(Killed):
        project(command, *NIGHT, *more)
    network.update(steps=0, dies_at=None)


def test_it_goes_on_to_the_bytes_of_a_run_that_was_never_killed(project, network):
    runs = project.folder / "runs"
    whole = project("run", *NIGHT)
    steps = network["steps"]
    folder = project.file(whole, "forecast.csv").parent
    expected = contents(folder)
    assert "models/tft/rest.json" in expected
    assert not (runs / FOLDER).exists()
    shutil.rmtree(runs)
    for at in (7, steps - 1):  # among the steps that are judged, and among the last ones
        killed(project, network, at)
        assert (runs / FOLDER).is_dir()
        assert not list(runs.glob("*/manifest.json"))
        again = project("run", *NIGHT)
        assert steps - at <= network["steps"] <= steps - at + 3  # the state is left every 3 steps
        assert contents(project.file(again, "forecast.csv").parent) == expected
        assert not (runs / FOLDER).exists()
        shutil.rmtree(runs)


@pytest.mark.slow
def test_what_was_begun_on_other_inputs_is_removed_and_what_is_published_stays(project, network):
    runs = project.folder / "runs"
    published = project.file(project("forecast", *NIGHT, "--seed", "11"), "forecast.csv").parent
    before = contents(published)
    killed(project, network, 7, "forecast")
    (left,) = (runs / FOLDER).iterdir()
    project("check")  # learns nothing, and leaves what is there
    assert left.is_dir()
    killed(project, network, 7, "forecast", "--seed", "12")
    (other,) = (runs / FOLDER).iterdir()
    assert other.name != left.name
    assert contents(published) == before
    fresh = project("forecast", *NIGHT)
    assert network["steps"] > 20  # from the first step on
    assert not (runs / FOLDER).exists()
    assert project.file(fresh, "forecast.csv").parent != published
    assert contents(published) == before
