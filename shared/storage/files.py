"""Objects as files, for readers that need one."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from shared.storage.port import ObjectStore

#: Smaller objects never touch the disk.
SPOOL_BYTES = 16 << 20


@contextmanager
def downloaded(store: ObjectStore, key: str) -> Iterator[IO[bytes]]:
    """The object as a temporary file, at its start; gone afterwards.

    Raises :class:`shared.storage.port.ObjectMissing`.
    """
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as file:
        for chunk in store.stream(key):
            file.write(chunk)
        file.seek(0)
        yield file
