"""Where FastAPI's document says something else than the server does."""

from typing import Any

_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def state_exactly(node: Any) -> None:
    """Parameters are left out, not null; bounds of integers are integers.

    FastAPI's model of a schema holds every bound as a float, which rounds 2**63.
    """
    if isinstance(node, list):
        for value in node:
            state_exactly(value)
    elif isinstance(node, dict):
        if "in" in node and "schema" in node:
            node["schema"] = _without_null(node["schema"])
        if node.get("type") == "integer":
            node.update({name: int(node[name]) for name in _BOUNDS if name in node})
        for value in node.values():
            state_exactly(value)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """``schema`` of a parameter that may be absent; its own words go along."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**kinds[0], **rest}
