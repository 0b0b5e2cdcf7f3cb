"""Weights from elsewhere in a run: what the config names, what is refused before anything is computed, what is told."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from test_pretrained import bolt, needs_extra, plain

from stockcast.models.pretrained import fingerprint, folder

NIGHT = ("forecast", "--set", "forecast.backtest.folds=1", "--set", "forecast.paths=40")
NAMED = (*NIGHT, "--set", "forecast.models=chronos")


def weights(path, sha256):
    return "--set", f"forecast.pretrained.path={path}", "--set", f"forecast.pretrained.sha256={sha256}"


def test_what_cannot_be_used_is_refused_before_anything_is_computed(project, monkeypatch):
    path = plain(project.folder / "weights")
    whole = weights("weights", fingerprint(path))  # relative to the config's folder
    assert project(*NAMED, expect=2)["error"]["code"] == "SC-M008"
    monkeypatch.setattr(folder, "PACKAGES", ("a_package_that_no_one_has", "nor_this_one"))
    assert project(*NAMED, *whole, expect=2)["error"]["code"] == "SC-M009"
    monkeypatch.setattr(folder, "installed", lambda: True)
    assert project(*NAMED, *weights("elsewhere", "0" * 64), expect=2)["error"]["code"] == "SC-M008"
    wrong = project(*NAMED, *weights("weights", "0" * 64), expect=2)["error"]
    assert (wrong["code"], wrong["details"][0]) == ("SC-M008", f"found:    {fingerprint(path)}")
    lacking = project(*NAMED, "--set", "forecast.pretrained={path: weights}", expect=2)["error"]
    assert "forecast.pretrained.sha256" in lacking["message"]
    assert "not a sha256" in project(*NAMED, *weights("weights", "12ab"), expect=2)["error"]["message"]


def test_weights_without_the_extra_are_left_out_of_auto_and_it_is_told(project, monkeypatch):
    monkeypatch.setattr(folder, "PACKAGES", ("a_package_that_no_one_has", "nor_this_one"))
    more = "--set", "forecast.models=[moving_average, deep]"
    told = project(*NIGHT, *more, *weights("weights", "0" * 64))
    manifest = json.loads((project.file(told, "forecast.csv").parent / "manifest.json").read_text(encoding="utf-8"))
    assert "chronos" not in manifest["models"]
    assert any("the extra pretrained of stockcast is not installed" in note for note in manifest["notes"])


class TestWithTheExtra:
    pytestmark = needs_extra

    @pytest.fixture
    def given(self, project):
        bolt(project.folder / "weights")
        return weights("weights", fingerprint(project.folder / "weights"))

    def test_it_forecasts_alone_with_the_same_bytes_twice_and_tells_its_weights(self, project, given):
        seen = []
        for _ in range(2):
            told = project(*NAMED, *given)
            forecast = project.file(told, "forecast.csv")
            manifest = json.loads((forecast.parent / "manifest.json").read_text(encoding="utf-8"))
            assert any("chronos: the weights" in note for note in manifest["notes"])
            seen.append(forecast.read_bytes())
        assert seen[0] == seen[1]
        assert b",chronos," in seen[0]

    def test_it_competes_where_its_group_is_meant(self, project, given):
        told = project(*NIGHT, "--set", "forecast.models=[moving_average, deep]", *given)
        manifest = json.loads((project.file(told, "forecast.csv").parent / "manifest.json").read_text(encoding="utf-8"))
        assert {"moving_average", "tft", "chronos"} == set(manifest["models"])
