"""Answers streamed into files."""

import errno
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import httpx

from lesiongan.client.call import Call
from lesiongan.client.exchange import Exchange
from lesiongan.client.flow import Flow, block, close
from lesiongan.contracts.datasets import ImageFormat
from lesiongan.errors import ConnectionFailed, UnexpectedAnswer

#: Called with the bytes written so far and the total, where the server says one.
OnBytes = Callable[[int, int | None], None]
#: Called with each piece that is written, and how many bytes that makes.
OnPiece = Callable[[bytes, int], None]
#: Times that one download goes on where it broke off, where the server supports that.
MAX_RESUMPTIONS = 5
_SHA256_TAG = re.compile(r'"([0-9a-f]{64})"')


def unless_png(image_format: ImageFormat) -> ImageFormat | None:
    """What is asked for; servers send PNGs unasked."""
    return None if image_format == "png" else image_format


def download(
    exchange: Exchange, call: Call, path: Path, on_progress: OnBytes | None = None
) -> Flow[Path]:
    """Write the answer's body to ``path``; see :class:`Download`."""
    transfer = Download(exchange, call, path)

    def show(_: bytes, done: int) -> None:
        if on_progress is not None:
            on_progress(done, content_length(transfer.first))

    yield from transfer.run(show)
    return path


class Download:
    """One answer on its way to a file, which takes its name when it is complete and right.

    Where the server supports ranges and names the content by a strong ETag, a connection that
    breaks is followed by a request for the rest. A length or a SHA-256 that the server announced
    (``Content-Length``, an ``ETag`` of 64 hexadecimal digits) is checked.
    """

    #: The answer to the first request.
    first: httpx.Response

    def __init__(self, exchange: Exchange, call: Call, path: Path) -> None:
        self._exchange = exchange
        self._call = call
        self._path = path

    def run(self, on_piece: OnPiece) -> Flow[httpx.Response]:
        """The answer that was saved.

        Raises :class:`ConnectionFailed`, :class:`ApiError`, :class:`UnexpectedAnswer` and OSError,
        and leaves nothing behind then; what was at the path before stays.
        """
        with written_whole(self._path) as file:
            response = yield from self._exchange.open(self._call)
            self._begin(response)
            resumed = 0
            while True:
                try:
                    yield from self._receive(response, file, on_piece)
                    break
                except ConnectionFailed:
                    rest = rest_of(self._call, self.first, self._done)
                    if rest is None or resumed == MAX_RESUMPTIONS:
                        raise
                resumed += 1
                yield from close(response)
                response = yield from self._exchange.open(rest)
                self._go_on(response, file)
            self._check()
        return self.first

    def _receive(self, response: httpx.Response, file: BinaryIO, on_piece: OnPiece) -> Flow[None]:
        while (piece := (yield from self._exchange.piece(self._call, response))) is not None:
            yield from block(partial(file.write, piece))
            if self._announced_sha256 is not None:
                self._digest.update(piece)
            self._done += len(piece)
            on_piece(piece, self._done)

    def _go_on(self, response: httpx.Response, file: BinaryIO) -> None:
        """Continue behind what is there, or begin again where the server sends all of it."""
        if response.status_code == httpx.codes.PARTIAL_CONTENT:
            if not response.headers.get("content-range", "").startswith(f"bytes {self._done}-"):
                raise UnexpectedAnswer(
                    "the server sent another part of the file than was asked for"
                )
            return
        file.seek(0)
        file.truncate()
        self._begin(response)

    def _begin(self, response: httpx.Response) -> None:
        self.first = response
        tag = _SHA256_TAG.fullmatch(response.headers.get("etag", ""))
        self._announced_sha256 = None if tag is None else tag[1]
        self._done = 0
        self._digest = hashlib.sha256()

    def _check(self) -> None:
        announced = content_length(self.first)
        if announced is not None and announced != self._done and not _is_encoded(self.first):
            raise UnexpectedAnswer(f"{self._done} of {announced} bytes arrived", hint="try again")
        expected = self._announced_sha256
        if expected is not None and expected != self._digest.hexdigest():
            raise UnexpectedAnswer(
                f"the SHA-256 of what arrived is not {expected}", hint="try again"
            )


def rest_of(call: Call, response: httpx.Response, done: int) -> Call | None:
    """The request for what is missing; None where the server cannot send a part of the same."""
    tag = response.headers.get("etag", "")
    ranges = response.headers.get("accept-ranges", "").lower()
    if ranges != "bytes" or not tag.startswith('"') or _is_encoded(response):
        return None
    return call.with_headers({"Range": f"bytes={done}-", "If-Range": tag})


def _is_encoded(response: httpx.Response) -> bool:
    return "content-encoding" in response.headers


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name when it is complete; a broken one leaves no trace.

    What was at ``path`` before stays there until then.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a folder is in its place", str(path))
    # Two downloads of one path may be on their way at once; tempfile's files would stay private.
    partial_path = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with partial_path.open("xb") as file:
            yield file
        partial_path.replace(path)
    finally:
        partial_path.unlink(missing_ok=True)


def content_length(response: httpx.Response) -> int | None:
    """The body's size in bytes, where the server says it."""
    value = response.headers.get("content-length", "")
    return int(value) if value.isdecimal() else None
