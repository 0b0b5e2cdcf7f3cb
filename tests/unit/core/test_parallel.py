import os

import numpy as np
import pytest

from stockcast.core.parallel import map_pieces
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
