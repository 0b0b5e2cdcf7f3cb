"""The models for ``models list``."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stockcast.models.catalogue import ModelInfo


def list_models() -> "tuple[ModelInfo, ...]":
    """Give every model of the interface; ``available`` says whether this version has it."""
    from stockcast.models.catalogue import MODELS

    return MODELS
