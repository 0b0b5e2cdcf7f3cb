"""The network in columns: the library's weights and quantiles in fewer and larger operations than its own forward."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch
from jaxtyping import Float

from stockcast.models.tft.attention import attend
from stockcast.models.tft.dropout import Dropout
from stockcast.models.tft.gates import affine, gated, residual
from stockcast.models.tft.layout import Plan, Weights, laid_out
from stockcast.models.tft.recurrence import recur
from stockcast.models.tft.selection import select
from stockcast.models.tft.windows import Input

SAME = 1e-4  # of the largest quantile: what other sums may change
EXACT = 1e-6  # of it, in float64
ROUNDER = 16.0  # times what the library's own sums round off in float32: as much as these may
SLOWER = "computed as the library does it, which takes about twice as long: {why}"
OTHER = "this version of the library gives other quantiles than its parts put together here"
ROUNDED = "with these weights it would round off {mine:.0e} of the largest quantile, the library {theirs:.0e}"
ENDLESS = "its quantiles are not finite"


def rescaled(given: dict[str, torch.Tensor]) -> torch.Tensor:
    """Bring what the network gives to units, as the library's normalisers do."""
    scale = given["target_scale"]
    return given["prediction"] * scale[:, 1, None, None] + scale[:, 0, None, None]


def whole(network: Any, x: Input) -> Float[torch.Tensor, "window horizon level"]:
    """Give the quantiles of windows as the library computes them."""
    given: torch.Tensor = network(x)["prediction"]
    return given


def fused(network: Any, x: Input) -> Float[torch.Tensor, "window horizon level"]:
    """Give the quantiles of windows of equal length, in units.

    It is what ``network(x)["prediction"]`` gives, from the same weights, with dropout of the same distribution; sums
    are taken in another order. A gradient comes to the network's own weights.

    Parameters
    ----------
    network
        The library's ``TemporalFusionTransformer``.
    """
    return computed(Plan.of(network), laid_out(network), x, Dropout(active=network.training))


def computed(plan: Plan, weights: Weights, x: Input, dropout: Dropout) -> Float[torch.Tensor, "window horizon level"]:
    """Compute a network (Lim et al. 2021) in columns: periods, and within them windows."""
    eps = plan.eps
    windows, encoder = x["encoder_cont"].shape[:2]
    horizon = x["decoder_cont"].shape[1]
    first = encoder * windows

    def left(like: torch.Tensor) -> torch.Tensor | None:
        return dropout.mask(plan.dropout, tuple(like.shape), like.dtype)

    def around(name: str, columns: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        bent = affine(weights, name, columns)
        if context is not None:
            bent = (bent.view(len(bent), -1, windows) + (weights[f"{name}.context"] @ context)[:, None]).flatten(1)
        return residual(weights, name, bent, columns, left(bent), eps)

    def chosen(name: str, periods: str, context: torch.Tensor | None) -> torch.Tensor:
        numbers, codes = x[f"{periods}_cont"], x[f"{periods}_cat"]
        if context is None:  # of a series, the same in every period
            numbers, codes = numbers[:, :1], codes[:, :1]
        choice = plan.choices[name]
        read, known = (
            of.permute(2, 1, 0)[at].flatten(1) for of, at in ((numbers, choice.numbers), (codes, choice.codes))
        )
        return select(weights, plan, name, read, known, context, dropout)

    static = chosen("static", "encoder", None)
    context = around("static_context_variable_selection", static)
    past, ahead = chosen("encoder", "encoder", context), chosen("decoder", "decoder", context)
    hidden = around("static_context_initial_hidden_lstm", static)
    cell = around("static_context_initial_cell_lstm", static)
    told, hidden, cell = recur(weights, "lstm_encoder", past.view(-1, encoder, windows), hidden, cell)
    later = recur(weights, "lstm_decoder", ahead.view(-1, horizon, windows), hidden, cell)[0]
    both = torch.cat([told, later], dim=1).flatten(1)
    found = gated(weights, "lstm_gate", both, torch.cat([past, ahead], dim=1), left(both), eps)
    enriched = around("static_enrichment", found, around("static_context_enrichment", static))
    seen = attend(weights, plan, enriched.view(-1, encoder + horizon, windows), encoder, dropout)
    seen = gated(weights, "attention_gate", seen, enriched[:, first:], left(seen), eps)
    out = gated(weights, "last_gate", around("pos_wise_ff", seen), found[:, first:], None, eps)
    out = affine(weights, "output", out).view(-1, horizon, windows).permute(2, 1, 0)
    return rescaled({"prediction": out, "target_scale": x["target_scale"]})


class Given(NamedTuple):
    """What the network is computed with in a step: weights as they are laid out, and what is left out of values."""

    plan: Plan
    weights: Weights
    dropout: Dropout


@final
@dataclass(frozen=True, slots=True)
class Way:
    """How a network is computed: what gives its quantiles, and in which precision, where that is not float32."""

    forward: Callable[[Any, Input], torch.Tensor] = whole
    precision: torch.dtype | None = None

    def quantiles(
        self, network: Any, x: Input, given: "Given | None" = None
    ) -> Float[torch.Tensor, "window horizon level"]:
        """Give the quantiles of windows in float32."""
        if given is not None:
            return computed(given.plan, given.weights, x, given.dropout)
        device = x["encoder_cont"].device.type
        with torch.autocast(device, dtype=self.precision or torch.bfloat16, enabled=self.precision is not None):
            return self.forward(network, x).float()

    @classmethod
    def of(cls, network: Any, x: Input) -> tuple["Way", tuple[str, ...]]:
        """Choose by the device, and by whether both ways give the same for some windows; tell where they do not.

        On a GPU the library's way is taken: its recurrent layer is one operation there. Large weights round off more
        than ``SAME`` of a quantile, either way: then both are compared in float64.
        """
        if x["encoder_cont"].device.type != "cpu":
            return cls(precision=torch.bfloat16), ()
        # a window of a series that never sold would be 0 either way
        x = x | {"target_scale": torch.tensor([[0.0, 1.0]], dtype=x["target_scale"].dtype).expand_as(x["target_scale"])}
        was = network.training
        network.eval()
        try:
            with torch.no_grad():
                why = _differs(network, x)
        # whatever another version lacks or has more of
        except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            why = f"{OTHER} ({type(error).__name__}: {error})"
        network.train(was)
        return (cls(), (SLOWER.format(why=why),)) if why else (cls(fused), ())


def _differs(network: Any, x: Input) -> str:
    """Say why the library's own way has to be taken; nothing where both give the same."""
    wanted, found = whole(network, x), fused(network, x)
    if found.shape != wanted.shape:
        return OTHER
    if not wanted.isfinite().all():
        return ENDLESS
    if _apart(found, wanted) <= SAME:
        return ""
    exactly = copy.deepcopy(network).double()
    x = {name: value.double() if value.is_floating_point() else value for name, value in x.items()}
    true = whole(exactly, x)
    if not _apart(fused(exactly, x), true) <= EXACT:
        return OTHER
    mine, theirs = _apart(found.double(), true), _apart(wanted.double(), true)
    return "" if mine <= ROUNDER * theirs else ROUNDED.format(mine=mine, theirs=theirs)


def _apart(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """Give the largest difference as a share of the largest quantile; NaN where something is not finite."""
    largest = float(wanted.abs().max()) if wanted.numel() else 0.0
    apart = float((found - wanted).abs().max()) if wanted.numel() else 0.0
    return apart / largest if largest else apart


PLAIN = Way()
