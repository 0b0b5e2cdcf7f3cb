"""Gates, norms and gated residual networks of many columns at once, each with its own gradient.

A value's width lies first and its columns (periods and windows) last: all that is done to single values then runs over
long pieces of memory. A weight has its bias as one more column, and what it multiplies a row of ones.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float

from stockcast.models.tft.layout import Weights

Columns = Float[torch.Tensor, "width column"]
Mask = torch.Tensor | None


class Opened(NamedTuple):
    """What a gate has kept of its columns for the gradient."""

    read: torch.Tensor  # what it read, after dropout, and a row of ones
    gate: torch.Tensor  # what goes through, and by how much of it
    normed: torch.Tensor
    by: torch.Tensor  # one over the spread of each column


class Bent(NamedTuple):
    """What a gated residual network has kept besides: the slope of its bend, and what came out, with a row of ones."""

    slope: torch.Tensor
    read: torch.Tensor


def room(rows: int, like: torch.Tensor) -> torch.Tensor:
    """Give room for some rows, with one of ones below them."""
    out = like.new_empty(rows + 1, like.shape[1])
    out[-1] = 1.0
    return out


def norm(columns: torch.Tensor, eps: float) -> torch.Tensor:
    """Norm every column in its place; give one over its spread."""
    share = columns.new_full((1, len(columns)), 1.0 / len(columns))
    columns.sub_(share @ columns)
    by = (share @ (columns * columns)).add_(eps).rsqrt_()
    columns.mul_(by)
    return by


def norm_back(
    grown: torch.Tensor, normed: torch.Tensor, by: torch.Tensor, scale: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Give the gradient of what was normed and scaled; ``grown · normed``; and the sum of that, scaled, by column."""
    both = grown * normed
    by_column = scale[None] @ both
    out = grown * scale[:, None]
    out.sub_((scale[None] @ grown).div_(len(scale))).addcmul_(normed, by_column, value=-1.0 / len(scale)).mul_(by)
    return out, both, by_column


def open_gate(read: torch.Tensor, skip: torch.Tensor, weight: torch.Tensor, eps: float) -> Opened:
    r"""Give :math:`\mathrm{norm}(s + a \sigma(b))` of columns, where :math:`(a, b) = W r`."""
    gate = weight @ read
    through, much = gate.chunk(2)
    normed = torch.addcmul(skip, through, much.sigmoid_())
    return Opened(read, gate, normed, norm(normed, eps))


def gate_back(of_sum: torch.Tensor, kept: Opened, weight: torch.Tensor, of_weight: torch.Tensor) -> torch.Tensor:
    """Give the gradient of what the gate read (without the row of ones), and add that of its weight."""
    through, much = kept.gate.chunk(2)
    grown = torch.empty_like(kept.gate)
    of_through, of_much = grown.chunk(2)
    torch.mul(of_sum, much, out=of_through)
    torch.mul(of_through, through, out=of_much).addcmul_(of_much, much, value=-1.0)
    of_weight.addmm_(grown, kept.read.t())
    return weight[:, :-1].t() @ grown


def bend(columns: torch.Tensor, weight: torch.Tensor, mask: Mask) -> tuple[torch.Tensor, Bent]:
    r"""Give :math:`m W \mathrm{elu}(x)`, with a row of ones, where m is what dropout leaves."""
    slope = columns.clamp(max=0.0).exp_()
    read = room(len(columns), columns)
    torch.clamp(columns, min=0.0, out=read[:-1]).add_(slope).sub_(1.0)
    out = room(len(weight), columns)
    torch.mm(weight, read, out=out[:-1])
    if mask is not None:
        out[:-1].mul_(mask)
    return out, Bent(slope, read)


def bend_back(
    grown: torch.Tensor, kept: Bent, weight: torch.Tensor, mask: Mask, of_weight: torch.Tensor
) -> torch.Tensor:
    """Give the gradient of the columns, and add that of the weight."""
    if mask is not None:
        grown.mul_(mask)
    of_weight.addmm_(grown, kept.read.t())
    return (weight[:, :-1].t() @ grown).mul_(kept.slope)


def gated(weights: Weights, name: str, columns: Columns, skip: Columns, mask: Mask, eps: float) -> Columns:
    """Run dropout, a gate, what goes around it, and a norm."""
    gate, scale, shift = (weights[f"{name}.{key}"] for key in ("gate", "scale", "shift"))
    out: torch.Tensor = _Gate.apply(columns, skip, gate, scale, shift, mask, eps)  # type: ignore[no-untyped-call]
    return out


def residual(
    weights: Weights, name: str, bent: Float[torch.Tensor, "inner column"], skip: Columns, mask: Mask, eps: float
) -> Columns:
    """Run a gated residual network from its bend on."""
    several = (weights[f"{name}.{key}"] for key in ("second", "gate", "scale", "shift"))
    out: torch.Tensor = _Residual.apply(bent, skip, *several, mask, eps)  # type: ignore[no-untyped-call]
    return out


def affine(weights: Weights, name: str, columns: Columns) -> Float[torch.Tensor, "inner column"]:
    """Run a linear layer."""
    return torch.addmm(weights[f"{name}.first_bias"][:, None], weights[f"{name}.first"], columns)


def normed(columns: Columns, scale: torch.Tensor, shift: torch.Tensor, eps: float) -> Columns:
    """Run a norm over the width of every column."""
    out: torch.Tensor = _Norm.apply(columns, scale, shift, eps)  # type: ignore[no-untyped-call]
    return out


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, columns: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, eps: float) -> torch.Tensor:
        out = columns.clone(memory_format=torch.contiguous_format)
        by = norm(out, eps)
        ctx.save_for_backward(out, by, scale)
        return torch.addcmul(shift[:, None], out, scale[:, None])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grown: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        out, both, _ = norm_back(grown, *ctx.saved_tensors)
        return out, both.sum(1), grown.sum(1), None


class _Gate(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, columns: torch.Tensor, skip: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor,
        shift: torch.Tensor, mask: Mask, eps: float,
    ) -> torch.Tensor:  # fmt: skip
        read = room(len(columns), columns)
        torch.mul(columns, 1.0 if mask is None else mask, out=read[:-1])
        kept = open_gate(read, skip, weight, eps)
        ctx.save_for_backward(*kept, weight, scale, mask)
        return torch.addcmul(shift[:, None], kept.normed, scale[:, None])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grown: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        *several, weight, scale, mask = ctx.saved_tensors
        kept, of_weight = Opened(*several), torch.zeros_like(weight)
        of_sum, both, _ = norm_back(grown, kept.normed, kept.by, scale)
        of_read = gate_back(of_sum, kept, weight, of_weight)
        of_read = of_read if mask is None else of_read.mul_(mask)
        return of_read, of_sum, of_weight, both.sum(1), grown.sum(1), None, None


class _Residual(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, columns: torch.Tensor, skip: torch.Tensor, second: torch.Tensor, weight: torch.Tensor,
        scale: torch.Tensor, shift: torch.Tensor, mask: Mask, eps: float,
    ) -> torch.Tensor:  # fmt: skip
        read, bent = bend(columns, second, mask)
        kept = open_gate(read, skip, weight, eps)
        ctx.save_for_backward(*kept, *bent, second, weight, scale, mask)
        return torch.addcmul(shift[:, None], kept.normed, scale[:, None])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grown: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        *several, slope, bent, second, weight, scale, mask = ctx.saved_tensors
        kept, of_second, of_weight = Opened(*several), torch.zeros_like(second), torch.zeros_like(weight)
        of_sum, both, _ = norm_back(grown, kept.normed, kept.by, scale)
        of_read = gate_back(of_sum, kept, weight, of_weight)
        of_columns = bend_back(of_read, Bent(slope, bent), second, mask, of_second)
        return of_columns, of_sum, of_second, of_weight, both.sum(1), grown.sum(1), None, None
