"""The recorded forecast draws the same paths again."""

import json

import numpy as np
import pytest

from stockcast.core.errors import UsageError
from stockcast.report.recorded import read_forecast, write_forecast, write_models


def test_it_comes_back(night, tmp_path):
    write_forecast(tmp_path / "forecast", night.demand, night.model, night.fallback)
    demand, model, fallback = read_forecast(tmp_path / "forecast")
    assert (demand.paths() == night.demand.paths()).all()
    assert demand.series.digest == night.demand.series.digest
    assert demand.time == night.demand.time
    assert (demand.stream, demand.n_paths) == (night.demand.stream, night.demand.n_paths)
    assert (model.tolist(), fallback.tolist()) == (night.model.tolist(), night.fallback.tolist())


def test_same_bytes_and_no_pickle(night, tmp_path):
    for name in ("a", "b"):
        write_forecast(tmp_path / name, night.demand, night.model, night.fallback)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert "forecast.json" in files
    for name in files:
        content = (tmp_path / "a" / name).read_bytes()
        assert content == (tmp_path / "b" / name).read_bytes()
        assert name.endswith(".json") or content.startswith(b"\x93NUMPY")


def test_damage_is_told(night, tmp_path):
    folder = tmp_path / "forecast"
    with pytest.raises(UsageError):
        read_forecast(folder)
    write_forecast(folder, night.demand, night.model, night.fallback)
    index = json.loads((folder / "forecast.json").read_text())
    one = sorted(folder.glob("*.npy"))[0]
    whole = one.read_bytes()
    one.write_bytes(whole[:-3])
    with pytest.raises(UsageError) as caught:
        read_forecast(folder)
    assert caught.value.code == "SC-E007"
    np.save(one, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(UsageError):
        read_forecast(folder)
    one.write_bytes(whole)
    for wrong in ({**index, "format": 9}, {**index, "model": {"npy": "../model.npy"}}, {"format": 1}):
        (folder / "forecast.json").write_text(json.dumps(wrong))
        with pytest.raises(UsageError):
            read_forecast(folder)


def test_texts_of_models_are_kept_where_they_are_small(tmp_path, monkeypatch):
    monkeypatch.setattr("stockcast.report.recorded.MOST", 10)
    assert write_models(tmp_path / "none", {}) == []
    assert not (tmp_path / "none").exists()
    assert write_models(tmp_path / "models", {"b.txt": "é" * 6, "a.txt": "trees\n"}) == ["b.txt"]
    assert [file.name for file in (tmp_path / "models").iterdir()] == ["a.txt"]
    assert (tmp_path / "models" / "a.txt").read_bytes() == b"trees\n"
    assert write_models(tmp_path / "models", {"net/w.bin": b"\xff\x00"}) == []
    assert (tmp_path / "models" / "net" / "w.bin").read_bytes() == b"\xff\x00"
