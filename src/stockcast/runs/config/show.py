"""A config for the eye: what is in effect."""

from io import StringIO
from typing import Any

from stockcast.runs.config.names import ONE_TABLE_ONLY
from stockcast.runs.config.sections import RunConfig, as_plain


def effective(config: RunConfig) -> dict[str, Any]:
    """Give the config in effect as plain values; what came from the environment stands as in the file."""
    whole: dict[str, Any] = _with_references(as_plain(config), config.references, "")
    return whole


def _with_references(value: Any, references: dict[str, str], at: str) -> Any:
    if at in references:
        return references[at]
    if isinstance(value, dict):
        return {key: _with_references(inner, references, f"{at}.{key}".lstrip(".")) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_references(inner, references, f"{at}.{index}") for index, inner in enumerate(value)]
    return value


def show(config: RunConfig) -> str:
    """Give the config in effect as YAML, defaults included; secrets stay ``${VAR}``."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 10_000
    text = StringIO()
    whole = effective(config)
    for table, source in whole["sources"].items():
        for key, owner in ONE_TABLE_ONLY.items():
            if table != owner:
                del source[key]
    yaml.dump({key: inner if key == "deadline" else _without_nulls(inner) for key, inner in whole.items()}, text)
    return text.getvalue()


def _without_nulls(value: Any) -> Any:
    """Leave out keys that say nothing; null is their default (the deadline's is not)."""
    if not isinstance(value, dict):
        return value
    return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
