"""The network in few and large operations: the library's modules and weights, and what they give."""

from typing import Any

import torch
from jaxtyping import Float

from stockcast.models.tft.attention import attend
from stockcast.models.tft.recurrence import recur
from stockcast.models.tft.selection import select
from stockcast.models.tft.windows import Input


def fused(network: Any, x: Input) -> Float[torch.Tensor, "window horizon level"]:
    """Give the quantiles of windows of equal length, in units.

    It is what ``network(x)["prediction"]`` gives: the same weights, the same dropout, other sums.

    Parameters
    ----------
    network
        The library's ``TemporalFusionTransformer``.
    """
    given, embedded = network.hparams, network.input_embeddings
    reals, codes = list(given.x_reals), list(embedded.x_categoricals)

    def chosen(part: Any, periods: str, context: torch.Tensor | None) -> torch.Tensor:
        numbers, categories = x[f"{periods}_cont"], x[f"{periods}_cat"]
        if context is None:  # of a series, the same in every period
            numbers, categories = numbers[:, :1], categories[:, :1]
        of_code = [name for name in part.input_sizes if name in codes]
        tables = [embedded.embeddings[name].weight for name in of_code]
        of_number = [name for name in part.input_sizes if name not in codes]
        return select(
            part, tables, numbers[..., [reals.index(name) for name in of_number]],
            categories[..., [codes.index(name) for name in of_code]], context,
        )  # fmt: skip

    static = chosen(network.static_variable_selection, "encoder", None)[:, 0]
    context = network.static_context_variable_selection(static)
    past = chosen(network.encoder_variable_selection, "encoder", context)
    ahead = chosen(network.decoder_variable_selection, "decoder", context)
    hidden = network.static_context_initial_hidden_lstm(static)
    cell = network.static_context_initial_cell_lstm(static)
    told, hidden, cell = recur(network.lstm_encoder, past, hidden, cell)
    later = recur(network.lstm_decoder, ahead, hidden, cell)[0]
    # the library's gates and norms of both are one and the same
    found = network.post_lstm_gate_encoder(torch.cat([told, later], dim=1))
    found = network.post_lstm_add_norm_encoder(found, torch.cat([past, ahead], dim=1))
    encoder = past.shape[1]
    enriched = network.static_enrichment(found, network.static_context_enrichment(static)[:, None])
    seen = attend(network.multihead_attn, enriched, encoder, causal=given.causal_attention)
    seen = network.post_attn_gate_norm(seen, enriched[:, encoder:])
    out = network.pre_output_gate_norm(network.pos_wise_ff(seen), found[:, encoder:])
    out = network.transform_output(network.output_layer(out), target_scale=x["target_scale"])
    return out
