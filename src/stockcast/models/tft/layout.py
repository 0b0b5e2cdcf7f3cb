"""The weights of the network as they are computed with: stacked, side by side, each bias beside its weight."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import torch

Weights = Mapping[str, torch.Tensor]
Of = Callable[[torch.Tensor], torch.Tensor]
SELECTIONS = ("static", "encoder", "decoder")
RESIDUALS = (
    "static_context_variable_selection", "static_context_initial_hidden_lstm", "static_context_initial_cell_lstm",
    "static_context_enrichment", "static_enrichment", "pos_wise_ff",
)  # fmt: skip
CHANGED = [0, 1, 3, 2]  # torch's order of gates (in, forget, cell, out) into one with the sigmoids side by side


@final
@dataclass(frozen=True, slots=True)
class Choice:
    """What one choice of variables reads, and what never changes of it.

    Parameters
    ----------
    numbers, codes
        Their places in what a window gives.
    sizes
        Of each code, how many values it has.
    spread
        Which code a value belongs to: values × codes.
    wide, far, near
        By which embeddings are brought to another width: all side by side, those of codes, that of a number.
    """

    numbers: list[int]
    codes: list[int]
    sizes: list[int]
    spread: torch.Tensor
    wide: torch.Tensor
    far: torch.Tensor
    near: torch.Tensor | None


@final
@dataclass(frozen=True, slots=True)
class Plan:
    """What a network is made of besides its weights."""

    choices: Mapping[str, Choice]
    heads: int
    causal: bool
    hidden: float
    dropout: float
    eps: float

    @classmethod
    def of(cls, network: Any) -> "Plan":
        """Read it off the library's ``TemporalFusionTransformer``."""
        given, attention = network.hparams, network.multihead_attn
        choices = {of: _choice(network, getattr(network, f"{of}_variable_selection")) for of in SELECTIONS}
        eps = network.post_lstm_add_norm_encoder.norm.eps
        return cls(choices, attention.n_head, given.causal_attention, attention.mask_bias, given.dropout, eps)


def _choice(network: Any, part: Any) -> Choice:
    codes, reals = list(network.input_embeddings.x_categoricals), list(network.hparams.x_reals)
    of_code, of_number = variables(network, part)
    sizes = [len(network.input_embeddings.embeddings[name].weight) for name in of_code]
    like = network.output_layer.weight
    spread = _diagonal([like.new_ones(size, 1) for size in sizes]) if sizes else like.new_zeros(0, 0)
    far = [_resampled(part.single_variable_grns[name], part.input_sizes[name], like) for name in of_code]
    first = part.single_variable_grns[of_number[0]]
    near = None
    if hasattr(first, "resample_norm"):
        near = _resampled(first.resample_norm, part.input_sizes[of_number[0]], like)
    wide = like
    if len(part.input_sizes) > 1:
        wide = _resampled(part.flattened_grn.resample_norm, part.input_size_total, like)
    return Choice(
        [reals.index(name) for name in of_number], [codes.index(name) for name in of_code], sizes, spread, wide,
        torch.cat(far) if far else like, near,
    )  # fmt: skip


def _resampled(part: Any, width: int, like: torch.Tensor) -> torch.Tensor:
    """Give the library's interpolation to another width as a matrix."""
    one = torch.eye(width, dtype=like.dtype, device=like.device)
    return part.resample(one) if hasattr(part, "resample") else one


def variables(network: Any, part: Any) -> tuple[list[str], list[str]]:
    """Give the codes and the numbers that a choice is made from.

    Raises
    ------
    ValueError
        If they do not come in this order, in which the library weighs them.
    """
    names = list(part.input_sizes)
    of_code = [name for name in names if name in network.input_embeddings.embeddings]
    if names[: len(of_code)] != of_code:
        raise ValueError("codes do not come before numbers")
    return of_code, names[len(of_code) :]


def laid_out(network: Any, of: Of = lambda weight: weight) -> dict[str, torch.Tensor]:
    """Give the weights by name, or whatever stands for them; a 0 where there is none.

    Parameters
    ----------
    of
        What stands for a weight, in its shape.
    """
    out: dict[str, torch.Tensor] = {}
    for name in RESIDUALS:
        part = getattr(network, name)
        out |= _named(name, _first(part, of) | _last(part, of))
    for name in SELECTIONS:
        out |= _named(name, _selection(network, getattr(network, f"{name}_variable_selection"), of))
    for name in ("lstm_encoder", "lstm_decoder"):
        part = getattr(network, name)
        out |= {
            f"{name}.{short}": turned(of(getattr(part, f"{full}_l0")))
            for short, full in (
                ("into", "weight_ih"),
                ("over", "weight_hh"),
                ("bias", "bias_ih"),
                ("bias_over", "bias_hh"),
            )
        }
    attention = network.multihead_attn
    for name, layers in (("query", [*attention.q_layers]), ("key", [*attention.k_layers, attention.v_layer])):
        out[f"attention.{name}"] = torch.cat([of(one.weight) for one in layers])
        out[f"attention.{name}_bias"] = torch.cat([of(one.bias) for one in layers])
    out["attention.out"] = of(attention.w_h.weight)
    out |= _named("lstm_gate", _gate(network.post_lstm_gate_encoder, network.post_lstm_add_norm_encoder, of))
    for name, part in (("attention_gate", network.post_attn_gate_norm), ("last_gate", network.pre_output_gate_norm)):
        out |= _named(name, _gate(part.glu, part.add_norm, of))
    out["output.first"], out["output.first_bias"] = of(network.output_layer.weight), of(network.output_layer.bias)
    return out


def _named(name: str, parts: Weights) -> dict[str, torch.Tensor]:
    return {f"{name}.{key}": value for key, value in parts.items()}


def _with_bias(layer: Any, of: Of) -> torch.Tensor:
    return torch.cat([of(layer.weight), of(layer.bias)[:, None]], dim=1)


def _gate(unit: Any, added: Any, of: Of) -> dict[str, torch.Tensor]:
    return {"gate": _with_bias(unit.fc, of), "scale": of(added.norm.weight), "shift": of(added.norm.bias)}


def _first(part: Any, of: Of) -> dict[str, torch.Tensor]:
    context = {"context": of(part.context.weight)} if part.context_size is not None else {}
    return {"first": of(part.fc1.weight), "first_bias": of(part.fc1.bias)} | context


def _last(part: Any, of: Of) -> dict[str, torch.Tensor]:
    return {"second": _with_bias(part.fc2, of)} | _gate(part.gate_norm.glu, part.gate_norm.add_norm, of)


def _resampling(part: Any, of: Of) -> dict[str, torch.Tensor]:
    return {"mask": of(part.mask), "around": of(part.norm.weight), "around_shift": of(part.norm.bias)}


def _selection(network: Any, part: Any, of: Of) -> dict[str, torch.Tensor]:
    of_code, of_number = variables(network, part)
    grns = [part.single_variable_grns[name] for name in of_number]
    scalers = [part.prescalers[name] for name in of_number]
    scaled = torch.stack([torch.stack([of(one.weight)[:, 0], of(one.bias)]) for one in scalers])
    numbers = [_first(one, of) | _last(one, of) for one in grns]
    if hasattr(grns[0], "resample_norm"):
        numbers = [one | _resampling(grn.resample_norm, of) for one, grn in zip(numbers, grns, strict=True)]
    out = {"scaled": scaled} | {f"number.{key}": torch.stack([one[key] for one in numbers]) for key in numbers[0]}
    if len(part.input_sizes) == 1:
        return out
    tables = [of(network.input_embeddings.embeddings[name].weight) for name in of_code]
    whole = _diagonal([*tables, *(one[:1] for one in scaled)])
    added = torch.cat([scaled.new_zeros(sum(table.shape[1] for table in tables)), scaled[:, 1].reshape(-1)])
    out["whole"] = torch.cat([whole, added[None]])
    out |= _first(part.flattened_grn, of) | _last(part.flattened_grn, of)
    out |= _resampling(part.flattened_grn.resample_norm, of)
    codes = [_resampling(part.single_variable_grns[name], of) for name in of_code]
    return out | {f"code.{key}": torch.stack([one[key] for one in codes]) for key in codes[0]}


def turned(weight: torch.Tensor) -> torch.Tensor:
    """Put the gates of a recurrent layer into the order that it is computed in."""
    return weight.view(4, -1, *weight.shape[1:])[CHANGED].flatten(0, 1)


def _diagonal(parts: list[torch.Tensor]) -> torch.Tensor:
    return torch.block_diag(*parts)  # type: ignore[no-untyped-call]
