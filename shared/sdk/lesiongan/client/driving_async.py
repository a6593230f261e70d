"""Carries out flows on an asyncio event loop: the counterpart of :class:`SyncDriver`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, closing
from typing import Any

import httpx

from lesiongan.client.driving import NOTHING, http_options, request_of
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


class AsyncDriver:
    """Carries out the flows of an :class:`lesiongan.AsyncClient`."""

    def __init__(
        self, server: Server, http_transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._http = httpx.AsyncClient(transport=http_transport, **http_options(server))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def run(self, flow: Flow[Result]) -> Result:
        """The flow's result; raises what it raises."""
        with closing(flow):
            async with _Bodies() as bodies:
                step = advance(flow, NOTHING)
                while not isinstance(step, Done):
                    step = advance(flow, await self._outcome(step, bodies))
                return step.result

    async def each(self, stream: Stream[Item]) -> AsyncIterator[Item]:
        """The stream's items, each when it is asked for."""
        with closing(stream):
            async with _Bodies() as bodies:
                step = advance(stream, NOTHING)
                while not isinstance(step, Done):
                    if isinstance(step, Emit):
                        yield step.item
                        step = advance(stream, NOTHING)
                    else:
                        step = advance(stream, await self._outcome(step, bodies))

    async def _outcome(self, effect: Effect, bodies: "_Bodies") -> Outcome:
        try:
            return Outcome(await self._carry_out(effect, bodies))
        except BaseException as error:  # noqa: BLE001 - the flow gets all of them, cancelling too
            return Outcome(error=error)

    async def _carry_out(self, effect: Effect, bodies: "_Bodies") -> Any:
        match effect:
            case Send(call):
                with ExitStack() as opened:
                    request = request_of(self._http, call, opened)
                    return bodies.add(await self._http.send(request, stream=True))
            case ReadAll(response):
                return await response.aread()
            case NextPiece(response):
                return await anext(bodies.pieces[response], None)
            case Close(response):
                return await bodies.close(response)
            case Sleep(seconds):
                return await asyncio.sleep(seconds)
            case Block(function):
                return await asyncio.to_thread(function)


class _Bodies:
    """The open responses of one flow, each with its pieces."""

    def __init__(self) -> None:
        self.pieces: dict[httpx.Response, AsyncIterator[bytes]] = {}

    async def __aenter__(self) -> "_Bodies":
        return self

    async def __aexit__(self, *_: object) -> None:
        for response in [*self.pieces]:
            await self.close(response)

    def add(self, response: httpx.Response) -> httpx.Response:
        self.pieces[response] = response.aiter_bytes()
        return response

    async def close(self, response: httpx.Response) -> None:
        self.pieces.pop(response, None)
        await response.aclose()
