"""Windows computed part by part, in parts that the device has room for."""

from collections.abc import Callable
from typing import TypeVar

import torch

from stockcast.models.tft.batcher import Pairs, some

LOOK = 256  # windows that are looked at at once
SMALLEST = 8  # windows that a device must have room for

Found = TypeVar("Found")


def in_parts(pairs: Pairs, compute: Callable[[Pairs], Found]) -> list[Found]:
    """Compute windows part by part; where the device has no room for a part, it and those to come are halved.

    Raises
    ------
    torch.OutOfMemoryError
        If the device has no room for a few windows.

    Examples
    --------
    >>> def compute(part: Pairs) -> int:
    ...     if len(part[0]) > 100:
    ...         raise torch.OutOfMemoryError
    ...     return len(part[0])
    >>> in_parts((torch.arange(300), torch.arange(300)), compute)
    [64, 64, 64, 64, 44]
    """
    out, begin, size = list[Found](), 0, min(LOOK, len(pairs[0]))
    while begin < len(pairs[0]):
        part = some(pairs, begin, size)
        try:
            out.append(compute(part))
        except torch.OutOfMemoryError:
            if size <= SMALLEST:
                raise
            size = -(-size // 2)
            clear(pairs[0].device.type)
        else:
            begin += len(part[0])
    return out


def clear(device: str) -> None:
    """Give back what the device holds for computations to come."""
    if device == "cuda":
        torch.cuda.empty_cache()
