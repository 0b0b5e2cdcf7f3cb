"""Where the batch is computed: the CPU with one thread, or a CUDA device, as asked for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from stockcast.core.device import chosen

CHUNK = {
    "cpu": 256,
    "cuda": 16_384,
}  # about as many series as stay in the cache, or fill the GPU; no byte depends on it
LANES = 32  # the batch is padded to whole vectors: no element falls into a scalar remainder that rounds otherwise


@contextmanager
def batch() -> Iterator[str]:
    """Compute without gradients and with one thread, so that two jobs on a machine don't spin; give the device."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield device()
    finally:
        torch.set_num_threads(before)


def device() -> str:
    """Give the device in use: ``cuda`` where the choice allows it and PyTorch finds one, else ``cpu``."""
    return "cuda" if chosen() != "cpu" and torch.cuda.is_available() else "cpu"


def device_name() -> str:
    """Give the device's name for a person."""
    return torch.cuda.get_device_name() if device() == "cuda" else "CPU"


def put(array: np.ndarray, device: str, dtype: torch.dtype) -> torch.Tensor:
    """Copy an array to the device (torch warns of arrays that it must not write to)."""
    return torch.tensor(np.ascontiguousarray(array), dtype=dtype, device=device)


def by_chunk(count: int, device: str, compute: Callable[[np.ndarray], None]) -> None:
    """Compute rows 0 … count − 1 chunk by chunk; where the device's memory does not hold a chunk, half of it.

    Raises
    ------
    torch.OutOfMemoryError
        If not even ``LANES`` series fit.
    """
    begin, size = 0, -(-count // max(1, round(count / CHUNK[device])))  # equal chunks: no small remainder
    while begin < count:
        rows = np.arange(begin, min(begin + size, count))
        try:
            compute(rows)
        except torch.OutOfMemoryError:
            if size <= LANES:
                raise
            size //= 2
            continue
        begin += len(rows)


def padded(array: np.ndarray, fill: float = 0.0) -> np.ndarray:
    """Widen the last axis (series) to whole vectors.

    Examples
    --------
    >>> padded(np.ones((2, 5))).shape
    (2, 32)
    """
    missing = -array.shape[-1] % LANES
    if not missing:
        return array
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, missing)], constant_values=fill)
