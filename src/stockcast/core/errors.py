"""What can go wrong, as one tree.

StockcastError                exit code, and when it happens
├── UsageError            2   a command line or a config that cannot be carried out
├── DataError             3   an input broke its contract; nothing is published
├── LockedError           5   another run holds the project's lock
├── ResourceError         6   disk, permission, or a source out of reach
├── HeldBackError         7   computed, but held back by a guardrail
├── AlignmentError        1   two objects do not share one series axis: a bug in the calling code
└── InvariantError        1   a checked rule of our own arithmetic is broken: a bug

Every error carries what its one screen shows: a stable code, a headline (where and what), details, the remedy and
what is kept. ``stockcast explain --code SC-…`` tells more about a code.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType


def did_you_mean(word: str, known: Iterable[str], *, limit: int = 3) -> str:
    """Name the nearest known words, as the end of a sentence.

    Examples
    --------
    >>> did_you_mean("supplier", ["suppliers", "sales"])
    ', did you mean suppliers?'
    >>> did_you_mean("zzz", ["suppliers"])
    ''
    """
    near = difflib.get_close_matches(word, list(known), n=limit, cutoff=0.6)
    return f", did you mean {' or '.join(near)}?" if near else ""


class StockcastError(Exception):
    """An error that a user can read: one screen, no traceback.

    Parameters
    ----------
    message
        The headline: where (file, line, column) and what.
    code
        A stable code, ``SC-`` and a letter for the family (C config, D data, E environment, M models, P plan, G guard)
        and three digits.
    details
        Further lines, each one fact.
    help
        The remedy, one line.
    kept
        What stays as it was; the command line fills it in when it is left out.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        code: str = "SC-B001",
        details: Sequence[str] = (),
        help: str | None = None,  # the word that the screen shows
        kept: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details = tuple(details)
        self.help = help
        self.kept = kept

    def as_dict(self) -> dict[str, object]:
        """Give the error as the ``error`` object of the JSON output."""
        return {
            "code": self.code,
            "message": self.message,
            "details": list(self.details),
            "help": self.help,
            "kept": self.kept,
        }


class UsageError(StockcastError):
    """A command line or a config that cannot be carried out (exit 2)."""

    exit_code = 2


class DataError(StockcastError):
    """The input data broke its contract; nothing is published (exit 3)."""

    exit_code = 3


class LockedError(StockcastError):
    """Another run holds the lock (exit 5)."""

    exit_code = 5


class ResourceError(StockcastError):
    """Disk, permission, or a source that cannot be reached (exit 6)."""

    exit_code = 6


class HeldBackError(StockcastError):
    """Computed, but held back by a guardrail (exit 7); ``outcome`` is what the JSON output tells of the held run."""

    exit_code = 7
    outcome: Mapping[str, object] = MappingProxyType({})


class AlignmentError(StockcastError):
    """Two objects do not share one series axis (a bug: exit 1)."""


class InvariantError(StockcastError):
    """A rule of our own arithmetic is broken (a bug: exit 1)."""
