"""Sequential read-ahead over any seekable binary file."""

import io
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

READ_AHEAD_BYTES: Final = 4 << 20


class _SeekableRaw(io.RawIOBase):
    """Presents a caller's file as a raw stream. Closing it leaves the caller's file open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        view = memoryview(buffer).cast("B")
        data = self._file.read(len(view))
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET and offset < 0:
            raise EOFError("seek before the start of the file")
        return self._file.seek(offset, whence)


class ReadAhead(io.BufferedReader):
    """A view of a file that fetches 4 MiB at a time.

    ``zipfile`` and ``tarfile`` read headers of 30 to 512 bytes. On a ranged reader over an object
    store each would be a request; with members visited in the order of their offsets, seeks fall
    inside the buffer and the store sees one sequential pass.

    A single read above ``max_read_bytes`` raises EOFError: both libraries read as much metadata
    at once as a damaged or hostile header tells them to.
    """

    def __init__(self, file: IO[bytes], *, max_read_bytes: int) -> None:
        super().__init__(_SeekableRaw(file), buffer_size=READ_AHEAD_BYTES)
        self._max_read_bytes = max_read_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self._max_read_bytes + 1 if size is None or size < 0 else size
        if size == wanted > self._max_read_bytes:
            raise EOFError("a header claims more than an archive may hold")
        content = super().read(wanted)
        if len(content) > self._max_read_bytes:
            raise EOFError("more remains than an archive may hold")
        return content
