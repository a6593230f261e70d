"""Examples of whole bodies, put together from those that stand beside the contracts."""

from typing import Any

_REFERENCE = "#/components/schemas/"

#: Small files, in place. The PNG is one grey pixel, the DICOM file and the ZIP are empty, the
#: weights are no tensor.
FILES: dict[str, dict[str, str]] = {
    media_type: {"summary": summary, "externalValue": f"data:{media_type};base64,{data}"}
    for media_type, summary, data in (
        (
            "image/png",
            "One grey pixel",
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg==",
        ),
        ("application/dicom", "A preamble without an element", "A" * 170 + "BESUNN"),
        ("application/zip", "An archive of nothing", "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="),
        ("application/octet-stream", "safetensors without a tensor", "AgAAAAAAAAB7fQ=="),
    )
}


def restore_nulls(schemas: dict[str, Any]) -> None:
    """FastAPI leaves every null out of its document, also those inside of examples."""
    for schema in schemas.values():
        for example in schema.get("examples", []):
            for name, part in schema.get("properties", {}).items():
                if name not in example and {"type": "null"} in part.get("anyOf", []):
                    example[name] = None


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value that ``schema`` allows, made of the examples that it and its parts give.

    Raises :class:`LookupError` where a part has none.
    """
    stated = _stated(schema)
    if stated:
        return stated[0]
    part = _part(schema, schemas)
    if part is not None:
        return example_of(part, schemas)
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    if "properties" in schema:
        return {name: example_of(part, schemas) for name, part in schema["properties"].items()}
    raise LookupError(f"no example for {schema}")


def _stated(schema: dict[str, Any]) -> list[Any]:
    """The schema's own examples, or values that do as well."""
    single = [schema[key] for key in ("const", "default") if key in schema]
    nothing = [None] if {"type": "null"} in schema.get("anyOf", []) else []
    return [*schema.get("examples", []), *single, *schema.get("enum", []), *nothing]


def _part(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any] | None:
    """The schema that stands for this one: what it refers to, or the first that it allows."""
    if "$ref" in schema:
        found: dict[str, Any] = schemas[schema["$ref"].removeprefix(_REFERENCE)]
        return found
    return next((schema[key][0] for key in ("anyOf", "oneOf", "allOf") if key in schema), None)
