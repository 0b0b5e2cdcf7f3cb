"""From a file to a config, or to one screen that tells everything wrong with it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stockcast.core.errors import UsageError
from stockcast.runs.config.names import CONFIG_VERSION, ONE_TABLE_ONLY
from stockcast.runs.config.problems import raise_problems, told
from stockcast.runs.config.schema import adapter
from stockcast.runs.config.sections import NOT_KEYS, RunConfig
from stockcast.runs.config.yaml import Problem, Tree, parse

FILE_NAME = "stockcast.yml"


def find(path: Path | None = None) -> Path:
    """Give the config file: the one named, or ``stockcast.yml`` in the current folder or a parent.

    Raises
    ------
    UsageError
        If there is none (SC-C001).
    """
    if path is not None:
        if path.is_dir() and (path / FILE_NAME).is_file():
            return path / FILE_NAME
        if not path.exists():
            raise UsageError(
                f"no config file {path}", code="SC-C001", help="check -c, or make a project: stockcast init DIR"
            )
        return path
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise UsageError(
        f"no {FILE_NAME} in {here} or its parents",
        code="SC-C001",
        help="make a project with stockcast init DIR, or name the file with -c",
    )


def load(path: Path, overrides: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> RunConfig:
    """Read a config strictly.

    Parameters
    ----------
    path
        The file.
    overrides
        ``KEY=VALUE`` pairs of ``--set``, such as ``plan.budget=50000``; they win over the file.
    environment
        Where ``${VAR}`` is looked up; the process's environment by default.

    Raises
    ------
    UsageError
        If anything in it is wrong; up to ten faults are told at once, each with its line.
    """
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path.name}:{line}: not UTF-8 text (byte {raw[error.start]:#04x})",
            code="SC-C011",
            help="save the file as UTF-8",
        ) from None
    tree = parse(text, path.name, environment)
    if tree.value is None and not tree.problems:
        tree.value = {}
    for override in overrides:
        _override(tree, override, environment)
    if not isinstance(tree.value, dict):
        raise UsageError(f"{path.name}:1: not a mapping of keys", code="SC-C005", help="begin with version: 1")
    _refuse_newer(tree, path)
    root = path.resolve().parent
    config = validate(tree, path)
    return replace(
        config,
        path=path.resolve(),
        root=root,
        text_hash=hashlib.sha256(raw).hexdigest(),
        overrides=tuple(overrides),
        lines={".".join(map(str, key)): line for key, line in tree.lines.items() if key and line},
        variables=dict(tree.variables),
        references={".".join(map(str, key)): text for key, text in tree.references.items()},
    )


def validate(tree: Tree, path: Path) -> RunConfig:
    """Check a tree against the schema, and raise with everything that is wrong."""
    problems = list(tree.problems)
    known_bad = {problem.where for problem in problems}
    given = dict(tree.value)
    for name in NOT_KEYS:
        if name in given:
            del given[name]
            problems.append(told(tree, (name,), "unexpected_keyword_argument", path.name))
    config: RunConfig | None = None
    try:
        config = adapter().validate_python(given)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            problem = told(
                tree, fault["loc"], fault["type"], path.name, fault["msg"], fault.get("input"), fault.get("ctx")
            )
            if problem.where not in known_bad or problem.line == 0:
                problems.append(problem)
    problems.extend(_across_keys(tree, path.name))
    if problems or config is None:
        raise_problems(problems, path.name, empty=not tree.value)
    return config


def _across_keys(tree: Tree, place: str) -> list[Problem]:
    """Find what no single key can tell."""
    found = []
    sources = tree.value.get("sources")
    if not isinstance(sources, dict):
        return []
    if sources and "sales" not in sources:
        found.append(
            Problem(tree.where[("sources",)], "missing key sources.sales", "SC-C002", tree.lines[("sources",)])
        )
    for table, source in sources.items():
        for key in source if isinstance(source, dict) else ():
            at = ("sources", str(table), str(key))
            if table != ONE_TABLE_ONLY.get(key, table):
                text = f"sources.{table}.{key} is for sources.{ONE_TABLE_ONLY[key]} only"
                found.append(
                    Problem(tree.where[at], text, "SC-C003", tree.lines[at], f"set sources.{ONE_TABLE_ONLY[key]}.{key}")
                )
        if isinstance(source, dict) and "table" in source and "query" in source:
            at = ("sources", str(table), "query")
            text = f"sources.{table} names both a table and a query"
            found.append(Problem(tree.where[at], text, "SC-C006", tree.lines[at], "keep one of them"))
    objective = (tree.value.get("plan") or {}).get("objective") if isinstance(tree.value.get("plan"), dict) else None
    if isinstance(objective, dict) and set(objective) <= {"cycle_service_level", "fill_rate"} and len(objective) != 1:
        here = ("plan", "objective")
        names = "cycle_service_level and fill_rate" if objective else "no service level"
        text = f"plan.objective names {names}"
        found.append(Problem(tree.where[here], text, "SC-C014", tree.lines[here], "name one of the two"))
    return found


def _override(tree: Tree, override: str, environment: Mapping[str, str] | None) -> None:
    key, given, text = override.partition("=")
    parts = tuple(key.strip().split("."))
    if not given or not all(parts):
        raise UsageError(f"--set {override}: not KEY=VALUE", code="SC-C018", help="such as --set plan.budget=50000")
    place = f"--set {key.strip()}"
    value = parse(text, place, environment, numbered=False)
    if not isinstance(tree.value, dict):
        tree.value = {}
    inside: Any = tree.value
    for depth, part in enumerate(parts[:-1], 1):
        if not isinstance(inside.get(part), dict):
            inside[part] = {}
            _forget(tree, parts[:depth])
            tree.where[parts[:depth]], tree.lines[parts[:depth]] = place, 0
        inside = inside[part]
    inside[parts[-1]] = value.value
    _forget(tree, parts)
    for inner, where in value.where.items():
        tree.where[(*parts, *inner)], tree.lines[(*parts, *inner)] = where, 0
    tree.where.setdefault(parts, place)
    tree.lines.setdefault(parts, 0)
    tree.references.update({(*parts, *inner): reference for inner, reference in value.references.items()})
    tree.variables.update(value.variables)
    tree.problems.extend(value.problems)


def _forget(tree: Tree, key: tuple[str, ...]) -> None:
    for places in (tree.where, tree.lines, tree.references):
        for inner in [inner for inner in places if inner[: len(key)] == key]:
            del places[inner]


def _refuse_newer(tree: Tree, path: Path) -> None:
    from stockcast.runs.config.values import is_number

    version = tree.value.get("version")
    if is_number(version) and version > CONFIG_VERSION:
        from importlib.metadata import version as installed

        here = installed("stockcast")
        *leading, last = here.split("+")[0].split(".")
        newer = ".".join([*leading, str(int(last) + 1)]) if last.isdigit() else here
        raise UsageError(
            f"{tree.where[('version',)]}: config version {version} was written by stockcast ≥ {newer}",
            code="SC-C017",
            details=[f"this is stockcast {here}, which reads version {CONFIG_VERSION}"],
            help="install a newer stockcast",
        )
