"""All weights of a network in one piece of memory: one tensor to learn, and one operation that lays them out."""

from collections.abc import Mapping
from typing import final

import torch

from stockcast.models.tft.layout import laid_out


@final
class Sheet:
    """The weights one after the other, a 0 before them; the network's own are pieces of it from here on.

    Parameters
    ----------
    network
        Its weights are moved, not changed.

    Attributes
    ----------
    values
        What an optimizer learns; its gradient is there from the beginning, and is only ever added to.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        weights = dict(network.named_parameters())
        one = next(iter(weights.values()))
        self._places: dict[str, tuple[int, torch.Size]] = {}
        begin = 1
        for name, value in weights.items():
            self._places[name] = begin, value.shape
            begin += value.numel()
        self.values = torch.nn.Parameter(one.new_zeros(begin))
        self._grown = torch.zeros_like(self.values)
        self.values.grad = self._grown
        numbers = torch.arange(begin)
        for name, value in weights.items():
            piece = self.piece(self.values.detach(), name)
            piece.copy_(value.detach())
            value.data, value.grad = piece, self.piece(self._grown, name)
        at = {id(value): self.piece(numbers, name) for name, value in weights.items()}
        places = laid_out(network, lambda weight: at[id(weight)])
        self._layout = {name: value.shape for name, value in places.items()}
        self._index = torch.cat([value.reshape(-1) for value in places.values()])

    def piece(self, values: torch.Tensor, name: str) -> torch.Tensor:
        """Give the piece of such a tensor that belongs to a weight."""
        begin, shape = self._places[name]
        return values[begin : begin + shape.numel()].view(shape)

    def drawn(self) -> tuple[torch.Tensor, Mapping[str, torch.Tensor]]:
        """Give the weights as they are computed with: the one tensor that they are pieces of, and each by name."""
        leaf = self.values.detach()[self._index].requires_grad_()
        parts = torch.split(leaf, [shape.numel() for shape in self._layout.values()])
        return leaf, {name: part.view(shape) for (name, shape), part in zip(self._layout.items(), parts, strict=True)}

    def clear(self) -> None:
        """Forget the gradient."""
        self._grown.zero_()

    def add(self, grown: torch.Tensor) -> None:
        """Add the gradient of what :meth:`drawn` gave."""
        self._grown.index_add_(0, self._index, grown)
        self._grown[0] = 0.0
