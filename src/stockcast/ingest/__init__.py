"""Files to checked tables to arrays: read, check, build."""

from collections.abc import Callable

from stockcast.ingest.build import build
from stockcast.ingest.check import check
from stockcast.ingest.read import read
from stockcast.ingest.refusal import RefusedInput
from stockcast.ingest.spec import IngestSpec, Inputs, SourceSpec

__all__ = ["IngestSpec", "Inputs", "RefusedInput", "SourceSpec", "build", "check", "load", "read"]


def load(spec: IngestSpec, done: Callable[[int], None] = lambda count: None) -> Inputs:
    """Read, check and build: from files to a panel, a stock state and terms.

    Parameters
    ----------
    spec
        What to read and how.
    done
        Called with the number of sources read so far, for a progress bar.

    Raises
    ------
    RefusedInput
        If a source breaks its contract; ``.issues`` and ``.rows`` tell every row.
    UsageError
        If ``--select`` matches nothing or cannot be read.
    """
    return build(check(read(spec, done)))
