"""Which courses of the past the paths of each series follow."""

import numpy as np
from jaxtyping import Int, UInt64

from stockcast.core.random import Stream


def drawn(
    near: Int[np.ndarray, "series neighbour"], keys: UInt64[np.ndarray, " series"], stream: Stream, n_paths: int
) -> Int[np.ndarray, "series path"]:
    """Give each path one of the series' courses, all as often as the numbers allow, in an order of the series' own.

    Courses are taken evenly along ``near``, which may be in the order of their size or nearness.

    Examples
    --------
    >>> near, keys = np.array([[3, 8]]), np.array([5], dtype=np.uint64)
    >>> np.sort(drawn(near, keys, Stream(7, "paths"), 4)).tolist()
    [[3, 3, 8, 8]]
    """
    order = np.argsort(stream.child("courses").uniform(keys, (n_paths,)), axis=1, kind="stable")
    place = np.arange(n_paths) * near.shape[1] // n_paths
    return np.asarray(np.take_along_axis(near, place[order], axis=1))
