"""The choice of variables: all of them at once, where the library takes one after the other."""

from typing import Any, cast

import torch
from jaxtyping import Float, Int


def select(
    part: Any,
    tables: list[torch.Tensor],
    numbers: Float[torch.Tensor, "window time number"],
    codes: Int[torch.Tensor, "window time code"],
    context: Float[torch.Tensor, "window hidden"] | None,
) -> Float[torch.Tensor, "window time hidden"]:
    r"""Give :math:`\sum_v w_v \xi_v` over variables v: their own representations, weighted by all of them (Lim et al. 2021).

    Before its first bend every layer is affine in the numbers and in which code is there, so products of small weights
    are made once, and of each period one. Of a number :math:`x` the layer that goes around its network is :math:`cx + d`
    before it is normed: its variance over the width is a square in :math:`x`, and a norm one number of a period. Each
    code has the same representation everywhere. The context is of a series, and is not repeated over periods.

    Parameters
    ----------
    part
        The library's ``VariableSelectionNetwork``, of codes first and then of numbers.
    tables
        The embedding of each code.
    """
    windows, time, count = numbers.shape
    rows = windows * time
    names = list(part.input_sizes)
    grns = [part.single_variable_grns[name] for name in names[len(tables) :]]
    scaled = torch.stack(
        [torch.stack([part.prescalers[name].weight[:, 0], part.prescalers[name].bias]) for name in names[len(tables) :]]
    )
    read, sizes = _read(numbers.reshape(rows, count), codes.reshape(rows, len(tables)), tables)
    weights = _weights(part.flattened_grn, read.view(windows, time, -1), tables, scaled, context).view(rows, -1)
    hot = read[:, : sum(sizes)]
    known = torch.cat([part.single_variable_grns[name](table) for name, table in zip(names, tables, strict=False)])
    spread = torch.block_diag(*(hot.new_ones(1, size) for size in sizes))
    out = (hot * (weights[:, : len(tables)] @ spread)) @ known
    of_numbers = weights[:, len(tables) :].t().contiguous()
    made = _represented(grns, scaled, read[:, sum(sizes) : -1].t())
    norms = [grn.gate_norm.add_norm.norm for grn in grns]
    scale, shift = (torch.stack([getattr(norm, name) for norm in norms]) for name in ("weight", "bias"))
    mixed: torch.Tensor = _Mixed.apply(made, of_numbers, scale, norms[0].eps)  # type: ignore[no-untyped-call]
    return (torch.addmm(out, of_numbers.t(), shift) + mixed).view(windows, time, -1)


def _read(
    numbers: torch.Tensor, codes: torch.Tensor, tables: list[torch.Tensor]
) -> tuple[torch.Tensor, list[int]]:
    """Give which code is there (a 1 among zeros), the numbers and a 1 side by side, and the number of each code."""
    sizes = [len(table) for table in tables]
    begin = torch.tensor([sum(sizes[:at]) for at in range(len(sizes))], dtype=codes.dtype, device=codes.device)
    read = numbers.new_zeros(len(numbers), sum(sizes) + numbers.shape[1] + 1)
    read.scatter_(1, codes + begin, 1.0)
    read[:, sum(sizes) : -1] = numbers
    read[:, -1] = 1.0
    return read, sizes


def _weights(
    grn: Any, read: torch.Tensor, tables: list[torch.Tensor], scaled: torch.Tensor, context: torch.Tensor | None
) -> torch.Tensor:
    """Give the weights of the variables: the library's gated residual network of all embeddings side by side."""
    whole = torch.block_diag(*tables, *(one[:1] for one in scaled))
    added = torch.cat([whole.new_zeros(sum(table.shape[1] for table in tables)), scaled[:, 1].reshape(-1)])
    whole = torch.cat([whole, added[None]])
    skip = grn.resample_norm.resample(whole) * (torch.sigmoid(grn.resample_norm.mask) * 2.0)
    first = whole @ grn.fc1.weight.t()
    both = read @ torch.cat([first, skip], dim=1)
    x = both[..., : grn.hidden_size] + grn.fc1.bias
    if context is not None:
        x = x + grn.context(context)[:, None]
    x = grn.fc2(torch.nn.functional.elu(x))
    x = grn.gate_norm(x, grn.resample_norm.norm(both[..., grn.hidden_size :]))
    return torch.softmax(x, dim=-1)


def _represented(grns: list[Any], scaled: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Give the gated residual networks of all numbers, of each its own, before the last norm: number × row × width."""
    numbers = numbers.contiguous()
    one = torch.ones_like(numbers)
    read = torch.stack([numbers, one], dim=-1)
    first = torch.bmm(scaled, _stacked(grns, "fc1.weight").mT)
    first = torch.cat([first[:, :1], first[:, 1:] + _stacked(grns, "fc1.bias")[:, None]], dim=1)
    x = torch.nn.functional.elu(torch.bmm(read, first))
    x = torch.baddbmm(_stacked(grns, "fc2.bias")[:, None], x, _stacked(grns, "fc2.weight").mT)
    drop = grns[0].gate_norm.glu.dropout
    x = x if drop is None else drop(x)
    gate = "gate_norm.glu.fc."
    x = torch.baddbmm(_stacked(grns, f"{gate}bias")[:, None], x, _stacked(grns, f"{gate}weight").mT)
    x = torch.nn.functional.glu(x)
    if not hasattr(grns[0], "resample_norm"):
        return torch.baddbmm(x, read, scaled)
    around = grns[0].resample_norm
    skip = around.resample(scaled.view(-1, scaled.shape[2])).view(len(grns), 2, -1)
    skip = skip * (torch.sigmoid(_stacked(grns, "resample_norm.mask")) * 2.0)[:, None]
    skip = skip - skip.mean(dim=-1, keepdim=True)
    square = torch.bmm(skip, skip.mT) / skip.shape[2]
    variance = torch.bmm(
        torch.stack([numbers * numbers, 2.0 * numbers, one], dim=-1),
        torch.stack([square[:, 0, 0], square[:, 0, 1], square[:, 1, 1]], dim=-1)[..., None],
    )
    by = torch.rsqrt(variance.clamp(min=0.0) + around.norm.eps)
    scale, shift = _stacked(grns, "resample_norm.norm.weight"), _stacked(grns, "resample_norm.norm.bias")
    skip = torch.cat([skip * scale[:, None], shift[:, None]], dim=1)
    return torch.baddbmm(x, torch.cat([read * by, one[..., None]], dim=-1), skip)


def _stacked(parts: list[Any], name: str) -> torch.Tensor:
    """Put the same weights of several parts on one another."""
    return torch.stack([cast("torch.Tensor", part.get_parameter(name)) for part in parts])


class _Mixed(torch.autograd.Function):
    """Norm each representation, scale it, and add them up by their weights."""

    @staticmethod
    def forward(
        ctx: Any, made: torch.Tensor, weights: torch.Tensor, scale: torch.Tensor, eps: float
    ) -> torch.Tensor:
        normed, _, by = torch.native_layer_norm(made, made.shape[-1:], None, None, eps)
        ctx.save_for_backward(normed, by, weights, scale)
        out = normed * scale[:, None]
        return out.mul_(weights[..., None]).sum(0)

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grown: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        normed, by, weights, scale = ctx.saved_tensors
        width = scale.shape[1]
        both = normed * grown
        of_weights = torch.bmm(both, scale[..., None])
        of_scale = torch.bmm(weights[:, None], both)[:, 0]
        mean = (scale @ grown.t())[..., None] / width
        torch.mul(scale[:, None], grown, out=both)
        both.addcmul_(normed, of_weights, value=-1.0 / width).sub_(mean).mul_(by * weights[..., None])
        return both, of_weights[..., 0], of_scale, None
