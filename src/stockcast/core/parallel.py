"""Map a function over pieces of work: in this process or in several, with the same bytes from any number."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def calm_threads() -> None:
    """Keep the thread pools of torch, LightGBM and BLAS from spinning against other jobs, before they are loaded."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("KMP_BLOCKTIME", "0")


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    # spawn: a forked child would inherit the locks of torch's and DuckDB's threads
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=calm_threads) as pool:
        yield pool


def map_pieces(
    function: Callable[[Piece], Result],
    pieces: Iterable[Piece],
    *,
    workers: int = 1,
    done: Callable[[int], None] = lambda count: None,
) -> list[Result]:
    """Apply a picklable function to every piece, and give the results in the order of the pieces.

    How the work is cut must not depend on ``workers``: then neither do the results (rule 9).

    Parameters
    ----------
    done
        Called with the number of pieces finished, for a progress bar.
    """
    todo = list(pieces)
    results: list[Result] = []
    if workers <= 1 or len(todo) <= 1:
        for piece in todo:
            results.append(function(piece))
            done(len(results))
        return results
    with _pool(min(workers, len(todo))) as pool:
        for result in pool.map(function, todo):
            results.append(result)
            done(len(results))
    return results
