"""Where LightGBM computes: a trial in a process of its own, told in the notes, and the CPU where it fails."""

import os
import sys

import lightgbm
import pytest
from made_panels import retail

from stockcast.models.boosting import gpu
from stockcast.models.boosting.gpu import Offer, note, offered, on_device, trained
from stockcast.models.boosting.model import Boosting
from stockcast.models.boosting.trees import parameters

GIVEN = {"objective": "tweedie", "deterministic": True, "force_row_wise": True, "num_leaves": 7}


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(gpu, "_broke", [])
    offered.cache_clear()
    yield
    offered.cache_clear()


@pytest.fixture
def offer(monkeypatch):
    """Say what a trial would find; the machine shows a device."""

    def say(kind, *, same=True, why="", device="auto"):
        monkeypatch.setattr(gpu, "offered", lambda: Offer(kind, same, why))
        monkeypatch.setattr(gpu, "there", lambda: True)
        monkeypatch.setenv("STOCKCAST_DEVICE", device)

    return say


def test_the_cpu_is_not_left_and_nothing_is_tried_without_a_device(monkeypatch):
    monkeypatch.setattr(gpu, "offered", lambda: pytest.fail("tried all the same"))
    for device, there in (("cpu", True), ("auto", False)):
        monkeypatch.setenv("STOCKCAST_DEVICE", device)
        monkeypatch.setattr(gpu, "there", lambda there=there: there)
        assert on_device(GIVEN) is GIVEN
        assert note() == ""


def test_a_device_that_is_hidden_is_not_there(monkeypatch):
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert not gpu.there()


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_what_computes_the_same_bytes_each_time_is_used(offer, device):
    offer("cuda", device=device)
    assert on_device(GIVEN) == {"objective": "tweedie", "num_leaves": 7, "device_type": "cuda"}
    assert note() == "lightgbm computed on the GPU (cuda)"


def test_what_computes_other_bytes_each_time_is_used_only_where_it_is_asked_for(offer):
    offer("gpu", same=False)
    assert on_device(GIVEN) is GIVEN
    assert note() == "lightgbm computed on the CPU (gpu gives other bytes each time; --device cuda takes it)"
    offer("gpu", same=False, device="cuda")
    assert on_device(GIVEN)["device_type"] == "gpu"
    assert note() == "lightgbm computed on the GPU (gpu, not the same bytes each time)"


def test_a_gpu_that_fails_in_the_middle_is_left_for_good_and_that_is_told(offer):
    offer("cuda")
    kinds = []

    def train(given):
        kinds.append(given.get("device_type", "cpu"))
        if kinds[-1] == "cuda":
            raise lightgbm.basic.LightGBMError("out of memory.\nand so on")
        return "trees"

    assert trained(GIVEN, train) == trained(GIVEN, train) == "trees"
    assert kinds == ["cuda", "cpu", "cpu"]
    assert note() == "lightgbm computed on the CPU (cuda: out of memory)"


def test_a_failure_on_the_cpu_is_told_in_the_words_of_lightgbm(monkeypatch):
    def fail(given):
        raise lightgbm.basic.LightGBMError("no bins")

    monkeypatch.setenv("STOCKCAST_DEVICE", "cpu")
    with pytest.raises(RuntimeError, match="LightGBM: no bins"):
        trained(GIVEN, fail)


def test_what_a_driver_prints_stays_off_standard_output(offer, capfd):
    offer("cuda")

    def chatty(given):
        os.write(1, b"driver version 12\n")
        sys.stdout.write("from Python\n")
        return "trees"

    assert trained(GIVEN, chatty) == "trees"
    sys.stdout.write("{}\n")
    out, err = capfd.readouterr()
    assert out.strip().splitlines()[-1] == "{}"
    assert "driver" not in out
    assert "driver version 12" in err


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("import sys; print('talk'); sys.exit(0)", Offer("cuda", True, "")),
        ("import sys; sys.exit(4)", Offer("cuda", False, "")),
        ("import sys; sys.exit(0 if sys.argv[1] == 'gpu' else 3)", Offer("gpu", True, "")),
        (
            "import sys, os; sys.stderr.write('no such\\nNo device.\\n'); os.abort() if sys.argv[1] == 'gpu' else sys.exit(3)",
            Offer("", False, "cuda: No device; gpu: the trial ended with -6"),
        ),
        ("import time; time.sleep(99)", Offer("", False, "cuda: no answer within 0.3 seconds; gpu: no answer within 0.3 seconds")),
    ],
    ids=["same", "other", "the second", "a crash", "no end"],
)  # fmt: skip
def test_a_trial_is_read_by_how_its_process_ended(code, wanted, monkeypatch, capfd):
    monkeypatch.setattr(gpu, "PROBE", code)
    if "sleep" in code:
        monkeypatch.setattr(gpu, "SECONDS", 0.3)
    assert offered() == wanted
    assert capfd.readouterr() == ("", "")


def test_this_machine_is_tried_once_and_the_forecast_comes_all_the_same(monkeypatch):
    runs = []
    run = gpu.subprocess.run
    monkeypatch.setattr(gpu.subprocess, "run", lambda argv, **more: runs.append(argv[-1]) or run(argv, **more))
    past = retail(8, 200)
    monkeypatch.setenv("STOCKCAST_DEVICE", "cuda")
    asked = Boosting().fit(past, seed=7)
    again = Boosting().fit(past, seed=7)
    (told,) = asked.notes()
    assert runs in (["cuda"], ["cuda", "gpu"])
    monkeypatch.setenv("STOCKCAST_DEVICE", "cpu")
    plain = Boosting().fit(past, seed=7)
    assert plain.notes() == ()
    if "on the CPU" in told:
        assert "cuda: " in told
        assert "gpu: " in told
        assert asked.pair == again.pair == plain.pair
    else:
        assert told.startswith("lightgbm computed on the GPU (")


def test_the_parameters_of_the_cpu_are_what_they_were(monkeypatch):
    monkeypatch.setenv("STOCKCAST_DEVICE", "cpu")
    assert on_device(parameters(1000, 7)) == parameters(1000, 7)
    assert "device_type" not in parameters(1000, 7)
