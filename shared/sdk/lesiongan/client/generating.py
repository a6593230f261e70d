"""``GET /generate``: a ZIP that arrives while its images are made."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesiongan.client.downloads import written_whole
from lesiongan.client.transport import Call, Transport
from lesiongan.contracts.categories import Category

#: The first image may wait for other jobs, and the first one of a generator for its weights.
SILENCE_SECONDS = 900.0
#: What begins each member of a ZIP: a local file header (APPNOTE.TXT, 4.3.7).
_MEMBER = b"PK\x03\x04"


@dataclass(frozen=True)
class StreamProgress:
    """How much of the ZIP has arrived. ``images`` never exceeds what was asked for."""

    bytes: int
    images: int
    total_images: int


@dataclass(frozen=True)
class GeneratedZip:
    """A ZIP of synthetic images, and what it takes to make the same images again."""

    path: Path
    images: int
    bytes: int
    job: str | None
    gan: str | None
    seed: int | None
    #: Seconds from the request to the first byte, and to the last.
    first_byte_seconds: float
    seconds: float


OnStreamed = Callable[[StreamProgress], None]


def generate_query(category: Category, n: int, gan: str | None, seed: int | None) -> dict[str, Any]:
    """The query that ``GET`` and ``POST /generate`` share."""
    return {"category": category, "n": n, "gan": gan, "seed": seed}


def stream_zip(
    transport: Transport, query: dict[str, Any], path: Path, on_progress: OnStreamed | None
) -> GeneratedZip:
    """Write the ZIP to ``path`` as it arrives; see :meth:`lesiongan.Client.generate_zip`."""
    call = Call(method="GET", path="/generate", params=query, read_seconds=SILENCE_SECONDS)
    wanted: int = query["n"]
    began = time.monotonic()
    members = MemberCounter()
    received = 0
    first_byte_seconds = 0.0
    with transport.stream(call) as response, written_whole(path) as file:
        for piece in response.iter_bytes():
            first_byte_seconds = first_byte_seconds or time.monotonic() - began
            file.write(piece)
            received += len(piece)
            images = min(wanted, members.feed(piece))
            if on_progress is not None:
                on_progress(StreamProgress(received, images, wanted))
        headers = response.headers
    seed = headers.get("x-seed", "")
    return GeneratedZip(
        path=path,
        images=min(wanted, members.count),
        bytes=received,
        job=headers.get("x-job-id"),
        gan=headers.get("x-gan-id"),
        seed=int(seed) if seed.isdecimal() else None,
        first_byte_seconds=first_byte_seconds,
        seconds=time.monotonic() - began,
    )


class MemberCounter:
    """Counts the members of a ZIP that passes by in pieces; for progress, not for proof."""

    def __init__(self) -> None:
        self.count = 0
        self._tail = b""

    def feed(self, piece: bytes) -> int:
        """The members begun so far, this piece included."""
        data = self._tail + piece
        self.count += data.count(_MEMBER)
        self._tail = data[-(len(_MEMBER) - 1) :]
        return self.count
