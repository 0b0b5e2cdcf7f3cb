import subprocess
import sys

import pytest

from stockcast.core.errors import UsageError
from stockcast.models.catalogue import MAKERS, MODELS, candidates, make

INTERFACE = (
    "seasonal_naive, moving_average, ets, theta, croston, sba, tsb, adida, imapa, negative_binomial, sarimax, "
    "lightgbm, tft, chronos"
)


def test_every_name_of_the_interface_is_listed():
    assert ", ".join(info.name for info in MODELS) == INTERFACE


def test_what_is_available_can_be_made_by_its_name():
    assert sorted(MAKERS) == sorted(info.name for info in MODELS if info.available)
    assert all(make(name).name == name for name in MAKERS)


def test_groups_and_names_mix_in_the_order_of_the_catalogue():
    assert candidates(["tsb", "seasonal_naive"], "fast") == ["seasonal_naive", "tsb"]
    assert candidates("statistical", "fast") == candidates("auto", "thorough")
    assert candidates(["ets", "statistical"], "fast") == candidates("statistical", "fast")
    assert candidates("ets", "fast") == ["ets"]


@pytest.mark.parametrize("models", ["lightgbm", ["ets", "tft"], "deep", "boosting"])
def test_what_this_version_does_not_have_is_refused(models):
    with pytest.raises(UsageError, match="not available in this version") as refused:
        candidates(models, "thorough")
    assert refused.value.code == "SC-M003"
    assert "ets" in refused.value.details[0]


def test_a_wrong_name_gets_the_nearest_one():
    with pytest.raises(UsageError, match="did you mean croston"):
        candidates("crostn", "fast")
    with pytest.raises(UsageError, match="did you mean"):
        make("etss")
    with pytest.raises(UsageError, match="not available"):
        make("tft")


def test_no_model_at_all_is_refused():
    with pytest.raises(UsageError, match="names no model"):
        candidates([], "fast")


def test_the_list_loads_nothing_heavy():
    code = "import sys; import stockcast.models.catalogue as c; c.candidates('auto', 'fast'); print('numpy' in sys.modules, 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False False"
