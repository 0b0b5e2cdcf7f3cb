import numpy as np
import pytest

from stockcast.core.random import Stream

KEYS = np.array([11, 5, 2**63 + 9, 0], dtype=np.uint64)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_the_order_of_series_changes_no_draw(order):
    stream = Stream(7, "paths")
    np.testing.assert_array_equal(stream.uniform(KEYS[order], (3, 5)), stream.uniform(KEYS, (3, 5))[order])


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_size_of_chunks_changes_no_draw(size):
    stream = Stream(7, "paths")
    chunks = [stream.uniform(KEYS[at : at + size], (4,)) for at in range(0, len(KEYS), size)]
    np.testing.assert_array_equal(np.concatenate(chunks), stream.uniform(KEYS, (4,)))


def test_names_seeds_and_children_are_streams_of_their_own():
    streams = [Stream(7, "a"), Stream(8, "a"), Stream(7, "b"), Stream(7, "a").child("a"), Stream(7, "a").child(1)]
    draws = [tuple(stream.uniform(KEYS[:1], (4,))[0]) for stream in streams]
    assert len(set(draws)) == len(streams)
    assert Stream(7, "a").child("b") == Stream(7, "a/b")


def test_draws_are_uniform_and_differ_between_series():
    draws = Stream(7, "paths").uniform(np.arange(50, dtype=np.uint64), (400,))
    assert draws.min() >= 0
    assert draws.max() < 1
    assert abs(draws.mean() - 0.5) < 0.01
    assert abs(np.corrcoef(draws[0], draws[1])[0, 1]) < 0.2


def test_known_numbers_stay_known():
    """A change here changes every published forecast: it must be on purpose."""
    drawn = Stream(7, "paths").uniform(np.array([3], dtype=np.uint64), (2,))
    np.testing.assert_allclose(drawn, [[0.37946540951428376, 0.4070817987190115]], rtol=0, atol=1e-15)


def test_the_generator_without_series_is_repeatable():
    assert Stream(7, "x").generator().random() == Stream(7, "x").generator().random()
    assert Stream(7, "x").generator().random() != Stream(7, "y").generator().random()
