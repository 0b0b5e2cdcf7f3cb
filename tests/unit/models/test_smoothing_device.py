import numpy as np
import pytest
import torch
from made_panels import panel

from stockcast.core.device import choose, chosen
from stockcast.models.smoothing import Smoothing, Theta
from stockcast.models.smoothing.device import CHUNK, LANES, batch, by_chunk, device


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.delenv("STOCKCAST_DEVICE", raising=False)


def test_a_chunk_that_memory_does_not_hold_is_halved():
    asked, done = [], []

    def compute(rows):
        asked.append(len(rows))
        if len(rows) > 100:
            raise torch.OutOfMemoryError("too large")
        done.extend(rows.tolist())

    by_chunk(600, "cpu", compute)
    assert done == list(range(600))
    assert asked[:3] == [300, 150, 75]


def test_memory_that_holds_nothing_is_an_error():
    def compute(rows):
        raise torch.OutOfMemoryError("too large")

    with pytest.raises(torch.OutOfMemoryError):
        by_chunk(600, "cpu", compute)


def test_no_chunk_is_a_small_remainder():
    sizes = []
    by_chunk(280, "cpu", lambda rows: sizes.append(len(rows)))
    assert sizes == [280]
    sizes.clear()
    by_chunk(1000, "cpu", lambda rows: sizes.append(len(rows)))
    assert min(sizes) > 200
    assert sum(sizes) == 1000
    by_chunk(0, "cpu", lambda rows: pytest.fail("nothing to compute"))


def test_the_device_is_a_choice_that_a_missing_gpu_overrules(monkeypatch):
    assert chosen() == "auto"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device() == "cuda"
    choose("cpu")
    assert device() == "cpu"
    choose("cuda")
    assert device() == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device() == "cpu"


def test_the_batch_runs_on_one_thread_and_gives_the_others_back():
    before = torch.get_num_threads()
    with batch() as where:
        assert where == "cpu"
        assert torch.get_num_threads() == 1
        assert torch.is_inference_mode_enabled()
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("size", [LANES, 40, 256])
def test_the_size_of_chunks_changes_no_byte(monkeypatch, size):
    sales = np.random.default_rng(2).poisson(5.0, (90, 150)) + 5.0 * (np.arange(90) % 3 == 0)[:, None]
    past = panel(sales)
    one = [
        made().fit(past, seed=7).predict(past, 9, seed=7, n_paths=20).paths().tobytes() for made in (Smoothing, Theta)
    ]
    monkeypatch.setitem(CHUNK, "cpu", size)
    two = [
        made().fit(past, seed=7).predict(past, 9, seed=7, n_paths=20).paths().tobytes() for made in (Smoothing, Theta)
    ]
    assert one == two


@pytest.mark.gpu
def test_a_gpu_gives_the_forecasts_of_the_cpu():
    if not torch.cuda.is_available():
        pytest.fail("make test-gpu needs a CUDA device")
    sales = np.random.default_rng(2).poisson(5.0, (500, 400)).astype(float)
    past, means = panel(sales), []
    for kind in ("cpu", "cuda"):
        choose(kind)
        means.append([
            made().fit(past, seed=7).predict(past, 28, seed=7, n_paths=200).mean() for made in (Smoothing, Theta)
        ])
    for one, other in zip(*means, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
