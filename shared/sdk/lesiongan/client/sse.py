"""Server-sent events: bytes in, events out (WHATWG HTML, section 9.2). Knows no connection."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class JobEvent:
    """Something that happened to a job: ``progress``, ``metric``, ``log`` or ``completed``.

    ``id`` is what to resume after; events that cannot be resumed after have none.
    """

    event: str
    data: dict[str, Any]
    id: str | None = None


class EventParser:
    """Cuts a byte stream into events, wherever its pieces begin and end."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._event = ""
        self._data: list[str] = []
        self._id: str | None = None

    def feed(self, piece: bytes) -> list[JobEvent]:
        """The events that ``piece`` completes."""
        self._buffer.extend(piece)
        # A CR at the end may be half of a CRLF: it waits for the next piece.
        end = len(self._buffer) - self._buffer.endswith(b"\r")
        complete, rest = bytes(self._buffer[:end]), bytes(self._buffer[end:])
        lines = complete.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._buffer = bytearray(lines.pop() + rest)
        events = (self._take_line(line.decode("utf-8", "replace")) for line in lines)
        return [event for event in events if event is not None]

    def _take_line(self, line: str) -> JobEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._event = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> JobEvent | None:
        text, event, event_id = "\n".join(self._data), self._event, self._id
        self._data, self._event, self._id = [], "", None
        if not text:
            return None
        try:
            data = json.loads(text)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            data = {"value": text if data is None else data}
        return JobEvent(event or "message", data, event_id)
