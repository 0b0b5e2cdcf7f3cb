"""The models by name: what there is, what it does, and which of them to try."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from stockcast.core.errors import UsageError
from stockcast.core.registry import look_up

if TYPE_CHECKING:
    from stockcast.models.base import Forecaster

Group = Literal["statistical", "boosting", "deep"]
Effort = Literal["fast", "normal", "thorough"]
GROUPS: tuple[Group, ...] = ("statistical", "boosting", "deep")
WITHIN: dict[str, tuple[Group, ...]] = {"fast": GROUPS[:1], "normal": GROUPS[:2], "thorough": GROUPS}


@final
@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One line of ``stockcast models list``; ``available`` says whether this version has the model."""

    name: str
    group: Group
    what: str
    source: str
    available: bool


MODELS: tuple[ModelInfo, ...] = (
    ModelInfo("seasonal_naive", "statistical", "the last season again", "Hyndman & Athanasopoulos 2021, 5.2", True),
    ModelInfo("moving_average", "statistical", "the mean of the latest periods", "window by one-step error", True),
    ModelInfo("ets", "statistical", "additive exponential smoothing, batched", "Hyndman et al. 2008", True),
    ModelInfo("theta", "statistical", "theta lines, batched", "Fiorucci et al. 2016", True),
    ModelInfo("croston", "statistical", "sizes and intervals of rare demand", "Croston 1972", True),
    ModelInfo("sba", "statistical", "Croston's method without its bias", "Syntetos & Boylan 2005", True),
    ModelInfo("tsb", "statistical", "sizes and probability of rare demand", "Teunter, Syntetos & Babai 2011", True),
    ModelInfo("adida", "statistical", "aggregated until it is no longer rare", "Nikolopoulos et al. 2011", False),
    ModelInfo("imapa", "statistical", "several aggregations at once", "Petropoulos & Kourentzes 2015", False),
    ModelInfo("negative_binomial", "statistical", "counts with a moving mean", "Snyder, Ord & Beaumont 2012", False),
    ModelInfo("sarimax", "statistical", "seasonal ARIMA with covariates", "statsmodels", False),
    ModelInfo("lightgbm", "boosting", "gradient boosting over all series", "LightGBM", False),
    ModelInfo("tft", "deep", "temporal fusion transformer", "pytorch-forecasting", False),
    ModelInfo("chronos", "deep", "a pretrained model", "Ansari et al. 2024", False),
)


def _of(module: str, name: str, *arguments: str) -> "Callable[[], Forecaster]":
    def maker() -> "Forecaster":
        made: Forecaster = getattr(importlib.import_module(f"stockcast.models.{module}"), name)(*arguments)
        return made

    return maker


MAKERS: "dict[str, Callable[[], Forecaster]]" = {
    "seasonal_naive": _of("naive", "SeasonalNaive"),
    "moving_average": _of("naive", "MovingAverage"),
    "ets": _of("smoothing", "Smoothing"),
    "theta": _of("smoothing", "Theta"),
    "croston": _of("intermittent", "Croston"),
    "sba": _of("intermittent", "SBA"),
    "tsb": _of("intermittent", "TSB"),
}


def make(name: str) -> "Forecaster":
    """Make the forecaster of a name; only its own module is loaded.

    Raises
    ------
    UsageError
        If there is no such model, or this version does not have it yet.
    """
    look_up({info.name: ModelInfo for info in MODELS}, name, "model")
    _require([name])
    return MAKERS[name]()


def candidates(models: str | Sequence[str], effort: Effort) -> list[str]:
    """Give the names to try, in the catalogue's order.

    Parameters
    ----------
    models
        ``auto`` (every model of this version within the effort), a name, a group, or a list of names and groups.

    Raises
    ------
    UsageError
        If a name is unknown, or is of a model that this version does not have.

    Examples
    --------
    >>> candidates("auto", "fast")
    ['seasonal_naive', 'moving_average', 'ets', 'theta', 'croston', 'sba', 'tsb']
    >>> candidates(["tsb", "ets"], "fast")
    ['ets', 'tsb']
    """
    asked = [models] if isinstance(models, str) else list(models)
    words = {"auto": None} | dict.fromkeys(GROUPS) | {info.name: None for info in MODELS}
    for word in asked:
        look_up(dict.fromkeys(words, ModelInfo), word, "model")
    names: set[str] = set()
    for word in asked:
        within = WITHIN[effort] if word == "auto" else (word,) if word in GROUPS else ()
        group = {info.name for info in MODELS if info.group in within and info.available}
        if within and not group:
            _require([info.name for info in MODELS if info.group in within])
        names |= group or {word}
    _require(sorted(names))
    if not names:
        raise UsageError("forecast.models names no model", code="SC-M003", help="set forecast.models: auto")
    return [info.name for info in MODELS if info.name in names]


def _require(names: Sequence[str]) -> None:
    there = [info.name for info in MODELS if info.available]
    missing = [name for name in names if name not in there]
    if missing:
        raise UsageError(
            f"model {', '.join(missing)} is not available in this version",
            code="SC-M003",
            details=[f"available: {', '.join(there)}"],
            help="name available models under forecast.models, or auto",
        )
