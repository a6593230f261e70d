"""The least that a client can cost: requests as bytes on one kept connection, one after the other.

A client on the same cores takes them from the API. A comfortable one takes as much as the API does,
and would be what is measured.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit


class Wire:
    """One connection to an API that answers with ``Content-Length``, as ours does with JSON."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._head = head

    @classmethod
    async def open(cls, url: str, headers: Mapping[str, str]) -> Self:
        """A connection whose requests carry ``headers``."""
        address = urlsplit(url)
        lines = [
            f"Host: {address.netloc}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        return cls(reader, writer, "".join(f"{line}\r\n" for line in lines).encode())

    async def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, bytes]:
        """Status and body of the answer."""
        sent = json.dumps(body).encode()
        own = f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n".encode()
        self._writer.write(b"POST " + path.encode() + b" HTTP/1.1\r\n" + self._head + own + sent)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().split(b"content-length:")[1].split(b"\r\n")[0]
        return int(head.split(b" ", 2)[1]), await self._reader.readexactly(int(length))

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
