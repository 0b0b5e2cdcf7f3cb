"""YAML 1.2 to plain values that know their line; stricter than the standard.

``NO``, ``012`` and ``22:30`` are text; a key must stand once; anchors, aliases and tags are not read. ``${VAR}`` and
``${VAR:-default}`` are filled in from the environment.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from stockcast.core.errors import UsageError

Key = tuple[str | int, ...]
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_VARIABLE = re.compile(r"\$\{([^}:]*)(?::-([^}]*))?\}")
_AT_MOST = 1_000_000  # characters of a config: far above any real one


@final
class EnvText(str):
    """A text with values from the environment in it; ``reference`` is what the file says, safe to show."""

    __slots__ = ("reference",)
    reference: str

    def __new__(cls, value: str, reference: str) -> "EnvText":
        """Join the text and what it stands for."""
        made = super().__new__(cls, value)
        made.reference = reference
        return made


@final
@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a config: where, what, its code, the rank in which it is told, and the remedy."""

    where: str
    text: str
    code: str
    line: int = 0
    help: str | None = None


@final
@dataclass(slots=True)
class Tree:
    """The values of a file with the place of every key.

    Parameters
    ----------
    value
        Mappings, lists, texts, numbers, booleans and None.
    where
        A place such as ``stockcast.yml:12`` for every key and list element.
    references
        The unfilled text of what came from the environment.
    variables
        The variables that were filled in, with their values.
    """

    value: Any = None
    where: dict[Key, str] = field(default_factory=dict)
    lines: dict[Key, int] = field(default_factory=dict)
    references: dict[Key, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def plain_scalar(text: str) -> object:
    """Give the value of an unquoted scalar.

    Examples
    --------
    >>> [plain_scalar(text) for text in ("NO", "012", "22:30", "12", "1e3", "yes", "true", "null")]
    ['NO', '012', '22:30', 12, 1000.0, 'yes', True, None]
    """
    if text in _WORDS:
        return _WORDS[text]
    if text in _TRUTH:
        return _TRUTH[text]
    if _INTEGER.fullmatch(text) and len(text) < 300:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def parse(text: str, place: str, environment: Mapping[str, str] | None = None, *, numbered: bool = True) -> Tree:
    """Parse a config's text.

    Parameters
    ----------
    place
        What errors call the text: a file's name, or the option that it was typed in.
    numbered
        Whether a line number follows the place.

    Raises
    ------
    UsageError
        If it is not YAML (SC-C005) or too long (SC-C011).
    """
    if len(text) > _AT_MOST:
        raise UsageError(f"{place}: {len(text):,} characters are no config", code="SC-C011")
    tree = Tree()
    reader = _Reader(tree, place, os.environ if environment is None else environment, numbered)
    node = _compose(text, place)
    tree.value = None if node is None else reader.read(node, ())
    return tree


def _compose(text: str, place: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        return yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise UsageError(
            f"{place}:{line}:{column}: {_reason(text, line, error.problem or error.context or '')}",
            code="SC-C005",
            details=[f"line {line}, column {column}"],
            help=f"look at line {line} and the one above it; indent with spaces, and put odd text in quotes",
        ) from None
    except YAMLError as error:
        at = getattr(error, "position", None)
        line = text.count("\n", 0, at) + 1 if isinstance(at, int) else 1
        column = at - text.rfind("\n", 0, at) if isinstance(at, int) else 1
        raise UsageError(f"{place}:{line}:{column}: a character that YAML does not allow", code="SC-C005") from None
    except RecursionError:
        raise UsageError(f"{place}:1:1: nested too deeply", code="SC-C005") from None


def _reason(text: str, line: int, problem: str) -> str:
    """Say in a user's words what the parser found."""
    lines = text.splitlines()
    if any("\t" in here[: len(here) - len(here.lstrip())] for here in lines[max(line - 2, 0) : line]):
        return "a tab is used for indentation; YAML wants spaces"
    known = {
        "mapping values are not allowed here": "a colon where none may stand (indentation, or text that needs quotes)",
        "could not find expected ':'": "a key without its colon",
        "expected <block end>, but found": "the indentation does not fit the lines above",
        "found unexpected end of stream": "a quote that is never closed",
        "expected a single document": "a second document begins (---); a config is one",
        "expected ',' or": "a bracket that is never closed, or a missing comma",
        "found undefined alias": "a text that begins with *; put it in quotes",
        "cannot start any token": "a character that no value may begin with; put the value in quotes",
    }
    return next((told for found, told in known.items() if found in problem), f"not YAML: {problem}")


@final
class _Reader:
    """Walks the parser's nodes into plain values."""

    def __init__(self, tree: Tree, place: str, environment: Mapping[str, str], numbered: bool) -> None:
        self.tree, self.place, self.environment, self.numbered = tree, place, environment, numbered
        self.seen: set[int] = set()

    def at(self, line: int) -> str:
        return f"{self.place}:{line}" if self.numbered else self.place

    def tell(self, line: int, text: str, code: str, help: str | None = None) -> None:
        self.tree.problems.append(Problem(self.at(line), text, code, line, help))

    def read(self, node: Any, key: Key, line: int | None = None) -> Any:
        from ruamel.yaml.nodes import MappingNode, ScalarNode

        line = node.start_mark.line + 1 if line is None else line
        self.tree.where[key] = self.at(line)
        self.tree.lines[key] = line
        if id(node) in self.seen:
            self.tell(line, "an alias (*name) is not read", "SC-C005", "write the value out")
            return None
        self.seen.add(id(node))
        tag = str(node.tag or "")
        if not tag.startswith("tag:yaml.org,2002:") or tag.rsplit(":", 1)[-1] not in _TAGS:
            self.tell(line, f"the tag {tag} is not read", "SC-C005", "write the value without a tag")
            return None
        if isinstance(node, ScalarNode):
            return self.scalar(node, key, line)
        if isinstance(node, MappingNode):
            return self.mapping(node, key)
        return [self.read(element, (*key, at)) for at, element in enumerate(node.value)]

    def mapping(self, node: Any, key: Key) -> dict[str, Any]:
        from ruamel.yaml.nodes import ScalarNode

        values: dict[str, Any] = {}
        first: dict[str, int] = {}
        for name_node, value_node in node.value:
            line = name_node.start_mark.line + 1
            if not isinstance(name_node, ScalarNode):
                self.tell(line, "a key must be a text", "SC-C005")
                continue
            name = str(name_node.value)
            if name in first:
                dotted = ".".join(str(part) for part in (*key, name))
                self.tell(
                    line,
                    f"the key {dotted} stands twice, on line {first[name]} and on line {line}",
                    "SC-C004",
                    "keep one of them",
                )
                continue
            first[name] = line
            values[name] = self.read(value_node, (*key, name), line)
        return values

    def scalar(self, node: Any, key: Key, line: int) -> object:
        text = str(node.value)
        filled = self.fill(text, line)
        if filled is None:
            return None
        if filled != text or _VARIABLE.search(text):
            self.tree.references[key] = text
            return EnvText(filled, text)
        return text if node.style in ("'", '"', "|", ">") else plain_scalar(text)

    def fill(self, text: str, line: int) -> str | None:
        """Fill in the variables; None where one has no value."""
        missing = []

        def value(found: re.Match[str]) -> str:
            name, default = found[1], found[2]
            given = self.environment.get(name)
            if given is not None and (given or default is None):
                self.tree.variables[name] = given
                return given
            if default is None:
                missing.append(name)
            return default or ""

        filled = _VARIABLE.sub(value, text)
        for name in missing:
            self.tell(
                line,
                f"the environment variable {name} is not set",
                "SC-C007",
                f"set {name}, or give a default: ${{{name}:-…}}",
            )
        return None if missing else filled


_TAGS = ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "merge", "value")
