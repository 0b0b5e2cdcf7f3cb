"""Read-only arrays and the checks that every type makes of its own."""

from typing import TypeVar

import numpy as np

Array = TypeVar("Array", bound=np.ndarray)


def read_only(array: Array) -> Array:
    """Give a view of an array that cannot be written to (no copy; the caller hands the array over).

    Examples
    --------
    >>> read_only(np.zeros(2)).flags.writeable
    False
    """
    view = array.view()
    view.flags.writeable = False
    return view


def freeze(instance: object, **arrays: np.ndarray | None) -> None:
    """Set read-only views on a frozen dataclass, from its ``__post_init__``."""
    for name, array in arrays.items():
        if array is not None:
            object.__setattr__(instance, name, read_only(array))
