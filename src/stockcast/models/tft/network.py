"""The network: pytorch-forecasting's Temporal Fusion Transformer, made without a data set of the library's."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

import torch

from stockcast.core.errors import DataError
from stockcast.models.tft.fused import PLAIN, Given, Way, rescaled, whole
from stockcast.models.tft.recipe import Recipe
from stockcast.models.tft.windows import Input

LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995)  # quantiles that are learnt


@final
@dataclass(frozen=True, slots=True)
class Size:
    """How large a network is.

    Parameters
    ----------
    hidden
        Width of every layer.
    heads
        Of the attention.
    number
        Width that a single number is embedded in.
    dropout
        Share of values that are left out in training.
    """

    hidden: int = 16
    heads: int = 4
    number: int = 8
    dropout: float = 0.1


def key(name: str) -> str:
    """Give the name of a variable inside the network, where a full stop would part modules.

    Examples
    --------
    >>> key("covariate_temp.max")
    'covariate_temp·max'
    """
    return name.replace(".", "·")


def make(recipe: Recipe, size: Size, seed: int) -> torch.nn.Module:
    """Make the library's network for the variables of a recipe, with weights drawn from the seed."""
    with _quiet(), torch.random.fork_rng(devices=[]):
        from pytorch_forecasting.metrics import QuantileLoss
        from pytorch_forecasting.models.temporal_fusion_transformer import TemporalFusionTransformer

        torch.manual_seed(seed)
        varying = [key(name) for name in recipe.varying]
        static = [key(name) for name in recipe.static]
        # about as wide as the library would choose: the fourth root of the number of codes, and some
        widths = {key(name): (n, min(size.hidden, round(1.6 * n**0.56))) for name, n in recipe.sizes.items()}
        network: torch.nn.Module = TemporalFusionTransformer(
            hidden_size=size.hidden,
            lstm_layers=1,
            dropout=size.dropout,
            output_size=len(LEVELS),
            loss=QuantileLoss(list(LEVELS)),
            attention_head_size=size.heads,
            max_encoder_length=recipe.encoder,
            static_categoricals=static,
            static_reals=["level"],
            time_varying_categoricals_encoder=varying,
            time_varying_categoricals_decoder=varying,
            time_varying_reals_encoder=[key(name) for name in recipe.reals if name != "level"],
            time_varying_reals_decoder=[key(name) for name in recipe.decoded],
            x_reals=[key(name) for name in recipe.reals],
            x_categoricals=[*static, *varying],
            hidden_continuous_size=size.number,
            embedding_sizes=widths,
            logging_metrics=torch.nn.ModuleList(),
            output_transformer=rescaled,
        )
    return network


def loss_of(
    network: torch.nn.Module,
    x: Input,
    y: tuple[torch.Tensor, torch.Tensor],
    way: Way = PLAIN,
    given: Given | None = None,
) -> torch.Tensor:
    """Give the library's quantile loss of some windows: the mean over windows, periods and levels of weighted losses.

    Parameters
    ----------
    way, given
        How the network is computed, and with which weights, where not its own; the loss itself is computed in float32.
    """
    quantiles = way.quantiles(network, x, given)
    if way.forward is whole:
        loss: torch.Tensor = network.loss(quantiles, y)  # type: ignore[operator]
        return loss
    came, weight = y
    level = torch.tensor(LEVELS, dtype=came.dtype)
    beyond = came[..., None] - quantiles
    return (torch.maximum(level * beyond, (level - 1.0) * beyond) * weight[..., None]).mean() * 2.0


def weights_of(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Give the weights by name, each once: layers of the encoder and the decoder share some."""
    return {name: value.detach() for name, value in network.named_parameters()}


def give(network: torch.nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Put weights into a network that was made alike.

    Raises
    ------
    DataError
        If they are not those of such a network (SC-M007).
    """
    mine = weights_of(network)
    shapes = {name: tuple(value.shape) for name, value in mine.items()}
    if shapes != {name: tuple(value.shape) for name, value in weights.items()}:
        raise DataError("the weights are of another network", code="SC-M007", help="remove them: it is learnt anew")
    with torch.no_grad():
        for name, value in mine.items():
            value.copy_(weights[name])


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on what it saves of a module: nothing is saved that way
        yield
