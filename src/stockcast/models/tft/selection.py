"""The choice of variables: products of small weights first, then one pass over the columns of each number."""

from itertools import islice
from typing import Any

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
from stockcast.models.tft.layout import Choice, Plan, Weights


def select(
    weights: Weights,
    plan: Plan,
    name: str,
    numbers: Float[torch.Tensor, "number column"],
    codes: Int[torch.Tensor, "code column"],
    context: Float[torch.Tensor, "hidden window"] | None,
    dropout: Dropout,
) -> Columns:
    r"""Give :math:`\sum_v w_v \xi_v` over variables v: representations, weighted by all of them (Lim et al. 2021).

    Before its first bend every layer is affine in the numbers and in which code is there, so weights are multiplied
    first, and with the columns once. Of a number :math:`x` what goes around its network is :math:`cx + d` before it is
    normed: its variance over the width is a square in :math:`x`, and the norm one number of a column. A code has the
    same representation everywhere. The context is of a window, and is not repeated over its periods.

    Parameters
    ----------
    name
        Of the choice: ``static``, ``encoder`` or ``decoder``.
    numbers, codes
        Columns are periods, and within them windows.
    """
    choice = plan.choices[name]
    own = {key.removeprefix(f"{name}."): value for key, value in weights.items() if key.startswith(f"{name}.")}
    if len(numbers) == 1 and not choice.codes:  # nothing to choose from
        return _only(own, choice, plan, numbers, dropout)
    begin = torch.tensor([sum(choice.sizes[:at]) for at in range(len(choice.sizes))], dtype=codes.dtype)
    hot = numbers.new_zeros(sum(choice.sizes), numbers.shape[1]).scatter_(0, codes + begin[:, None], 1.0)
    shares = _shares(own, choice, plan, hot, numbers, context, dropout)
    count = len(choice.codes)
    known = _known(own, choice, plan.eps)
    out = known.t() @ (hot * (choice.spread @ shares[:count]))
    out = torch.addmm(out, own["number.shift"].t(), shares[count:])
    return out + _mixed(own, choice, plan, numbers, shares[count:], dropout)


def _only(own: Weights, choice: Choice, plan: Plan, numbers: torch.Tensor, dropout: Dropout) -> torch.Tensor:
    """Represent the one number that there is."""
    return own["number.shift"].t() + _mixed(own, choice, plan, numbers, torch.ones_like(numbers), dropout)


def _shares(
    own: Weights, choice: Choice, plan: Plan, hot: torch.Tensor, numbers: torch.Tensor, context: torch.Tensor | None,
    dropout: Dropout,
) -> torch.Tensor:  # fmt: skip
    """Give the weights of the variables: the gated residual network of all embeddings side by side."""
    first = own["whole"] @ own["first"].t()
    first = torch.cat([first[:-1], first[-1:] + own["first_bias"]])
    skip = (own["whole"] @ choice.wide) * (torch.sigmoid(own["mask"]) * 2.0)
    both = torch.cat([first, skip], dim=1).t() @ torch.cat([hot, numbers, torch.ones_like(numbers[:1])])
    x, skip = torch.split(both, [first.shape[1], skip.shape[1]])
    if context is not None:
        x = (x.reshape(len(x), -1, context.shape[1]) + (own["context"] @ context)[:, None]).flatten(1)
    mask = dropout.mask(plan.dropout, tuple(x.shape), x.dtype)
    skip = normed(skip, own["around"], own["around_shift"], plan.eps)
    return torch.softmax(residual({f".{key}": value for key, value in own.items()}, "", x, skip, mask, plan.eps), dim=0)


def _known(own: Weights, choice: Choice, eps: float) -> torch.Tensor:
    """Give the representation of each code."""
    count, width = len(choice.spread), own["whole"].shape[1] - own["scaled"].shape[0] * own["scaled"].shape[2]
    open_ = choice.spread @ (torch.sigmoid(own["code.mask"]) * 2.0)
    out = torch.nn.functional.layer_norm((own["whole"][:count, :width] @ choice.far) * open_, open_.shape[1:], eps=eps)
    return torch.addcmul(choice.spread @ own["code.around_shift"], out, choice.spread @ own["code.around"])


def _mixed(
    own: Weights, choice: Choice, plan: Plan, numbers: torch.Tensor, shares: torch.Tensor, dropout: Dropout
) -> torch.Tensor:
    """Add up the gated residual networks of all numbers, each its own, by their weights; their last shift is not in."""
    first = torch.bmm(own["scaled"], own["number.first"].mT)
    first = torch.cat([first[:, :1], first[:, 1:] + own["number.first_bias"][:, None]], dim=1)
    around, by = _around(own, choice, numbers, plan.eps)
    masks = dropout.mask(plan.dropout, (*first.shape[::2], numbers.shape[1]), numbers.dtype)
    second, gate, scale = (own[f"number.{key}"] for key in ("second", "gate", "scale"))
    out: torch.Tensor = _Mixed.apply(  # type: ignore[no-untyped-call]
        numbers, shares, by, first.mT, around, second, gate, scale, masks, plan.eps
    )
    return out


def _around(own: Weights, choice: Choice, numbers: torch.Tensor, eps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Give what goes around the networks as a weight of (x / s, 1 / s, 1), and 1 / s, by which it is normed."""
    scaled = own["scaled"]
    if choice.near is None:  # as wide as the network: it is not normed
        return torch.cat([scaled, torch.zeros_like(scaled[:, :1])], dim=1).mT, torch.ones_like(numbers)
    skip = (scaled @ choice.near) * (torch.sigmoid(own["number.mask"]) * 2.0)[:, None]
    skip = skip - skip.mean(dim=-1, keepdim=True)
    square = torch.bmm(skip, skip.mT) / skip.shape[2]
    variance = torch.bmm(
        square.flatten(1)[:, [0, 1, 3]][:, None],
        torch.stack([numbers * numbers, 2.0 * numbers, torch.ones_like(numbers)], dim=1),
    )[:, 0]
    by = torch.rsqrt(variance.clamp(min=0.0) + eps)
    skip = torch.cat([skip * own["number.around"][:, None], own["number.around_shift"][:, None]], dim=1)
    return skip.mT, by


class _Mixed(torch.autograd.Function):
    """One number after the other: what is at work on its columns stays in the cache."""

    @staticmethod
    def forward(
        ctx: Any, numbers: torch.Tensor, shares: torch.Tensor, by: torch.Tensor, first: torch.Tensor,
        around: torch.Tensor, second: torch.Tensor, gate: torch.Tensor, scale: torch.Tensor,
        masks: torch.Tensor | None, eps: float,
    ) -> torch.Tensor:  # fmt: skip
        count, columns = numbers.shape
        out, kept = numbers.new_zeros(scale.shape[1], columns), list[torch.Tensor]()
        firsts, arounds, seconds, gates, scales = (one.unbind(0) for one in (first, around, second, gate, scale))
        reads, besides = _read(numbers, by)
        left = [None] * count if masks is None else masks.unbind(0)
        for v in range(count):
            inner, bent = bend(firsts[v] @ reads[v], seconds[v], left[v])
            opened = open_gate(inner, arounds[v] @ besides[v], gates[v], eps)
            out.addcmul_(opened.normed * shares[v], scales[v][:, None])
            kept += [*opened, *bent]
        ctx.save_for_backward(numbers, shares, by, first, around, second, gate, scale, masks, *kept)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grown: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        numbers, shares, by, *weights, masks = ctx.saved_tensors[:9]
        kept = iter(ctx.saved_tensors[9:])
        of_weights = [torch.zeros_like(one) for one in weights]
        of_shares, of_by = torch.empty_like(shares), torch.empty_like(by)
        firsts, arounds, seconds, gates, scales = (one.unbind(0) for one in weights)
        of_first, of_around, of_second, of_gate, of_scale = (one.unbind(0) for one in of_weights)
        reads, besides = _read(numbers, by)
        left = [None] * len(numbers) if masks is None else masks.unbind(0)
        for v in range(len(numbers)):
            opened, bent = Opened(*islice(kept, 4)), Bent(*islice(kept, 2))
            of_sum, both, of_shares[v] = norm_back(grown, opened.normed, opened.by * shares[v], scales[v])
            of_scale[v].addmv_(both, shares[v])
            of_around[v].addmm_(of_sum, besides[v].t())
            of_beside = arounds[v][:, :2].t() @ of_sum
            torch.addcmul(of_beside[1], of_beside[0], numbers[v], out=of_by[v])
            of_inner = gate_back(of_sum, opened, gates[v], of_gate[v])
            of_bent = bend_back(of_inner, bent, seconds[v], left[v], of_second[v])
            of_first[v].addmm_(of_bent, reads[v].t())
        return None, of_shares, of_by, *of_weights, None, None


def _read(numbers: torch.Tensor, by: torch.Tensor) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    """Give (x, 1) and (x / s, 1 / s, 1) of every number, as rows."""
    one = torch.ones_like(numbers)
    return torch.stack([numbers, one], dim=1).unbind(0), torch.stack([numbers * by, by, one], dim=1).unbind(0)
