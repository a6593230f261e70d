"""Sending requests: authorisation, retries, and problems as exceptions."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from lesiongan.client.retrying import (
    MAX_PAUSE_SECONDS,
    may_resend,
    pause_seconds,
    retry_after_seconds,
)
from lesiongan.client.server import Server
from lesiongan.errors import ApiError, ConnectionFailed, UnexpectedAnswer

#: About 4 s in all. Who waits for a job is more patient: see :mod:`lesiongan.client.jobs`.
MAX_RETRIES = 4
CONNECT_SECONDS = 5.0

Model = TypeVar("Model", bound=BaseModel)
#: Opens what is sent as multipart files, anew for each attempt.
Files = Callable[[ExitStack], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, as often as it must be sent."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    form: Mapping[str, str] | None = None
    files: Files | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Has the same effect however often it is sent.
    repeatable: bool = True
    read_seconds: float = 60.0

    def with_idempotency_key(self) -> "Call":
        """This call with a key that makes all its attempts one request to the server."""
        return replace(self, headers={**self.headers, "Idempotency-Key": str(uuid.uuid4())})


class Transport:
    """Sends calls to one server. Not for use by several threads at once."""

    def __init__(
        self,
        server: Server,
        *,
        max_retries: int = MAX_RETRIES,
        http_transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.server = server
        self._max_retries = max_retries
        headers = {"Accept": "application/json"}
        if server.key is not None:
            headers["Authorization"] = f"Bearer {server.key}"
        self._http = httpx.Client(
            base_url=server.url,
            headers=headers,
            transport=http_transport,
            trust_env=not server.loopback,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, call: Call) -> httpx.Response:
        """The whole answer; raises :class:`ApiError` and :class:`ConnectionFailed`."""
        with self.stream(call) as response:
            with self._connection_errors(call):
                response.read()
            return response

    def read(self, call: Call, model: type[Model]) -> Model:
        """The answer as ``model``; also raises :class:`UnexpectedAnswer`."""
        return parsed(self.send(call), model)

    @contextmanager
    def stream(self, call: Call) -> Iterator[httpx.Response]:
        """The answer with its body unread.

        Raises :class:`ApiError` and :class:`ConnectionFailed`, also while the body is read.
        """
        response = self._send_until_answered(call)
        try:
            if response.status_code >= 300:
                with self._connection_errors(call):
                    response.read()
                raise api_error(response)
            with self._connection_errors(call):
                yield response
        finally:
            response.close()

    def _send_until_answered(self, call: Call) -> httpx.Response:
        attempt = 0
        while True:
            outcome = self._send_once(call)
            again = attempt < self._max_retries and may_resend(outcome, repeatable=call.repeatable)
            pause = pause_seconds(outcome, attempt)
            if not again or pause > MAX_PAUSE_SECONDS:
                break
            if isinstance(outcome, httpx.Response):
                outcome.close()
            time.sleep(pause)
            attempt += 1
        if isinstance(outcome, httpx.Response):
            return outcome
        raise self._connection_failed(call, outcome)

    def _send_once(self, call: Call) -> httpx.Response | httpx.TransportError:
        with ExitStack() as opened:
            files = None if call.files is None else call.files(opened)
            request = self._http.build_request(
                call.method,
                call.path,
                params={name: value for name, value in call.params.items() if value is not None},
                json=call.json,
                content=call.content,
                data=call.form,
                files=files,
                headers=call.headers,
                timeout=httpx.Timeout(call.read_seconds, connect=CONNECT_SECONDS),
            )
            try:
                return self._http.send(request, stream=True)
            except httpx.TransportError as error:
                return error

    @contextmanager
    def _connection_errors(self, call: Call) -> Iterator[None]:
        try:
            yield
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
    return ApiError(
        status=response.status_code,
        type=str(body.get("type", "about:blank")),
        title=str(body.get("title") or response.reason_phrase or "HTTP error"),
        detail=str(body.get("detail") or f"HTTP {response.status_code}"),
        errors=errors if isinstance(errors, list) else [],
        extra={name: value for name, value in body.items() if name not in known},
        retry_after_seconds=retry_after_seconds(response),
    )
