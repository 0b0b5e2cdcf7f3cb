"""The policy's role: a situation in, a quantity for each series out."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from stockcast.inventory import Situation


class Policy(ABC):
    """A rule that orders; it sees the situation and nothing else."""

    name: ClassVar[str]

    @abstractmethod
    def order(self, situation: Situation) -> Float[np.ndarray, " series"]:
        """Give the quantity to order now for each series: real numbers ≥ 0 before ``Orderable``, whole packs after."""
