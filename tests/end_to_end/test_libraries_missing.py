"""A library that a run needs and cannot load: one screen, exit 6, what to install, and nothing published."""

import builtins
import importlib
import sys

import pytest

NIGHT = ("forecast", "--set", "forecast.backtest.folds=1")


@pytest.fixture
def without(monkeypatch):
    """Give a way to take a library away."""

    def lose(name):
        load, find = importlib.import_module, builtins.__import__

        def refuse(given):
            if given.partition(".")[0] == name:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        def module(given, package=None):
            refuse(given)
            return load(given, package)

        def imported(given, scope=None, *rest, **more):
            if (scope or {}).get("__name__", "").startswith("stockcast."):
                refuse(given)
            return find(given, scope, *rest, **more)

        monkeypatch.setattr(importlib, "import_module", module)
        monkeypatch.setattr(builtins, "__import__", imported)
        for loaded in [one for one in sys.modules if one.startswith("stockcast.models.smoothing")]:
            monkeypatch.delitem(sys.modules, loaded)

    return lose


@pytest.mark.parametrize(
    ("model", "library", "package"),
    [
        ("tft", "torch", "torch"),
        ("tft", "pytorch_forecasting", "pytorch-forecasting"),
        ("tft", "safetensors", "safetensors"),
        ("ets", "torch", "torch"),
    ],
)
def test_what_to_install_is_told(project, without, model, library, package):
    without(library)
    error = project(*NIGHT, "--set", f"forecast.models={model}", expect=6)["error"]
    assert error["code"] == "SC-E008"
    assert package in error["message"]
    assert error["message"].endswith("is not installed")
    assert error["help"].startswith(f"pip install {package};")
    assert not list((project.folder / "runs").glob("*/manifest.json"))


def test_an_extra_that_is_half_there_is_told(project, monkeypatch, tmp_path):
    from stockcast.models.pretrained import folder

    monkeypatch.setattr(folder, "lacking", lambda: ["transformers"])
    (tmp_path / "weights").mkdir()
    given = {"path": str(tmp_path / "weights"), "sha256": "0" * 64}
    more = [part for name, value in given.items() for part in ("--set", f"forecast.pretrained.{name}={value}")]
    error = project(*NIGHT, "--set", "forecast.models=chronos", *more, expect=6)["error"]
    assert "transformers, which is not installed" in error["message"]
    assert error["help"].startswith("pip install 'stockcast[pretrained]';")
    monkeypatch.setattr(folder, "lacking", lambda: ["chronos"])  # others may have brought transformers
    assert project(*NIGHT, "--set", "forecast.models=chronos", *more, expect=2)["error"]["code"] == "SC-M009"
