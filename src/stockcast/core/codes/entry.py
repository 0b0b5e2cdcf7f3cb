"""One entry of the catalogue."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Code:
    """A stable code: what it says in a few words, why it happens, and what to do."""

    name: str
    title: str
    cause: str
    remedy: str
