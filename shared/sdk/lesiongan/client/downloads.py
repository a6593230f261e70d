"""Answers streamed into files."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import httpx

from lesiongan.client.transport import Call, Transport
from lesiongan.contracts.datasets import ImageFormat

#: Called with the bytes written so far and the total, where the server says one.
OnBytes = Callable[[int, int | None], None]


def unless_png(image_format: ImageFormat) -> ImageFormat | None:
    """What is asked for; servers send PNGs unasked."""
    return None if image_format == "png" else image_format


def download(
    transport: Transport, call: Call, path: Path, on_progress: OnBytes | None = None
) -> Path:
    """Write the answer's body to ``path``; see :func:`written_whole`."""
    with transport.stream(call) as response, written_whole(path) as file:
        total = content_length(response)
        done = 0
        for piece in response.iter_bytes():
            file.write(piece)
            done += len(piece)
            if on_progress is not None:
                on_progress(done, total)
    return path


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name when it is complete; a broken one leaves no trace.

    What was at ``path`` before stays there until then.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def content_length(response: httpx.Response) -> int | None:
    """The body's size in bytes, where the server says it."""
    value = response.headers.get("content-length", "")
    return int(value) if value.isdecimal() else None
