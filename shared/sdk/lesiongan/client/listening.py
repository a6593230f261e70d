"""A job's event stream, resumed where it breaks."""

import time
from collections.abc import Callable, Iterator

from lesiongan.client.sse import EventParser, JobEvent
from lesiongan.client.transport import Call, Transport
from lesiongan.errors import ConnectionFailed

#: Silence on an event stream after which it is opened again: servers send something sooner.
SILENCE_SECONDS = 45.0
#: Streams that break one after another, without an event between, before events are given up.
MAX_BROKEN_STREAMS = 5


def _nothing() -> None:
    """For listeners who wait as long as it takes."""


def listen(
    transport: Transport,
    path: str,
    *,
    last_event_id: str | None = None,
    silence_seconds: float = SILENCE_SECONDS,
    on_sign_of_life: Callable[[], None] = _nothing,
) -> Iterator[JobEvent]:
    """The events of the stream at ``path`` until ``completed``.

    A stream that breaks is resumed after the last event that had an id. ``on_sign_of_life`` is
    called whenever anything arrives, or a stream ends.

    Raises :class:`ConnectionFailed` after ``MAX_BROKEN_STREAMS`` streams without an event.
    """
    broken = 0
    while True:
        try:
            for events in _pieces(transport, path, last_event_id, silence_seconds):
                on_sign_of_life()
                for event in events:
                    broken = 0
                    last_event_id = event.id or last_event_id
                    yield event
                    if event.event == "completed":
                        return
        except ConnectionFailed:
            if broken >= MAX_BROKEN_STREAMS:
                raise
        # A server that goes down ends its streams in good order: that is no end of the job.
        broken += 1
        on_sign_of_life()
        if broken > MAX_BROKEN_STREAMS:
            raise ConnectionFailed(f"{path} ends before the job does")
        time.sleep(min(2.0, 0.1 * 2.0**broken))


def _pieces(
    transport: Transport, path: str, last_event_id: str | None, silence_seconds: float
) -> Iterator[list[JobEvent]]:
    """The events of each piece that arrives; one that only keeps the stream open has none."""
    headers = {"Accept": "text/event-stream"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    call = Call(method="GET", path=path, headers=headers, read_seconds=silence_seconds)
    parser = EventParser()
    with transport.stream(call) as response:
        for piece in response.iter_bytes():
            yield parser.feed(piece)
