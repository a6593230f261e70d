"""A server made of functions, behind httpx's own mock transport."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
from typer.testing import Result

from lesiongan import AsyncClient, Client

Handler = Callable[[httpx.Request], httpx.Response]
#: Runs a command of ``lesiongan`` against a handler: ``run(handler, "datasets", "list")``.
Run = Callable[..., Result]
URL = "http://lab.example:8000"
KEY = "lg_test"


def client_of(handler: Handler, *, max_retries: int = 3) -> Client:
    """A client whose requests ``handler`` answers."""
    return Client(URL, KEY, max_retries=max_retries, http_transport=httpx.MockTransport(handler))


def async_client_of(handler: Handler, *, max_retries: int = 3) -> AsyncClient:
    """The same for asyncio."""
    transport = httpx.MockTransport(handler)
    return AsyncClient(URL, KEY, max_retries=max_retries, http_transport=transport)


def job(status: str = "queued", **members: Any) -> dict[str, Any]:
    """A job's JSON."""
    return {
        "id": "job_1",
        "kind": "generate",
        "status": status,
        "input": {},
        "created_at": "2026-01-01T00:00:00Z",
        "links": {"self": "/jobs/job_1", "events": "/jobs/job_1/events", "cancel": "x"},
        **members,
    }


def page(*items: dict[str, Any]) -> httpx.Response:
    """A list's only page."""
    return httpx.Response(200, json={"items": list(items), "next_cursor": None})


def problem(status: int, title: str, detail: str, **members: Any) -> httpx.Response:
    """An RFC 9457 answer."""
    body = {"type": "/errors/x", "title": title, "status": status, "detail": detail, **members}
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that arrives in pieces, and may break off with an error."""

    def __init__(self, pieces: list[bytes], error: Exception | None = None) -> None:
        self._pieces = pieces
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._error is not None:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


class Script:
    """Answers requests one after another, and keeps them."""

    def __init__(self, *answers: httpx.Response | BaseException) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer
