"""Carries out flows with blocking calls, and builds the requests of both drivers."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any, Final

import httpx

from lesiongan.client.call import Call
from lesiongan.client.flow import (
    Block,
    Close,
    Done,
    Effect,
    Emit,
    Flow,
    Item,
    NextPiece,
    Outcome,
    ReadAll,
    Result,
    Send,
    Sleep,
    Stream,
    advance,
)
from lesiongan.client.server import Server

CONNECT_SECONDS = 5.0
#: What a flow is told first, and after an item was handed on.
NOTHING: Final = Outcome()


def http_options(server: Server) -> dict[str, Any]:
    """What the HTTP clients of both drivers are made with."""
    headers = {"Accept": "application/json"}
    if server.key is not None:
        headers["Authorization"] = f"Bearer {server.key}"
    return {"base_url": server.url, "headers": headers, "trust_env": not server.loopback}


def request_of(
    http: httpx.Client | httpx.AsyncClient, call: Call, opened: ExitStack
) -> httpx.Request:
    """The request of ``call``; its files stay open as long as ``opened``."""
    return http.build_request(
        call.method,
        call.path,
        params={name: value for name, value in call.params.items() if value is not None},
        json=call.json,
        content=call.content,
        data=call.form,
        files=None if call.files is None else call.files(opened),
        headers=call.headers,
        timeout=httpx.Timeout(call.read_seconds, connect=CONNECT_SECONDS),
    )


class SyncDriver:
    """Carries out the flows of a :class:`lesiongan.Client`, in its caller's thread."""

    def __init__(self, server: Server, http_transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(transport=http_transport, **http_options(server))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def run(self, flow: Flow[Result]) -> Result:
        """The flow's result; raises what it raises."""
        with closing(flow), _Bodies() as bodies:
            step = advance(flow, NOTHING)
            while not isinstance(step, Done):
                step = advance(flow, self._outcome(step, bodies))
            return step.result

    def each(self, stream: Stream[Item]) -> Iterator[Item]:
        """The stream's items, each when it is asked for."""
        with closing(stream), _Bodies() as bodies:
            step = advance(stream, NOTHING)
            while not isinstance(step, Done):
                if isinstance(step, Emit):
                    yield step.item
                    step = advance(stream, NOTHING)
                else:
                    step = advance(stream, self._outcome(step, bodies))

    def _outcome(self, effect: Effect, bodies: "_Bodies") -> Outcome:
        try:
            return Outcome(self._carry_out(effect, bodies))
        except BaseException as error:  # noqa: BLE001 - the flow gets all of them, and Ctrl-C too
            return Outcome(error=error)

    def _carry_out(self, effect: Effect, bodies: "_Bodies") -> Any:
        match effect:
            case Send(call):
                with ExitStack() as opened:
                    request = request_of(self._http, call, opened)
                    return bodies.add(self._http.send(request, stream=True))
            case ReadAll(response):
                return response.read()
            case NextPiece(response):
                return next(bodies.pieces[response], None)
            case Close(response):
                return bodies.close(response)
            case Sleep(seconds):
                return time.sleep(seconds)
            case Block(function):
                return function()


class _Bodies:
    """The open responses of one flow, each with its pieces."""

    def __init__(self) -> None:
        self.pieces: dict[httpx.Response, Iterator[bytes]] = {}

    def __enter__(self) -> "_Bodies":
        return self

    def __exit__(self, *_: object) -> None:
        for response in [*self.pieces]:
            self.close(response)

    def add(self, response: httpx.Response) -> httpx.Response:
        self.pieces[response] = response.iter_bytes()
        return response

    def close(self, response: httpx.Response) -> None:
        self.pieces.pop(response, None)
        response.close()
