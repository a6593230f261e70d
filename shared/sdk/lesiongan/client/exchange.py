"""A request and its answer: retries, problems as exceptions, connections that fail."""

from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from lesiongan.client.call import Call
from lesiongan.client.flow import Flow, Result, close, next_piece, read_all, send, sleep
from lesiongan.client.retrying import (
    MAX_PAUSE_SECONDS,
    may_have_begun,
    may_resend,
    pause_seconds,
    retry_after_seconds,
)
from lesiongan.client.server import Server
from lesiongan.errors import ApiError, ConnectionFailed, UnexpectedAnswer
from lesiongan.problems import problem_class

#: About 4 s in all. Who waits for a job is more patient: see :mod:`lesiongan.client.jobs`.
MAX_RETRIES = 4

Model = TypeVar("Model", bound=BaseModel)


class Exchange:
    """How one server is spoken to. All that a flow of it raises is a :class:`ClientError`."""

    def __init__(self, server: Server, *, max_retries: int = MAX_RETRIES) -> None:
        self.server = server
        self._max_retries = max_retries

    def answer(self, call: Call) -> Flow[httpx.Response]:
        """The whole answer; raises :class:`ApiError` and :class:`ConnectionFailed`."""
        response = yield from self.open(call)
        return (yield from self._connected(call, read_all(response)))

    def read(self, call: Call, model: type[Model]) -> Flow[Model]:
        """The answer as ``model``; also raises :class:`UnexpectedAnswer`."""
        return parsed((yield from self.answer(call)), model)

    def open(self, call: Call) -> Flow[httpx.Response]:
        """The answer with its body unread; raises :class:`ApiError`, :class:`ConnectionFailed`."""
        response = yield from self._sent(call)
        if response.status_code >= 300:
            yield from self._connected(call, read_all(response))
            raise api_error(response)
        return response

    def piece(self, call: Call, response: httpx.Response) -> Flow[bytes | None]:
        """The body's next piece, None at its end; raises :class:`ConnectionFailed`."""
        return (yield from self._connected(call, next_piece(response)))

    def _sent(self, call: Call) -> Flow[httpx.Response]:
        attempt, begun = 0, False
        while True:
            outcome = yield from _attempt(call)
            again = attempt < self._max_retries and may_resend(outcome, repeatable=call.repeatable)
            pause = pause_seconds(outcome, attempt)
            if not again or pause > MAX_PAUSE_SECONDS:
                break
            if isinstance(outcome, httpx.Response):
                yield from close(outcome)
            yield from sleep(pause)
            attempt, begun = attempt + 1, begun or may_have_begun(outcome)
        if isinstance(outcome, httpx.Response):
            return (yield from _done(outcome)) if begun and _is_gone(call, outcome) else outcome
        raise self._connection_failed(call, outcome) from outcome

    def _connected(self, call: Call, flow: Flow[Result]) -> Flow[Result]:
        """The flow's result; its connection errors become ours."""
        try:
            return (yield from flow)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._connection_failed(call, error) from error

    def _connection_failed(self, call: Call, error: Exception) -> ConnectionFailed:
        url = self.server.url
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            hint = "check the address and the network"
            if self.server.loopback:
                hint = "`lesiongan status` says whether the stack is up, `lesiongan up` starts it"
            return ConnectionFailed(f"nothing answers at {url}", hint=hint)
        what = (
            "did not answer in time" if isinstance(error, httpx.TimeoutException) else "broke off"
        )
        return ConnectionFailed(
            f"{url} {what}: {call.method} {call.path}",
            hint="look at the server's log, and try again",
        )


def _attempt(call: Call) -> Flow[httpx.Response | httpx.TransportError]:
    try:
        return (yield from send(call))
    except httpx.TransportError as error:
        return error


def _is_gone(call: Call, response: httpx.Response) -> bool:
    return call.method == "DELETE" and response.status_code == httpx.codes.NOT_FOUND


def _done(response: httpx.Response) -> Flow[httpx.Response]:
    """What an attempt before would have answered, which nobody heard."""
    yield from close(response)
    return httpx.Response(httpx.codes.NO_CONTENT, request=response.request)


def parsed(response: httpx.Response, model: type[Model]) -> Model:
    """A response's JSON as ``model``; raises :class:`UnexpectedAnswer`."""
    try:
        return model.model_validate_json(response.content)
    except ValidationError:
        request = response.request
        raise UnexpectedAnswer(
            f"the answer to {request.method} {request.url.copy_with(query=None)} has no known form",
            hint="is this the address of a LesionGAN server of this version?",
        ) from None


def api_error(response: httpx.Response) -> ApiError:
    """The problem that a response with a read body carries, or the best guess at one."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        body = {"detail": " ".join(response.text[:200].split())}
    known = {"type", "title", "status", "detail", "errors"}
    errors = body.get("errors")
    return problem_class(response.status_code)(
        status=response.status_code,
        type=str(body.get("type", "about:blank")),
        title=str(body.get("title") or response.reason_phrase or "HTTP error"),
        detail=str(body.get("detail") or f"HTTP {response.status_code}"),
        errors=errors if isinstance(errors, list) else [],
        extra={name: value for name, value in body.items() if name not in known},
        retry_after_seconds=retry_after_seconds(response),
    )
