"""Every route of docs/openapi.json is an operation of the client, with its parameters.

Operations are flows, which say what they would send before anything is sent: so each is asked for
its first request, with every argument given.
"""

import inspect
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lesiongan.client.binding import Resource, items, operation
from lesiongan.client.call import Call
from lesiongan.client.driving import SyncDriver
from lesiongan.client.exchange import Exchange
from lesiongan.client.flow import Block, Outcome, Send, advance
from lesiongan.client.operations import Operations
from lesiongan.client.server import Server
from lesiongan.contracts.base import Command

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"
#: What the client asks for without being told to, and ``explain``, which has one value so far.
OF_NO_OPERATION = {"dry_run", "limit", "cursor"}
#: The document says of it that the data set is the same.
WITHOUT_EFFECT = {("POST", "/generate"): {"format"}}
ARGUMENTS: dict[str, Any] = {
    "box": (1.0, 2.0, 3.0, 4.0),
    "category": "liver",
    "dry_run": True,
    "image": b"png",
    "image_format": "dicom",
    "grace_seconds": 5,
    "index": 3,
    "indices": [7],
    "kind": "generate",
    "layout": "webdataset",
    "limit": 1,
    "n": 5,
    "path": "somewhere",
    "seed": 7,
    "since": datetime(2027, 1, 1, tzinfo=UTC),
    "explain": True,
    "split": "train",
    "status": "failed",
    "step": 4,
    "truncation": 2.0,
    "until": datetime(2027, 2, 1, tzinfo=UTC),
}
#: Arguments that are no part of a request.
LOCAL = {"on_progress", "on_event", "timeout_seconds"}


class Flows:
    """A resource whose methods are left undone."""

    def __init__(self, owner: Resource[Any]) -> None:
        self.owner = owner

    def each(self) -> Iterator[tuple[str, Any]]:
        """(name, flow function) of its operations."""
        kind = type(self.owner)
        for name in dir(kind):
            found = inspect.getattr_static(kind, name)
            if isinstance(found, (operation, items)):
                yield f"{kind.__name__}.{name}", found


def resources() -> list[Resource[Any]]:
    server = Server("http://lab.example", "lg_x")
    root = Operations(SyncDriver(server), Exchange(server))
    return [root, *(each for each in vars(root).values() if isinstance(each, Resource))]


def argument(name: str, annotation: Any, folder: Path) -> Any:
    """A value for a parameter, by its name or its type."""
    if name == "source":
        (folder / "scans.zip").touch()
        return folder / "scans.zip"
    if name == "cache":
        return folder
    for kind in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(kind, type) and issubclass(kind, Command):
            return every_member(kind)
    return ARGUMENTS.get(name, f"{name}_1")


def every_member(kind: type[Command]) -> Command:
    """The example of a command, or one whose members are all set."""
    examples = dict(kind.model_config.get("json_schema_extra") or {}).get("examples")  # type: ignore[arg-type]
    if isinstance(examples, list):
        return kind.model_validate(examples[0])
    # What is not sent while it is the default is none of them, and gets another value.
    defaults = kind().model_dump()
    given = {
        name: "lung" if name == "window" else 2 if defaults.get(name) is None else defaults[name]
        for name in kind.model_fields
    }
    return kind.model_validate(given)


def first_call(found: Any, owner: Resource[Any], folder: Path) -> Call:
    """What an operation would send first, with all of its arguments."""
    function = found.flow if isinstance(found, operation) else found.stream
    parameters = list(inspect.signature(function).parameters.values())[1:]
    given = {
        each.name: argument(each.name, each.annotation, folder)
        for each in parameters
        if each.name not in LOCAL
    }
    flow = function(owner, **given)
    step = advance(flow, Outcome())
    while isinstance(step, Block):
        step = advance(flow, Outcome(step.function()))
    assert isinstance(step, Send), f"{function.__qualname__} begins with {step}"
    flow.close()
    return step.call


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Call]:
    """The first request of each operation."""
    folder = tmp_path_factory.mktemp("calls")
    return {
        name: first_call(found, owner, folder)
        for owner in resources()
        for name, found in Flows(owner).each()
    }


def routes() -> dict[tuple[str, str], dict[str, Any]]:
    """(method, path template) of what the document describes, with the operation."""
    document = json.loads(DOCUMENT.read_text())
    return {
        (method.upper(), path): described
        for path, item in document["paths"].items()
        for method, described in item.items()
    }


def route_of(call: Call) -> tuple[str, str] | None:
    """Where the document describes ``call``; literal paths win over templates."""
    matching = [
        (method, path)
        for method, path in routes()
        if method == call.method
        and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), call.path) is not None
    ]
    return min(matching, key=lambda route: route[1].count("{"), default=None)


def query_of(described: dict[str, Any]) -> set[str]:
    return {each["name"] for each in described.get("parameters", []) if each["in"] == "query"}


def test_every_route_has_an_operation(calls: dict[str, Call]) -> None:
    spoken = {route_of(call) for call in calls.values()}
    # Waiting is no first request: it looks at the job, and follows these.
    missing = routes().keys() - spoken
    assert not missing, f"no method of the client calls {sorted(missing)}"


def test_every_operation_is_documented(calls: dict[str, Call]) -> None:
    for name, call in calls.items():
        route = route_of(call)
        assert route is not None, f"{name} calls {call.method} {call.path}, which is no route"
        given = {key for key, value in call.params.items() if value is not None}
        assert given <= query_of(routes()[route]), name


def test_every_query_parameter_can_be_given(calls: dict[str, Call]) -> None:
    given: dict[tuple[str, str], set[str]] = {}
    for call in calls.values():
        route = route_of(call)
        assert route is not None
        named = {key for key, value in call.params.items() if value is not None}
        given.setdefault(route, set()).update(named)
    for route, described in routes().items():
        missing = query_of(described) - given[route] - OF_NO_OPERATION
        missing -= WITHOUT_EFFECT.get(route, set())
        assert not missing, f"{route}: nothing sends {missing}"


def test_every_call_that_makes_a_job_has_an_idempotency_key(calls: dict[str, Call]) -> None:
    for name, call in calls.items():
        route = route_of(call)
        assert route is not None
        headers = {each["name"] for each in routes()[route].get("parameters", [])}
        streamed = call.method == "GET" or call.params.get("dry_run") == "true"
        if "idempotency-key" in headers and not streamed:
            assert "Idempotency-Key" in call.headers, name


def test_operations_say_what_they_do() -> None:
    for owner in resources():
        for name, found in Flows(owner).each():
            assert found.__doc__, name
