"""The attention of the network: all heads at once, of the periods to come alone."""

from typing import Any

import torch
from jaxtyping import Float

F = torch.nn.functional


def attend(
    part: Any, x: Float[torch.Tensor, "window time hidden"], encoder: int, *, causal: bool
) -> Float[torch.Tensor, "window horizon hidden"]:
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
    windows, time, _ = x.shape
    horizon, heads, width = time - encoder, part.n_head, part.d_k

    def joined(layers: list[Any], of: torch.Tensor) -> torch.Tensor:
        return F.linear(of, torch.cat([one.weight for one in layers]), torch.cat([one.bias for one in layers]))

    query = joined([*part.q_layers], x[:, encoder:]).view(windows, horizon, heads, width).transpose(1, 2)
    key, value = joined([*part.k_layers, part.v_layer], x).split([heads * width, part.d_v], dim=-1)
    key = key.reshape(windows, time, heads, width).permute(0, 2, 3, 1)
    scores = query.reshape(windows * heads, horizon, width) @ key.reshape(windows * heads, width, time)
    scores = scores.view(windows, heads, horizon, time) / width**0.5
    if causal:
        step = torch.arange(horizon, device=x.device)
        hidden = torch.cat([step.new_zeros(horizon, encoder, dtype=torch.bool), step >= step[:, None]], dim=1)
        scores = scores.masked_fill(hidden, part.mask_bias)
    shares = torch.softmax(scores, dim=-1).view(windows, heads * horizon, time)
    found = part.dropout(shares @ value).view(windows, heads, horizon, -1).mean(dim=1)
    out: torch.Tensor = part.dropout(part.w_h(found))
    return out
