"""The trees of a forecast are kept in its run, under the hash that its manifest has, and come back from there."""

import json

import pytest

from stockcast.core.errors import DataError
from stockcast.models.boosting.stored import load


@pytest.mark.parametrize("models", ["lightgbm", "[moving_average, lightgbm]"])
def test_trees_come_back_by_the_hash_of_the_manifest(models, project):
    told = project("forecast", "--set", f"forecast.models={models}", "--set", "forecast.backtest.folds=1")
    folder = project.file(told, "forecast.csv").parent
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if manifest["models"]["lightgbm"]["series"] == 0:
        assert not (folder / "models").exists()
        return
    file = folder / "models" / "lightgbm.txt"
    trees = load(file, manifest["outputs"]["models/lightgbm.txt"])
    assert trees.text == file.read_text(encoding="utf-8")
    with pytest.raises(DataError, match="changed after it was written"):
        load(file, manifest["outputs"]["forecast.csv"])


def test_a_forecast_without_trees_keeps_none(project):
    told = project("forecast", "--set", "forecast.models=moving_average")
    assert not (project.file(told, "forecast.csv").parent / "models").exists()
