"""A file that was streamed into the store in parts, read back as one seekable file.

Parts need no multipart session, so an upload that breaks off leaves plain objects that are easy to
collect, and reading any range costs at most two ranged reads.
"""

import io
from collections import OrderedDict

from shared.storage.port import ObjectStore

#: One part, and the unit in which :class:`PartsFile` reads: it holds ``KEPT_PARTS`` of them.
PART_BYTES = 8 << 20
KEPT_PARTS = 3


def part_key(upload_id: str, number: int) -> str:
    """Where part ``number`` of an upload lies."""
    return f"uploads/{upload_id}/{number:06d}.part"


class PartsFile(io.RawIOBase):
    """A read-only, seekable file over the parts of an upload.

    Wrap it in :class:`io.BufferedReader` where small reads are expected.
    """

    def __init__(self, store: ObjectStore, upload_id: str, *, size: int, part_bytes: int) -> None:
        self._store = store
        self._upload_id = upload_id
        self._size = size
        self._part_bytes = part_bytes
        self._position = 0
        self._parts: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("seek before the start of the file")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        left = min(len(buffer), self._size - self._position)
        if left <= 0:
            return 0
        number, start = divmod(self._position, self._part_bytes)
        piece = self._part(number)[start : start + left]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def _part(self, number: int) -> bytes:
        if number not in self._parts:
            self._parts[number] = self._store.get(part_key(self._upload_id, number))
            if len(self._parts) > KEPT_PARTS:
                self._parts.popitem(last=False)
        self._parts.move_to_end(number)
        return self._parts[number]
