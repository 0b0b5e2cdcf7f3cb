"""Map a function over pieces of work: in this process or in several, with the same bytes from any number."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from itertools import chain, islice
from multiprocessing import get_context, parent_process
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")
MOST_THREADS = 4  # of one process: what numpy does to a slice in the cache soon waits for the memory all share
AHEAD = 3  # pieces that wait for each worker process
WORTH_THREADS = 16  # slices below which starting threads costs more than it saves


def calm_threads() -> None:
    """Keep the thread pools of torch, LightGBM and BLAS from spinning against other jobs, before they are loaded."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("KMP_BLOCKTIME", "0")


def one_thread_each() -> None:
    """Keep a worker process to one thread, before torch, LightGBM or BLAS are loaded; what the user set stays.

    The workers share the cores already: a pool of threads in each would make them wait for one another.
    """
    calm_threads()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    # spawn: a forked child would inherit the locks of torch's and DuckDB's threads
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=one_thread_each) as pool:
        yield pool


def map_pieces(
    function: Callable[[Piece], Result],
    pieces: Iterable[Piece],
    *,
    workers: int = 1,
    done: Callable[[int], None] = lambda count: None,
) -> list[Result]:
    """Apply a picklable function to every piece, and give the results in the order of the pieces.

    How the work is cut must not depend on ``workers``: then neither do the results (rule 9). Pieces are taken from an
    iterator a few at a time, so that a generator need never hold all of them.

    Parameters
    ----------
    done
        Called with the number of pieces finished, for a progress bar.
    """
    coming = iter(pieces)
    begun = list(islice(coming, 2 if workers > 1 else 0))
    results: list[Result] = []
    if len(begun) <= 1:
        for piece in chain(begun, coming):
            results.append(function(piece))
            done(len(results))
        return results
    todo = chain(begun, coming)
    with _pool(workers) as pool:
        running = deque(pool.submit(function, piece) for piece in islice(todo, AHEAD * workers))
        while running:
            results.append(running.popleft().result())
            running.extend(pool.submit(function, piece) for piece in islice(todo, 1))
            done(len(results))
    return results


def threads_here() -> int:
    """Give the number of threads that pay in this process: its cores, up to four; one in a worker process."""
    if parent_process() is not None:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_THREADS)


def each_slice(function: Callable[[slice], None], n: int, size: int, *, threads: int | None = None) -> None:
    """Call a function for every slice of ``size`` of ``n`` rows, in threads where that pays.

    It is for numpy work that fills arrays of the caller's: numpy lets other threads run meanwhile. A slice must write
    to its own rows only; then the number of threads changes no byte (rule 9).

    Examples
    --------
    >>> import numpy as np
    >>> out = np.zeros(5)
    >>> def fill(some: slice) -> None:
    ...     out[some] = some.stop
    >>> each_slice(fill, 5, 2)
    >>> out.tolist()
    [2.0, 2.0, 4.0, 4.0, 5.0]
    """
    slices = [slice(begin, min(begin + size, n)) for begin in range(0, n, size)]
    threads = threads_here() if threads is None else threads
    if threads <= 1 or len(slices) < WORTH_THREADS:
        for some in slices:
            function(some)
        return
    with ThreadPoolExecutor(threads) as pool:
        # a context each: numpy keeps the caller's errstate there
        running = [pool.submit(copy_context().run, function, some) for some in slices]
        try:
            for one in running:
                one.result()
        finally:
            pool.shutdown(cancel_futures=True)  # after an error or Ctrl-C, what has not begun never will
