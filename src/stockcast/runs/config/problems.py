"""From faults to one screen: what a user wrote, where, and the nearest key that there is."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from stockcast.core.errors import UsageError, did_you_mean
from stockcast.runs.config.names import MODEL_GROUPS, MODELS
from stockcast.runs.config.values import shown
from stockcast.runs.config.yaml import EnvText, Key, Problem, Tree

AT_MOST = 10
REQUIRED = "required: version, sources.sales.path"
_UNKNOWN_KEY = ("unexpected_keyword_argument", "extra_forbidden")
_CODES = {"type": "SC-C006", "range": "SC-C008", "probability": "SC-C009", "name": "SC-C012", "missing": "SC-C002"}
_SHOULD_BE = {
    "dataclass_type": "a section of keys",
    "dataclass_exact_type": "a section of keys",
    "dict_type": "a section of keys",
    "mapping_type": "a section of keys",
    "list_type": "a list",
    "string_type": "a text",
    "bool_type": "true or false",
}


def told(
    tree: Tree,
    loc: Sequence[str | int],
    kind: str,
    place: str,
    message: str = "",
    value: object = None,
    context: Mapping[str, Any] | None = None,
) -> Problem:
    """Tell one fault that the schema found.

    Parameters
    ----------
    loc, kind, message, value, context
        As pydantic gives them.
    """
    key = _key_of(tree, loc, kind)
    dotted = ".".join(str(part) for part in key)
    where, line = _place(tree, key, place)
    is_key = kind in _UNKNOWN_KEY or (kind == "literal_error" and tuple(loc)[-1:] == ("[key]",))
    if is_key:
        return _unknown_key(key, where, line)
    if kind in ("missing", "missing_argument"):
        return Problem(where, f"missing key {dotted}", "SC-C002", line)
    if kind == "literal_error":
        expected = str((context or {}).get("expected", "")).replace(" or ", ", ")
        allowed = [word.strip().strip("'\"") for word in expected.split(",")]
        near = "" if isinstance(value, EnvText) else did_you_mean(str(value), allowed, limit=1)
        if key == ("plan", "objective"):
            allowed = ["cost", "{cycle_service_level: 0.95}", "{fill_rate: 0.98}"]
        text = f"{dotted}: {shown(value)} is not one of {', '.join(word for word in allowed if word)}{near}"
        return Problem(where, text, "SC-C012", line)
    if kind in _SHOULD_BE:
        return Problem(where, f"{dotted}: {shown(value)} is not {_SHOULD_BE[kind]}", "SC-C006", line)
    return Problem(where, f"{dotted}: {message}", _CODES.get(kind, "SC-C006"), line)


def _key_of(tree: Tree, loc: Sequence[str | int], kind: str) -> Key:
    """Give the key of a fault: without the names that pydantic gives to the branches of a union."""
    parts = [part for part in loc if part != "[key]" and not (isinstance(part, str) and part.startswith(_BRANCHES))]
    return tuple(parts)


_BRANCHES = ("literal[", "function-", "lax-or-strict", "nullable", "Service")


def _place(tree: Tree, key: Key, place: str) -> tuple[str, int]:
    for length in range(len(key), 0, -1):
        if key[:length] in tree.where:
            return tree.where[key[:length]], tree.lines[key[:length]]
    return place, 0


def _unknown_key(key: Key, where: str, line: int) -> Problem:
    dotted, name = ".".join(map(str, key)), str(key[-1])
    if name == "service_level":
        text = f"{dotted} says too little: a service level is a cycle_service_level or a fill_rate"
        help = "choose cycle_service_level (no stockout between two receipts) or fill_rate (share of demand served)"
        return Problem(where, text, "SC-C014", line, help)
    near = nearest(key)
    return Problem(where, f"unknown key {dotted}{f', did you mean {near}?' if near else ''}", "SC-C003", line)


def nearest(key: Key) -> str | None:
    """Give the known key nearest to a wrong one: by its last word anywhere, or by its whole path.

    Examples
    --------
    >>> nearest(("supplier",)), nearest(("plan", "lead_time")), nearest(("forcast", "effort"))
    ('sources.suppliers', 'plan.defaults.lead_time_days', 'forecast.effort')
    """
    dotted, parent, name = ".".join(map(str, key)), key[:-1], str(key[-1])
    best, score = None, 0.7
    for known in known_keys():
        last = difflib.SequenceMatcher(None, name.lower(), str(known[-1])).ratio()
        path = difflib.SequenceMatcher(None, dotted.lower(), ".".join(known)).ratio() if len(key) > 1 else 0.0
        here = max(last + (0.15 if known[:-1] == parent else 0.0), path)
        if here > score + 1e-9:
            best, score = ".".join(known), here
    return best


def known_keys() -> list[tuple[str, ...]]:
    """Give every key of the schema, the section before what it holds."""
    from stockcast.runs.config.schema import schema

    whole = schema()
    found: list[tuple[str, ...]] = []

    def walk(part: Mapping[str, Any], at: tuple[str, ...]) -> None:
        for branch in (part, *part.get("anyOf", ())):
            node = whole["$defs"][branch["$ref"].rsplit("/", 1)[-1]] if "$ref" in branch else branch
            for name, inner in node.get("properties", {}).items():
                found.append((*at, name))
                walk(inner, (*at, name))
            for name in node.get("propertyNames", {}).get("enum", ()):
                found.append((*at, name))
                walk(node["additionalProperties"], (*at, name))

    walk(whole, ())
    return found


def raise_problems(problems: Sequence[Problem], place: str, *, empty: bool) -> NoReturn:
    """Raise one error that tells all faults, the first of the file as its headline."""
    if empty:
        raise UsageError(
            f"{place}: the config is empty",
            code="SC-C002",
            details=[REQUIRED],
            help="stockcast init DIR writes a commented config to begin with",
        )
    unique = list({(problem.where, problem.text): problem for problem in problems}.values())
    unknown = {problem.where for problem in unique if problem.code in ("SC-C003", "SC-C014")}
    # one line, one cause: a mistyped name also leaves the right one missing
    ordered = sorted(unique, key=lambda problem: (problem.code == "SC-C002", problem.line))
    ordered = [p for p in ordered if p.code != "SC-C006" or p.where not in unknown]
    first, *others = ordered
    details = [f"{problem.where}: {problem.text}" for problem in others[: AT_MOST - 1]]
    if len(others) > AT_MOST - 1:
        details.append(f"and {len(others) - AT_MOST + 1} more")
    if any(problem.code == "SC-C002" for problem in ordered):
        details.append(REQUIRED)
    help = first.help
    if help is None and "unknown name" in first.text and "models" in first.text:
        help = f"known: {', '.join((*MODELS, *MODEL_GROUPS))}"
    help = help or _HELP.get(first.code)
    raise UsageError(f"{first.where}: {first.text}", code=first.code, details=details, help=help)


_HELP = {
    "SC-C002": "add what is missing; stockcast config schema lists every key",
    "SC-C003": "stockcast config schema lists every key",
    "SC-C006": "correct the value",
    "SC-C008": "choose a value in the allowed range",
    "SC-C009": "write 0.95 for 95 %",
    "SC-C012": "choose one of the names",
}
