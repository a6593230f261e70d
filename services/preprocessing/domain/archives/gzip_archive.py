"""Inflating a tar.gz once, under a cap."""

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, Final

from services.preprocessing.domain.archives.limits import ArchiveLimits
from shared.errors import BadInput

_PIECE_BYTES: Final = 1 << 20


@contextmanager
def inflated(
    file: BinaryIO, limits: ArchiveLimits, temporary_folder: str | None
) -> Iterator[IO[bytes]]:
    """The gzip stream's content as an unnamed temporary file, gone when the context ends.

    Raises:
        BadInput: damaged or truncated stream, or it expands beyond the limits.
    """
    with tempfile.TemporaryFile(dir=temporary_folder) as target:
        expanded_bytes = 0
        for piece in _pieces(file):
            expanded_bytes += len(piece)
            limits.check_expanded(expanded_bytes)
            limits.check_ratio(expanded_bytes, file.tell())
            target.write(piece)
        target.seek(0)
        yield target


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file, mode="rb") as stream:
        while True:
            try:
                piece = stream.read(_PIECE_BYTES)
            except (gzip.BadGzipFile, zlib.error, EOFError) as error:
                raise BadInput(
                    "The tar.gz archive is truncated or damaged; please send it again."
                ) from error
            if not piece:
                return
            yield piece
