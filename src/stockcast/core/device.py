"""Which device the batched models use: a choice of the run, held for the process and handed to its workers."""

import os
from typing import Literal

Device = Literal["auto", "cpu", "cuda"]
_NAME = "STOCKCAST_DEVICE"  # in the environment, so that worker processes inherit it


def choose(device: Device) -> None:
    """Choose the device for everything computed from now on in this process and the workers that it starts."""
    os.environ[_NAME] = device


def chosen() -> Device:
    """Give the choice: ``auto``, which is a CUDA device where PyTorch finds one, unless told otherwise."""
    given = os.environ.get(_NAME)
    return "cpu" if given == "cpu" else "cuda" if given == "cuda" else "auto"
