import os

import numpy as np
import pytest

from stockcast.core.parallel import calm_threads, each_slice, map_pieces
from stockcast.core.random import Stream


def draw(rows: np.ndarray) -> np.ndarray:
    return Stream(7, "work").uniform(rows.astype(np.uint64), (3,))


def fail_at_two(piece: int) -> int:
    if piece == 2:
        raise ValueError("piece 2")
    return piece


def process(piece: int) -> int:
    return os.getpid()


def test_one_worker_and_two_give_the_same_bytes_in_the_order_of_the_pieces():
    pieces = [np.arange(at, at + 3) for at in range(0, 12, 3)]
    one = np.concatenate(map_pieces(draw, pieces, workers=1))
    two = np.concatenate(map_pieces(draw, pieces, workers=2))
    assert one.tobytes() == two.tobytes()
    assert one.tobytes() == draw(np.arange(12)).tobytes()


def test_two_workers_are_other_processes():
    assert os.getpid() not in map_pieces(process, [1, 2], workers=2)
    assert map_pieces(process, [1], workers=2) == [os.getpid()]


def test_progress_counts_every_piece():
    for workers in (1, 2):
        seen: list[int] = []
        map_pieces(draw, [np.arange(2)] * 3, workers=workers, done=seen.append)
        assert seen == [1, 2, 3]


def test_nothing_to_do_is_done():
    assert map_pieces(draw, [], workers=2) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_piece_comes_out(workers):
    with pytest.raises(ValueError, match="piece 2"):
        map_pieces(fail_at_two, [1, 2, 3], workers=workers)


THREADS = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def threads(piece: int) -> tuple[list[str | None], int]:
    import torch

    return [os.environ.get(name) for name in THREADS], torch.get_num_threads()


def test_a_worker_computes_in_one_thread(monkeypatch):
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    for found in map_pieces(threads, [1, 2], workers=2):
        assert found == (["PASSIVE", "0", "1", "1", "1"], 1)
    assert not set(THREADS) & set(os.environ)  # the parent keeps its own


def test_what_the_user_set_stays(monkeypatch):
    for name, value in zip(THREADS, ("ACTIVE", "7", "2", "3", "4"), strict=True):
        monkeypatch.setenv(name, value)
    for found in map_pieces(threads, [1, 2], workers=2):
        assert found == (["ACTIVE", "7", "2", "3", "4"], 2)
    calm_threads()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


@pytest.mark.parametrize("threads", [None, 1, 3])
@pytest.mark.parametrize("n", [0, 1, 40, 1001])
def test_every_row_is_in_one_slice(n, threads):
    seen = np.zeros(n, dtype=int)

    def fill(some: slice) -> None:
        assert 0 < some.stop - some.start <= 7
        seen[some] += 1

    each_slice(fill, n, 7, threads=threads)
    assert (seen == 1).all()


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_a_slice_comes_out_and_the_errstate_goes_in(threads):
    def divide(some: slice) -> None:
        np.ones(1) / np.zeros(1)

    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        each_slice(divide, 100, 1, threads=threads)


def threads_of_a_worker(piece: int) -> int:
    from stockcast.core.parallel import threads_here

    return threads_here()


def test_a_worker_starts_no_threads_of_its_own():
    assert map_pieces(threads_of_a_worker, [1, 2], workers=2) == [1, 1]
