"""The folders of a run that other runs read: ``forecast/``, which redraws the joint sample paths, and ``models/``."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from stockcast.core.errors import AlignmentError, DataError, UsageError
from stockcast.demand import SampledForecast
from stockcast.demand.arrays import pack, unpack
from stockcast.report.disk import reaching, write_file
from stockcast.report.files import array_bytes

INDEX = "forecast.json"
FORMAT = 1
MOST = 64 << 20  # bytes of a model's file that is kept
_ARRAY = "npy"  # the key of a reference to an array's file


def write_forecast(
    folder: Path,
    demand: SampledForecast,
    model: Shaped[np.ndarray, " series"],
    fallback: Shaped[np.ndarray, " series"],
) -> None:
    """Write what redraws a forecast, with each series' model and fallback, into a new folder.

    One ``.npy`` file an array and ``forecast.json`` for the rest: the same bytes for the same forecast, no pickle.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    with reaching(folder, "make the folder"):
        folder.mkdir(parents=True, exist_ok=True)
    held = {"format": FORMAT, "demand": pack(demand), "model": model, "fallback": fallback}
    index = _store(folder, "", held)
    write_file(folder / INDEX, f"{json.dumps(index, indent=1, allow_nan=False)}\n".encode())


def _store(folder: Path, name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _store(folder, f"{name}.{key}".lstrip("."), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_store(folder, f"{name}.{at}", item) for at, item in enumerate(value)]
    if isinstance(value, np.ndarray):
        file = f"{re.sub(r'[^A-Za-z0-9._-]', '_', name)}.npy"
        write_file(folder / file, array_bytes(value))
        return {_ARRAY: file}
    return value.item() if isinstance(value, np.generic) else value


def write_models(folder: Path, texts: Mapping[str, str | bytes]) -> list[str]:
    """Write the files of fitted models into a new folder, if there are any; give the names of those too large for it.

    Parameters
    ----------
    texts
        Texts or bytes by the name of a file, which may lie in a folder of its model: ``tft/rest.json``.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    content = {name: text.encode() if isinstance(text, str) else text for name, text in sorted(texts.items())}
    for name, text in content.items():
        if len(text) <= MOST:
            with reaching(folder, "make the folder"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_file(folder / name, text)
    return [name for name, text in content.items() if len(text) > MOST]


def read_forecast(
    folder: Path,
) -> tuple[SampledForecast, Shaped[np.ndarray, " series"], Shaped[np.ndarray, " series"]]:
    """Read a forecast that :func:`write_forecast` wrote: it draws the same paths again.

    Returns
    -------
    demand, model, fallback
        The forecast, and one text a series each.

    Raises
    ------
    UsageError
        If the folder is incomplete or damaged, or of another format.
    """
    path = folder / INDEX
    try:
        index = json.loads(path.read_bytes())
        if not isinstance(index, dict) or index.get("format") != FORMAT:
            raise _unreadable(f"{path}: not of format {FORMAT}")
        held = _load(folder, index)
        demand: SampledForecast = unpack(held["demand"])
        model, fallback = held["model"], held["fallback"]
    except OSError as error:
        raise _unreadable(f"{error.filename or path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, AlignmentError, DataError) as error:
        raise _unreadable(f"{path}: {error}") from error
    if model.shape != (len(demand.series),) or fallback.shape != model.shape:
        raise _unreadable(f"{path}: model and fallback do not fit {len(demand.series)} series")
    return demand, model, fallback


def _load(folder: Path, value: Any) -> Any:
    if isinstance(value, list):
        return [_load(folder, item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {_ARRAY}:
        if Path(value[_ARRAY]).name != value[_ARRAY]:
            raise ValueError(f"{value[_ARRAY]!r} lies outside the folder")
        return np.load(folder / value[_ARRAY], allow_pickle=False)
    return {key: _load(folder, item) for key, item in value.items()}


def _unreadable(message: str) -> UsageError:
    return UsageError(message, code="SC-E007", help="make the forecast again with `stockcast forecast`")
