"""Names to makers, for the edge: a config's name becomes an object here and nowhere else."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from stockcast.core.errors import UsageError, did_you_mean

Made = TypeVar("Made")


def look_up(registry: Mapping[str, Callable[..., Made]], name: str, what: str) -> Callable[..., Made]:
    """Give the maker of a name, or an error that names the nearest one.

    Raises
    ------
    UsageError
        If no maker has that name.
    """
    try:
        return registry[name]
    except KeyError:
        raise UsageError(
            f"unknown {what} {name!r}{did_you_mean(name, registry)}",
            code="SC-C012",
            details=[f"known: {', '.join(sorted(registry))}"],
        ) from None
