"""The next night goes on from the network that the newest earlier night kept, and says so; never from a later one."""

import json
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_deep import SMALL

from stockcast.models import catalogue
from stockcast.models.catalogue import GONE_ON
from stockcast.models.tft import FittedTft, Tft

NIGHT = ("forecast", "--set", "forecast.models=tft", "--set", "forecast.backtest.folds=1", "--set", "forecast.paths=40")


@pytest.fixture
def nights(project, monkeypatch):
    """Give a way to forecast one night by a network that learns a few steps; its folder and its manifest."""

    def made(setting):
        return Tft(budget=SMALL, effort=setting.effort, warm_start=setting.warm_start)

    monkeypatch.setitem(catalogue.MAKERS, "tft", made)

    def night(as_of, *more):
        told = project(*NIGHT, "--as-of", as_of, *more)
        folder = project.file(told, "forecast.csv").parent
        return folder, json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    return night


def contents(folder):
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_night_goes_on_from_the_night_before_and_gives_the_same_bytes_again(nights, project):
    dates = sorted({
        line.split(",")[0] for line in (project.folder / "data" / "sales.csv").read_text().splitlines()[1:]
    })
    before, then, last = dates[-10], dates[-5], dates[-2]
    one, told = nights(before)
    assert told["warm_start"] == {}
    network = FittedTft.read(one / "models" / "tft")
    assert network.learnt.nights == 0
    assert {name for name in told["outputs"] if name.startswith("models/tft/")} == {
        f"models/tft/{path.name}" for path in (one / "models" / "tft").iterdir()
    }
    two, told = nights(then)
    assert told["warm_start"] == {"tft": one.name}
    assert any(GONE_ON in note and network.learnt.base.digest[:8] in note for note in told["notes"])
    assert FittedTft.read(two / "models" / "tft").learnt.nights == 1
    kept = contents(two)
    again, told = nights(then)  # the newest run is of tonight: it is no earlier one
    assert again == two
    assert contents(again) == kept
    cold, told = nights(then, "--set", "forecast.warm_start=never")
    assert told["warm_start"] == {}
    assert FittedTft.read(cold / "models" / "tft").learnt.nights == 0
    assert contents(cold)["forecast.csv"] != kept["forecast.csv"]
    past, told = nights(dates[-12])  # each network that is there has seen what this night must not
    assert told["warm_start"] == {}
    three, told = nights(last)
    assert told["warm_start"]["tft"] in {two.name, cold.name}
    assert told["status"] == "ok"


def test_a_network_that_was_damaged_is_learnt_anew_and_it_is_told(nights, project):
    dates = sorted({
        line.split(",")[0] for line in (project.folder / "data" / "sales.csv").read_text().splitlines()[1:]
    })
    one, _ = nights(dates[-10])
    (one / "models" / "tft" / "rest.json").write_text("{}")
    two, told = nights(dates[-5])
    assert refused(told, one)
    # the two files of a later night hold to each other, and have seen what this one must not
    later, _ = nights(dates[-2])
    shutil.rmtree(two / "models" / "tft")
    shutil.copytree(later / "models" / "tft", two / "models" / "tft")
    _, told = nights(dates[-4])
    assert refused(told, two)


def refused(told, run):
    (note,) = (note for note in told["notes"] if "the network was learnt anew: " in note)
    return told["warm_start"] == {} and note.endswith(f": that of {run.name} is not what its manifest says")
