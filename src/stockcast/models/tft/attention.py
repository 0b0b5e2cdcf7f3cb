"""The attention of the network: all heads at once, of the periods to come alone."""

import torch
from jaxtyping import Float

from stockcast.models.tft.dropout import Dropout
from stockcast.models.tft.gates import Columns
from stockcast.models.tft.layout import Plan, Weights


def attend(
    weights: Weights, plan: Plan, x: Float[torch.Tensor, "hidden time window"], encoder: int, dropout: Dropout
) -> Columns:
    r"""Give the mean over heads of :math:`\mathrm{softmax}(q k^\top / \sqrt{d}) v`, for each period to come.

    The heads share their values (interpretable multi-head attention, Lim et al. 2021). All past periods are looked at,
    and of those to come, where ``causal``, the ones before.

    Parameters
    ----------
    encoder
        Periods of a window that are past.
    """
    _, time, windows = x.shape
    horizon, heads, dtype = time - encoder, plan.heads, x.dtype

    def of(name: str, columns: torch.Tensor, count: int) -> torch.Tensor:
        """Give some layers of columns, by window, head, period and width."""
        out = torch.addmm(weights[f"attention.{name}_bias"][:, None], weights[f"attention.{name}"], columns)
        return out.view(count, -1, columns.shape[1] // windows, windows).permute(3, 0, 2, 1).contiguous()

    query = of("query", x[:, encoder:].flatten(1), heads)
    key = of("key", x.flatten(1), heads + 1)
    bias = None
    if plan.causal:
        step = torch.arange(horizon)
        bias = x.new_zeros(horizon, time)
        bias[:, encoder:].masked_fill_(step >= step[:, None], plan.hidden)
    value = key[:, -1:].expand(-1, heads, -1, -1)
    found = torch.nn.functional.scaled_dot_product_attention(query, key[:, :-1], value, attn_mask=bias)
    mask = dropout.mask(plan.dropout, tuple(found.shape), dtype)
    found = (found if mask is None else found * mask).mean(dim=1)
    out = weights["attention.out"] @ found.permute(2, 1, 0).flatten(1)
    mask = dropout.mask(plan.dropout, tuple(out.shape), dtype)
    return out if mask is None else out * mask
