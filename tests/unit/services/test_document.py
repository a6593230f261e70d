"""The OpenAPI document: every operation shows what it takes, what it answers, and how it fails."""

import json
import re
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from services.app import app
from services.gateway.api import OPENAPI_DOCUMENT
from shared.web.document.completion import operations
from shared.web.document.errors import ERRORS
from shared.web.document.examples import FILES
from shared.web.problems import MEDIA_TYPE

Operation = dict[str, Any]

DOCUMENT = app.openapi()
OPERATIONS = {f"{method.upper()} {path}": each for path, method, each in operations(DOCUMENT)}
#: Nobody is asked for a key here.
PUBLIC = {"GET /health/live", "GET /health/ready", "GET /metrics"}
#: Headers that a status never comes without.
HEADERS = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}

each_operation = pytest.mark.parametrize("name", OPERATIONS)


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """``node``, or what it refers to."""
    if "$ref" not in node:
        return node
    found: Any = DOCUMENT
    for key in node["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return resolved(found)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Of a schema inside the document: its references point into the document."""
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def examples(content: dict[str, Any]) -> list[Any]:
    """The examples of a body that stand in the document."""
    named = [each["value"] for each in content.get("examples", {}).values() if "value" in each]
    return named + ([content["example"]] if "example" in content else [])


def bodies(operation: Operation) -> list[tuple[str, str, dict[str, Any]]]:
    """Where, media type and content of the request's body and of each answer's."""
    found = [("request", operation.get("requestBody", {}))]
    found += [(status, resolved(each)) for status, each in operation["responses"].items()]
    return [
        (where, media_type, content)
        for where, body in found
        for media_type, content in body.get("content", {}).items()
    ]


def test_the_file_in_the_repository_is_this_document() -> None:
    assert json.loads(OPENAPI_DOCUMENT.read_text()) == DOCUMENT


@each_operation
def test_every_body_has_an_example_that_its_schema_allows(name: str) -> None:
    for where, media_type, content in bodies(OPERATIONS[name]):
        if media_type in FILES:
            assert content["examples"]["file"]["externalValue"].startswith(f"data:{media_type};")
            continue
        shown = examples(content)
        assert shown, f"{where} {media_type} shows no example"
        for example in shown:
            validator(content.get("schema", {})).validate(example)


@each_operation
def test_every_operation_names_its_errors(name: str) -> None:
    operation = OPERATIONS[name]
    given = set(operation["responses"])
    expected = set() if name in PUBLIC else {"401", "403", "429", "503"}
    if operation.get("parameters") or "requestBody" in operation:
        expected.add("422")
    if "requestBody" in operation:
        expected.add("413")
    if "{" in name or "202" in given:
        expected |= {"404"}
    assert expected <= given
    assert given <= {"200", "201", "202", "204", *map(str, ERRORS)}


@each_operation
def test_every_error_is_a_problem(name: str) -> None:
    for status, response in OPERATIONS[name]["responses"].items():
        whole = resolved(response)
        assert whole["description"]
        if int(status) < 400:
            continue
        assert set(whole["content"]) == {MEDIA_TYPE}
        example = whole["content"][MEDIA_TYPE]["example"]
        assert example["status"] == int(status)
        if status in HEADERS:
            assert whole["headers"][HEADERS[status]]["required"] is True


@each_operation
def test_only_health_is_open(name: str) -> None:
    needed: list[dict[str, list[str]]] = [
        {scheme: []} for scheme in DOCUMENT["components"]["securitySchemes"]
    ]
    assert OPERATIONS[name].get("security", []) == ([] if name in PUBLIC else needed)


@each_operation
def test_every_operation_says_what_it_does(name: str) -> None:
    operation = OPERATIONS[name]
    verb, _, rest = operation["operationId"].partition("_")
    assert verb.isalpha(), "a name such as list_jobs: a verb first"
    assert rest.replace("_", "").isalpha()
    assert operation["summary"]
    chapters = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert len(operation["tags"]) == 1
    assert chapters[operation["tags"][0]]


@each_operation
def test_every_parameter_is_described(name: str) -> None:
    for parameter in OPERATIONS[name].get("parameters", []):
        if parameter["in"] != "path":
            assert parameter.get("description"), parameter["name"]


@pytest.mark.parametrize(
    "name", ["GET /generate", "POST /preprocess/preview", "POST /augment/preview"]
)
def test_a_file_that_an_earlier_request_made_says_so(name: str) -> None:
    assert "Idempotency-Replayed" in OPERATIONS[name]["responses"]["200"]["headers"]


@each_operation
def test_an_operation_that_makes_a_job_documents_its_headers(name: str) -> None:
    operation = OPERATIONS[name]
    takes = {parameter["name"].lower() for parameter in operation.get("parameters", [])}
    if "idempotency-key" not in takes or "202" not in operation["responses"]:
        return
    assert {"prefer", "dry_run"} <= takes
    queued = operation["responses"]["202"]["headers"]
    assert queued["Location"]["required"] is True
    assert "Idempotency-Replayed" in queued


def test_references_lead_somewhere() -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            assert "$defs" not in node
            if isinstance(node.get("$ref"), str):
                assert resolved(node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(DOCUMENT)


@pytest.mark.parametrize("path", ["/preprocess/preview", "/augment/preview", "/classify"])
def test_an_image_may_come_in_a_form_of_nothing_else(path: str) -> None:
    content = OPERATIONS[f"POST {path}"]["requestBody"]["content"]
    assert "image/png" in content
    form = content["multipart/form-data"]["schema"]
    assert (list(form["properties"]), form["additionalProperties"]) == (["file"], False)


def test_a_late_result_is_what_its_own_operation_answers() -> None:
    kinds = OPERATIONS["GET /jobs/{job_id}/result"]["responses"]["200"]["content"]
    assert kinds.keys() == {"image/png", "application/json"}
    assert kinds["application/json"]["schema"]["$ref"].endswith("/Classification")


@pytest.mark.parametrize(
    ("schema", "member", "pattern"),
    [
        ("DatasetImage", "patient", r"[0-9a-f]{32}"),
        ("Withdrawal", "patient", r"[0-9a-f]{32}"),
        ("WithdrawalSummary", "patient", r"[0-9a-f]{32}"),
        ("WithdrawalSummary", "id", r"wdr_[0-9a-f]{24}"),
    ],
)
def test_examples_look_like_what_is_sent(schema: str, member: str, pattern: str) -> None:
    (example,) = DOCUMENT["components"]["schemas"][schema]["examples"]
    assert re.fullmatch(pattern, example[member])
