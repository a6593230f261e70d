"""A ZIP that streams while its files are made: stored, not compressed, for PNGs are."""

import zipfile
from collections.abc import AsyncIterator
from typing import BinaryIO, cast

#: Every archive of the same content has the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


class _Sink:
    """An unseekable file whose bytes are taken out as they come."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


async def zip_stream(
    entries: AsyncIterator[list[tuple[str, bytes]]],
) -> AsyncIterator[bytes]:
    """The archive in pieces, one for each list of (name, content) that ``entries`` yields.

    An error in ``entries`` ends the stream without the archive's directory, so that no client can
    take half an archive for a whole one.
    """
    sink = _Sink()
    archive = zipfile.ZipFile(cast("BinaryIO", sink), "w", zipfile.ZIP_STORED)
    async for batch in entries:
        for name, content in batch:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)
        yield sink.take()
    archive.close()
    yield sink.take()
