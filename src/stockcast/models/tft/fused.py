"""The network in few and large operations: the library's modules and weights, and what they give."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float

from stockcast.models.tft.attention import attend
from stockcast.models.tft.dropout import Dropout
from stockcast.models.tft.gates import affine, gated, gated_by, residual
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

    It is what ``network(x)["prediction"]`` gives: the same weights, dropout of the same distribution, other sums.

    Parameters
    ----------
    network
        The library's ``TemporalFusionTransformer``.
    """
    given = network.hparams
    dropout = Dropout(active=network.training)
    windows, encoder = x["encoder_cont"].shape[:2]
    horizon = x["decoder_cont"].shape[1]

    def around(part: Any, columns: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        bent = affine(part.fc1, columns)
        if context is not None:
            bent = (bent.unflatten(1, (-1, windows)) + (part.context.weight @ context)[:, None]).flatten(1)
        return residual(part, bent, columns, _left(dropout, part.dropout, bent))

    static = _chosen(network, network.static_variable_selection, x, "encoder", None, dropout)
    context = around(network.static_context_variable_selection, static)
    past = _chosen(network, network.encoder_variable_selection, x, "encoder", context, dropout)
    ahead = _chosen(network, network.decoder_variable_selection, x, "decoder", context, dropout)
    hidden = around(network.static_context_initial_hidden_lstm, static)
    cell = around(network.static_context_initial_cell_lstm, static)
    told, hidden, cell = recur(network.lstm_encoder, past.view(-1, encoder, windows), hidden, cell)
    later = recur(network.lstm_decoder, ahead.view(-1, horizon, windows), hidden, cell)[0]
    # the library's gates and norms of both are one and the same
    both, unit = torch.cat([told, later], dim=1).flatten(1), network.post_lstm_gate_encoder
    found = gated_by(
        unit, network.post_lstm_add_norm_encoder, both, torch.cat([past, ahead], dim=1),
        _left(dropout, unit.dropout, both),
    )  # fmt: skip
    enriched = around(network.static_enrichment, found, around(network.static_context_enrichment, static))
    seen = attend(
        network.multihead_attn, enriched.view(-1, encoder + horizon, windows), encoder, dropout,
        causal=given.causal_attention,
    )  # fmt: skip
    first = encoder * windows
    part = network.post_attn_gate_norm
    seen = gated(part, seen, enriched[:, first:], _left(dropout, part.dropout, seen))
    out = gated(network.pre_output_gate_norm, around(network.pos_wise_ff, seen), found[:, first:], None)
    out = affine(network.output_layer, out).view(-1, horizon, windows).permute(2, 1, 0)
    return network.transform_output(out, target_scale=x["target_scale"])


def _chosen(
    network: Any, part: Any, x: Input, periods: str, context: torch.Tensor | None, dropout: Dropout
) -> torch.Tensor:
    """Choose from the variables of some periods; of a series, which are the same in every period, in the first."""
    numbers, categories = x[f"{periods}_cont"], x[f"{periods}_cat"]
    if context is None:
        numbers, categories = numbers[:, :1], categories[:, :1]
    reals, codes = list(network.hparams.x_reals), list(network.input_embeddings.x_categoricals)
    of_code = [name for name in part.input_sizes if name in codes]
    of_number = [name for name in part.input_sizes if name not in codes]
    tables = [network.input_embeddings.embeddings[name].weight for name in of_code]
    read = numbers.permute(2, 1, 0)[[reals.index(name) for name in of_number]].flatten(1)
    if len(of_number) == 1 and not of_code:  # nothing to choose from
        out: torch.Tensor = part({of_number[0]: read.t()})[0].t()
        return out
    known = categories.permute(2, 1, 0)[[codes.index(name) for name in of_code]].flatten(1)
    return select(part, tables, read, known, context, dropout)


def _left(dropout: Dropout, share: Any, like: torch.Tensor) -> torch.Tensor | None:
    """Give what dropout leaves of columns, whose share the library names or keeps in a layer."""
    if isinstance(share, torch.nn.Dropout):
        share = share.p
    return None if share is None else dropout.mask(share, tuple(like.shape), like.dtype)


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
