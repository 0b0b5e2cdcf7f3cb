"""A sampled forecast as a flat set of named arrays, and back: what a file can hold without pickle."""

from collections.abc import Mapping

import numpy as np

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import DataError
from stockcast.core.random import Stream
from stockcast.demand.adjusted import Adjusted
from stockcast.demand.blend import Blend
from stockcast.demand.counts import Counts
from stockcast.demand.coursed import Coursed
from stockcast.demand.forecast import SampledForecast
from stockcast.demand.innovations import Innovations
from stockcast.demand.ranked import Ranked
from stockcast.demand.ratios import Ratios
from stockcast.demand.reconciled import Reconciled, Scaled
from stockcast.demand.responses import Responses
from stockcast.demand.sources import Marginals, PathSource, RecordedPaths, Stacked

KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        Adjusted,
        Blend,
        Counts,
        Coursed,
        Innovations,
        Marginals,
        Ranked,
        Ratios,
        Reconciled,
        RecordedPaths,
        Responses,
        Scaled,
        Stacked,
    )  # fmt: skip
}
Packed = dict[str, np.ndarray | str]


def pack(demand: SampledForecast) -> Packed:
    """Give the arrays and texts from which :func:`unpack` makes the same forecast, to the byte.

    Names of nested sources are joined by ``/``: ``source/members/0/level``.

    Examples
    --------
    >>> axis, time = SeriesAxis(np.array(["a"]), np.array(["x"])), TimeAxis(np.datetime64("2026-01-01"), 2, "day")
    >>> demand = SampledForecast(axis, time, RecordedPaths(np.ones((1, 3, 2))), Stream(7, "paths"), 3)
    >>> [name for name in pack(demand) if name.startswith("source")]
    ['source/kind', 'source/values']
    >>> unpack(pack(demand)).paths().sum()
    np.float64(6.0)
    """
    packed: Packed = {
        "sku": demand.series.sku,
        "location": demand.series.location,
        "start": str(demand.time.start),
        "step": demand.time.step,
        "horizon": str(demand.time.n),
        "seed": str(demand.stream.seed),
        "stream": demand.stream.name,
        "n_paths": str(demand.n_paths),
    }
    return packed | _pack(demand.source, "source")


def _pack(source: PathSource, under: str) -> Packed:
    """Give the fields of a source: arrays as they are, a source under its name, several under their places."""
    packed: Packed = {f"{under}/kind": type(source).__name__}
    kind = _kind(type(source).__name__)
    for name in kind.__dataclass_fields__:  # type: ignore[attr-defined]
        value = getattr(source, name)
        if isinstance(value, tuple):
            packed[f"{under}/{name}"] = str(len(value))
            for at, member in enumerate(value):
                packed |= _pack(member, f"{under}/{name}/{at}")
        elif isinstance(value, np.ndarray):
            packed[f"{under}/{name}"] = value
        else:
            packed |= _pack(value, f"{under}/{name}")
    return packed


def unpack(packed: Mapping[str, np.ndarray | str]) -> SampledForecast:
    """Make the forecast again.

    Raises
    ------
    DataError
        If an array is missing, or a kind of source is not known to this version.
    """
    try:
        series = SeriesAxis(np.asarray(packed["sku"]), np.asarray(packed["location"]))
        step = str(packed["step"])
        time = TimeAxis(np.datetime64(str(packed["start"]), "D"), int(str(packed["horizon"])), step)  # type: ignore[arg-type]
        stream = Stream(int(str(packed["seed"])), str(packed["stream"]))
        return SampledForecast(series, time, _unpack(packed, "source"), stream, int(str(packed["n_paths"])))
    except KeyError as missing:
        raise DataError(
            f"the recorded forecast lacks {missing.args[0]}", code="SC-M004", help="make the forecast again"
        ) from None


def _unpack(packed: Mapping[str, np.ndarray | str], under: str) -> PathSource:
    kind = _kind(str(packed[f"{under}/kind"]))

    def field(name: str) -> np.ndarray | PathSource | tuple[PathSource, ...]:
        at = f"{under}/{name}"
        if f"{at}/kind" in packed:
            return _unpack(packed, at)
        value = packed[at]
        if isinstance(value, np.ndarray) and value.ndim:
            return value
        return tuple(_unpack(packed, f"{at}/{place}") for place in range(int(str(value))))

    made: PathSource = kind(**{name: field(name) for name in kind.__dataclass_fields__})  # type: ignore[attr-defined]
    return made


def _kind(name: str) -> type:
    if name not in KINDS:
        raise DataError(f"the recorded forecast has an unknown source {name!r}", code="SC-M004", help="make it again")
    return KINDS[name]
