"""A job's event stream, resumed where it breaks."""

from collections.abc import Callable

import httpx

from lesiongan.client.call import Call
from lesiongan.client.exchange import Exchange
from lesiongan.client.flow import Emit, Flow, Stream, close, sleep
from lesiongan.client.sse import EventParser, JobEvent
from lesiongan.errors import ConnectionFailed

#: Silence on an event stream after which it is opened again: servers send something sooner.
SILENCE_SECONDS = 45.0
#: Streams that break one after another, without an event between, before events are given up.
MAX_BROKEN_STREAMS = 5


def _nothing() -> None:
    """For listeners who wait as long as it takes."""


def listen(
    exchange: Exchange,
    path: str,
    *,
    last_event_id: str | None = None,
    silence_seconds: float = SILENCE_SECONDS,
    on_sign_of_life: Callable[[], None] = _nothing,
) -> Stream[JobEvent]:
    """The events of the stream at ``path`` until ``completed``.

    A stream that breaks is resumed after the last event that had an id. ``on_sign_of_life`` is
    called whenever anything arrives, or a stream ends.

    Raises :class:`ConnectionFailed` after ``MAX_BROKEN_STREAMS`` streams without an event.
    """
    broken = 0
    while True:
        connection = _Connection(exchange, path, last_event_id, silence_seconds)
        try:
            while (events := (yield from connection.next_events())) is not None:
                on_sign_of_life()
                for event in events:
                    broken = 0
                    last_event_id = event.id or last_event_id
                    yield Emit(event)
                    if event.event == "completed":
                        return
        except ConnectionFailed:
            if broken >= MAX_BROKEN_STREAMS:
                raise
        # A server that goes down ends its streams in good order: that is no end of the job.
        yield from connection.close()
        broken += 1
        on_sign_of_life()
        if broken > MAX_BROKEN_STREAMS:
            raise ConnectionFailed(f"{path} ends before the job does")
        yield from sleep(min(2.0, 0.1 * 2.0**broken))


class _Connection:
    """One attempt at the stream, opened when its first events are asked for."""

    def __init__(
        self, exchange: Exchange, path: str, last_event_id: str | None, silence_seconds: float
    ) -> None:
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        self._call = Call(method="GET", path=path, headers=headers, read_seconds=silence_seconds)
        self._exchange = exchange
        self._response: httpx.Response | None = None
        self._parser = EventParser()

    def next_events(self) -> Flow[list[JobEvent] | None]:
        """The events of the next piece; of one that only keeps the stream open, none."""
        if self._response is None:
            self._response = yield from self._exchange.open(self._call)
        piece = yield from self._exchange.piece(self._call, self._response)
        return None if piece is None else self._parser.feed(piece)

    def close(self) -> Flow[None]:
        if self._response is not None:
            yield from close(self._response)
