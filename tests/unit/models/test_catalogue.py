import subprocess
import sys
from dataclasses import replace

import pytest

from stockcast.core.errors import UsageError
from stockcast.models import catalogue
from stockcast.models.catalogue import MAKERS, MODELS, Setting, affordable, candidates, make

INTERFACE = (
    "seasonal_naive, moving_average, ets, ses, holt, theta, croston, sba, tsb, adida, imapa, negative_binomial, sarimax, "
    "unobserved_components, ets_statsmodels, lightgbm, tft, chronos"
)


def test_every_name_of_the_interface_is_listed():
    assert ", ".join(info.name for info in MODELS) == INTERFACE


def test_what_is_available_can_be_made_by_its_name():
    assert sorted(MAKERS) == sorted(info.name for info in MODELS if info.available)
    plain = [info for info in MODELS if info.available and not info.extra]
    assert all(make(info.name).name == info.name for info in plain)
    assert all(make(info.name).pooled == info.pooled for info in plain)


def test_the_network_is_made_with_the_effort_and_the_earlier_fit_of_the_run(tmp_path):
    made = make("tft", Setting("fast", warm_start=tmp_path))
    assert (made.effort, made.warm_start) == ("fast", tmp_path)
    assert make("tft").warm_start is None


def test_groups_and_names_mix_in_the_order_of_the_catalogue():
    assert candidates(["tsb", "seasonal_naive"], "fast") == ["seasonal_naive", "tsb"]
    assert candidates("statistical", "fast") == candidates("auto", "fast")
    assert candidates("auto", "normal") == [*candidates("auto", "fast"), "lightgbm"]
    assert candidates("auto", "thorough") == [*candidates("auto", "normal"), "tft"]
    assert candidates("boosting", "fast") == ["lightgbm"]
    assert candidates("deep", "fast") == ["tft"]
    assert candidates("deep", "fast", extras=["pretrained"]) == ["tft", "chronos"]
    assert candidates("auto", "thorough", extras=["pretrained"]) == [*candidates("auto", "thorough"), "chronos"]
    assert candidates("auto", "normal", extras=["pretrained"]) == candidates("auto", "normal")
    assert candidates(["ets", "chronos"], "fast") == ["ets", "chronos"]
    assert candidates(["ets", "statistical"], "fast") == candidates("statistical", "fast")
    assert candidates("ets", "fast") == ["ets"]


def test_slow_models_must_be_named():
    slow = [info.name for info in MODELS if info.available and not info.auto]
    assert slow == ["ses", "holt", "sarimax", "unobserved_components", "ets_statsmodels"]
    assert not set(slow) & set(candidates("auto", "thorough"))
    assert not set(slow) & set(candidates("statistical", "thorough"))
    assert candidates(["sarimax", "statistical"], "fast") == [*candidates("statistical", "fast"), "sarimax"]


def test_auto_takes_in_what_it_can_afford():
    assert "sarimax" in candidates("auto", "normal", n_series=12, folds=4)
    assert "sarimax" not in candidates("auto", "normal", n_series=13, folds=4)
    assert "sarimax" not in candidates("statistical", "normal", n_series=1, folds=4)
    assert "sarimax" not in candidates("auto", "normal")


def test_slow_models_are_affordable_by_a_count_of_fits():
    assert not affordable("sarimax", 1, 0, "fast")
    assert affordable("sarimax", 20, 2, "normal")
    assert not affordable("sarimax", 21, 2, "normal")
    assert affordable("sarimax", 1200, 4, "thorough")
    assert not affordable("sarimax", 1201, 4, "thorough")
    assert not affordable("unobserved_components", 1, 0, "thorough")
    assert all(affordable(info.name, 10**6, 9, "fast") for info in MODELS if info.available and info.auto)
    with pytest.raises(UsageError, match="did you mean sarimax"):
        affordable("sarimaxx", 1, 1, "fast")


@pytest.mark.parametrize("models", ["chronos", ["ets", "chronos"]])
def test_what_this_version_does_not_have_is_refused(models, monkeypatch):
    lacking = tuple(replace(info, available=info.name != "chronos") for info in MODELS)
    monkeypatch.setattr(catalogue, "MODELS", lacking)
    with pytest.raises(UsageError, match="not available"):
        affordable("chronos", 1, 1, "fast")
    with pytest.raises(UsageError, match="not available"):
        make("chronos")
    with pytest.raises(UsageError, match="not available in this version") as refused:
        candidates(models, "thorough")
    assert refused.value.code == "SC-M003"
    assert "ets" in refused.value.details[0]


def test_a_wrong_name_gets_the_nearest_one():
    with pytest.raises(UsageError, match="did you mean croston"):
        candidates("crostn", "fast")
    with pytest.raises(UsageError, match="did you mean"):
        make("etss")


def test_no_model_at_all_is_refused():
    with pytest.raises(UsageError, match="names no model"):
        candidates([], "fast")


def test_the_list_loads_nothing_heavy():
    code = "import sys; import stockcast.models.catalogue as c; c.candidates('auto', 'fast'); print('numpy' in sys.modules, 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False False"
