"""The config's schema: the validator that reads a config, and the JSON Schema that editors read."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from stockcast.runs.config.sections import NOT_KEYS, RunConfig


@cache
def adapter() -> Any:  # beartype cannot check TypeAdapter[RunConfig]
    """Give pydantic's adapter of a whole config: its validator and its schema."""
    return TypeAdapter(RunConfig)


def schema() -> dict[str, Any]:
    """Give the JSON Schema of a config, with a description of every key."""
    made: dict[str, Any] = adapter().json_schema()
    properties = {name: value for name, value in made.pop("properties").items() if name not in NOT_KEYS}
    made["description"] = "A project of stockcast: what is read, how demand is forecast, how orders are made."
    made["properties"] = properties
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "stockcast.yml"
    made["properties"]["sources"]["required"] = ["sales"]
    for part in (made, *made.get("$defs", {}).values()):
        for value in part["properties"].values():
            value.pop("title", None)
            if "$ref" not in value:
                value.setdefault("description", "")
    return made
