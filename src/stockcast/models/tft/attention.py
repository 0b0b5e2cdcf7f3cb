"""The attention of the network: all heads at once, of the periods to come alone."""

from typing import Any

import torch
from jaxtyping import Float

from stockcast.models.tft.dropout import Dropout
from stockcast.models.tft.gates import Columns


def attend(
    part: Any, x: Float[torch.Tensor, "hidden time window"], encoder: int, dropout: Dropout, *, causal: bool
) -> Columns:
    r"""Give the mean over heads of :math:`\mathrm{softmax}(q k^\top / \sqrt{d}) v`, for each period to come.

    The heads share their values (interpretable multi-head attention, Lim et al. 2021). All past periods are looked at,
    and of those to come, where ``causal``, the ones before.

    Parameters
    ----------
    part
        The library's ``InterpretableMultiHeadAttention``.
    encoder
        Periods of a window that are past.
    """
    width, time, windows = x.shape
    horizon, heads = time - encoder, part.n_head
    share, dtype = part.dropout.p, x.dtype

    def of(layers: list[Any], columns: torch.Tensor) -> torch.Tensor:
        """Give some layers of columns, by window, head, period and width."""
        weight, bias = (torch.cat([getattr(one, name) for one in layers]) for name in ("weight", "bias"))
        out = torch.addmm(bias[:, None], weight, columns).view(len(layers), part.d_k, -1, windows)
        return out.permute(3, 0, 2, 1).contiguous()

    query = of([*part.q_layers], x[:, encoder:].flatten(1))
    key = of([*part.k_layers, part.v_layer], x.flatten(1))
    bias = None
    if causal:
        step = torch.arange(horizon)
        bias = x.new_zeros(horizon, time)
        bias[:, encoder:].masked_fill_(step >= step[:, None], part.mask_bias)
    value = key[:, -1:].expand(-1, heads, -1, -1)
    found = torch.nn.functional.scaled_dot_product_attention(query, key[:, :-1], value, attn_mask=bias)
    mask = dropout.mask(share, tuple(found.shape), dtype)
    found = (found if mask is None else found * mask).mean(dim=1)
    out = part.w_h.weight @ found.permute(2, 1, 0).reshape(part.d_v, -1)
    mask = dropout.mask(share, tuple(out.shape), dtype)
    return out if mask is None else out * mask
