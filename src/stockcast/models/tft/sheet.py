"""All weights of a network in one piece of memory: one tensor to learn, and one operation that lays them out."""

from collections.abc import Iterator, Mapping
from typing import Any, final

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
        self.values = torch.nn.Parameter(one.new_zeros(1 + sum(value.numel() for value in weights.values())))
        self.values.grad = torch.zeros_like(self.values)
        self._shapes = {name: value.shape for name, value in weights.items()}
        for (name, piece), (_, grown) in zip(
            self.pieces(self.values.detach()), self.pieces(self.values.grad), strict=True
        ):
            piece.copy_(weights[name].detach())
            weights[name].data, weights[name].grad = piece, grown
        self._index: torch.Tensor | None = None
        self._layout: dict[str, torch.Size] = {}

    def pieces(self, values: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
        """Give the pieces of such a tensor by the names of the weights."""
        begin = 1
        for name, shape in self._shapes.items():
            yield name, values[begin : begin + shape.numel()].view(shape)
            begin += shape.numel()

    def lay_out(self, network: Any) -> None:
        """Find out where each weight goes."""
        numbers = dict(self.pieces(torch.arange(len(self.values))))
        at = {id(value): numbers[name] for name, value in network.named_parameters()}
        places = laid_out(network, lambda weight: at[id(weight)])
        self._layout = {name: value.shape for name, value in places.items()}
        self._index = torch.cat([value.reshape(-1) for value in places.values()])

    def drawn(self) -> tuple[torch.Tensor, Mapping[str, torch.Tensor]]:
        """Give the weights as they are computed with: the one tensor that they are pieces of, and each by name."""
        if self._index is None:
            raise RuntimeError("the weights are not laid out")
        leaf = self.values.detach()[self._index].requires_grad_()
        parts = leaf.split([shape.numel() for shape in self._layout.values()])
        return leaf, {name: part.view(shape) for (name, shape), part in zip(self._layout.items(), parts, strict=True)}

    def clear(self) -> None:
        """Forget the gradient."""
        if self.values.grad is not None:
            self.values.grad.zero_()

    def add(self, grown: torch.Tensor) -> None:
        """Add the gradient of what :meth:`drawn` gave."""
        if self._index is None or self.values.grad is None:
            raise RuntimeError("the weights are not laid out")
        self.values.grad.index_add_(0, self._index, grown)
        self.values.grad[0] = 0.0
