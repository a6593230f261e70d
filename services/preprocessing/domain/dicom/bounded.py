"""A file in memory of which a parser may read so much and no more."""

import io
from typing import Final

from services.preprocessing.domain.png import UnreadableImage

#: 1,000 frames of an Enhanced CT image describe themselves in some 3 MB.
MAX_HEADER_BYTES: Final = 4 << 20
#: pydicom asks at least once for an element, and four times for an item of a sequence. What it
#: makes of each takes up to 300 bytes and 1.2 kB: so many are less than 80 MB.
MAX_HEADER_READS: Final = 250_000


class Bounded(io.BytesIO):
    """``content`` is shared, not copied. What is skipped by seeking does not count.

    Reading raises UnreadableImage once it has gone on for too long.
    """

    def __init__(
        self, content: bytes, *, max_bytes: int = MAX_HEADER_BYTES, max_reads: int
    ) -> None:
        super().__init__(content)
        self._bytes_left = max_bytes
        self._reads_left = max_reads

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads_left -= 1
        wanted = self._bytes_left + 1 if size is None or size < 0 else size
        content = super().read(min(wanted, self._bytes_left + 1))
        self._bytes_left -= len(content)
        if self._bytes_left < 0 or self._reads_left < 0:
            raise UnreadableImage("its DICOM header is too long")
        return content
