"""Shards: tar files in WebDataset's format, a PNG and a JSON file an image.

Neighbouring slices are ``.previous.png`` and ``.following.png`` of the same sample, behind its PNG.

Source of the format: https://github.com/webdataset/webdataset (members of one sample share their
name up to the first dot and lie side by side).
"""

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from shared.datasets.records import ImageMeta, ImageRecord, Neighbour, from_json

MAX_IMAGES = 4096
_encode = json.JSONEncoder(sort_keys=True).encode
#: Owner and group of a member.
_NOBODY = b"0000000\0"
#: 2,048 slices of 512 x 512 x 16 bits; it lies on the scratch disk until it is stored.
MAX_BYTES = 640 << 20
#: Smaller ones stay in memory: beside a database that syncs, a file is removed in 20 to 200 ms, and
#: somebody may be waiting for one image.
IN_MEMORY_BYTES = 4 << 20


@dataclass(frozen=True)
class Shard:
    """A complete shard, before it is uploaded: ``data``, or a temporary file at ``path``."""

    number: int
    data: bytes
    path: Path | None
    sha256: str
    bytes: int


class ShardWriter:
    """Collects images in a tar file, a temporary one where it grows; a context manager, which
    removes the file.
    """

    def __init__(self, number: int, first_index: int) -> None:
        self.number = number
        self.first_index = first_index
        self._records: list[ImageRecord] = []
        self._path: Path | None = None
        self._small = io.BytesIO()
        self._file: IO[bytes] = self._small
        self._bytes = 0

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        finally:  # a full disk fails once more when the rest is written, and needs the room
            if self._path is not None:
                self._path.unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self._records)

    @property
    def records(self) -> Sequence[ImageRecord]:
        """Of the images so far."""
        return self._records

    @property
    def full(self) -> bool:
        """Whether the next image belongs into another shard."""
        return len(self._records) >= MAX_IMAGES or self._bytes >= MAX_BYTES

    def add(
        self,
        png: bytes,
        meta: ImageMeta,
        *,
        previous: bytes | None = None,
        following: bytes | None = None,
    ) -> ImageRecord:
        """Append an image, and the slices beside it; its record says where they lie."""
        index = self.first_index + len(self._records)
        offset = self._member(f"{index:08d}.png", png)
        record = ImageRecord(
            **meta.members(),
            index=index,
            sha256=hashlib.sha256(png).hexdigest(),
            shard=self.number,
            offset=offset,
            size=len(png),
            previous=self._neighbour(f"{index:08d}.previous.png", previous),
            following=self._neighbour(f"{index:08d}.following.png", following),
        )
        self._member(f"{index:08d}.json", _encode(record.as_json()).encode())
        self._records.append(record)
        return record

    def close(self) -> Shard:
        """End the tar file."""
        end = 2 * tarfile.BLOCKSIZE
        self._file.write(bytes(end + -(self._bytes + end) % tarfile.RECORDSIZE))
        if self._path is None:
            data = self._small.getvalue()
            digest = hashlib.sha256(data).hexdigest()
            return Shard(self.number, data, None, digest, len(data))
        self._file.close()
        with self._path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Shard(self.number, b"", self._path, digest, self._path.stat().st_size)

    def _move_to_disk(self) -> None:
        with tempfile.NamedTemporaryFile(suffix=".tar", delete=False) as file:
            self._path = Path(file.name)
        self._file = self._path.open("wb")
        self._file.write(self._small.getbuffer())

    def _neighbour(self, name: str, png: bytes | None) -> Neighbour | None:
        if png is None:
            return None
        offset = self._member(name, png)
        return Neighbour(offset=offset, size=len(png), sha256=hashlib.sha256(png).hexdigest())

    def _member(self, name: str, data: bytes) -> int:
        """Where the data of the new member begin."""
        self._file.write(_header(name, len(data)))
        self._file.write(data)
        self._file.write(bytes(-len(data) % tarfile.BLOCKSIZE))
        offset = self._bytes + tarfile.BLOCKSIZE
        self._bytes = offset + len(data) + -len(data) % tarfile.BLOCKSIZE
        if self._path is None and self._bytes > IN_MEMORY_BYTES:
            self._move_to_disk()
        return offset


def _header(name: str, size: int) -> bytes:
    """As ``tarfile`` writes it, which takes longer for it than all else that a small crop needs.

    Source: POSIX.1-1988, ustar interchange format.
    """
    fields = (b"0000644\0", _NOBODY, _NOBODY, b"%011o\0" % size, b"00000000000\0", b" " * 8, b"0")
    block = name.encode().ljust(100, b"\0") + b"".join(fields) + bytes(100) + b"ustar\00000"
    return b"%b%06o\0%b" % (block[:148], sum(block), block[155:].ljust(357, b"\0"))


def read_shard(file: IO[bytes]) -> Iterator[tuple[ImageRecord, bytes]]:
    """(record, PNG) of each image of a shard, in order, reading the file once from front to end.

    Neighbouring slices are passed over. Raises :class:`tarfile.ReadError` where the file ends too
    early.
    """
    png = b""
    for name, content in _members(file):
        kind = name.partition(".")[2]
        if kind == "png":
            png = content
        elif kind == "json":
            yield from_json(ImageRecord, json.loads(content)), png


def _members(file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """(name, content) of members as :func:`_header` begins them; ``tarfile`` takes five times as
    long, while somebody waits for the images.
    """
    while (header := _exactly(file, tarfile.BLOCKSIZE)).strip(b"\0"):
        size = int(header[124:135], 8)
        content = _exactly(file, size)
        _exactly(file, -size % tarfile.BLOCKSIZE)
        yield header[:100].rstrip(b"\0").decode(), content


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise tarfile.ReadError("a shard ends too early")
    return data
