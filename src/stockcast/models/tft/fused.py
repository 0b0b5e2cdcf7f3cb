"""The network in few and large operations: the library's modules and weights, and what they give."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float

from stockcast.models.tft.attention import attend
from stockcast.models.tft.recurrence import recur
from stockcast.models.tft.selection import select
from stockcast.models.tft.windows import Input

SAME = 1e-4  # of the largest quantile: what other sums may change
SLOWER = "computed as the library does it, which takes several times as long: {why}"
OTHER = "this version of the library gives other quantiles than its parts put together here"


def whole(network: Any, x: Input) -> Float[torch.Tensor, "window horizon level"]:
    """Give the quantiles of windows as the library computes them."""
    given: torch.Tensor = network(x)["prediction"]
    return given


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
        read = numbers[..., [reals.index(name) for name in of_number]]
        if len(part.input_sizes) == 1 and of_number:  # nothing to choose from
            return part({of_number[0]: read})[0]
        return select(part, tables, read, categories[..., [codes.index(name) for name in of_code]], context)

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


@final
@dataclass(frozen=True, slots=True)
class Way:
    """How a network is computed: what gives its quantiles, and in which precision, where that is not float32."""

    forward: Callable[[Any, Input], torch.Tensor] = whole
    precision: torch.dtype | None = None

    def quantiles(self, network: Any, x: Input) -> Float[torch.Tensor, "window horizon level"]:
        """Give the quantiles of windows in float32."""
        device = x["encoder_cont"].device.type
        with torch.autocast(device, dtype=self.precision or torch.bfloat16, enabled=self.precision is not None):
            return self.forward(network, x).float()

    @classmethod
    def of(cls, network: Any, x: Input) -> tuple["Way", tuple[str, ...]]:
        """Choose by the device, and by whether both ways give the same for some windows; tell where they do not.

        On a GPU the library's own way is taken: its recurrent layer is one operation there.
        """
        if x["encoder_cont"].device.type != "cpu":
            return cls(precision=torch.bfloat16), ()
        was = network.training
        network.eval()
        with torch.no_grad():
            wanted = whole(network, x)
            try:
                found, why = fused(network, x), OTHER
            # whatever another version lacks or has more of
            except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
                found, why = torch.full_like(wanted, torch.nan), f"{OTHER} ({type(error).__name__}: {error})"
        network.train(was)
        room = SAME * float(wanted.abs().max()) if wanted.numel() else 0.0
        if found.shape == wanted.shape and torch.allclose(found, wanted, rtol=0.0, atol=room, equal_nan=False):
            return cls(fused), ()
        return cls(), (SLOWER.format(why=why),)


PLAIN = Way()
