"""Completes FastAPI's document: errors, examples, chapters and components."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from shared.web.document.errors import ERRORS, statuses_of
from shared.web.document.exactness import state_exactly
from shared.web.document.examples import FILES, example_of, restore_nulls
from shared.web.document.tags import TAGS
from shared.web.problems import MEDIA_TYPE, ProblemBody

Document = dict[str, Any]
REQUEST_ID = {
    "description": "names the request in the server's log and in its audit; yours, if you sent one",
    "required": True,
    "schema": {"type": "string"},
}
_COMPONENTS = "#/components/schemas/{model}"
#: FastAPI's own shape of 422, which no operation of ours answers with.
_NEVER_SENT = ("HTTPValidationError", "ValidationError")


def described(app: FastAPI) -> Document:
    """The document of ``app``, made once. It is ``app``'s own from then on."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        _complete(document)
        app.openapi_schema = document
    return app.openapi_schema


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a body that a route reads by itself; its definitions become components."""
    return model.model_json_schema(ref_template=_COMPONENTS)


def operations(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation of a document, with its path and method."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _complete(document: Document) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _NEVER_SENT:
        schemas.pop(name, None)
    schemas[ProblemBody.__name__] = schema_of(ProblemBody)
    components["responses"] = {
        error.name: _error_response(status) for status, error in ERRORS.items()
    }
    components["headers"] = {"X-Request-Id": REQUEST_ID}
    for path, method, operation in operations(document):
        _add_errors(path, method, operation)
    for response in _responses(document):
        response.setdefault("headers", {})["X-Request-Id"] = {
            "$ref": "#/components/headers/X-Request-Id"
        }
    _lift_definitions(document, schemas)
    state_exactly(document)
    restore_nulls(schemas)
    for _, _, operation in operations(document):
        _add_examples(operation, schemas)
    used = {tag for _, _, operation in operations(document) for tag in operation.get("tags", [])}
    document["tags"] = [
        {"name": name, "description": text} for name, text in TAGS.items() if name in used
    ]


def _responses(document: Document) -> Iterator[dict[str, Any]]:
    """Each answer once: those that operations share stand in the components."""
    yield from document["components"]["responses"].values()
    for _, _, operation in operations(document):
        yield from (each for each in operation["responses"].values() if "$ref" not in each)


def _error_response(status: int) -> dict[str, Any]:
    error = ERRORS[status]
    response: dict[str, Any] = {
        "description": error.description,
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": _COMPONENTS.format(model=ProblemBody.__name__)},
                "example": error.example(status),
            }
        },
    }
    if error.headers:
        response["headers"] = dict(error.headers)
    return response


def _add_errors(path: str, method: str, operation: dict[str, Any]) -> None:
    """A route that names an error itself keeps its own words for it."""
    responses: dict[str, Any] = operation["responses"]
    named = {int(status) for status in responses if int(status) in ERRORS}
    automatic = responses.get("422", {}).get("description") == "Validation Error"
    for status in sorted(named | statuses_of(path, method, operation)):
        given = responses.pop(str(status), None)
        if given is None or (status == 422 and automatic):
            responses[str(status)] = {"$ref": f"#/components/responses/{ERRORS[status].name}"}
        else:
            responses[str(status)] = {
                **_error_response(status),
                "description": given["description"],
            }


def _lift_definitions(node: Any, schemas: dict[str, Any]) -> None:
    """Definitions inside of a schema move to the components, where the references point."""
    if isinstance(node, dict):
        for name, schema in node.pop("$defs", {}).items():
            schemas.setdefault(name, schema)
        for value in list(node.values()):
            _lift_definitions(value, schemas)
    elif isinstance(node, list):
        for value in node:
            _lift_definitions(value, schemas)


def _add_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    bodies = [operation.get("requestBody", {})]
    bodies += [
        response for status, response in operation["responses"].items() if status.startswith("2")
    ]
    for body in bodies:
        for media_type, content in body.get("content", {}).items():
            if "example" in content or "examples" in content:
                continue
            if media_type in FILES:
                content["examples"] = {"file": FILES[media_type]}
                continue
            try:
                content["example"] = example_of(content["schema"], schemas)
            except LookupError:
                continue  # tests/unit/services/test_document.py names it
