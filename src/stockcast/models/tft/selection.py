"""The choice of variables: products of small weights first, then one pass over the columns of each number."""

from typing import Any, cast

import torch
from jaxtyping import Float, Int

from stockcast.models.tft.dropout import Dropout
from stockcast.models.tft.gates import (
    Bent,
    Columns,
    Opened,
    bend,
    bend_back,
    gate_back,
    norm_back,
    normed,
    open_gate,
    residual,
)


def select(
    part: Any,
    tables: list[torch.Tensor],
    numbers: Float[torch.Tensor, "number column"],
    codes: Int[torch.Tensor, "code column"],
    context: Float[torch.Tensor, "hidden window"] | None,
    dropout: Dropout,
) -> Columns:
    r"""Give :math:`\sum_v w_v \xi_v` over variables v: their representations, weighted by all of them (Lim et al. 2021).

    Before its first bend every layer is affine in the numbers and in which code is there, so weights are multiplied
    first, and with the columns once. Of a number :math:`x` what goes around its network is :math:`cx + d` before it is
    normed: its variance over the width is a square in :math:`x`, and the norm one number of a column. A code has the
    same representation everywhere. The context is of a window, and is not repeated over its periods.

    Parameters
    ----------
    part
        The library's ``VariableSelectionNetwork``, of codes first and then of numbers.
    tables
        The embedding of each code.
    numbers, codes
        Columns are periods, and within them windows.
    """
    names = list(part.input_sizes)
    of_number = names[len(tables) :]
    scaled = torch.stack(
        [torch.stack([part.prescalers[name].weight[:, 0], part.prescalers[name].bias]) for name in of_number]
    )
    sizes = [len(table) for table in tables]
    begin = torch.tensor([sum(sizes[:at]) for at in range(len(sizes))], dtype=codes.dtype)
    hot = numbers.new_zeros(sum(sizes), numbers.shape[1]).scatter_(0, codes + begin[:, None], 1.0)
    weights = _weights(part.flattened_grn, hot, numbers, tables, scaled, context, dropout)
    known = torch.cat([part.single_variable_grns[name](table) for name, table in zip(names, tables, strict=False)])
    spread = torch.block_diag(*(hot.new_ones(size, 1) for size in sizes))
    of_numbers = weights[len(tables) :]
    grns = [part.single_variable_grns[name] for name in of_number]
    norms = [grn.gate_norm.add_norm.norm for grn in grns]
    scale, shift = (torch.stack([getattr(one, name) for one in norms]) for name in ("weight", "bias"))
    out = known.t() @ (hot * (spread @ weights[: len(tables)]))
    return torch.addmm(out, shift.t(), of_numbers) + _mixed(grns, scaled, numbers, of_numbers, scale, dropout)


def _weights(
    grn: Any, hot: torch.Tensor, numbers: torch.Tensor, tables: list[torch.Tensor], scaled: torch.Tensor,
    context: torch.Tensor | None, dropout: Dropout,
) -> torch.Tensor:  # fmt: skip
    """Give the weights of the variables: the library's gated residual network of all embeddings side by side."""
    whole = torch.block_diag(*tables, *(one[:1] for one in scaled))
    added = torch.cat([whole.new_zeros(sum(table.shape[1] for table in tables)), scaled[:, 1].reshape(-1)])
    whole = torch.cat([whole, added[None]])
    skip = grn.resample_norm.resample(whole) * (torch.sigmoid(grn.resample_norm.mask) * 2.0)
    first = whole @ grn.fc1.weight.t()
    first = torch.cat([first[:-1], first[-1:] + grn.fc1.bias])
    read = torch.cat([hot, numbers, torch.ones_like(numbers[:1])])
    both = torch.cat([first, skip], dim=1).t() @ read
    x, skip = both.split([grn.hidden_size, grn.output_size])
    if context is not None:
        x = (x.unflatten(1, (-1, context.shape[1])) + (grn.context.weight @ context)[:, None]).flatten(1)
    mask = dropout.mask(grn.dropout, (grn.hidden_size, numbers.shape[1]), numbers.dtype)
    return torch.softmax(residual(grn, x, normed(grn.resample_norm.norm, skip), mask), dim=0)


def _mixed(
    grns: list[Any], scaled: torch.Tensor, numbers: torch.Tensor, weights: torch.Tensor, scale: torch.Tensor,
    dropout: Dropout,
) -> torch.Tensor:  # fmt: skip
    """Add up the gated residual networks of all numbers, each its own, by their weights; their last shift is not in."""
    first = torch.bmm(scaled, _stacked(grns, "fc1.weight").mT)
    first = torch.cat([first[:, :1], first[:, 1:] + _stacked(grns, "fc1.bias")[:, None]], dim=1)
    around, by = _around(grns, scaled, numbers)
    masks = dropout.mask(grns[0].dropout, (len(grns), grns[0].hidden_size, numbers.shape[1]), numbers.dtype)
    second, gate = (
        torch.cat([_stacked(grns, f"{name}.weight"), _stacked(grns, f"{name}.bias")[..., None]], dim=-1)
        for name in ("fc2", "gate_norm.glu.fc")
    )
    out: torch.Tensor = _Mixed.apply(  # type: ignore[no-untyped-call]
        numbers, weights, by, first.mT, around, second, gate, scale, masks, grns[0].gate_norm.add_norm.norm.eps
    )
    return out


def _around(grns: list[Any], scaled: torch.Tensor, numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Give what goes around the networks as a weight of (x / s, 1 / s, 1), and 1 / s, by which it is normed."""
    if not hasattr(grns[0], "resample_norm"):  # as wide as the network: it is not normed
        return torch.cat([scaled, torch.zeros_like(scaled[:, :1])], dim=1).mT, torch.ones_like(numbers)
    part = grns[0].resample_norm
    skip = part.resample(scaled.view(-1, scaled.shape[2])).view(len(grns), 2, -1)
    skip = skip * (torch.sigmoid(_stacked(grns, "resample_norm.mask")) * 2.0)[:, None]
    skip = skip - skip.mean(dim=-1, keepdim=True)
    square = torch.bmm(skip, skip.mT) / skip.shape[2]
    variance = torch.bmm(
        torch.stack([square[:, 0, 0], square[:, 0, 1], square[:, 1, 1]], dim=-1)[:, None],
        torch.stack([numbers * numbers, 2.0 * numbers, torch.ones_like(numbers)], dim=1),
    )[:, 0]
    by = torch.rsqrt(variance.clamp(min=0.0) + part.norm.eps)
    scale, shift = _stacked(grns, "resample_norm.norm.weight"), _stacked(grns, "resample_norm.norm.bias")
    return torch.cat([skip * scale[:, None], shift[:, None]], dim=1).mT, by


def _stacked(parts: list[Any], name: str) -> torch.Tensor:
    """Put the same weights of several parts on one another."""
    return torch.stack([cast("torch.Tensor", part.get_parameter(name)) for part in parts])


class _Mixed(torch.autograd.Function):
    """One number after the other: what is at work on its columns stays in the cache."""

    @staticmethod
    def forward(
        ctx: Any, numbers: torch.Tensor, weights: torch.Tensor, by: torch.Tensor, first: torch.Tensor,
        around: torch.Tensor, second: torch.Tensor, gate: torch.Tensor, scale: torch.Tensor,
        masks: torch.Tensor | None, eps: float,
    ) -> torch.Tensor:  # fmt: skip
        count, columns = numbers.shape
        out = numbers.new_zeros(scale.shape[1], columns)
        kept = []
        for v in range(count):
            read, beside = _read(numbers[v], by[v])
            inner, bent = bend(first[v] @ read, second[v], None if masks is None else masks[v])
            opened = open_gate(inner, around[v] @ beside, gate[v], eps)
            out.addcmul_(opened.normed * weights[v], scale[v, :, None])
            kept += [*opened, *bent]
        ctx.save_for_backward(numbers, weights, by, first, around, second, gate, scale, masks, *kept)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grown: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        numbers, weights, by, first, around, second, gate, scale, masks, *kept = ctx.saved_tensors
        given = (weights, by, first, around, second, gate, scale)
        of_weights, of_by, of_first, of_around, of_second, of_gate, of_scale = (torch.empty_like(one) for one in given)
        for v in range(len(numbers)):
            several = kept[6 * v : 6 * v + 6]
            opened, bent = Opened(*several[:4]), Bent(*several[4:])
            of_sum, both, by_column = norm_back(grown, opened.normed, opened.by * weights[v], scale[v])
            of_weights[v] = by_column[0]
            torch.mv(both, weights[v], out=of_scale[v])
            read, beside = _read(numbers[v], by[v])
            of_around[v] = of_sum @ beside.t()
            of_beside = around[v, :, :2].t() @ of_sum
            torch.addcmul(of_beside[1], of_beside[0], numbers[v], out=of_by[v])
            of_inner, of_gate[v] = gate_back(of_sum, opened, gate[v])
            of_bent, of_second[v] = bend_back(of_inner, bent, second[v], None if masks is None else masks[v])
            of_first[v] = of_bent @ read.t()
        return None, of_weights, of_by, of_first, of_around, of_second, of_gate, of_scale, None, None


def _read(number: torch.Tensor, by: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Give (x, 1) and (x / s, 1 / s, 1) of a number, as rows."""
    one = torch.ones_like(number)
    return torch.stack([number, one]), torch.stack([number * by, by, one])
