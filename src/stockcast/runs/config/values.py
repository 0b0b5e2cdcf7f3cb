"""What a single value may be: each type checks one scalar or small mapping, and says in the error what is allowed."""

import codecs
import math
import re
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from stockcast.core.errors import did_you_mean
from stockcast.runs.config.yaml import EnvText, plain_scalar


def refuse(kind: str, text: str) -> PydanticCustomError:
    """Make the error of one value; the kind chooses its code, and braces in the text stand for themselves."""
    return PydanticCustomError(kind, "{text}", {"text": text})


def shown(value: object) -> str:
    """Give a value as an error shows it: what came from the environment stays unread, long text is cut."""
    if isinstance(value, EnvText):
        return value.reference
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def is_number(value: object) -> bool:
    """Tell whether a value is a finite number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class _Checked:
    """Pydantic's way to a plain check: a subclass gives ``check`` and ``json``."""

    check: Callable[[Any], Any]
    json: Callable[[], dict[str, Any]]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(lambda value: self.check(value))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return self.json()


@final
@dataclass(frozen=True)
class Number(_Checked):
    """A number from ``low`` to ``high``; ``whole`` for integers, ``word`` for a text that may stand in its place."""

    low: int | float
    high: int | float | None = None
    whole: bool = False
    word: str | None = None

    def range(self) -> str:
        """Say what is allowed."""
        kind = "a whole number" if self.whole else "a number"
        limits = f"{self.low:,g} or more" if self.high is None else f"from {self.low:,g} to {self.high:,g}"
        return f"{kind} {limits}{f', or {self.word}' if self.word else ''}"

    def check(self, value: Any) -> Any:
        """Give the number, or say what is allowed."""
        if self.word is not None and isinstance(value, str) and value == self.word:
            return self.word
        given: Any = plain_scalar(value) if isinstance(value, EnvText) else value
        if not is_number(given) or (self.whole and given != int(given)):
            raise refuse("type", f"{shown(value)} is not {self.range()}")
        if given < self.low or (self.high is not None and given > self.high):
            raise refuse("range", f"{shown(value)} is out of range; allowed: {self.range()}")
        return int(given) if self.whole else float(given)

    def json(self) -> dict[str, Any]:
        """Describe it as JSON Schema."""
        number: dict[str, Any] = {"type": "integer" if self.whole else "number", "minimum": self.low}
        if self.high is not None:
            number["maximum"] = self.high
        return number if self.word is None else {"anyOf": [{"const": self.word}, number]}


@final
@dataclass(frozen=True)
class Probability(_Checked):
    """A number between 0 and 1; both ends are excluded."""

    def check(self, value: Any) -> float:
        """Give the number, or guess at a percentage."""
        given: Any = plain_scalar(value) if isinstance(value, EnvText) else value
        if not is_number(given):
            raise refuse("type", f"{shown(value)} is not a number between 0 and 1")
        if 0.0 < given < 1.0:
            return float(given)
        guess = f" (did you mean {given / 100:g}?)" if 1.0 < given < 100.0 and not isinstance(value, EnvText) else ""
        raise refuse("probability", f"{shown(value)} must lie between 0 and 1{guess}, both excluded")

    def json(self) -> dict[str, Any]:
        """Describe it as JSON Schema."""
        return {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}


@final
@dataclass(frozen=True)
class Levels(_Checked):
    """Quantile levels: ascending, each between 0 and 1."""

    def check(self, value: Any) -> tuple[float, ...]:
        """Give the levels."""
        if not isinstance(value, list) or not value:
            raise refuse("type", f"{shown(value)} is not a list of levels such as [0.1, 0.5, 0.9]")
        levels = tuple(Probability().check(level) for level in value)
        if any(later <= earlier for earlier, later in zip(levels, levels[1:], strict=False)):
            raise refuse("range", "levels must ascend, each one once")
        return levels

    def json(self) -> dict[str, Any]:
        """Describe it as JSON Schema."""
        return {"type": "array", "items": Probability().json(), "minItems": 1, "uniqueItems": True}


@final
@dataclass(frozen=True)
class NamesOrAuto(_Checked):
    """The word ``auto``, or a list of known names; one name may stand by itself."""

    known: Sequence[str]

    def check(self, value: Any) -> Literal["auto"] | tuple[str, ...]:
        """Give the names."""
        if isinstance(value, str) and value == "auto":
            return "auto"
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not value:
            raise refuse("type", f"{shown(value)} is neither auto nor a list of names")
        for name in value:
            if name not in self.known:
                hint = did_you_mean(str(name), self.known) or f"; known: {', '.join(self.known)}"
                raise refuse("name", f"unknown name {shown(name)}{hint}")
        if len(set(value)) < len(value):
            raise refuse("name", "a name is listed twice")
        return tuple(str(name) for name in value)

    def json(self) -> dict[str, Any]:
        """Describe it as JSON Schema."""
        names = {"type": "array", "items": {"enum": list(self.known)}, "minItems": 1, "uniqueItems": True}
        return {"anyOf": [{"enum": ["auto", *self.known]}, names]}


@final
@dataclass(frozen=True)
class Name(_Checked):
    """One of some known names."""

    known: Sequence[str]

    def check(self, value: Any) -> str:
        """Give the name."""
        if not isinstance(value, str) or value not in self.known:
            near = "" if isinstance(value, EnvText) else did_you_mean(str(value), self.known)
            raise refuse("name", f"{shown(value)} is not one of {', '.join(self.known)}{near}")
        return str(value)

    def json(self) -> dict[str, Any]:
        """Describe it as JSON Schema."""
        return {"enum": list(self.known)}


@final
@dataclass(frozen=True)
class Duration(_Checked):
    """A time span as ``4h``, ``90m``, ``30s`` or a number of seconds."""

    _FORM = re.compile(r"(\d+(?:\.\d+)?)\s*(h|m|s)?")

    def check(self, value: Any) -> float:
        """Give the span in seconds.

        Examples
        --------
        >>> Duration().check("90m")
        5400.0
        """
        found = self._FORM.fullmatch(str(value)) if isinstance(value, str) or is_number(value) else None
        if found is None:
            raise refuse("type", f"{shown(value)} is not a time span such as 4h, 90m or 3600 (seconds)")
        seconds = float(found[1]) * {"h": 3600.0, "m": 60.0}.get(found[2] or "s", 1.0)
        if seconds <= 0:
            raise refuse("range", f"{shown(value)} must be more than 0 seconds")
        return seconds

    def json(self) -> dict[str, Any]:
        """Describe it as JSON Schema."""
        text = {"type": "string", "pattern": r"^\d+(\.\d+)?\s*[hms]?$"}
        return {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, text]}


@final
@dataclass(frozen=True)
class Text(_Checked):
    """A text that something must know: an encoding, a time zone, one character, a hash."""

    kind: Literal["encoding", "timezone", "character", "sha256", "text"] = "text"

    def check(self, value: Any) -> str:
        """Give the text."""
        if not isinstance(value, str):
            quoted = f'; put it in quotes: "{value}"' if isinstance(value, bool | int | float) else ""
            raise refuse("type", f"{shown(value)} is not a text{quoted}")
        if value == "":
            raise refuse("type", "the text is empty")
        if self.kind == "character" and len(value) != 1:
            raise refuse("range", f"{shown(value)} is not a single character")
        if self.kind == "encoding":
            try:
                codecs.lookup(value)
            except (LookupError, ValueError):
                raise refuse("name", f"{shown(value)} is not a known encoding, such as utf-8 or cp1252") from None
        if self.kind == "sha256" and not re.fullmatch("[0-9a-fA-F]{64}", value):
            raise refuse("range", f"{shown(value)} is not a sha256: 64 digits of base 16")
        if self.kind == "timezone":
            try:
                zoneinfo.ZoneInfo(value)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                raise refuse("name", f"{shown(value)} is not a time zone, such as Europe/Paris") from None
        return str(value)

    def json(self) -> dict[str, Any]:
        """Describe it as JSON Schema."""
        further: dict[str, Any] = {"maxLength": 1} if self.kind == "character" else {}
        further |= {"pattern": "^[0-9a-fA-F]{64}$"} if self.kind == "sha256" else {}
        return {"type": "string", "minLength": 1, **further}
