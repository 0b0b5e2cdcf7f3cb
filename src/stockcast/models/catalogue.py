"""The models by name: what there is, what it does, and which of them to try."""

import importlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
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
    """One line of ``stockcast models list``.

    ``available`` says whether this version has the model; ``auto`` whether ``auto`` and the name of its group mean it,
    or only its own name does, because it is a part of another model, or fitted series by series and slowly
    (:func:`affordable`); ``rare`` that it is made for demand that comes now and then (:func:`suits`); ``pooled`` that
    it learns from all series at once, so that it is fitted on whole panels; ``extra`` names the optional extra that it
    needs, beside what the config has to say of it.
    """

    name: str
    group: Group
    what: str
    source: str
    available: bool
    auto: bool = True
    rare: bool = False
    pooled: bool = False
    extra: str = ""


MODELS: tuple[ModelInfo, ...] = (
    ModelInfo("seasonal_naive", "statistical", "the last season again", "Hyndman & Athanasopoulos 2021, 5.2", True),
    ModelInfo("moving_average", "statistical", "the mean of the latest periods", "window by one-step error", True),
    ModelInfo("ets", "statistical", "exponential smoothing in all stable forms, batched", "Hyndman et al. 2008", True),
    ModelInfo("ses", "statistical", "simple smoothing, a form of ets", "Brown 1959", True, False),
    ModelInfo("holt", "statistical", "level and trend, a form of ets", "Holt 1957", True, False),
    ModelInfo("theta", "statistical", "theta lines, batched", "Fiorucci et al. 2016", True),
    ModelInfo("croston", "statistical", "sizes and intervals of rare demand", "Croston 1972", True, rare=True),
    ModelInfo("sba", "statistical", "Croston's method without its bias", "Syntetos & Boylan 2005", True, rare=True),
    ModelInfo(
        "tsb", "statistical", "sizes and probability of rare demand", "Teunter, Syntetos & Babai 2011", True, rare=True
    ),
    ModelInfo(
        "adida", "statistical", "aggregated until it is no longer rare", "Nikolopoulos et al. 2011", True, rare=True
    ),
    ModelInfo("imapa", "statistical", "several aggregations at once", "Petropoulos & Kourentzes 2015", True, rare=True),
    ModelInfo("negative_binomial", "statistical", "counts with a moving mean", "Snyder, Ord & Beaumont 2012", True),
    ModelInfo("sarimax", "statistical", "regression with ARIMA errors", "Box & Jenkins 1970, statsmodels", True, False),
    ModelInfo(
        "unobserved_components", "statistical", "level, damped trend, season", "Harvey 1989, statsmodels", True, False
    ),
    ModelInfo("ets_statsmodels", "statistical", "additive smoothing, the reference", "statsmodels", True, False),
    ModelInfo(
        "lightgbm", "boosting", "gradient boosting over all series", "Ke et al. 2017, LightGBM", True, pooled=True
    ),
    ModelInfo("tft", "deep", "temporal fusion transformer", "Lim et al. 2021, pytorch-forecasting", True, pooled=True),
    ModelInfo("chronos", "deep", "a pretrained model", "Ansari et al. 2024", True, pooled=True, extra="pretrained"),
)

# fits that ``auto`` may spend on a model that is fitted series by series; one that is not named here gets none.
# At up to half a second a fit, 60 are half a minute of one core
FITS: dict[str, dict[Effort, int]] = {"sarimax": {"fast": 0, "normal": 60, "thorough": 6000}}


RARE = ("intermittent", "lumpy")


# libraries that a run loads before anything is computed; those of other models are loaded where the models are
NEEDS = {
    "tft": ("torch", "safetensors.torch", "pytorch_forecasting"),
    "chronos": ("torch", "transformers", "chronos"),
}


def suits(name: str, segment: str) -> bool:
    """Tell whether a model competes for a segment: one made for rare demand only where demand is rare (ADI ≥ 1.32).

    Examples
    --------
    >>> suits("croston", "A-smooth"), suits("croston", "C-lumpy"), suits("ets", "C-lumpy")
    (False, True, True)
    """
    rare = {info.name for info in MODELS if info.rare}
    return name not in rare or segment.rpartition("-")[2] in RARE


def is_pooled(name: str) -> bool:
    """Tell whether a model learns from all series at once.

    Examples
    --------
    >>> is_pooled("lightgbm"), is_pooled("ets")
    (True, False)
    """
    return any(info.pooled for info in MODELS if info.name == name)


@final
@dataclass(frozen=True, slots=True)
class Pretrained:
    """A folder of weights that were learnt elsewhere, and the hash that it must have."""

    path: Path
    sha256: str


@final
@dataclass(frozen=True, slots=True)
class Setting:
    """What models are made with beside their names; each takes of it what it knows of.

    Parameters
    ----------
    effort
        What learning may cost.
    warm_start
        The folder of an earlier fit that ``tft`` may go on from. It must have been learnt from nothing after the origin
        of what is forecast: no origin of a backtest is given one.
    pretrained
        What ``chronos`` forecasts with.
    interpret
        Whether ``tft`` keeps what it looked at beside its weights: for the forecast alone, since it reads all windows.
    checkpoint
        A folder where ``tft`` leaves its state while it learns for the forecast, and goes on from it.
    """

    effort: Effort = "thorough"
    warm_start: Path | None = None
    pretrained: Pretrained | None = None
    interpret: bool = False
    checkpoint: Path | None = None

    def judging(self) -> "Setting":
        """Give what a fit that judges is made with: an earlier one may have seen what judges it."""
        return replace(self, warm_start=None, checkpoint=None, interpret=False)


def _of(module: str, name: str, *taken: str) -> "Callable[[Setting], Forecaster]":
    """Give a maker that hands on some fields of a setting."""

    def maker(setting: Setting) -> "Forecaster":
        given = {field: getattr(setting, field) for field in taken}
        made: Forecaster = getattr(importlib.import_module(f"stockcast.models.{module}"), name)(**given)
        return made

    return maker


MAKERS: "dict[str, Callable[[Setting], Forecaster]]" = {
    "seasonal_naive": _of("naive", "SeasonalNaive"),
    "moving_average": _of("naive", "MovingAverage"),
    "ets": _of("smoothing", "Smoothing"),
    "ses": _of("smoothing", "SES"),
    "holt": _of("smoothing", "Holt"),
    "theta": _of("smoothing", "Theta"),
    "croston": _of("intermittent", "Croston"),
    "sba": _of("intermittent", "SBA"),
    "tsb": _of("intermittent", "TSB"),
    "adida": _of("aggregated", "ADIDA"),
    "imapa": _of("aggregated", "IMAPA"),
    "negative_binomial": _of("counts", "NegativeBinomial"),
    "lightgbm": _of("boosting", "Boosting"),
    "tft": _of("tft", "Tft", "effort", "warm_start", "interpret", "checkpoint"),
    "chronos": _of("pretrained", "Chronos", "pretrained"),
    "sarimax": _of("classical", "Sarimax"),
    "unobserved_components": _of("classical", "Components"),
    "ets_statsmodels": _of("classical", "ReferenceSmoothing"),
}


PLAIN = Setting()
GONE_ON = "gone on from the weights of an earlier fit"  # how a note tells it


def make(name: str, setting: Setting = PLAIN) -> "Forecaster":
    """Make the forecaster of a name; only its own module is loaded.

    Raises
    ------
    UsageError
        If there is no such model, or this version does not have it yet.
    """
    look_up({info.name: ModelInfo for info in MODELS}, name, "model")
    _require([name])
    return MAKERS[name](setting)


def candidates(
    models: str | Sequence[str],
    effort: Effort,
    *,
    n_series: int | None = None,
    folds: int = 0,
    extras: Collection[str] = (),
) -> list[str]:
    """Give the names to try, in the catalogue's order.

    Parameters
    ----------
    models
        ``auto`` (every model of this version within the effort), a name, a group, or a list of names and groups. Models
        fitted series by series must be named; ``auto`` takes one in where it is :func:`affordable`.
    n_series, folds
        The size of the data, where it is known.
    extras
        Optional extras that are there with all that their models need; ``auto`` and groups mean no model of another.

    Raises
    ------
    UsageError
        If a name is unknown, or is of a model that this version does not have.

    Examples
    --------
    >>> candidates("auto", "fast")  # doctest: +NORMALIZE_WHITESPACE
    ['seasonal_naive', 'moving_average', 'ets', 'theta', 'croston', 'sba', 'tsb', 'adida', 'imapa',
     'negative_binomial']
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
        group = {
            info.name
            for info in MODELS
            if info.group in within and info.available and info.auto and (not info.extra or info.extra in extras)
        }
        if within and not group:
            _require([info.name for info in MODELS if info.group in within])
        names |= group or {word}
        if word == "auto" and n_series is not None:
            names |= {name for name in FITS if affordable(name, n_series, folds, effort)}
    _require(sorted(names))
    if not names:
        raise UsageError("forecast.models names no model", code="SC-M003", help="set forecast.models: auto")
    return [info.name for info in MODELS if info.name in names]


def affordable(name: str, n_series: int, folds: int, effort: Effort) -> bool:
    """Tell whether ``auto`` may use a model on so many series: by a count of fits, never by the clock.

    A model is fitted on each series once a fold and once more for the forecast, so that it takes ``n_series · (folds +
    1)`` fits; the budgets stand in ``FITS``. A model that ``auto`` always means is always affordable.

    Raises
    ------
    UsageError
        If there is no such model, or this version does not have it yet.

    Examples
    --------
    >>> affordable("sarimax", 20, 2, "normal"), affordable("sarimax", 21, 2, "normal")
    (True, False)
    >>> affordable("ets", 1_000_000, 4, "fast"), affordable("ets_statsmodels", 1, 0, "thorough")
    (True, False)
    """
    look_up({info.name: ModelInfo for info in MODELS}, name, "model")
    _require([name])
    always = any(info.auto for info in MODELS if info.name == name)
    return always or n_series * (folds + 1) <= FITS.get(name, {}).get(effort, 0)


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
