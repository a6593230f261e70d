"""A ZIP that streams while its files are made: stored, not compressed, for PNGs are."""

import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import BinaryIO, cast

#: Every archive of the same content has the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class LargeFile:
    """A file whose content comes in chunks, so that it is never in memory."""

    name: str
    chunks: AsyncIterator[bytes]


#: Small files, as (name, content), or one that is large.
Entry = list[tuple[str, bytes]] | LargeFile


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


async def zip_stream(entries: AsyncIterator[Entry]) -> AsyncIterator[bytes]:
    """The archive in pieces, one for each list or chunk that ``entries`` yields.

    An error in ``entries`` ends the stream without the archive's directory, so that no client can
    take half an archive for a whole one.
    """
    sink = _Sink()
    archive = zipfile.ZipFile(cast("BinaryIO", sink), "w", zipfile.ZIP_STORED)
    async for entry in entries:
        if isinstance(entry, LargeFile):
            info = zipfile.ZipInfo(entry.name, EPOCH)
            with archive.open(info, "w", force_zip64=True) as file:
                async for chunk in entry.chunks:
                    file.write(chunk)
                    yield sink.take()
        else:
            for name, content in entry:
                archive.writestr(zipfile.ZipInfo(name, EPOCH), content)
        yield sink.take()
    archive.close()
    yield sink.take()
