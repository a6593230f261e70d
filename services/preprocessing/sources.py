"""Where an ingest reads from: an upload's parts, or a prefix of the object store."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast

from services.preprocessing.domain.archives import (
    ArchiveLimits,
    Source,
    open_archive,
    safe_name,
)
from shared.db.tables import UploadRow
from shared.errors import BadInput
from shared.storage.listing import place_of
from shared.storage.parts import PartsFile
from shared.storage.port import ObjectStore


@contextmanager
def upload_source(store: ObjectStore, upload: UploadRow, limits: ArchiveLimits) -> Iterator[Source]:
    """The archive of an upload. Raises :class:`BadInput` for one that is damaged or unsafe."""
    parts = PartsFile(store, upload.id, size=upload.bytes, part_bytes=upload.part_bytes)
    with io.BufferedReader(parts) as file, open_archive(cast("BinaryIO", file), limits) as source:
        yield source


class PrefixSource:
    """Files below ``bucket/prefix``. Raises :class:`BadInput` when there are none, or too many."""

    def __init__(self, store: ObjectStore, address: str, limits: ArchiveLimits) -> None:
        self._store = store
        self._bucket, self._prefix = place_of(address)
        self._limits = limits
        self._names = self._list()

    def names(self) -> Sequence[str]:
        return self._names

    def read(self, name: str) -> bytes:
        return self._store.open_foreign(self._bucket, self._prefix + name)

    def _list(self) -> list[str]:
        names = []
        for entry in self._store.list(self._prefix, bucket=self._bucket):
            name = safe_name(entry.key.removeprefix(self._prefix))
            if any(part.startswith(".") for part in name.split("/")):
                continue
            if entry.bytes > self._limits.max_member_bytes:
                raise BadInput(f"an object of {entry.bytes} bytes is larger than an image may be")
            names.append(name)
            if len(names) > self._limits.max_files:
                raise BadInput(f"more than {self._limits.max_files} objects lie below the prefix")
        if not names:
            raise BadInput("no object lies below this prefix")
        return sorted(names)
