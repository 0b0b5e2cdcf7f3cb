"""A sampled forecast as a flat set of named arrays, and back: what a file can hold without pickle."""

from collections.abc import Mapping

import numpy as np

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import DataError
from stockcast.core.random import Stream
from stockcast.demand.adjusted import Adjusted
from stockcast.demand.counts import Counts
from stockcast.demand.forecast import SampledForecast
from stockcast.demand.innovations import Innovations
from stockcast.demand.responses import Responses
from stockcast.demand.sources import Marginals, PathSource, RecordedPaths, Stacked

KINDS: dict[str, type] = {
    kind.__name__: kind for kind in (Adjusted, Counts, Innovations, Marginals, RecordedPaths, Responses, Stacked)
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
    packed: Packed = {f"{under}/kind": type(source).__name__}
    if isinstance(source, Stacked):
        packed |= {f"{under}/members": str(len(source.members)), f"{under}/owner": source.owner}
        for at, member in enumerate(source.members):
            packed |= _pack(member, f"{under}/members/{at}")
        return packed
    _kind(type(source).__name__)
    for name in type(source).__dataclass_fields__:  # type: ignore[attr-defined]
        value = getattr(source, name)
        packed |= {f"{under}/{name}": value} if isinstance(value, np.ndarray) else _pack(value, f"{under}/{name}")
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
    if kind is Stacked:
        count = int(str(packed[f"{under}/members"]))
        members = tuple(_unpack(packed, f"{under}/members/{at}") for at in range(count))
        return Stacked(members, np.asarray(packed[f"{under}/owner"]))
    fields: dict[str, np.ndarray | PathSource] = {
        name: _unpack(packed, f"{under}/{name}")
        if f"{under}/{name}/kind" in packed
        else np.asarray(packed[f"{under}/{name}"])
        for name in kind.__dataclass_fields__  # type: ignore[attr-defined]
    }
    made: PathSource = kind(**fields)
    return made


def _kind(name: str) -> type:
    if name not in KINDS:
        raise DataError(f"the recorded forecast has an unknown source {name!r}", code="SC-M004", help="make it again")
    return KINDS[name]
