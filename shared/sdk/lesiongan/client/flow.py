"""Flows: what the client does, written once and without doing any of it (sans-IO).

A flow is a generator that yields *effects*, such as "send this request", and is sent their
outcomes; an effect that fails is thrown into it. :class:`lesiongan.client.driving.SyncDriver` and
:class:`lesiongan.client.driving_async.AsyncDriver` carry effects out, so that retries, paging,
events and downloads are the same code in :class:`lesiongan.Client` and
:class:`lesiongan.AsyncClient`.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import httpx

from lesiongan.client.call import Call

Result = TypeVar("Result")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Send:
    """Send a request once; the outcome is the response with its body unread."""

    call: Call


@dataclass(frozen=True)
class ReadAll:
    """Read the rest of a body, which the response keeps."""

    response: httpx.Response


@dataclass(frozen=True)
class NextPiece:
    """The next piece of a body; None at its end."""

    response: httpx.Response


@dataclass(frozen=True)
class Close:
    """Let go of a response. What a flow does not close, its driver does at the flow's end."""

    response: httpx.Response


@dataclass(frozen=True)
class Sleep:
    """Let time pass."""

    seconds: float


@dataclass(frozen=True)
class Block:
    """Call a function that may block, such as one that writes to a disk."""

    function: Callable[[], Any]


@dataclass(frozen=True)
class Emit(Generic[Item]):
    """Hand one item to whoever iterates: only in a :data:`Stream`."""

    item: Item


Effect: TypeAlias = Send | ReadAll | NextPiece | Close | Sleep | Block
#: Something to do that has a result.
Flow: TypeAlias = Generator[Effect, Any, Result]
#: Something to do that hands on items while it is done.
Stream: TypeAlias = Generator[Effect | Emit[Item], Any, None]


def send(call: Call) -> Flow[httpx.Response]:
    """Send ``call`` once; raises :class:`httpx.TransportError`."""
    response: httpx.Response = yield Send(call)
    return response


def read_all(response: httpx.Response) -> Flow[httpx.Response]:
    """Read the whole body and let go of the connection."""
    yield ReadAll(response)
    yield Close(response)
    return response


def next_piece(response: httpx.Response) -> Flow[bytes | None]:
    """The next piece of the body, or None at its end."""
    piece: bytes | None = yield NextPiece(response)
    return piece


def close(response: httpx.Response) -> Flow[None]:
    """Let go of a response whose rest is of no interest."""
    yield Close(response)


def sleep(seconds: float) -> Flow[None]:
    """Let time pass."""
    yield Sleep(seconds)


def block(function: Callable[[], Result]) -> Flow[Result]:
    """The result of a function that may block."""
    result: Result = yield Block(function)
    return result


@dataclass(frozen=True)
class Done(Generic[Result]):
    """A flow's end."""

    result: Result


@dataclass(frozen=True)
class Outcome:
    """What came of an effect: a value, or an error to throw into the flow."""

    value: Any = None
    error: BaseException | None = None


AnyEffect = TypeVar("AnyEffect")


def advance(flow: Generator[AnyEffect, Any, Result], outcome: Outcome) -> AnyEffect | Done[Result]:
    """Give ``flow`` the outcome of its last effect; its next one, or its end."""
    try:
        if outcome.error is not None:
            return flow.throw(outcome.error)
        return flow.send(outcome.value)
    except StopIteration as end:
        return Done(end.value)


def consume(stream: Stream[Item], take: Callable[[Item], None]) -> Flow[None]:
    """Do all of a stream, and call ``take`` with each of its items."""
    outcome = Outcome()
    while not isinstance(step := advance(stream, outcome), Done):
        outcome = Outcome()
        if isinstance(step, Emit):
            take(step.item)
            continue
        try:
            outcome = Outcome((yield step))
        except BaseException as error:  # noqa: BLE001 - the stream gets what its effect met
            outcome = Outcome(error=error)
