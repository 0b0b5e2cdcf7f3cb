"""Which device the batched models use: a choice of the run, held for the process and handed to its workers."""

import os
from typing import Literal

Device = Literal["cpu", "cuda"]
_NAME = "STOCKCAST_DEVICE"  # in the environment, so that worker processes inherit it


def choose(device: Device) -> None:
    """Choose the device for everything computed from now on in this process and the workers that it starts."""
    os.environ[_NAME] = device


def chosen() -> Device:
    """Give the device; the CPU where none was chosen.

    Examples
    --------
    >>> chosen()
    'cpu'
    """
    return "cuda" if os.environ.get(_NAME) == "cuda" else "cpu"
