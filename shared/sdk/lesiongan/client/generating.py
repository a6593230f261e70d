"""``GET /generate``: a ZIP that arrives while its images are made."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesiongan.arrays import read_images
from lesiongan.client.call import Call
from lesiongan.client.downloads import Download
from lesiongan.client.exchange import Exchange
from lesiongan.client.flow import Flow
from lesiongan.contracts.categories import Category

if TYPE_CHECKING:
    from lesiongan.arrays.images import Images

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

    def to_numpy(self) -> "Images":
        """The images in memory: see :class:`lesiongan.arrays.Images`.

        Needs NumPy and Pillow, and raises :class:`lesiongan.errors.MissingExtra` without them.
        """
        return read_images(self.path)


OnStreamed = Callable[[StreamProgress], None]


def generate_query(
    category: Category, n: int, gan: str | None, seed: int | None, truncation: float | None
) -> dict[str, Any]:
    """The query that ``GET`` and ``POST /generate`` share."""
    return {"category": category, "n": n, "gan": gan, "seed": seed, "truncation": truncation}


def stream_zip(
    exchange: Exchange, query: dict[str, Any], path: Path, on_progress: OnStreamed | None
) -> Flow[GeneratedZip]:
    """Write the ZIP to ``path`` as it arrives; see :meth:`lesiongan.Client.generate_zip`."""
    call = Call(method="GET", path="/generate", params=query, read_seconds=SILENCE_SECONDS)
    wanted: int = query["n"]
    began = time.monotonic()
    members = MemberCounter()
    received = 0
    first_byte_seconds = 0.0

    def count(piece: bytes, done: int) -> None:
        nonlocal received, first_byte_seconds
        first_byte_seconds = first_byte_seconds or time.monotonic() - began
        received = done
        images = min(wanted, members.feed(piece))
        if on_progress is not None:
            on_progress(StreamProgress(received, images, wanted))

    response = yield from Download(exchange, call, path).run(count)
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
